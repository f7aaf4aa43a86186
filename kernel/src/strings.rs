//! The two lists of a thread: memory that its message's strings come from, and buffers that strings go to.
//!
//! What must hold: a list is read from the UTCB once, by the call that it belongs to, and checked whole before
//! it counts; from then on only what stands here is looked at (docs/invariants.md, 18). A list that does not
//! count has no bytes.

use core::cell::Cell;

use freehold_abi::layout::utcb::{self, STRINGS_MAX};
use freehold_abi::layout::{BLOCK, STRING_BYTES_MAX, USER_END};
use freehold_abi::{Error, Tag, message};
use freehold_user_pagetables::Budget;
use freehold_user_pagetables::layout::AREA_BASE;

use crate::kernel::Kernel;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{Thread, ThreadRef, reg};
use crate::units::Units;

/// A piece of memory below 3 GiB.
#[derive(Clone, Copy, Default)]
pub struct Part {
    /// First byte.
    pub address: u32,
    /// Bytes, at least one.
    pub bytes: u32,
}

impl Part {
    fn overlaps(self, other: Part) -> bool {
        self.address < other.address + other.bytes && other.address < self.address + self.bytes
    }
}

/// A list, and how far a transfer has come in it.
#[derive(Default)]
pub struct List {
    parts: [Cell<Part>; STRINGS_MAX],
    bytes: Cell<u32>,
    part: Cell<usize>,
    offset: Cell<u32>,
    mine: Cell<u32>,
    other: Cell<u32>,
}

/// Where in the UTCB a list stands.
struct Place {
    /// Units of work that a pair is, with so many before it.
    units: fn(u32) -> u32,
    count: usize,
    parts: usize,
    mine: usize,
    other: usize,
}

const STRINGS: Place = Place {
    units: |_| 1,
    count: utcb::STRINGS_COUNT,
    parts: utcb::STRINGS,
    mine: utcb::SEND_FAULT_MINE,
    other: utcb::SEND_FAULT_OTHER,
};

const BUFFERS: Place = Place {
    // Each is compared with all before it.
    units: |before| 1 + before / 8,
    count: utcb::BUFFERS_COUNT,
    parts: utcb::BUFFERS,
    mine: utcb::RECEIVE_FAULT_MINE,
    other: utcb::RECEIVE_FAULT_OTHER,
};

impl List {
    /// Where [`List::bytes`] stands, for the shortest path.
    pub const BYTES: usize = core::mem::offset_of!(List, bytes);

    /// Where its first part stands: the address, and the bytes.
    pub const FIRST_ADDRESS: usize =
        core::mem::offset_of!(List, parts) + core::mem::offset_of!(Part, address);
    /// See [`List::FIRST_ADDRESS`].
    pub const FIRST_BYTES: usize = core::mem::offset_of!(List, parts) + core::mem::offset_of!(Part, bytes);
    /// Where the first of [`List::limits`] stands.
    pub const MINE: usize = core::mem::offset_of!(List, mine);
    /// Where the second stands.
    pub const OTHER: usize = core::mem::offset_of!(List, other);

    /// All of its bytes; 0: it does not count.
    #[inline(always)]
    pub fn bytes(&self) -> u32 {
        self.bytes.get()
    }

    /// Milliseconds that its thread allows a transfer to wait for its own pager, and for the partner's.
    pub fn limits(&self) -> (u32, u32) {
        (self.mine.get(), self.other.get())
    }

    /// It does not count any more.
    pub fn forget(&self) {
        self.bytes.set(0);
    }

    /// Makes it one part.
    pub fn set_one(&self, part: Part) {
        self.parts[0].set(part);
        self.bytes.set(part.bytes);
    }

    /// To its byte `done`, which is in its first part.
    pub fn start_at(&self, done: u32) {
        self.part.set(0);
        self.offset.set(0);
        if done != 0 {
            self.advance(done);
        }
    }

