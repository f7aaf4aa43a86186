//! Bytes: of the kernel, of a mapping, of the smallest program.

use core::arch::global_asm;

use freehold_abi::info::Kernel;
use freehold_abi::info::place;
use freehold_abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_abi::{Call, CapName, Rights, SlotRef};
use freehold_guest_tests::objects::notification;
use freehold_guest_tests::pages::{self, Frames};
use freehold_guest_tests::worker::MAIN_PRIORITY;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls::{self, ThreadPlace};
use freehold_rt::memory;
use freehold_rt::slots::Slot;

use crate::annex::{Annex, INDEX};
use crate::measure::{bytes, wanted};
use crate::revoking::derive;

/// `size.*`.
pub fn run() {
    for (name, question) in
        [("size.kernel.image", Kernel::ImageBytes), ("size.kernel.boot", Kernel::BootBytes)]
    {
        if wanted(name) {
            bytes(name, calls::kernel_info(question).expect("a question that the kernel knows"));
        }
    }
    if wanted("size.mapping") {
        mapping();
    }
    if wanted("size.program") {
        program();
    }
}

/// What a Table takes, and filling it takes beyond that, for each mapping that it holds.
fn mapping() {
    let frame = Frames::take(1, 1);
    let before = memory::free_frames();
    let annex = Annex::own(INDEX);
    derive((frame.container(), frame.at(0)), CapName::NONE, INDEX * ENTRIES, ENTRIES);
    let taken = before - memory::free_frames();
    check_eq!(calls::kernel_info(Kernel::AllocatedBytes), Ok(0));
    bytes("size.mapping", taken * FRAME / ENTRIES);
    check_eq!(calls::revoke_range(frame.container(), frame.at(0), 1), Ok(()));
    drop(annex);
}

/// What the smallest program says.
const SAID: u32 = 0x600D;
/// In its space: the notification that it says it by, and the Table.
const SAYS: CapName = CapName(1);

// The program: sets bits, and goes on at address 0, where nothing is: without a pager that stops it. Its code can lie
// anywhere.
global_asm!(
    ".pushsection .text.smallest, \"ax\"",
    "bench_smallest:",
    "mov ecx, esp",
    "xor edx, edx",
    "mov eax, {notify}",
    "mov ebx, {says}",
    "mov esi, {said}",
    "sysenter",
    "bench_smallest_end:",
    ".popsection",
    notify = const Call::Notify as u32,
    says = const SAYS.0,
    said = const SAID,
);

unsafe extern "C" {
    fn bench_smallest();
    fn bench_smallest_end();
}

/// A space with a thread and a page of code that is its own; its stack is in its UTCB.
fn program() {
    let said = notification();
    let (space, table, thread) = (slot(), slot(), slot());
    let before = memory::free_frames();
    let frames = Frames::take(16, 4);
    let (container, name) = (frames.container(), space.name());
    calls::make_space(container, frames.at(0), space.reference(), place::AREA, 2).expect("a space");
    calls::make_table(container, frames.at(4), SlotRef::default(), name).expect("an area");
    calls::make_table(container, frames.at(8), table.reference(), name).expect("a Table");
    calls::hook(table.name(), name, place::IMAGE / BLOCK, Rights::WRITE).expect("a hook");
    calls::make_cap_node(container, frames.at(12), name, 0).expect("a node");
    calls::derive(said.name(), SlotRef::of(name, SAYS), Rights::SEND, 0, 0).expect("a capability");
    let code = (container, frames.at(15));
    write_code(code);
    let page = pages::update(code, 1, name, place::IMAGE / FRAME, Rights::NONE, 0);
    check_eq!(calls::update(&[page]), Ok(()));
    let place = ThreadPlace {
        container,
        thread: frames.at(13),
        utcb: frames.at(14),
        space: name,
        address: place::IMAGE + FRAME,
        fpu: false,
    };
    calls::make_thread(place, thread.reference()).expect("a thread");
    let (eip, esp) = (place::IMAGE, place.address + FRAME);
    check_eq!(calls::start_thread(thread.name(), eip, esp, CapName::NONE, MAIN_PRIORITY + 1), Ok(()));
    check_eq!(calls::wait(said.name()), Ok(SAID), "what the smallest program says");
    bytes("size.program", (before - memory::free_frames()) * FRAME);
}

fn slot() -> Slot {
    Slot::take().expect("a slot")
}

fn write_code(code: (CapName, u32)) {
    let update = pages::update(code, 1, CapName::NONE, pages::AT / FRAME, Rights::WRITE, 0);
    check_eq!(calls::update(&[update]), Ok(()));
    let (from, to) = (bench_smallest as *const () as u32, bench_smallest_end as *const () as u32);
    check!(to - from <= FRAME);
    for word in 0..(to - from).div_ceil(4) {
        // Unaligned where the code begins; what follows it is code, too.
        // SAFETY: reads this program's own code.
        pages::poke(pages::AT + 4 * word, unsafe { ((from + 4 * word) as *const u32).read_unaligned() });
    }
    check_eq!(calls::unmap(CapName::NONE, pages::AT / FRAME, 1), Ok(()));
}
