//! Containers: ranges of a Table's entries, as capabilities name them.

use freehold_abi::info::Kind;
use freehold_abi::layout::ENTRIES;
use freehold_abi::{CapName, Error, Rights};
use freehold_captree::Link;
use freehold_user_pagetables::FrameType;
use freehold_user_pagetables::layout::{self, BADGE, OBJECT};

use crate::caps::Cap;
use crate::kernel::Kernel;
use crate::thread::ThreadRef;

/// A container capability, decoded. Indices that callers give count from `first`.
#[derive(Clone, Copy)]
pub struct Container {
    /// Where the capability is.
    pub cap: Link,
    /// What it allows.
    pub rights: Rights,
    /// The Table.
    pub table: u32,
    /// First entry of the range.
    pub first: u32,
    /// Entries, 1 to 1,024.
    pub count: u32,
}

impl Container {
    /// Decodes a capability.
    ///
    /// # Errors
    /// WrongKind; Gone if the Table is being destroyed.
    pub fn of(k: &Kernel, cap: Cap) -> Result<Container, Error> {
        let cap = cap.expect(Kind::Container, Rights::NONE)?;
        match k.tables.is(cap.object, FrameType::Table) {
            true => Ok(Container::decode(k, cap.slot)),
            false => Err(Error::Gone),
        }
    }

    /// What a slot says in which a capability to a container is.
    #[inline(always)]
    fn decode(k: &Kernel, slot: Link) -> Container {
        let (table, range) = (k.tables.cap_field(slot, OBJECT), k.tables.cap_field(slot, BADGE));
        let (first, count) = (range & 0x3FF, (range >> 10 & 0x3FF) + 1);
        Container { cap: slot, rights: Rights(k.tables.cap_rights(slot)), table, first, count }
    }

    /// The container that `name` is a capability to, if it allows `rights`.
    ///
    /// # Errors
    /// NoCapability, WrongKind, Gone, NoRight.
    #[inline(always)]
    pub fn lookup(k: &Kernel, t: ThreadRef, name: u32, rights: Rights) -> Result<Container, Error> {
        let slot = k.slot(t.directory.get(), CapName::from_word(name))?;
        if k.tables.cap_allows(slot, Kind::Container as u32, rights.0) {
            let container = Container::decode(k, slot);
            if k.tables.is(container.table, FrameType::Table) {
                return Ok(container);
            }
        }
        Err(Container::refusal(k, t, name))
    }

    /// Why a name does not do.
    #[cold]
    fn refusal(k: &Kernel, t: ThreadRef, name: u32) -> Error {
        let container = k.cap(t, CapName::from_word(name)).and_then(|cap| Container::of(k, cap));
        container.map_or_else(|error| error, |_| Error::NoRight)
    }

    /// The same, of roots.
    ///
    /// # Errors
    /// Also NotRoots.
    pub fn of_roots(k: &Kernel, t: ThreadRef, name: u32) -> Result<Container, Error> {
        let container = Container::lookup(k, t, name, Rights::EDIT)?;
        if !container.is_boot(k) {
            return Err(Error::NotRoots);
        }
        Ok(container)
    }

    /// Whether the entries are roots.
    pub fn is_boot(&self, k: &Kernel) -> bool {
        k.tables.is_boot_table(self.table)
    }

    /// Whether it covers its whole Table, as a hook needs.
    pub fn is_whole(&self) -> bool {
        self.count == ENTRIES
    }

    /// Checks that `count` entries from `index` on lie in the range.
    ///
    /// # Errors
    /// OutOfRange.
    pub fn check(&self, index: u32, count: u32) -> Result<(), Error> {
        match index.checked_add(count) {
            Some(end) if end <= self.count => Ok(()),
            _ => Err(Error::OutOfRange),
        }
    }

    /// The slot of entry `index`, which lies in the range.
    pub fn slot(&self, index: u32) -> Link {
        debug_assert!(index < self.count);
        layout::in_table(self.table, self.first + index)
    }

    /// The frame whose root is entry `index`; the frames behind it, `count` in all, are in range too.
    ///
    /// # Errors
    /// OutOfRange.
    pub fn frame(&self, k: &Kernel, index: u32, count: u32) -> Result<u32, Error> {
        self.check(index, count)?;
        Ok(k.tables.frame_of_root(self.slot(index)))
    }

    /// A part of the range: first | (count − 1) << 10, as a pair.
    ///
    /// # Errors
    /// OutOfRange.
    pub fn part(&self, word: u32) -> Result<(u32, u32), Error> {
        let (first, count) = (word & 0x3FF, (word >> 10 & 0x3FF) + 1);
        self.check(first, count)?;
        Ok((first, count))
    }

    /// The badge word of a capability to a part.
    pub fn encode(&self, (first, count): (u32, u32)) -> u32 {
        (self.first + first) | (count - 1) << 10
    }
}
