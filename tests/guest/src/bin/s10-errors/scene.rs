//! Capabilities of every kind, with and without rights, and the lookups that fail on them.

use freehold_abi::info::start;
use freehold_abi::{Call, Error};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint, notification};
use freehold_guest_tests::pages::Frames;
use freehold_guest_tests::worker::{BELOW, Worker};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Rights, calls};

use crate::claims::fails;
use crate::halves::HalfDead;

/// A name in a node that the space does not have.
pub const NO_NODE: u32 = CapName::new(30, 5).0;

/// Everything, each once.
pub struct Scene {
    pub endpoint: Slot,
    pub bits: Slot,
    /// A bare Table, whole.
    pub table: Slot,
    pub _memory: Frames,
    pub home: Home,
    pub worker: Worker,
    /// The same without rights.
    pub no_endpoint: Slot,
    pub no_bits: Slot,
    pub no_table: Slot,
    pub no_space: Slot,
    pub no_thread: Slot,
    pub empty: Slot,
    /// Free frames.
    pub frames: Frames,
    dying: HalfDead,
}

impl Scene {
    pub fn new() -> Scene {
        let dying = HalfDead::new();
        let (endpoint, bits, empty) = (endpoint(), notification(), Slot::take().expect("a slot"));
        let memory = Frames::take(4, 4);
        let table = Slot::take().expect("a slot");
        check_eq!(
            calls::make_table(memory.container(), memory.at(0), table.reference(), CapName::NONE),
            Ok(())
        );
        let home = Home::new();
        let worker = Worker::new(&home, BELOW);
        let none = |name, argument| derived(name, Rights::NONE, argument, 0);
        Scene {
            no_endpoint: none(endpoint.name(), 0),
            no_bits: none(bits.name(), 0),
            no_table: none(table.name(), calls::range(0, 1024)),
            no_space: none(home.space(), 0),
            no_thread: none(worker.name(), 0),
            endpoint,
            bits,
            table,
            _memory: memory,
            home,
            worker,
            empty,
            frames: Frames::take(12, 4),
            dying,
        }
    }

    /// The slot of an object that is being deleted.
    pub fn dying(&self) -> u32 {
        self.dying.name().0
    }

    /// An empty slot.
    pub fn empty(&self) -> u32 {
        self.empty.name().0
    }

    /// An argument that names an object: all ways in which the lookup fails. `wrong` is of another kind,
    /// `none` lacks the right (if one is needed), `zero` says whether name 0 is an error.
    pub fn name(
        &self,
        call: Call,
        wrong: Option<&Slot>,
        none: Option<&Slot>,
        zero: bool,
        arguments: impl Fn(u32) -> (u32, [u32; 4]),
    ) {
        let mut cases = alloc::vec![
            (self.empty(), Error::NoCapability),
            (NO_NODE, Error::NoCapability),
            (self.dying(), Error::Gone),
        ];
        cases.extend(zero.then_some((0, Error::NoCapability)));
        cases.extend(wrong.map(|slot| (slot.name().0, Error::WrongKind)));
        cases.extend(none.map(|slot| (slot.name().0, Error::NoRight)));
        for (name, error) in cases {
            let (immediate, registers) = arguments(name);
            fails(call, immediate, registers, error);
        }
    }

    /// An argument that names a space, or 0 for the own one.
    pub fn space(&self, call: Call, arguments: impl Fn(u32) -> (u32, [u32; 4])) {
        self.name(call, Some(&self.endpoint), Some(&self.no_space), false, arguments);
    }

    /// An argument that is a slot reference.
    pub fn slot(&self, call: Call, arguments: impl Fn(u32) -> (u32, [u32; 4])) {
        let there = 40;
        self.space(call, |space| arguments(space << 12 | there));
        for reference in [0, NO_NODE, self.home.space().0 << 12, self.home.space().0 << 12 | NO_NODE] {
            let (immediate, registers) = arguments(reference);
            fails(call, immediate, registers, Error::NoCapability);
        }
    }

    /// The same of a slot that must be empty.
    pub fn empty_slot(&self, call: Call, arguments: impl Fn(u32) -> (u32, [u32; 4])) {
        self.slot(call, &arguments);
        for taken in [self.endpoint.name().0, self.dying(), start::SPACE.0] {
            let (immediate, registers) = arguments(taken);
            fails(call, immediate, registers, Error::Occupied);
        }
    }

    /// An argument that is a container of roots with Edit.
    pub fn roots(&self, call: Call, arguments: impl Fn(u32) -> (u32, [u32; 4])) {
        self.name(call, Some(&self.endpoint), Some(&self.no_table), true, &arguments);
        let (immediate, registers) = arguments(self.table.name().0);
        fails(call, immediate, registers, Error::NotRoots);
    }
}
