//! Nothing goes from space to space beside the message: neither EFLAGS nor a segment register, on a short path or on
//! the ordinary one.

use core::arch::global_asm;

use freehold_abi::layout::FOREVER;
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::worker::{BELOW, MAIN_PRIORITY, Options, Worker};
use freehold_rt::Utcb;
use freehold_rt::call::by_sysenter;

pub const DF: u32 = 1 << 10;
pub const NT: u32 = 1 << 14;
pub const AC: u32 = 1 << 18;
/// The selector that all segment registers hold that are to be used.
pub const FLAT: u32 = 0x23;

/// Flags, and a selector for DS, ES, FS and GS, that a thread enters the kernel with.
const LEFT: [(u32, u32); 5] = [(0, FLAT), (DF, 0x20), (NT, 0x1B), (AC, 3), (DF | NT | AC, 0x1A)];
/// Rounds of each.
const ROUNDS: usize = 3;

/// What a call is made with, and what comes back.
#[repr(C)]
struct Frame {
    eax: u32,
    registers: [u32; 4],
    flags: u32,
    selector: u32,
    /// GS, FS, ES, DS, EFLAGS behind the call.
    seen: [u32; 5],
}

// Until DS is whole again everything goes through SS.
global_asm!(
    ".pushsection .text.crossing, \"ax\"",
    "freehold_crossing_call:",
    "push ebx",
    "push esi",
    "push edi",
    "push ebp",
    "mov ebp, [esp + 20]",
    "push ebp",
    "push dword ptr [ebp + 20]",
    "mov edx, [ebp + 24]",
    "mov eax, [ebp]",
    "mov ebx, [ebp + 4]",
    "mov esi, [ebp + 8]",
    "mov edi, [ebp + 12]",
    "mov ebp, [ebp + 16]",
    "mov ds, edx",
    "mov es, edx",
    "mov fs, edx",
    "mov gs, edx",
    "lea ecx, [esp + 4]",
    "mov edx, offset freehold_crossing_back",
    "popfd",
    "sysenter",
    "freehold_crossing_back:",
    "pushfd",
    "mov ecx, ds",
    "push ecx",
    "mov ecx, es",
    "push ecx",
    "mov ecx, fs",
    "push ecx",
    "mov ecx, gs",
    "push ecx",
    "push 2",
    "popfd",
    "mov ecx, ss",
    "mov ds, ecx",
    "mov es, ecx",
    "mov ecx, [esp + 20]",
    "mov [ecx], eax",
    "mov [ecx + 4], ebx",
    "mov [ecx + 8], esi",
    "mov [ecx + 12], edi",
    "mov [ecx + 16], ebp",
    "pop dword ptr [ecx + 28]",
    "pop dword ptr [ecx + 32]",
    "pop dword ptr [ecx + 36]",
    "pop dword ptr [ecx + 40]",
    "pop dword ptr [ecx + 44]",
    "pop eax",
    "pop ebp",
    "pop edi",
    "pop esi",
    "pop ebx",
    "ret",
    ".popsection",
);

unsafe extern "C" {
    fn freehold_crossing_call(frame: *mut Frame);
}

/// Makes a call with these flags and selectors; the four registers, and what was seen behind it in two words.
pub fn call(number: Call, registers: [u32; 4], (flags, selector): (u32, u32)) -> ([u32; 4], [u32; 2]) {
    let mut frame = Frame { eax: number as u32, registers, flags: flags | 2, selector, seen: [0; 5] };
    // SAFETY: it keeps all registers that a function keeps, and puts DS, ES and EFLAGS right.
    unsafe { freehold_crossing_call(&raw mut frame) };
    let [gs, fs, es, ds, flags] = frame.seen;
    let selectors = [gs, fs, es, ds].map(|selector| selector & 0xFF);
    (frame.registers, [flags & (DF | NT | AC), u32::from_le_bytes(selectors.map(|selector| selector as u8))])
}

/// What a thread must see that another space's thread ran before.
const CLEAN: [u32; 2] = [0, u32::from_le_bytes([0, 0, FLAT as u8, FLAT as u8])];

/// Both sides leave behind what they can, and look at what they find.
pub fn flags_and_segments() {
    if !by_sysenter() {
        return;
    }
    // On the short path, and, since the priorities differ, on the ordinary one.
    for priority in [MAIN_PRIORITY, MAIN_PRIORITY + 1] {
        let home = Home::new();
        let endpoint = endpoint();
        home.give(CapName(8), endpoint.name(), Rights::SEND, 0);
        let options = Options { priority, ..BELOW };
        let client = Worker::spawn(&home, options, client, 8);
        Utcb::current().within((FOREVER, FOREVER), || {
            let mut number = Call::Receive;
            for left in LEFT.into_iter().flat_map(|left| [left; ROUNDS]) {
                let answer = [endpoint.name().0, Tag::new(0, 0).0, 0, 0];
                let ([_, _, flags, selectors], seen) = call(number, answer, left);
                // A first call that is there already is received without another space's thread.
                if number == Call::ReplyReceive {
                    check_eq!(seen, CLEAN, "the server, {left:x?}");
                }
                number = Call::ReplyReceive;
                check_eq!([flags, selectors], CLEAN, "the client, {left:x?}");
            }
        });
        drop(client);
    }
}

/// Calls, and says what it saw behind the call before.
fn client(endpoint: u32) {
    let mut seen = CLEAN;
    for left in LEFT.into_iter().rev().cycle() {
        seen = call(Call::Call, [endpoint, Tag::new(0, 2).0, seen[0], seen[1]], left).1;
    }
}
