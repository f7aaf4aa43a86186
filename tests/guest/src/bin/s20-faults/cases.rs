//! The table of faults: an instruction, and what the pager must hear of it.

use core::arch::global_asm;

use freehold_guest_tests::bystander::Bystander;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::{check, check_eq};

use crate::run::{Fault, Machine};

/// Where a fault's EIP points.
#[derive(Clone, Copy)]
enum At {
    /// To the instruction: it would be executed again.
    Instruction,
    /// Behind it.
    Behind,
    /// Where the instruction led.
    Target(u32),
}

/// What the pager must hear.
#[derive(Clone, Copy)]
struct Want {
    page: bool,
    first: u32,
    second: u32,
    at: At,
}

const fn exception(vector: u32, error: u32) -> Want {
    Want { page: false, first: vector, second: error, at: At::Instruction }
}

const fn trap(vector: u32) -> Want {
    Want { page: false, first: vector, second: 0, at: At::Behind }
}

/// General protection.
const fn protection(error: u32) -> Want {
    exception(13, error)
}

const fn page(address: u32, access: u32) -> Want {
    Want { page: true, first: address, second: access, at: At::Instruction }
}

const fn jump(address: u32, access: u32) -> Want {
    Want { page: true, first: address, second: access, at: At::Target(address) }
}

const READ: u32 = 0;
const WRITE: u32 = 2;
const PRESENT: u32 = 1;

/// Each case is three addresses, in the order of the table: its first instruction, the one that faults,
/// the UD2 behind it.
macro_rules! cases {
    ($($setup:literal, $instruction:literal => $want:expr;)+) => {
        global_asm!(
            ".pushsection .rodata.fault_cases, \"a\"",
            ".globl freehold_fault_cases",
            "freehold_fault_cases:",
            ".popsection",
            ".pushsection .text.fault_cases, \"ax\"",
            $(
                concat!("771: ", $setup),
                concat!("772: ", $instruction),
                "773: ud2",
                ".pushsection .rodata.fault_cases, \"a\"",
                ".long 771b, 772b, 773b",
                ".popsection",
            )+
            ".popsection",
        );
        static WANTED: &[(&str, Want)] = &[$((concat!($setup, "; ", $instruction), $want)),+];
    };
}

unsafe extern "C" {
    #[link_name = "freehold_fault_cases"]
    static CASES: [[u32; 3]; WANTED.len()];
    #[link_name = "freehold_int_stubs"]
    static STUBS: u8;
}

