//! Threads with upcalls: pieces that fault, a handler, the way back from it.
//!
//! What must hold: the handler does its work on the lower page of the worker's stack, so that the runtime finds
//! the UTCB from there; the way back is the three instructions of docs/calls.md, 3.1, in the UTCB itself.

use core::arch::global_asm;

use freehold_abi::fault::{EXCEPTION, UPCALL};
use freehold_abi::info::State;
use freehold_abi::layout::{FRAME, utcb};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{self, peek, poke};
use freehold_guest_tests::worker::{Options, Worker};
use freehold_guest_tests::{board, check_eq};
use freehold_rt::{CapName, Rights, Utcb, calls};

use crate::flags::{IF, TF};

/// The page that is missing until a handler maps it.
pub const PAGE: u32 = pages::address(5);
/// Where nothing is ever mapped.
pub const NOWHERE: u32 = pages::address(9);
/// Offsets in the UTCB of the two ways back.
const BACK: u32 = utcb::FREE_BYTES;
const BACK_STEPPING: u32 = utcb::FREE_BYTES + 32;

// What faults. The first word of the stack is flags to begin with.
global_asm!(
    ".pushsection .text.upcall_pieces, \"ax\"",
    ".globl freehold_upcall_registers, freehold_upcall_registers_page",
    ".globl freehold_upcall_registers_trap, freehold_upcall_registers_end",
    ".globl freehold_upcall_steps, freehold_upcall_steps_end",
    ".globl freehold_upcall_sysenter, freehold_upcall_int",
    ".globl freehold_upcall_read, freehold_upcall_trap",
    ".globl freehold_upcall_handler, freehold_upcall_push",
    ".globl freehold_upcall_faulty",
    // Fills all registers, has no stack, meets a missing page and a breakpoint, and stores all registers.
    "freehold_upcall_registers:",
    "mov eax, 0xa1a1a1a1",
    "mov ebx, 0xb2b2b2b2",
    "mov ecx, 0xc3c3c3c3",
    "mov edx, 0xd4d4d4d4",
    "mov esi, 0xe5e5e5e5",
    "mov edi, 0xf6f6f6f6",
    "mov ebp, 0x17171717",
    "popfd",
    "mov esp, {nowhere}",
    "freehold_upcall_registers_page: mov [{page} + 4], eax",
    "int3",
    "freehold_upcall_registers_trap: mov [{page}], esp",
    "mov esp, {page} + 256",
    "pushfd",
    "pushad",
    "freehold_upcall_registers_end: ud2",
    // Steps: a byte, a byte, two bytes.
    "freehold_upcall_steps: popfd",
    "nop",
    "inc eax",
    "xor eax, eax",
    "freehold_upcall_steps_end: ud2",
    // Calls that come back to where nothing is.
    "freehold_upcall_sysenter:",
    "mov ecx, esp",
    "mov edx, {nowhere}",
    "xor eax, eax",
    "sysenter",
    "freehold_upcall_int:",
    "mov ecx, esp",
    "mov edx, {nowhere}",
    "xor eax, eax",
    "int 0x80",
    "freehold_upcall_read: mov eax, [{nowhere} + 8]",
    "freehold_upcall_trap: ud2",
    // The handler: what POPAD and POPFD restore, then the address of the way back.
    "freehold_upcall_handler:",
    "push 0",
    "pushfd",
    "pushad",
    "push esp",
    "call {on_upcall}",
    "add esp, 4",
    "popad",
    "popfd",
    "ret",
    // Handlers that are of no use.
    "freehold_upcall_push: push eax",
    "freehold_upcall_faulty: ud2",
    ".popsection",
    page = const PAGE,
    nowhere = const NOWHERE,
    on_upcall = sym on_upcall,
);

pub type Piece = unsafe extern "C" fn();

unsafe extern "C" {
    pub fn freehold_upcall_registers();
    pub fn freehold_upcall_registers_page();
    pub fn freehold_upcall_registers_trap();
    pub fn freehold_upcall_registers_end();
    pub fn freehold_upcall_steps();
    pub fn freehold_upcall_steps_end();
    pub fn freehold_upcall_sysenter();
    pub fn freehold_upcall_int();
    pub fn freehold_upcall_read();
    pub fn freehold_upcall_trap();
    pub fn freehold_upcall_handler();
    pub fn freehold_upcall_push();
    pub fn freehold_upcall_faulty();
}

pub fn at(piece: Piece) -> u32 {
    piece as *const () as u32
}

/// What PUSHAD, PUSHFD and a word for the way back make.
#[repr(C)]
struct Saved {
    registers: [u32; 8],
    flags: u32,
    back: u32,
}

/// Words of the board.
pub mod word {
    /// How many upcalls there were.
    pub const COUNT: usize = 0;
    /// EFLAGS that the last one began with.
    pub const FLAGS: usize = 1;
    /// The upcall, counted from 1, whose handler waits while this names it.
    pub const HOLD: usize = 2;
    /// Container and index of the frame that a handler maps at PAGE.
    pub const FRAME: usize = 3;
    /// Name of the thread.
    pub const THREAD: usize = 5;
    /// The thread's own, and what its call came to.
    pub const RESULT: usize = 6;
    /// Where the words of each upcall go.
    pub const LOG: usize = 16;
}

