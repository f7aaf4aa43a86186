//! EFLAGS: what a program sets stays its own, through faults and interrupts.

use core::arch::{asm, global_asm};

use freehold_abi::fault::{PAGE_FAULT, STOP};
use freehold_abi::layout::FOREVER;
use freehold_abi::{Call, Tag};
use freehold_guest_tests::bystander::Bystander;
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::poke;
use freehold_guest_tests::worker::{BELOW, Options, Worker};
use freehold_rt::call::enter;
use freehold_rt::{Message, Utcb, calls};

use crate::handler::{NOWHERE, at};
use crate::pagers::BESIDE;
use crate::run::{Fault, INVALID_OPCODE, Machine};

pub const TF: u32 = 1 << 8;
pub const IF: u32 = 1 << 9;
pub const DF: u32 = 1 << 10;
pub const IOPL: u32 = 3 << 12;
pub const NT: u32 = 1 << 14;
pub const VM: u32 = 1 << 17;
pub const AC: u32 = 1 << 18;

/// Sets of flags that a program can want to do harm with.
pub const HOSTILE: [u32; 7] = [0, DF, NT, AC, DF | NT, DF | NT | AC, DF | NT | AC | IOPL | VM];
/// Those that it can in fact set.
pub const SETTABLE: u32 = DF | NT | AC;
const LOOKED_AT: u32 = TF | IF | DF | IOPL | NT | VM | AC;

// The flags to set lie in EBX's place on the stack: each piece is started with ESP below them. The two
// words at the end of the stack are the test's, written before it starts.
global_asm!(
    ".pushsection .text.flag_pieces, \"ax\"",
    ".globl freehold_flags_fault, freehold_flags_spin, freehold_flags_step, freehold_flags_touch",
    "freehold_flags_fault: popfd",
    "ud2",
    "ud2",
    "freehold_flags_spin: popfd",
    "mov ecx, 6000000",
    "1: dec ecx",
    "jnz 1b",
    "ud2",
    "freehold_flags_step: popfd",
    "nop",
    "inc eax",
    "xor eax, eax",
    "ud2",
    "freehold_flags_touch: popfd",
    "mov eax, [{nowhere}]",
    "ud2",
    ".popsection",
    nowhere = const NOWHERE,
);

unsafe extern "C" {
    fn freehold_flags_fault();
    fn freehold_flags_spin();
    fn freehold_flags_step();
    fn freehold_flags_touch();
}

/// Starts a piece that pops `flags` from its stack.
fn start(machine: &Machine, piece: unsafe extern "C" fn(), flags: u32) {
    let word = machine.worker().stack_end() - 4;
    // SAFETY: the stopped thread's stack, which this space has mapped.
    unsafe { (word as *mut u32).write_volatile(flags | 2) };
    machine.start_with(piece as *const () as u32, word);
}

pub fn at_faults() {
    let machine = Machine::new(&Home::own());
    let first = freehold_flags_fault as *const () as u32 + 1;
    for flags in HOSTILE {
        start(&machine, freehold_flags_fault, flags);
        for at in [first, first + 2] {
            let (fault, seen, _) = machine.fault();
            check_eq!(fault, Fault::Exception(INVALID_OPCODE, 0, at));
            check_eq!(seen & LOOKED_AT, flags & SETTABLE | IF, "{flags:#x}");
            // The kernel's own work in between is not disturbed by any of them.
            if at == first {
                machine.resume_at(first + 2);
            }
        }
        machine.stop();
    }
}

/// Interrupts come and go with the flags set.
pub fn under_the_timer() {
    let bystander = Bystander::new();
    let machine = Machine::with(&Home::own(), BELOW);
    for flags in HOSTILE {
        start(&machine, freehold_flags_spin, flags);
        let (fault, seen, _) = machine.fault();
        let Fault::Exception(INVALID_OPCODE, 0, at) = fault else {
            check_eq!(fault, Fault::None, "an exception was expected");
            continue;
        };
        check_eq!(at > freehold_flags_spin as *const () as u32, true);
        check_eq!(seen & LOOKED_AT, flags & SETTABLE | IF, "{flags:#x}");
        machine.stop();
        bystander.check();
    }
}

/// With TF set each instruction ends in a debug trap.
pub fn single_steps() {
    let machine = Machine::new(&Home::own());
    let begin = freehold_flags_step as *const () as u32;
    for flags in [TF, TF | DF | AC] {
        start(&machine, freehold_flags_step, flags);
        // POPFD itself, then one byte, one byte, two bytes.
        for at in [begin + 2, begin + 3, begin + 5] {
            let (fault, seen, _) = machine.fault();
            check_eq!(fault, Fault::Exception(1, 0, at));
            check_eq!(seen & LOOKED_AT, flags | IF);
            machine.resume();
        }
        check_eq!(machine.heard(), Fault::Exception(INVALID_OPCODE, 0, begin + 5));
        machine.stop();
    }
}

/// A page fault is no call: whatever the flags are in the middle of a thread's work, a pager of the same space, whom it
/// hands the processor over to, does not go on with them.
pub fn for_a_pager_beside() {
    let faults = endpoint();
    let thread = Worker::new(&Home::own(), Options { pager: faults.name(), ..BESIDE });
    for flags in HOSTILE {
        let stack = thread.stack_end() - 4;
        poke(stack, flags | 2);
        check_eq!(thread.start_at(at(freehold_flags_touch), stack), Ok(()));
        Utcb::current().within((FOREVER, FOREVER), || {
            // The page stays missing, so that each answer brings the next fault.
            for number in [Call::Receive, Call::ReplyReceive, Call::ReplyReceive] {
                let (status, [_, tag, address, _]) = enter(number as u32, [faults.name().0, 0, 0, 0]);
                let seen: u32;
                // SAFETY: the stack is as before, and DF, if it is set, is put right.
                unsafe { asm!("pushfd", "pop {}", "cld", out(reg) seen) };
                check_eq!((status, tag, address), (0, Tag::new(PAGE_FAULT, 3).0, NOWHERE));
                check_eq!(seen & LOOKED_AT & !AC, IF, "{flags:#x}");
            }
        });
        check_eq!(calls::reply(None, &Message::new(STOP)), Ok(()));
    }
}
