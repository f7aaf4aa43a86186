//! The two ways into the kernel, entered with everything that a program can make of the processor.

use core::arch::global_asm;

use freehold_abi::info::CPU_SYSENTER;
use freehold_guest_tests::bystander::Bystander;
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_rt::start;

use crate::flags::{AC, DF, HOSTILE, IF, NT, SETTABLE, TF};
use crate::run::{Fault, INVALID_OPCODE, Machine};

// Each piece pops flags, then makes the call with number 0, which does nothing; UD2 shows what came back.
// Everything is in registers before POPFD, since a trap comes behind the instruction that follows it.
global_asm!(
    ".pushsection .text.entry_pieces, \"ax\"",
    ".globl freehold_enter_sysenter, freehold_enter_sysenter_end",
    ".globl freehold_enter_int, freehold_enter_int_end",
    ".globl freehold_enter_raw_sysenter, freehold_enter_raw_int",
    ".globl freehold_enter_null_sysenter, freehold_enter_null_sysenter_end",
    ".globl freehold_enter_null_int, freehold_enter_null_int_end",
    ".globl freehold_enter_null_trap, freehold_enter_null_trap_end",
    "freehold_enter_sysenter:",
    "lea ecx, [esp + 4]",
    "mov edx, offset freehold_enter_sysenter_end",
    "xor eax, eax",
    "popfd",
    "sysenter",
    "freehold_enter_sysenter_end: ud2",
    "freehold_enter_int:",
    "lea ecx, [esp + 4]",
    "mov edx, offset freehold_enter_int_end",
    "xor eax, eax",
    "popfd",
    "int 0x80",
    "freehold_enter_int_end: ud2",
    // With the stack pointer and the return address from the stack.
    "freehold_enter_raw_sysenter:",
    "pop ecx",
    "pop edx",
    "xor eax, eax",
    "sysenter",
    "freehold_enter_raw_int:",
    "pop ecx",
    "pop edx",
    "xor eax, eax",
    "int 0x80",
    // Without data segments; afterwards DS and ES are whole.
    "freehold_enter_null_sysenter:",
    "lea ecx, [esp + 4]",
    "mov edx, offset freehold_enter_null_sysenter_end",
    "xor eax, eax",
    "mov ds, eax",
    "mov es, eax",
    "mov fs, eax",
    "mov gs, eax",
    "sysenter",
    "freehold_enter_null_sysenter_end:",
    "mov eax, ds",
    "mov ecx, es",
    "mov ebx, [esp]",
    "ud2",
    "freehold_enter_null_int:",
    "lea ecx, [esp + 4]",
    "mov edx, offset freehold_enter_null_int_end",
    "xor eax, eax",
    "mov ds, eax",
    "mov es, eax",
    "mov fs, eax",
    "mov gs, eax",
    "int 0x80",
    "freehold_enter_null_int_end:",
    "mov ebx, ds:[0x400000]",
    "mov ebx, es:[0x400000]",
    "ud2",
    // A fault through the empty register; the kernel's work on it makes it whole.
    "freehold_enter_null_trap:",
    "xor eax, eax",
    "mov ds, eax",
    "mov es, eax",
    "mov ebx, ds:[0x400000]",
    "freehold_enter_null_trap_end:",
    "ud2",
    ".popsection",
);

unsafe extern "C" {
    fn freehold_enter_sysenter();
    fn freehold_enter_sysenter_end();
    fn freehold_enter_int();
    fn freehold_enter_int_end();
    fn freehold_enter_raw_sysenter();
    fn freehold_enter_raw_int();
    fn freehold_enter_null_sysenter();
    fn freehold_enter_null_sysenter_end();
    fn freehold_enter_null_int();
    fn freehold_enter_null_int_end();
    fn freehold_enter_null_trap();
    fn freehold_enter_null_trap_end();
}

type Piece = unsafe extern "C" fn();

fn address(piece: Piece) -> u32 {
    piece as *const () as u32
}

fn has_sysenter() -> bool {
    start::cpu() & CPU_SYSENTER != 0
}

/// Starts a piece with these words on its stack.
fn start(machine: &Machine, piece: Piece, words: &[u32]) {
    let at = machine.worker().stack_end() - 4 * words.len() as u32;
    for (index, word) in words.iter().enumerate() {
        // SAFETY: the stopped thread's stack, which this space has mapped.
        unsafe { (at as *mut u32).add(index).write_volatile(*word) };
    }
    machine.start_with(address(piece), at);
}

/// The ways in that this processor has.
fn ways(all: [(Piece, Piece); 2]) -> impl Iterator<Item = (Piece, Piece)> {
    all.into_iter().skip(usize::from(!has_sysenter()))
}