/// The handler proper. A page fault at PAGE it deals with, behind a trap it goes on; all else ends the thread.
extern "C" fn on_upcall(saved: &mut Saved) {
    let utcb = Utcb::current();
    let upcall: [u32; utcb::UPCALL_WORDS] = core::array::from_fn(|index| utcb.get(utcb::UPCALL + index));
    let count = board::add(word::COUNT, 1) as usize;
    for (index, value) in upcall.into_iter().enumerate() {
        board::set(word::LOG + utcb::UPCALL_WORDS * count + index, value);
    }
    board::set(word::FLAGS, saved.flags);
    while board::get(word::HOLD) == 1 + count as u32 {}
    let [label, _, first, .., esp, flags] = upcall;
    let frame = (CapName(board::get(word::FRAME)), board::get(word::FRAME + 1));
    match (u32::from(EXCEPTION) == label, first) {
        (false, address) if address & !(FRAME - 1) == PAGE => {
            let update = pages::update(frame, 1, CapName::NONE, PAGE / FRAME, Rights::WRITE, 0);
            check_eq!(calls::update(&[update]), Ok(()));
        }
        (true, 1 | 3) => {}
        _ => {
            let _ = calls::stop_thread(CapName(board::get(word::THREAD)));
        }
    }
    saved.flags = flags;
    saved.back = utcb.address() + BACK;
    if flags & TF != 0 {
        saved.flags = IF;
        saved.back = utcb.address() + BACK_STEPPING;
        let frame = esp - 12;
        poke(frame, upcall[7]);
        poke(frame + 4, code_selector());
        poke(frame + 8, flags);
        utcb.set(utcb::UPCALL + 8, frame);
    }
}

fn code_selector() -> u32 {
    let selector: u32;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mov {:e}, cs", out(reg) selector, options(nomem, nostack, preserves_flags)) };
    selector
}

/// The instructions of docs/calls.md, 3.1, for the UTCB at `utcb`; the last one is `last`.
fn way_back(utcb: u32, last: &[u8]) -> [u8; 32] {
    let upcall = utcb + 4 * utcb::UPCALL as u32;
    let mut code = [0; 32];
    code[..2].copy_from_slice(&[0xC7, 0x05]);
    code[2..6].copy_from_slice(&upcall.to_le_bytes());
    code[10..12].copy_from_slice(&[0x8B, 0x25]);
    code[12..16].copy_from_slice(&(upcall + 32).to_le_bytes());
    code[16..16 + last.len()].copy_from_slice(last);
    code[16 + last.len()..].fill(0xCC);
    code
}

/// Writes what a thread with upcalls needs into its UTCB, here at `utcb`. Its stack's lower page is the handler's.
pub fn prepare(utcb: u32, handler: u32, stack: u32) {
    let jump = (utcb + 4 * utcb::UPCALL as u32 + 28).to_le_bytes();
    let jump = [0xFF, 0x25, jump[0], jump[1], jump[2], jump[3]];
    for (offset, code) in [(BACK, way_back(utcb, &jump)), (BACK_STEPPING, way_back(utcb, &[0xCF]))] {
        // SAFETY: the part of the UTCB that is the thread's own, and the thread is not there.
        unsafe { ((utcb + offset) as *mut [u8; 32]).write_volatile(code) };
    }
    poke(utcb + 4 * utcb::UPCALL_EIP as u32, handler);
    poke(utcb + 4 * utcb::UPCALL_ESP as u32, stack);
}

/// A thread of this space with upcalls, stopped.
pub struct Selfish(pub Worker);

impl Selfish {
    pub fn new(options: Options) -> Selfish {
        board::clear();
        let worker = Worker::new(&Home::own(), Options { pager: CapName(UPCALL), ..options });
        board::set(word::THREAD, worker.name().0);
        let this = Selfish(worker);
        this.handle_by(at(freehold_upcall_handler), this.0.stack_end() - FRAME);
        this
    }

    pub fn handle_by(&self, handler: u32, stack: u32) {
        prepare(self.0.utcb(), handler, stack);
    }

    /// Lets it run a piece that begins with `flags`.
    pub fn start(&self, piece: Piece, flags: u32) {
        let stack = self.0.stack_end() - 4;
        poke(stack, flags | 2);
        check_eq!(self.0.start_at(at(piece), stack), Ok(()));
    }

    pub fn upcall(&self) -> [u32; utcb::UPCALL_WORDS] {
        core::array::from_fn(|index| peek(self.0.utcb() + 4 * (utcb::UPCALL + index) as u32))
    }

    pub fn stopped_at(&self, eip: u32, what: &str) {
        let info = self.0.info();
        check_eq!((info.state, info.eip), (State::Stopped, eip), "{what}");
    }
}

/// The words of upcall `count`, without the flags, and the flags.
pub fn logged(count: usize) -> ([u32; 9], u32) {
    let first = word::LOG + utcb::UPCALL_WORDS * count;
    (core::array::from_fn(|index| board::get(first + index)), board::get(first + 9))
}
