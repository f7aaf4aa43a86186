//! The books on the program's own capability slots.
//!
//! What must hold: a slot that is marked free is empty. When all are in use, another capability node
//! is made from the program's own memory.

use bitvec::BitArr;
use bitvec::order::Lsb0;
use freehold_abi::layout::{NODE_SLOTS, NODES};
use freehold_abi::{CapName, SlotRef};

use crate::lock::Mutex;
use crate::{calls, memory};

struct Slots {
    free: BitArr!(for (NODES * NODE_SLOTS) as usize, in u32, Lsb0),
    nodes: u32,
}

static SLOTS: Mutex<Slots> = Mutex::new(Slots { free: bitvec::array::BitArray::ZERO, nodes: 0 });

/// Enters the slots from `first` up to `end` as free; the space has `nodes` capability nodes.
pub(crate) fn init(first: CapName, end: u32, nodes: u32) {
    let mut slots = SLOTS.lock();
    slots.nodes = nodes;
    slots.free[first.0 as usize..end as usize].fill(true);
}

/// Takes an empty slot. `None`: all are in use, and there is no memory for more.
pub fn take() -> Option<CapName> {
    take_row(1)
}

/// Takes `count` empty slots in a row (at most 128) and returns the first.
pub fn take_row(count: u32) -> Option<CapName> {
    let mut slots = SLOTS.lock();
    loop {
        if let Some(first) = find(&slots, count as usize) {
            slots.free[first..first + count as usize].fill(false);
            return Some(CapName(first as u32));
        }
        add_node(&mut slots)?;
    }
}

/// Empties a slot, and enters it as free.
pub fn give_back(name: CapName) {
    // Deleting from the own space can fail only for a slot that does not exist.
    let deleted = calls::delete(SlotRef::own(name));
    debug_assert!(deleted.is_ok(), "{name:?} {deleted:?}");
    SLOTS.lock().free.set(name.0 as usize, true);
}

/// Slots in use, the reserved ones included, of all that the program has.
pub fn used() -> (u32, u32) {
    let slots = SLOTS.lock();
    let all = slots.nodes * NODE_SLOTS;
    (all - slots.free.count_ones() as u32, all)
}

fn find(slots: &Slots, count: usize) -> Option<usize> {
    let mut from = 0;
    loop {
        let first = from + slots.free.get(from..)?.first_one()?;
        let row = slots.free.get(first..first + count)?;
        match row.last_zero() {
            None => return Some(first),
            Some(taken) => from = first + taken + 1,
        }
    }
}

fn add_node(slots: &mut Slots) -> Option<()> {
    if slots.nodes == NODES {
        return None;
    }
    let root = memory::take(1, 1)?;
    if calls::make_cap_node(root.container, root.first, CapName::NONE, slots.nodes).is_err() {
        memory::give_back(root);
        return None;
    }
    let first = (slots.nodes * NODE_SLOTS) as usize;
    slots.free[first..first + NODE_SLOTS as usize].fill(true);
    slots.nodes += 1;
    Some(())
}

/// A slot that is emptied and given back when this is dropped.
#[derive(Debug, PartialEq, Eq)]
pub struct Slot(CapName);

impl Slot {
    /// Takes an empty slot.
    pub fn take() -> Option<Slot> {
        take().map(Slot)
    }

    /// Its name.
    pub fn name(&self) -> CapName {
        self.0
    }

    /// The same as calls want it.
    pub fn reference(&self) -> SlotRef {
        SlotRef::own(self.0)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        give_back(self.0);
    }
}