/// After a call TF is clear, whatever it was, and DF, NT and AC are, or are as they were if the call was made by
/// SYSENTER and went no further.
pub fn flags() {
    let machine = Machine::new(&Home::own());
    let bystander = Bystander::new();
    let both = [
        (freehold_enter_sysenter as Piece, freehold_enter_sysenter_end as Piece),
        (freehold_enter_int, freehold_enter_int_end),
    ];
    for (piece, end) in ways(both) {
        for flags in HOSTILE.into_iter().chain([TF, TF | DF, TF | NT | DF | AC]) {
            start(&machine, piece, &[flags | 2]);
            let (fault, seen, esp) = machine.fault();
            let (mut fault, mut seen, mut esp) = (fault, seen, esp);
            // By INT a trap can come behind the call, as if it had been an instruction like any other.
            if fault == Fault::Exception(1, 0, address(end)) {
                machine.resume();
                (fault, seen, esp) = machine.fault();
            }
            check_eq!(fault, Fault::Exception(INVALID_OPCODE, 0, address(end)), "{flags:#x}");
            let kept = if address(end) == address(freehold_enter_int_end) { 0 } else { flags & SETTABLE };
            check_eq!(seen & (TF | DF | NT | AC | IF) & !kept, IF, "{flags:#x}");
            check_eq!(esp, machine.worker().stack_end(), "{flags:#x}");
            machine.stop();
        }
        bystander.check();
    }
}

/// ECX and EDX are taken at their word: the thread goes on there, and faults as itself.
pub fn addresses() {
    let machine = Machine::new(&Home::own());
    let both = [
        (freehold_enter_raw_sysenter as Piece, freehold_enter_raw_sysenter as Piece),
        (freehold_enter_raw_int, freehold_enter_raw_int),
    ];
    let end = address(freehold_enter_null_trap_end);
    for (piece, _) in ways(both) {
        for (eip, access) in [(0, 0), (0x1000, 0), (0xC010_0000, 1), (0xFFFF_FFFF, 0xFF), (0xBFFF_FFFF, 0)] {
            start(&machine, piece, &[0x1111, eip]);
            match machine.heard() {
                Fault::Page(at, seen, from) => {
                    check_eq!((at, from), (eip, eip));
                    check_eq!(access == 0xFF || seen == access, true, "{eip:#x} {seen}");
                }
                other => {
                    check_eq!(other, Fault::Page(eip, access, eip));
                }
            }
            machine.stop();
        }
        // Any stack pointer comes back as it was.
        for esp in [0, 1, 0xC010_0000, 0xFFFF_FFFF, 0x1234_5678] {
            start(&machine, piece, &[esp, end]);
            let (fault, _, seen) = machine.fault();
            check_eq!((fault, seen), (Fault::Exception(INVALID_OPCODE, 0, end), esp));
            machine.stop();
        }
    }
}

pub fn segments() {
    for home in [Home::own(), Home::new()] {
        let machine = Machine::new(&home);
        let bystander = Bystander::new();
        let both = [
            (freehold_enter_null_sysenter as Piece, freehold_enter_null_sysenter_end as Piece),
            (freehold_enter_null_int, freehold_enter_null_int_end),
        ];
        for (piece, _) in ways(both) {
            machine.start_with(address(piece), machine.worker().stack_end() - 64);
            let heard = machine.heard();
            let end = matches!(heard, Fault::Exception(INVALID_OPCODE, 0, _));
            check_eq!(end, true, "{heard:?}");
            machine.stop();
        }
        let end = address(freehold_enter_null_trap_end);
        machine.start(address(freehold_enter_null_trap));
        // It faults, and then, since the kernel's work on the fault made DS whole, does not. QEMU's TCG
        // does not look whether a segment register is empty, so there it does not fault at all.
        let heard = machine.heard();
        if heard == Fault::Exception(INVALID_OPCODE, 0, end) {
            machine.stop();
        } else {
            check_eq!(matches!(heard, Fault::Exception(13, 0, at) if at < end), true, "{heard:?}");
            machine.resume();
            machine.expect_end(end, "an empty DS");
        }
        bystander.check();
    }
}

/// Where the processor has no SYSENTER, it is an invalid opcode like any other.
pub fn sysenter() {
    let machine = Machine::new(&Home::own());
    if has_sysenter() {
        start(&machine, freehold_enter_sysenter, &[2]);
        machine.expect_end(address(freehold_enter_sysenter_end), "a call");
        check_eq!(freehold_rt::call::by_sysenter(), true);
        return;
    }
    start(&machine, freehold_enter_sysenter, &[2]);
    let at = address(freehold_enter_sysenter_end) - 2;
    let heard = machine.heard();
    // QEMU has the opcode for every model, and refuses it because nothing is set up.
    let refused = matches!(heard, Fault::Exception(INVALID_OPCODE | 13, 0, from) if from == at);
    check_eq!(refused, true, "{heard:?}");
    machine.stop();
    check_eq!(freehold_rt::call::by_sysenter(), false);
}