// Left out is what QEMU's TCG does in its own way: ICEBP (invalid there), memory through an empty segment
// register (read from base 0), the first byte that PUSHA or a read-modify-write touches.
cases! {
    // Divide error (0).
    "xor edx, edx; xor ecx, ecx", "div ecx" => exception(0, 0);
    "mov eax, 0x80000000; cdq; mov ecx, -1", "idiv ecx" => exception(0, 0);
    "mov al, 1", ".byte 0xd4, 0" => exception(0, 0); // AAM 0
    // Breakpoint (3), overflow (4), bound (5).
    "", "int3" => trap(3);
    "", ".byte 0xcd, 3" => trap(3);
    "mov al, 0x7f; add al, 1", "into" => trap(4);
    "", ".byte 0xcd, 4" => trap(4);
    "push 5; push 1; mov eax, 9", "bound eax, [esp]" => exception(5, 0);
    // Invalid opcode (6).
    "", ".byte 0x0f, 0x0b" => exception(6, 0);
    "", ".byte 0xf0, 0x90" => exception(6, 0); // LOCK NOP
    "", ".byte 0x8e, 0xc8" => exception(6, 0); // MOV CS, EAX
    "", ".byte 0x0f, 0xff, 0xc0" => exception(6, 0); // UD0
    // FPU of a thread without (7).
    "", "fld1" => exception(7, 0);
    "", "fninit" => exception(7, 0);
    "sub esp, 128", "fnsave [esp]" => exception(7, 0);
    // Privileged instructions (13).
    "", "cli" => protection(0);
    "", "sti" => protection(0);
    "", "hlt" => protection(0);
    "", "clts" => protection(0);
    "", "invd" => protection(0);
    "", "wbinvd" => protection(0);
    "", "invlpg [esp]" => protection(0);
    "xor ecx, ecx", "rdmsr" => protection(0);
    "mov ecx, 0x174; xor eax, eax; xor edx, edx", "wrmsr" => protection(0);
    "", "mov eax, cr0" => protection(0);
    "", "mov cr0, eax" => protection(0);
    "", "mov eax, cr2" => protection(0);
    "", "mov eax, cr3" => protection(0);
    "xor eax, eax", "mov cr3, eax" => protection(0);
    "", "mov eax, cr4" => protection(0);
    "xor eax, eax", "mov cr4, eax" => protection(0);
    "", "mov eax, dr7" => protection(0);
    "xor eax, eax", "mov dr0, eax" => protection(0);
    "", "lmsw ax" => protection(0);
    "sub esp, 8", "lgdt [esp]" => protection(0);
    "sub esp, 8", "lidt [esp]" => protection(0);
    "xor eax, eax", "lldt ax" => protection(0);
    "xor eax, eax", "ltr ax" => protection(0);
    "xor eax, eax", "in al, 0x60" => protection(0);
    "mov edx, 0x3f8", "in eax, dx" => protection(0);
    "", "out 0x80, al" => protection(0);
    "mov edx, 0x3f8", "out dx, al" => protection(0);
    "mov edx, 0x3f8; mov edi, esp", ".byte 0x6c" => protection(0); // INSB
    "mov edx, 0x3f8; mov esi, esp", ".byte 0x6e" => protection(0); // OUTSB
    // Selectors: another's, without descriptor, beyond the table, of an LDT that is not there.
    "mov eax, 0x08", "mov ds, eax" => protection(0x08);
    "mov eax, 0x10", "mov ds, eax" => protection(0x10);
    "mov eax, 0x13", "mov ds, eax" => protection(0x10);
    "mov eax, 0x28", "mov ds, eax" => protection(0x28);
    "mov eax, 0x30", "mov es, eax" => protection(0x30);
    "mov eax, 0x0b", "mov es, eax" => protection(0x08);
    "mov eax, 0xfff8", "mov fs, eax" => protection(0xFFF8);
    "mov eax, 0x47", "mov gs, eax" => protection(0x44);
    "mov eax, 0x0f", "mov gs, eax" => protection(0x0C);
    "push 0x10", "pop ds" => protection(0x10);
    "push 0x38; push 0", "lds eax, [esp]" => protection(0x38);
    // The stack's: none, another's, of the wrong level, code.
    "xor eax, eax", "mov ss, eax" => protection(0);
    "mov eax, 0x10", "mov ss, eax" => protection(0x10);
    "mov eax, 0x20", "mov ss, eax" => protection(0x20);
    "mov eax, 0x1b", "mov ss, eax" => protection(0x18);
    "mov eax, 0x7ff8", "mov ss, eax" => protection(0x7FF8);
    // Into the kernel's code by far transfers.
    "", ".byte 0x9a, 0, 0, 0, 0, 8, 0" => protection(8); // CALL FAR 8:0
    "", ".byte 0xea, 0, 0, 0, 0, 8, 0" => protection(8); // JMP FAR 8:0
    "", ".byte 0xea, 0, 0, 0, 0, 0, 0" => protection(0);
    "", ".byte 0xea, 0, 0, 0, 0, 0x30, 0" => protection(0x30); // the NMI's task
    "push 8; push 0", ".byte 0xcb" => protection(8); // RETF
    "push 2; push 8; push 0", "iretd" => protection(8);
    "mov ecx, 0; mov edx, 0", "sysexit" => protection(0);
    // Page faults: nothing there.
    "", "mov eax, [0]" => page(0, READ);
    "", "mov dword ptr [0x1234], 5" => page(0x1234, WRITE);
    "mov eax, 0x30000", "jmp eax" => jump(0x3_0000, READ);
    "", "mov byte ptr [0x7fd004], al" => page(0x7F_D004, WRITE);
    "", "mov eax, [0xbfbffffd]" => page(0xBFBF_FFFD, READ);
    "", "call dword ptr [0x50]" => page(0x50, READ);
    // A word over a page's end: the second page is missing.
    "", "mov eax, [0x7fcfff]" => page(0x7F_D000, READ);
    // Not to be written: code, constants, the start page.
    "", "mov dword ptr [0x400000], 0" => page(0x40_0000, PRESENT | WRITE);
    "mov eax, offset freehold_fault_cases", "mov [eax], eax" => Want { page: true, first: 0xFFFF_FFFF, second: PRESENT | WRITE, at: At::Instruction };
    "", "lock inc dword ptr [0x7ff000]" => page(0x7F_F000, PRESENT | WRITE);
    // The page-table area.
    "", "mov dword ptr [0xbfc00000], 7" => page(0xBFC0_0000, PRESENT | WRITE);
    "", "and dword ptr [0xbfc00004], 0" => page(0xBFC0_0004, PRESENT | WRITE);
    // The kernel's: there, but not for programs; and never there.
    "", "mov eax, [0xc0100000]" => page(0xC010_0000, PRESENT);
    "", "mov dword ptr [0xc0100000], 0" => page(0xC010_0000, PRESENT | WRITE);
    "mov eax, 0xc0100000", "jmp eax" => jump(0xC010_0000, PRESENT);
    // The stack: not mapped, the kernel's, at the end of the world.
    "mov esp, 0x2000", "push eax" => page(0x1FFC, WRITE);
    "mov esp, 0x3000", "pop eax" => page(0x3000, READ);
    "mov esp, 0x5004", "call 1f; 1:" => page(0x5000, WRITE);
    "mov esp, 0xc0100004", "push eax" => page(0xC010_0000, PRESENT | WRITE);
    "mov esp, 0x6000", "push 7" => page(0x5FFC, WRITE);
    "mov ebp, 0x7000", "leave" => page(0x7000, READ);
    "mov esp, 0x8000", "enter 16, 0" => page(0x7FFC, WRITE);
    "mov esp, 0x9000", "pushfd" => page(0x8FFC, WRITE);
    // Strings stop where they are.
    "mov edi, 0x7fcffc; mov ecx, 9; xor eax, eax; cld", "rep stosd" => page(0x7F_D000, WRITE);
}

