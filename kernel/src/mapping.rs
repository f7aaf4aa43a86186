//! Mappings and hooks: the calls on Tables.
//!
//! What must hold: errors come in the order NoTable, Occupied, TooDeep, NoCredits; a batch stops at the
//! first error or interrupt and says how far it came; each update is read when its turn comes, checked
//! whole, and what an interrupted one still lacks is checked again when it goes on.

use freehold_abi::info::Kind;
use freehold_abi::layout::{ENTRIES, FRAME, USER_END, USER_TABLES};
use freehold_abi::update::{UPDATES_AT, UPDATES_MAX, Update};
use freehold_abi::{CapName, Error, Rights};
use freehold_captree::Link;
use freehold_user_pagetables::{Budget, Entry, Kind as EntryKind, Progress, layout};

use crate::arch;
use crate::container::Container;
use crate::errors::cause;
use crate::kernel::Kernel;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{ThreadRef, reg};
use crate::units;

/// Where mappings are made or removed.
#[derive(Clone, Copy)]
enum Destination {
    /// By page number, in the Tables that belong to a space.
    Space(u32),
    /// By index in a container.
    Container(Container),
}

impl Destination {
    /// What `name` stands for; 0 is the thread's own space.
    #[inline(always)]
    fn lookup(k: &Kernel, t: ThreadRef, name: CapName) -> Result<Destination, Error> {
        if name.0 != 0 && k.cap(t, name)?.kind == Kind::Container {
            let container = Container::lookup(k, t, name.0, Rights::EDIT)?;
            return Ok(Destination::Container(container));
        }
        Ok(Destination::Space(k.space(t, name)?))
    }

    /// What mappings there may allow.
    fn rights(self) -> Rights {
        match self {
            Destination::Space(_) => Rights::ALL,
            Destination::Container(container) => container.rights,
        }
    }

    /// The entries from `page` on that lie side by side.
    #[inline(always)]
    fn entries(self, k: &Kernel, page: u32) -> Result<Entries, Error> {
        match self {
            Destination::Space(_) if page >= USER_END / FRAME => Err(Error::BadAddress),
            Destination::Space(directory) => {
                let address = page * FRAME;
                let first = k.tables.slot_at(directory, address).map_err(cause)?;
                let address = (directory == k.tables.current).then_some(address);
                Ok(Entries { first, count: ENTRIES - page % ENTRIES, address })
            }
            Destination::Container(container) => {
                container.check(page, 1)?;
                Ok(Entries { first: container.slot(page), count: container.count - page, address: None })
            }
        }
    }
}

/// Entries of one Table.
struct Entries {
    first: Link,
    count: u32,
    /// Where the current space sees the first, if the caller named it by address.
    address: Option<u32>,
}

/// Update: up to 15 ranges of mappings. ESI is the cursor (update << 16 | done), EDI the sum.
pub fn update(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [updates, ..] = t.args();
    if updates > UPDATES_MAX {
        return Err(Error::OutOfRange);
    }
    loop {
        let [_, cursor, made, _] = t.args();
        let (index, mut done) = (cursor >> 16, cursor & 0xFFFF);
        if index >= updates {
            return Ok(Outcome::Done);
        }
        let at = UPDATES_AT + 4 * index as usize;
        let update = Update::decode([0, 1, 2, 3].map(|word| t.utcb_word(at + word)));
        let first = done;
        let result = apply(k, t, update, &mut done);
        t.set(reg::EDI, made.wrapping_add(done - first));
        match result {
            Ok(Outcome::Done) => t.set(reg::ESI, (index + 1) << 16),
            other => {
                t.set(reg::ESI, index << 16 | done);
                return other;
            }
        }
    }
}

/// One update, from its entry `*done` on.
fn apply(k: &mut Kernel, t: ThreadRef, update: Update, done: &mut u32) -> CallResult {
    let source = Container::lookup(k, t, update.source.0, Rights::EDIT)?;
    source.check(update.first, update.count)?;
    let destination = Destination::lookup(k, t, update.destination)?;
    let rights = update.rights.and(source.rights).and(destination.rights()).0;
    while *done < update.count {
        let units = k.units.take(update.count - *done);
        if units == 0 {
            return Ok(Outcome::Again);
        }
        let entries = destination.entries(k, update.page + *done)?;
        let (count, parents) = (units.min(entries.count), source.slot(update.first + *done));
        let (made, result) = k.tables.map_run(parents, entries.first, count, rights, update.total_code);
        k.units.give_back(units - made);
        *done += made;
        result.map_err(cause)?;
    }
    Ok(Outcome::Done)
}

