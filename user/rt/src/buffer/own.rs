//! The own memory, as the ways see it.

use freehold_abi::layout::FRAME;

use crate::pager;
use crate::utcb::Part;

/// Bytes that are made present at a time where a missing page costs messages: more would drive out what was touched
/// first if memory is short, less would stop a transfer more often.
pub(super) const AHEAD: u32 = 16 * FRAME;

/// The place of a slice.
pub(super) fn part(bytes: &[u8]) -> Part {
    Part { address: bytes.as_ptr() as u32, bytes: bytes.len() as u32 }
}

/// The bytes of a place.
///
/// # Safety
/// The memory is the caller's, and nobody writes it as long as what is returned is used.
pub(super) unsafe fn bytes<'a>(part: Part) -> &'a [u8] {
    // SAFETY: as the caller says.
    unsafe { core::slice::from_raw_parts(part.address as *const u8, part.bytes as usize) }
}

/// What is behind the first `done` bytes.
pub(super) fn behind(part: Part, done: u32) -> Part {
    Part { address: part.address + done, bytes: part.bytes - done }
}

/// Makes the pages present that `part` lies in; for writing, if `write`. Its bytes stay what they are.
///
/// # Safety
/// The memory is the caller's: to write, if `write`.
pub(super) unsafe fn touch(part: Part, write: bool) {
    // Not at all, if the pages are there; in one go, if it is the pager library's; page by page if it is not, or if
    // it is more than fits.
    let Part { address, bytes } = part;
    if pager::present(address, bytes, write) || pager::touch(address, bytes).is_ok() {
        return;
    }
    let (first, last) = (part.address, part.address + (part.bytes - 1));
    // If not all of them can stay, those that are needed first do: they come last.
    for page in ((first / FRAME)..=(last / FRAME)).rev() {
        let byte = (page * FRAME).clamp(first, last) as *mut u8;
        // SAFETY: a byte of the caller's: its own to write, if `write`, and nobody else's meanwhile. An atomic
        // operation that changes nothing would not do: the compiler leaves it out.
        unsafe {
            let value = byte.read_volatile();
            if write {
                byte.write_volatile(value);
            }
        }
    }
}

/// Makes pages of `part` present from `address` on, as many as [`AHEAD`] says.
///
/// # Safety
/// As [`touch`].
pub(super) unsafe fn touch_from(part: Part, address: u32, write: bool) {
    let done = address.saturating_sub(part.address).min(part.bytes);
    let rest = behind(part, done);
    // SAFETY: as the caller says.
    unsafe { touch(Part { bytes: rest.bytes.min(AHEAD), ..rest }, write) }
}

/// Makes the page at `address` in `part` present.
///
/// # Safety
/// As [`touch`].
pub(super) unsafe fn touch_one(part: Part, address: u32, write: bool) {
    let done = address.saturating_sub(part.address).min(part.bytes);
    let rest = behind(part, done);
    // SAFETY: as the caller says.
    unsafe { touch(Part { bytes: rest.bytes.min(1), ..rest }, write) }
}

/// Whether `part` holds `address`.
pub(super) fn holds(part: Part, address: u32) -> bool {
    address.wrapping_sub(part.address) < part.bytes
}

/// Whether all pages of `part` are present.
pub(super) fn resident(part: Part) -> bool {
    pager::resident(part.address, part.bytes)
}
