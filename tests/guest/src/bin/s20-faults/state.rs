//! What a thread is after a fault, and what becomes of one that nobody cares for.

use core::arch::global_asm;

use freehold_abi::info::State;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint, notification};
use freehold_guest_tests::worker::{ABOVE, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::{CapName, Error, Rights, calls, time};

use crate::run::{Fault, Machine};

// Fills all registers, faults, and stores them.
global_asm!(
    ".pushsection .text.state_pieces, \"ax\"",
    ".globl freehold_state_registers, freehold_state_registers_end",
    ".globl freehold_state_fpu, freehold_state_fpu_end",
    "freehold_state_registers:",
    "mov eax, 0xa1a1a1a1",
    "mov ebx, 0xb2b2b2b2",
    "mov ecx, 0xc3c3c3c3",
    "mov edx, 0xd4d4d4d4",
    "mov esi, 0xe5e5e5e5",
    "mov edi, 0xf6f6f6f6",
    "mov ebp, 0x17171717",
    "stc",
    "int3",
    "pushfd",
    "pushad",
    "freehold_state_registers_end: ud2",
    // One divided by zero, with all exceptions unmasked.
    "freehold_state_fpu:",
    "fninit",
    "push 0x0340",
    "fldcw [esp]",
    "fld1",
    "fldz",
    "fdivp st(1), st",
    "freehold_state_fpu_end: fwait",
    "ud2",
    ".popsection",
);

unsafe extern "C" {
    fn freehold_state_registers();
    fn freehold_state_registers_end();
    fn freehold_state_fpu();
    fn freehold_state_fpu_end();
}

pub fn registers() {
    let machine = Machine::new(&Home::own());
    machine.start(freehold_state_registers as *const () as u32);
    check!(matches!(machine.heard(), Fault::Exception(3, 0, _)));
    // Much happens meanwhile.
    time::sleep(5);
    machine.resume();
    machine.expect_end(freehold_state_registers_end as *const () as u32, "the registers");
    let top = machine.worker().stack_end();
    // SAFETY: the stopped thread's stack.
    let word = |index: u32| unsafe { ((top - 4 - 4 * index) as *const u32).read_volatile() };
    check_eq!(word(0) & 1, 1, "carry");
    let expected =
        [0xA1A1_A1A1, 0xC3C3_C3C3, 0xD4D4_D4D4, 0xB2B2_B2B2, top - 4, 0x1717_1717, 0xE5E5_E5E5, 0xF6F6_F6F6];
    for (index, expected) in expected.into_iter().enumerate() {
        check_eq!(word(1 + index as u32), expected, "register {index}");
    }
}

/// Exception 16, for a thread with FPU use; its state does not harm others.
pub fn floating_point() {
    let machine = Machine::with(&Home::own(), Options { fpu: true, ..ABOVE });
    for _ in 0..3 {
        machine.start(freehold_state_fpu as *const () as u32);
        let at = freehold_state_fpu_end as *const () as u32;
        check_eq!(machine.heard(), Fault::Exception(16, 0, at));
        time::sleep(2);
        machine.resume();
        check_eq!(machine.heard(), Fault::Exception(16, 0, at), "still pending");
        machine.stop();
    }
}

fn die(_: u32) {
    board::set(0, 1);
    // SAFETY: raises an exception; nothing relies on what comes behind.
    unsafe { core::arch::asm!("ud2") }
    board::set(0, 2);
}

pub fn without_pager() {
    board::clear();
    let worker = Worker::spawn(&Home::own(), ABOVE, die, 0);
    check_eq!((worker.state(), board::get(0)), (State::Stopped, 1));
    check!(!worker.has_ended());
}

/// No capability, another kind, no right to send, deleted meanwhile.
pub fn wrong_pager() {
    let (bits, faults) = (notification(), endpoint());
    let mute = derived(faults.name(), Rights::RECEIVE, 0, 0);
    let gone = derived(faults.name(), Rights::SEND, 0, 0);
    check_eq!(calls::delete(gone.reference()), Ok(()));
    for pager in [CapName(0xFFF), bits.name(), mute.name(), gone.name()] {
        board::clear();
        let worker = Worker::spawn(&Home::own(), Options { pager, ..ABOVE }, die, 0);
        check_eq!((worker.state(), board::get(0)), (State::Stopped, 1), "{pager:?}");
        check_eq!(calls::stop_thread(worker.name()), Ok(()));
    }
    let none =
        freehold_rt::Utcb::current().within((0, 0), || calls::receive(faults.name()).map(|got| got.badge));
    check_eq!(none, Err(Error::Timeout));
}
