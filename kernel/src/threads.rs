//! Threads started, stopped and looked at.

use freehold_abi::fault::UPCALL;
use freehold_abi::info::State;
use freehold_abi::layout::MAX_PRIORITY;
use freehold_abi::{CapName, Error};

use crate::arch::Regs;
use crate::kernel::Kernel;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{Errand, ThreadRef, reg};
use crate::upcall;

/// StartThread: a stopped thread competes for the processor from now on.
pub fn start(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [name, eip, esp, pager] = t.args();
    let (keep, priority) = (t.immediate() & 1 != 0, t.immediate() >> 8 & 0xFF);
    let thread = k.thread(t, CapName::from_word(name))?;
    if priority > MAX_PRIORITY.min(u32::from(t.max_priority.get())) {
        return Err(Error::OutOfRange);
    }
    if thread.directory.get() == 0 || thread.utcb.get() == 0 {
        return Err(Error::NoSpace);
    }
    if thread.state.get() != State::Stopped {
        return Err(Error::BadState);
    }
    thread.clear_fault();
    thread.set_priority(priority as u8);
    // What it starts in turn runs no higher than itself.
    thread.max_priority.set(priority as u8);
    thread.pager.set(if pager & UPCALL != 0 { UPCALL } else { CapName::from_word(pager).0 });
    if !keep {
        thread.set_regs(Regs::new(eip, esp));
        upcall::forget(thread);
    }
    k.scheduler.make_ready(thread);
    Ok(Outcome::Done)
}

/// StopThread: what it waits for ends with Canceled, and it keeps still.
pub fn stop(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let thread = k.thread(t, CapName::from_word(t.args()[0]))?;
    if thread == t {
        // It goes on behind this call when it is started again.
        t.finish(Ok(()));
        k.halt(t);
        return Ok(Outcome::Waits);
    }
    let waited =
        !matches!(thread.state.get(), State::Stopped | State::Ready) || thread.errand.get() != Errand::None;
    k.halt(thread);
    if waited && !thread.has_faulted() {
        thread.finish(Err(Error::Canceled));
    }
    Ok(Outcome::Done)
}

/// ThreadInfo: state, EIP, ESP, priority.
pub fn info(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let thread = k.thread(t, CapName::from_word(t.args()[0]))?;
    let priority = u32::from(thread.priority.get());
    t.set(reg::EBX, thread.state.get() as u32);
    let (eip, esp) = thread.place();
    t.set(reg::ESI, eip);
    t.set(reg::EDI, esp);
    t.set(reg::EBP, priority);
    Ok(Outcome::Done)
}
