//! A page that is not there: until the instruction that wanted it has gone on.
//!
//! The thread that faults touches one page behind the other; each of them comes to map the same frame.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::fault::{PAGE_FAULT, RESUME, UPCALL};
use freehold_abi::info::{State, start};
use freehold_abi::layout::FRAME;
use freehold_abi::layout::utcb::{self, MESSAGE};
use freehold_abi::update::UPDATES_AT;
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::{self, Frames, peek};
use freehold_guest_tests::worker::{Options, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::Utcb;
use freehold_rt::calls::{self, Lend, receive_short, reply_receive_short};

use crate::ipc::{BESIDE, SERVED};
use crate::mappings::live;
use crate::measure::{Sample, Series, section, wanted};
use crate::stub;

/// Rounds, the first included: the pages that are touched.
const ROUNDS: u32 = 200;
/// In the pager's space: the frame's container, the space that it maps in.
const FRAMES: CapName = CapName(9);
const SPACE: CapName = CapName(10);

/// What the thread that faulted measured.
static INSTRUCTIONS: [AtomicU32; ROUNDS as usize] = [const { AtomicU32::new(0) }; ROUNDS as usize];
static SWITCHES: [AtomicU32; ROUNDS as usize] = [const { AtomicU32::new(0) }; ROUNDS as usize];
static NUMBERS: [AtomicU32; ROUNDS as usize] = [const { AtomicU32::new(0) }; ROUNDS as usize];

/// `fault.pager`.
pub fn pager() {
    if !wanted("fault.pager") {
        return;
    }
    let (frame, home, faults) = (Frames::take(1, 1), Home::new(), endpoint());
    home.give(SERVED, faults.name(), Rights::RECEIVE, 0);
    home.give(SPACE, start::SPACE, Rights::EDIT, 0);
    let range = calls::range(frame.at(0), 1);
    let lent = calls::lend(frame.container(), home.slot(FRAMES), Rights::ALL, range, Lend::UNLIMITED, 0);
    check_eq!(lent, Ok(()));
    let pager = Worker::spawn(&home, BESIDE, serve, 0);
    check!(pager.reaches(State::Receiving));
    touch_all("fault.pager", Options { pager: faults.name(), ..BESIDE }, touch);
    check_eq!(pager.state(), State::Receiving);
}

/// Lets a thread touch all pages, and writes the record.
fn touch_all(name: &str, options: Options, main: fn(u32)) {
    let mut series = Series::new(name);
    let worker = Worker::spawn(&Home::own(), options, main, 0);
    check!(worker.ends(), "{name}: the thread is at {:?}", worker.info());
    check_eq!(live(), ROUNDS, "{name}");
    for round in 0..ROUNDS as usize {
        let read = |words: &[AtomicU32]| words[round].load(Ordering::Relaxed);
        series.add(Sample {
            instructions: read(&INSTRUCTIONS),
            switches: read(&SWITCHES),
            number: read(&NUMBERS),
        });
    }
    series.finish();
    check_eq!(calls::unmap(CapName::NONE, pages::AT / FRAME, ROUNDS), Ok(()));
}

fn touch(_: u32) {
    for round in 0..ROUNDS {
        let (sample, _) = section(|| peek(pages::address(round)));
        INSTRUCTIONS[round as usize].store(sample.instructions, Ordering::Relaxed);
        SWITCHES[round as usize].store(sample.switches, Ordering::Relaxed);
        NUMBERS[round as usize].store(sample.number, Ordering::Relaxed);
    }
}

/// The pager: maps its frame wherever one is missing.
fn serve(_: u32) {
    let mut received = receive_short(SERVED);
    while let Ok((_, tag, [address, _])) = received {
        if tag.label() != PAGE_FAULT {
            return;
        }
        // The third word of the fault lies where an update begins, so all four are written each time.
        let words = [FRAMES.0, 0, SPACE.0, address & !(FRAME - 1) | Rights::WRITE.bits()];
        if stub::update(words) != stub::OK {
            return;
        }
        received = reply_receive_short(SERVED, Tag::new(RESUME, 0), [0, 0]);
    }
}

/// What the handler of own faults maps: the container and the range.
static SOURCE: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

/// Offsets in the UTCB: the code of the way back, the handler's stack.
const LANDING: u32 = utcb::FREE_BYTES;
const STACK: u32 = FRAME - 16;

/// `fault.self`.
pub fn own() {
    if !wanted("fault.self") {
        return;
    }
    let frame = Frames::take(1, 1);
    SOURCE[0].store(frame.container().0, Ordering::Relaxed);
    SOURCE[1].store(calls::range(frame.at(0), 1), Ordering::Relaxed);
    touch_all("fault.self", Options { pager: CapName(UPCALL), ..BESIDE }, prepare_and_touch);
}

/// A handler that may come between any two instructions: general registers, flags and the message registers that it
/// uses are as before. The word above PUSHAD's is the address of the way back.
fn prepare_and_touch(argument: u32) {
    let utcb = Utcb::current();
    let word = |index: usize| utcb.address() + 4 * index as u32;
    let (label, eip, esp) = (word(utcb::UPCALL), word(utcb::UPCALL + 7), word(utcb::UPCALL + 8));
    // mov dword ptr [label], 0; mov esp, [esp of the fault]; jmp [eip of the fault] (docs/calls.md, 3.1).
    let mut code = [0; 24];
    for (at, opcode, operand) in [(0, [0xC7, 0x05], label), (10, [0x8B, 0x25], esp), (16, [0xFF, 0x25], eip)]
    {
        code[at..at + 2].copy_from_slice(&opcode);
        code[at + 2..at + 6].copy_from_slice(&operand.to_le_bytes());
    }
    for (index, bytes) in code.as_chunks::<4>().0.iter().enumerate() {
        set(utcb.address() + LANDING + 4 * index as u32, u32::from_le_bytes(*bytes));
    }
    set(utcb.address() + STACK, utcb.address() + LANDING);
    utcb.set(utcb::UPCALL_EIP, own_fault as *const () as u32);
    utcb.set(utcb::UPCALL_ESP, utcb.address() + STACK);
    touch(argument);
}

/// Writes a word of the part of the UTCB that is the thread's own.
fn set(address: u32, word: u32) {
    pages::poke(address, word);
}

unsafe extern "C" {
    fn own_fault();
}

global_asm!(
    ".pushsection .text.own_fault, \"ax\"",
    "own_fault:",
    "pushad",
    "mov ebp, esp",
    "and ebp, -4096",
    "push [ebp + {update}]",
    "push [ebp + {update} + 4]",
    "push [ebp + {update} + 8]",
    "push [ebp + {update} + 12]",
    "mov eax, [{source}]",
    "mov [ebp + {update}], eax",
    "mov eax, [{source} + 4]",
    "mov [ebp + {update} + 4], eax",
    "mov dword ptr [ebp + {update} + 8], 0",
    "mov eax, [ebp + {address}]",
    "and eax, -4096",
    "or eax, {write}",
    "mov [ebp + {update} + 12], eax",
    "mov eax, {number}",
    "mov ebx, 1",
    "xor esi, esi",
    "xor edi, edi",
    "mov ecx, esp",
    "lea edx, [2f]",
    "sysenter",
    "2: test eax, eax",
    "jnz 3f",
    "pop [ebp + {update} + 12]",
    "pop [ebp + {update} + 8]",
    "pop [ebp + {update} + 4]",
    "pop [ebp + {update}]",
    "push [ebp + {flags}]",
    "popfd",
    "popad",
    "ret",
    "3: ud2",
    ".popsection",
    update = const 4 * (MESSAGE + UPDATES_AT),
    address = const 4 * (utcb::UPCALL + 2),
    flags = const 4 * (utcb::UPCALL + 9),
    write = const Rights::WRITE.0,
    number = const Call::Update as u32,
    source = sym SOURCE,
);
