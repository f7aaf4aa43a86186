//! Upcalls: faults that a thread deals with itself, in its own space and without a message.
//!
//! What must hold: an upcall begins only when none is unfinished, so the words of the first are not overwritten
//! and a handler that faults stops; what the handler starts with (EFLAGS above all) does not depend on what was
//! interrupted. The program can write UPCALL_EIP, UPCALL_ESP and UPCALL as it likes: it harms itself.

use freehold_abi::fault::UPCALL;
use freehold_abi::layout::utcb;

use crate::arch::EFLAGS_USER;
use crate::thread::{FaultMessage, ThreadRef, reg};

/// Lets `t`, which has faulted in user mode, go on in its handler. `false`: it has none, or is in it already.
pub fn begin(t: ThreadRef, fault: &FaultMessage) -> bool {
    if t.pager.get() != UPCALL || t.utcb_word(utcb::UPCALL) != 0 {
        return false;
    }
    let [first, second, third, fourth, fifth] = fault.words;
    let [eip, esp, flags] = [reg::EIP, reg::ESP, reg::EFLAGS].map(|register| t.get(register));
    let words = [u32::from(fault.label), 0, first, second, third, fourth, fifth, eip, esp, flags];
    for (index, word) in words.into_iter().enumerate() {
        t.set_utcb_word(utcb::UPCALL + index, word);
    }
    t.resume_at(t.utcb_word(utcb::UPCALL_EIP), t.utcb_word(utcb::UPCALL_ESP));
    // A TF that went on to the handler would stop it at its first instruction.
    t.set(reg::EFLAGS, EFLAGS_USER);
    true
}

/// Forgets the upcall that `t` has not finished: it starts from the beginning.
pub fn forget(t: ThreadRef) {
    if t.pager.get() == UPCALL {
        t.set_utcb_word(utcb::UPCALL, 0);
    }
}
