//! Tables hooked, pages mapped, memory taken back.

use freehold_abi::layout::utcb::MESSAGE;
use freehold_abi::layout::{ENTRY_ACCESSED, ENTRY_DIRTY};
use freehold_abi::update::{UPDATES_AT, UPDATES_MAX, Update};
use freehold_abi::{Call, CapName, Error, Rights};

use crate::{Utcb, call};

/// Why a call over a range stopped, and how many entries it had done by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Why.
    pub error: Error,
    /// Entries done.
    pub done: u32,
}

/// Hooks a whole Table into entry `index` of a space's directory ([`CapName::NONE`]: the own space): it
/// covers the 4 MiB from `index` × 4 MiB on. `rights`: Write, or none.
///
/// # Errors
/// OutOfRange (not the whole Table, or above 3 GiB), PageTableArea, Occupied, Busy, TooDeep, NoCredits.
pub fn hook(container: CapName, space: CapName, index: u32, rights: Rights) -> Result<(), Error> {
    call::simple(Call::Hook, rights.bits(), [container.0, space.0, index, 0])
}

/// Takes the hook at directory entry `index` back.
///
/// # Errors
/// OutOfRange, PageTableArea, NoTable.
pub fn unhook(space: CapName, index: u32) -> Result<(), Error> {
    call::simple(Call::Unhook, 0, [space.0, index, 0, 0])
}

/// Makes mappings: up to 15 ranges.
///
/// # Errors
/// A [`Stop`] whose `done` counts mappings of all ranges together: NoTable, Occupied, TooDeep, NoCredits,
/// EmptySource, Busy, OutOfRange, BadAddress, PageTableArea.
///
/// # Panics
/// If there are more than 15.
pub fn update(updates: &[Update]) -> Result<(), Stop> {
    assert!(updates.len() <= UPDATES_MAX as usize);
    let utcb = Utcb::current();
    for (index, update) in updates.iter().enumerate() {
        for (word, value) in update.encode().into_iter().enumerate() {
            utcb.set(MESSAGE + UPDATES_AT + 4 * index + word, value);
        }
    }
    let (result, [_, _, done, _]) = call::call(Call::Update, 0, [updates.len() as u32, 0, 0, 0]);
    result.map_err(|error| Stop { error, done })
}

/// Fills `count` entries of a container from `first` on with mappings of the own pages that the words
/// at `words` name (`page address | rights`; 0: none).
///
/// # Errors
/// A [`Stop`]; FaultMine if the words cannot be read; else as [`update`].
pub fn validate(container: CapName, first: u32, count: u32, words: u32) -> Result<(), Stop> {
    let range = super::range(first, count);
    let (result, [_, _, _, done]) = call::call(Call::Validate, 0, [container.0, range, words, 0]);
    result.map_err(|error| Stop { error, done })
}

/// Takes mappings back, and all that was derived from them: `count` entries of a container from index
/// `first` on, or pages of a space ([`CapName::NONE`]: the own one) from page number `first` on.
///
/// # Errors
/// A [`Stop`]: NoTable, BadAddress, PageTableArea; Unmovable for a root or an object.
pub fn unmap(from: CapName, first: u32, count: u32) -> Result<(), Stop> {
    over_range(Call::Unmap, from, first, count)
}

/// What became of mappings while they were there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// One of them was read or written.
    pub accessed: bool,
    /// One of them was written.
    pub dirty: bool,
}

/// [`unmap`], which also tells how the mappings were used by those that had them, up to the last moment.
///
/// # Errors
/// As [`unmap`]; what was used of the entries before the stop is not told then.
pub fn unmap_used(from: CapName, first: u32, count: u32) -> Result<Used, Stop> {
    let (result, [_, _, left, used]) = call::call(Call::Unmap, 0, [from.0, first, count, 0]);
    match result {
        Ok(()) => Ok(Used { accessed: used & ENTRY_ACCESSED != 0, dirty: used & ENTRY_DIRTY != 0 }),
        Err(error) => Err(Stop { error, done: count - left }),
    }
}

/// Takes back what was derived from entries; the entries themselves stay.
///
/// # Errors
/// A [`Stop`]: NotData for an object.
pub fn revoke_range(container: CapName, first: u32, count: u32) -> Result<(), Stop> {
    over_range(Call::RevokeRange, container, first, count)
}

/// Takes roots back, whatever became of them: destroys objects, revokes mappings, clears frames.
///
/// # Errors
/// A [`Stop`]: NotRoots; OutOfRange for an object that begins before the range or ends behind it.
pub fn reclaim(container: CapName, first: u32, count: u32) -> Result<(), Stop> {
    over_range(Call::Reclaim, container, first, count)
}

/// Takes an empty Table out of its space's page-table area.
///
/// # Errors
/// OutOfRange (not the whole Table), NotInArea, NotEmpty.
pub fn withdraw(container: CapName) -> Result<(), Error> {
    call::simple(Call::Withdraw, 0, [container.0, 0, 0, 0])
}

fn over_range(number: Call, object: CapName, first: u32, count: u32) -> Result<(), Stop> {
    let (result, [_, _, left, _]) = call::call(number, 0, [object.0, first, count, 0]);
    result.map_err(|error| Stop { error, done: count - left })
}
