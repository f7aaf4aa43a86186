//! Faults as messages: a thread that faults calls its pager, in its own name.
//!
//! What must hold: the registers of a thread that has faulted are its own: nothing is delivered into them, and
//! they change only as the answer says. A thread whose pager cannot be asked, or is lost, stops.

use freehold_abi::info::{Kind, State};
use freehold_abi::{CapName, Error, Rights, fault};

use crate::kernel::Kernel;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{FaultMessage, ThreadRef, reg};
use crate::{hooks, ipc, transfer};

/// Sends a fault's message to the thread's pager, in its name. Without a pager it stops.
pub fn report(k: &mut Kernel, t: ThreadRef, message: FaultMessage) {
    match ask(k, t, message) {
        // It faults again when it next runs.
        Ok(Outcome::Again) => t.clear_fault(),
        Ok(_) => {}
        Err(_) => {
            t.state.set(State::Stopped);
            k.scheduler.withdraw(t);
        }
    }
}

/// Lets `t` call its pager with `message`. If that fails, the message still counts as not answered.
///
/// # Errors
/// Those of a Call by the pager's name.
pub fn ask(k: &mut Kernel, t: ThreadRef, message: FaultMessage) -> CallResult {
    t.set_fault(message);
    let cap = k.cap(t, CapName::from_word(t.pager.get()))?;
    let origin = k.origin(cap, Kind::Endpoint, Rights::SEND)?;
    ipc::send_to(k, t, origin, cap, State::Calling, 0)
}

/// A pager's answer to a fault: the faulting thread's registers are its own, so only what the answer says
/// about them changes. Returns the thread if it goes on, for whoever answers to make ready.
///
/// # Errors
/// Those of the pages that the answer brings, in designs that have such items; the thread waits on.
pub fn answer(k: &mut Kernel, pager: ThreadRef, faulted: ThreadRef) -> Result<Option<ThreadRef>, Error> {
    if pager.tag().items() != 0 {
        hooks::answer_items(k, pager, faulted)?;
    }
    let (label, place) = (pager.tag().label(), (pager.get(reg::EDI), pager.get(reg::EBP)));
    k.drop_reply(faulted);
    if faulted.role.get().is_some() {
        transfer::pager_answered(k, faulted, label, place);
        return Ok(None);
    }
    faulted.clear_fault();
    if label == fault::STOP {
        faulted.state.set(State::Stopped);
        return Ok(None);
    }
    if label == fault::RESUME_AT {
        faulted.resume_at(place.0, place.1);
    }
    Ok(Some(faulted))
}
