//! Copy: between the caller's own addresses and a range that a blocked caller of its declared.
//!
//! What must hold: the authority is the reply capability; the range was read when the call was made
//! and is not read again; no fault on either side does anything but end the copy, with the place
//! reached; the window is closed before anything else happens.

use freehold_abi::Error;
use freehold_abi::layout::utcb::RANGE_WRITABLE;
use freehold_abi::layout::{UNIT_BYTES, UNITS, USER_END};
use freehold_user_pagetables::Budget;

use crate::arch;
use crate::arch::window::{self, Window};
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
    let mut left = bytes;
    while left != 0 {
        let piece = left.min(PIECE);
        if !k.units.spend(piece.div_ceil(UNIT_BYTES)) {
            return Ok(Outcome::Again);
        }
        let [offset, own, ..] = t.args();
        let (done, fault) = self::piece(k, t, other, (own, base + offset), piece, outward);
        t.set(reg::EBX, offset + done);
        t.set(reg::ESI, own + done);
        left -= done;
        t.set(reg::EDI, left);
        if let Some(fault) = fault {
            t.set(reg::EBP, fault.address);
            return Err(fault.error);
        }
    }
    Ok(Outcome::Done)
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

/// Copies `bytes`, at most 16 KiB, between `own` addresses of `t` and `theirs` of `other`, `outward` to them;
/// returns how much of it, and what stopped it. All lie below 3 GiB.
pub fn piece(
    k: &mut Kernel,
    t: ThreadRef,
    other: ThreadRef,
    (own, theirs): (u32, u32),
    bytes: u32,
    outward: bool,
) -> (u32, Option<Fault>) {
    k.stand_on(t.directory.get());
    // What the window showed before may still be in the TLB.
    let _settled = k.settle();
    // SAFETY: both are Directories: the current one, and that of a live thread. Nothing changes
    // tables while the window is open.
    let window = unsafe { Window::open(k.tables.current, other.directory.get(), theirs) };
    let (to, from) = if outward { (window.address(), own) } else { (own, window.address()) };
    // SAFETY: both ranges were checked to lie below 3 GiB; one is seen through the window.
    let result = unsafe { arch::copy::copy(to, from, bytes) };
    k.owe(window.close());
    let Err(stop) = result else { return (bytes, None) };
    let (error, address) = match window::fault_address(theirs, stop.address) {
        Some(address) => (Error::FaultTheirs, address),
        None => (Error::FaultMine, stop.address),
    };
    (stop.done, Some(Fault { error, address, access: stop.access }))
}
