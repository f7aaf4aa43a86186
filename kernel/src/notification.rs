//! Notifications: words of bits, set by Notify and by interrupts, taken by Receive.
//!
//! What must hold: a bit that was set is delivered once, to the first waiter that is still entitled, or stays; all
//! constant time, but for waiters that are not.

use freehold_abi::info::{Kind, State};
use freehold_abi::layout::utcb;
use freehold_abi::{CapName, Error, Rights};
use freehold_captree::Link;
use freehold_user_pagetables::Budget;
use freehold_user_pagetables::layout::BADGE;

use crate::caps::Cap;
use crate::ipc;
use crate::kernel::Kernel;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{ThreadRef, reg};
use crate::units;

/// Notify: sets bits; whoever waits for them gets them.
pub fn notify(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let cap = k.cap(t, CapName::from_word(t.get(reg::EBX)))?;
    let origin = k.origin(cap, Kind::Notification, Rights::SEND)?;
    let bits = if cap.badge != 0 && cap.slot != origin { cap.badge } else { t.get(reg::ESI) };
    // Setting them once more changes nothing.
    Ok(if signal(k, origin, bits) { Outcome::Done } else { Outcome::Again })
}

/// Sets bits of the notification that lives in `origin`. `false`: they are set, but whether anybody waits
/// for them could not be found out before an interrupt.
#[must_use]
pub fn signal(k: &mut Kernel, origin: Link, bits: u32) -> bool {
    let bits = k.tables.cap_field(origin, BADGE) | bits;
    k.tables.set_cap_field(origin, BADGE, bits);
    while let Some(waiter) = k.head(origin).filter(|_| bits != 0) {
        let entitled = k.may_still_wait(waiter, origin);
        if !entitled && !k.units.spend(units::of_wait(waiter)) {
            return false;
        }
        k.dequeue(origin, waiter);
        if !entitled {
            ipc::end_wait(k, waiter, Error::Canceled);
            continue;
        }
        k.wheel.cancel(waiter);
        k.tables.set_cap_field(origin, BADGE, 0);
        waiter.set(reg::EBX, 0);
        waiter.set(reg::EDI, bits);
        waiter.finish(Ok(()));
        k.scheduler.make_ready(waiter);
        break;
    }
    true
}

/// Waits for bits of a notification.
pub fn wait(k: &mut Kernel, t: ThreadRef, cap: Cap) -> CallResult {
    let origin = k.origin(cap, Kind::Notification, Rights::RECEIVE)?;
    let bits = k.tables.cap_field(origin, BADGE);
    if bits != 0 {
        k.tables.set_cap_field(origin, BADGE, 0);
        t.set(reg::EBX, 0);
        t.set(reg::EDI, bits);
        return Ok(Outcome::Done);
    }
    ipc::queue_up(k, t, origin, cap.slot, State::Waiting, t.utcb_word(utcb::RECEIVE_LIMIT))
}