/// Validate: the same from words in an ordinary page, each a page of the caller's own | rights.
pub fn validate(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [container, range, words, _] = t.args();
    let container = Container::lookup(k, t, container, Rights::EDIT)?;
    let (first, count) = container.part(range)?;
    if !words.is_multiple_of(4) {
        return Err(Error::Misaligned);
    }
    loop {
        let done = t.get(reg::EBP);
        if done >= count {
            return Ok(Outcome::Done);
        }
        if !k.units.spend(units::WORD) {
            return Ok(Outcome::Again);
        }
        let word = arch::copy::load_user(words.wrapping_add(4 * done)).map_err(|fault| {
            t.set(reg::EDI, fault.address);
            Error::FaultMine
        })?;
        if word != 0 {
            let (page, rights) = (word & !(FRAME - 1), Rights::from_bits(word));
            if page >= USER_END {
                return Err(Error::BadAddress);
            }
            let parent = k.tables.slot_at(k.tables.current, page).map_err(cause)?;
            let slot = container.slot(first + done);
            k.tables.map(parent, slot, rights.and(container.rights).0, 0).map_err(cause)?;
        }
        t.set(reg::EBP, done + 1);
    }
}

/// Unmap: takes mappings back, with all that was derived from them. ESI and EDI advance, and EBP gathers the
/// accessed and dirty bits of the entries, which go with them: to look at an entry first and unmap it then
/// would miss a write in between.
pub fn unmap(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let destination = Destination::lookup(k, t, CapName::from_word(t.args()[0]))?;
    loop {
        let [_, page, left, used] = t.args();
        if left == 0 {
            return Ok(Outcome::Done);
        }
        let most = k.units.at(units::UNMAP).take(left);
        if most == 0 {
            return Ok(Outcome::Again);
        }
        let entries = destination.entries(k, page)?;
        let count = most.min(entries.count);
        let run = k.tables.unmap_run(entries.first, count, entries.address);
        k.units.at(units::UNMAP).give_back(most - run.done);
        k.owe(run.flush);
        t.set(reg::ESI, page.wrapping_add(run.done));
        t.set(reg::EDI, left - run.done);
        t.set(reg::EBP, used | run.used & (Entry::ACCESSED | Entry::DIRTY));
        if run.done < count {
            // The next entry has descendants, or is no mapping.
            let next = layout::behind(entries.first, run.done);
            if !k.tables.meta(next).is(EntryKind::Mapping) {
                return Err(Error::Unmovable);
            }
            if !k.units.spend(units::PARENT) || k.revoke_data(next) == Progress::Preempted {
                return Ok(Outcome::Again);
            }
        }
    }
}

/// RevokeRange: takes back what was derived from entries; the entries stay. ESI and EDI advance.
pub fn revoke_range(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let container = Container::lookup(k, t, t.args()[0], Rights::EDIT)?;
    loop {
        let [_, index, left, _] = t.args();
        if left == 0 {
            return Ok(Outcome::Done);
        }
        if !k.units.spend(units::REVOKE) {
            return Ok(Outcome::Again);
        }
        container.check(index, 1)?;
        let slot = container.slot(index);
        let meta = k.tables.meta(slot);
        if meta.holds_frame() {
            if k.revoke_data(slot) == Progress::Preempted {
                return Ok(Outcome::Again);
            }
        } else if !meta.is(EntryKind::Empty) && !meta.is(EntryKind::Hole) {
            // An object's list is what its capabilities hang on; Reclaim ends it.
            return Err(Error::NotData);
        }
        t.set(reg::ESI, index.wrapping_add(1));
        t.set(reg::EDI, left - 1);
    }
}

impl Kernel {
    /// Takes back all that was derived from a root or a mapping. A function of its own, so that its loop has all
    /// registers.
    #[inline(never)]
    fn revoke_data(&mut self, slot: Link) -> Progress {
        let (progress, flush) = self.tables.revoke_frame(slot, &mut self.units);
        self.owe(flush);
        progress
    }
}

/// Hook: a whole Table into a directory entry.
pub fn hook(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [container, space, index, _] = t.args();
    let container = Container::lookup(k, t, container, Rights::SHARE)?;
    let directory = k.space(t, CapName::from_word(space))?;
    if !container.is_whole() || index >= USER_TABLES {
        return Err(Error::OutOfRange);
    }
    let rights = Rights::from_bits(t.immediate()).0;
    k.tables.hook(container.cap, container.table, directory, index, rights).map_err(cause)?;
    Ok(Outcome::Done)
}

/// Unhook: takes a hook back.
pub fn unhook(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [space, index, ..] = t.args();
    let directory = k.space(t, CapName::from_word(space))?;
    if index >= USER_TABLES {
        return Err(Error::OutOfRange);
    }
    let flush = k.tables.unhook(directory, index).map_err(cause)?;
    k.owe(flush);
    Ok(Outcome::Done)
}

/// Withdraw: an empty Table leaves its space's area.
pub fn withdraw(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let container = Container::lookup(k, t, t.args()[0], Rights::EDIT)?;
    if !container.is_whole() {
        return Err(Error::OutOfRange);
    }
    let flush = k.tables.withdraw(container.table).map_err(cause)?;
    k.owe(flush);
    Ok(Outcome::Done)
}
