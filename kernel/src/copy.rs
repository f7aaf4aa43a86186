//! Copy: between the caller's own addresses and a range that a blocked caller of its declared.
//!
//! What must hold: the authority is the reply capability; the range was read when the call was made
//! and is not read again; no fault on either side does anything but end the copy, with the place
//! reached; the window is closed before anything else happens.

use freehold_abi::Error;
use freehold_abi::fault::ACCESS_WRITE;
use freehold_abi::layout::utcb::RANGE_WRITABLE;
use freehold_abi::layout::{UNIT_BYTES, UNITS, USER_END};
use freehold_user_pagetables::Budget;

use crate::arch;
use crate::arch::window::Window;
use crate::ipc;
use crate::kernel::Kernel;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{ThreadRef, reg};

/// Most bytes between two checks for interrupts.
const PIECE: u32 = UNITS * UNIT_BYTES;

/// Copy. Out: EBX, ESI, EDI advanced by what was copied; EBP the address of a fault.
pub fn copy(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let other = ipc::reply_target(k, t)?;
    let (index, outward) = (t.immediate() >> 12 & 15, t.immediate() >> 16 & 1 != 0);
    // The pager of a thread that faulted in a transfer is not whom the ranges are meant for.
    if index >= other.range_count.get() || other.has_faulted() {
        return Err(Error::BadRange);
    }
    let (base, size) = other.ranges[index as usize].get();
    let [offset, own, bytes, _] = t.args();
    let range = size & !RANGE_WRITABLE;
    let inside = offset.checked_add(bytes).is_some_and(|end| end <= range);
    if !inside || (outward && size & RANGE_WRITABLE == 0) {
        return Err(Error::BadRange);
    }
    if own.checked_add(bytes).is_none_or(|end| end > USER_END) {
        return Err(Error::BadAddress);
    }
    if other.directory.get() == 0 {
        return Err(Error::PeerGone);
    }
    let mut way = Way::open(k, t, other, outward);
    let result = pieces(k, t, base, &mut way);
    way.close(k);
    result
}

/// Copies what the registers say, to and from a range that begins at `base`.
fn pieces(k: &mut Kernel, t: ThreadRef, base: u32, way: &mut Way) -> CallResult {
    loop {
        let [offset, own, left, _] = t.args();
        if left == 0 {
            return Ok(Outcome::Done);
        }
        let piece = left.min(PIECE);
        if !k.units.spend(piece.div_ceil(UNIT_BYTES)) {
            return Ok(Outcome::Again);
        }
        let (done, fault) = way.piece(k, own, base + offset, piece);
        t.set(reg::EBX, offset + done);
        t.set(reg::ESI, own + done);
        t.set(reg::EDI, left - done);
        if let Some(fault) = fault {
            t.set(reg::EBP, fault.address);
            return Err(fault.error);
        }
    }
}

/// What stopped a copy.
#[derive(Clone, Copy)]
pub struct Fault {
    /// FaultMine or FaultTheirs.
    pub error: Error,
    /// The address, in the space of that side.
    pub address: u32,
    /// The bits of [`freehold_abi::fault`].
    pub access: u32,
}

/// The way between a thread's memory and another's, which stays open from piece to piece.
#[must_use = "a way has to be closed"]
pub struct Way {
    own: u32,
    theirs: u32,
    outward: bool,
    window: Option<Window>,
}

impl Way {
    /// The way from `t` to `other` (`outward`), or back.
    pub fn open(k: &mut Kernel, t: ThreadRef, other: ThreadRef, outward: bool) -> Way {
        let (own, theirs) = (t.directory.get(), other.directory.get());
        k.stand_on(own);
        // Translations that may be stale are of no use to a copy.
        let _settled = k.settle();
        Way { own, theirs, outward, window: None }
    }

    /// Copies `bytes`, at most 16 KiB, between `own` addresses and `theirs`; returns how much of it, and what stopped
    /// it. All lie below 3 GiB.
    pub fn piece(&mut self, k: &mut Kernel, own: u32, theirs: u32, bytes: u32) -> (u32, Option<Fault>) {
        let seen = self.show(k, theirs, bytes);
        let (to, from) = if self.outward { (seen, own) } else { (own, seen) };
        // SAFETY: both ranges were checked to lie below 3 GiB; theirs is seen through the window, or is in this space.
        let Err(stop) = (unsafe { arch::copy::copy(to, from, bytes) }) else { return (bytes, None) };
        // What is written to is theirs on the way out.
        let (error, address) = match (stop.access & ACCESS_WRITE != 0) == self.outward {
            true => (Error::FaultTheirs, stop.address.wrapping_sub(seen).wrapping_add(theirs)),
            false => (Error::FaultMine, stop.address),
        };
        (stop.done, Some(Fault { error, address, access: stop.access }))
    }

    /// Where `theirs` is seen from here.
    fn show(&mut self, k: &mut Kernel, theirs: u32, bytes: u32) -> u32 {
        if self.own == self.theirs {
            return theirs;
        }
        if let Some(seen) = self.window.as_ref().and_then(|window| window.find(theirs, bytes)) {
            return seen;
        }
        self.close(k);
        // What the window showed before may still be in the TLB.
        let _settled = k.settle();
        // SAFETY: both are Directories: the current one, and that of a live thread. Nothing changes tables while the
        // window is open.
        self.window.insert(unsafe { Window::open(self.own, self.theirs, theirs) }).address(theirs)
    }

    /// The kernel goes on to something else.
    pub fn close(&mut self, k: &mut Kernel) {
        if let Some(window) = self.window.take() {
            k.owe(window.close());
        }
    }
}