fn table() -> &'static [[u32; 3]] {
    // SAFETY: the table that `cases!` wrote, a row for each entry of WANTED.
    unsafe { &CASES }
}

fn run(home: &Home) {
    let bystander = Bystander::new();
    let machine = Machine::new(home);
    for (&(what, want), &[start, at, end]) in WANTED.iter().zip(table()) {
        let eip = match want.at {
            At::Instruction => at,
            At::Behind => end,
            At::Target(target) => target,
        };
        let expected = match want.page {
            // The one address that is not known before the program is linked.
            true if want.first == 0xFFFF_FFFF => Fault::Page(table().as_ptr() as u32, want.second, eip),
            true => Fault::Page(want.first, want.second, eip),
            false => Fault::Exception(want.first, want.second, eip),
        };
        machine.start(start);
        let heard = machine.heard();
        check_eq!(heard, expected, "{what}");
        if heard == Fault::None {
            check!(machine.worker().state() as u8 == 0, "{what}");
            continue;
        }
        if matches!(want.at, At::Behind) {
            machine.resume();
        } else {
            // Once more the same, since nothing has changed; then behind it.
            machine.resume();
            check_eq!(machine.heard(), expected, "{what}, resumed");
            machine.resume_at(end);
        }
        machine.expect_end(end, what);
    }
    bystander.check();
}

pub fn own_space() {
    run(&Home::own());
}

pub fn other_space() {
    // There the first program's start page and stack are the same pages, so every case is the same.
    run(&Home::new());
}

// A stub of eight bytes for each vector.
global_asm!(
    ".pushsection .text.int_stubs, \"ax\"",
    ".balign 8",
    ".globl freehold_int_stubs",
    "freehold_int_stubs:",
    ".set freehold_vector, 0",
    ".rept 256",
    ".balign 8",
    ".byte 0xcd, freehold_vector",
    "ud2",
    ".set freehold_vector, freehold_vector + 1",
    ".endr",
    ".popsection",
);

/// All but the breakpoint, the overflow and the call are refused, with the vector in the error code.
pub fn vectors() {
    const IDT: u32 = 2;
    let machine = Machine::new(&Home::own());
    let bystander = Bystander::new();
    for vector in 0..256 {
        let at = &raw const STUBS as u32 + 8 * vector;
        machine.start(at);
        let (expected, resumed) = match vector {
            3 | 4 => (Fault::Exception(vector, 0, at + 2), true),
            // EAX is 0, the call that does nothing; it returns to EDX, which is 0 too.
            0x80 => (Fault::Page(0, READ, 0), false),
            _ => (Fault::Exception(13, vector * 8 + IDT, at), false),
        };
        check_eq!(machine.heard(), expected, "INT {vector}");
        if resumed {
            machine.resume();
            machine.expect_end(at + 2, "an INT");
        } else {
            machine.stop();
        }
    }
    bystander.check();
}