    /// What is left of the part that the transfer has come to.
    pub fn here(&self) -> Part {
        let part = self.parts[self.part.get()].get();
        let offset = self.offset.get();
        Part { address: part.address + offset, bytes: part.bytes - offset }
    }

    /// Goes on by `bytes`, at most what is left of this part.
    pub fn advance(&self, bytes: u32) {
        let offset = self.offset.get() + bytes;
        if offset == self.parts[self.part.get()].get().bytes {
            self.part.set(self.part.get() + 1);
            self.offset.set(0);
        } else {
            self.offset.set(offset);
        }
    }

    fn read(
        &self,
        t: &Thread,
        units: &mut Units,
        place: &Place,
        mut check: impl FnMut(&[Cell<Part>], Part, u32) -> Result<(), Error>,
    ) -> CallResult {
        let count = t.utcb_word(place.count);
        if !(1..=STRINGS_MAX as u32).contains(&count) {
            return Err(Error::BadMessage);
        }
        let mut bytes = 0_u32;
        for index in 0..count as usize {
            if !units.spend((place.units)(index as u32)) {
                return Ok(Outcome::Again);
            }
            let at = place.parts + 2 * index;
            let part = Part { address: t.utcb_word(at), bytes: t.utcb_word(at + 1) };
            if part.bytes == 0 {
                return Err(Error::EmptyString);
            }
            if part.address.checked_add(part.bytes).is_none_or(|end| end > USER_END) {
                return Err(Error::BadAddress);
            }
            // A sum that is not exact is refused: strings are too long then, buffers overlap.
            bytes = bytes.saturating_add(part.bytes);
            check(&self.parts[..index], part, bytes)?;
            self.parts[index].set(part);
        }
        self.read_limits(t, place);
        self.bytes.set(bytes);
        Ok(Outcome::Done)
    }

    fn read_limits(&self, t: &Thread, place: &Place) {
        self.mine.set(t.utcb_word(place.mine));
        self.other.set(t.utcb_word(place.other));
    }
}

/// Reads the strings of the message that `t` is about to send, if it has any. Again: none of them is read.
///
/// # Errors
/// BadMessage, EmptyString, BadAddress, TooLong.
#[inline]
pub fn read_strings(k: &mut Kernel, t: ThreadRef) -> CallResult {
    if !Tag(t.get(reg::ESI)).has_strings() {
        return Ok(Outcome::Done);
    }
    t.strings.read(&t, &mut k.units, &STRINGS, |_, _, bytes| match bytes {
        0..=STRING_BYTES_MAX => Ok(()),
        _ => Err(Error::TooLong),
    })
}

/// Takes `string` for the one string of the message that `t` is about to send; the limits are read.
pub fn take_one(t: ThreadRef, string: Part) {
    t.strings.set_one(string);
    t.strings.read_limits(&t, &STRINGS);
}

/// Reads the buffers of `t`, if its call accepts strings. Again: none of them is read.
///
/// # Errors
/// BadMessage, EmptyString, BadAddress, PageTableArea, Overlap.
#[inline]
pub fn read_buffers(k: &mut Kernel, t: ThreadRef) -> CallResult {
    t.buffers.forget();
    if t.immediate() & message::ACCEPT == 0 {
        return Ok(Outcome::Done);
    }
    // The end of the highest so far: what lies above it need not be compared.
    let mut top = 0;
    let area = Part { address: k.tables.space_field(t.directory.get(), AREA_BASE), bytes: BLOCK };
    t.buffers.read(&t, &mut k.units, &BUFFERS, |before, part, _| {
        if part.overlaps(area) {
            return Err(Error::PageTableArea);
        }
        if part.address < top && before.iter().any(|earlier| earlier.get().overlaps(part)) {
            return Err(Error::Overlap);
        }
        top = top.max(part.address + part.bytes);
        Ok(())
    })
}
