//! From the first instruction to `main`, and what a program knows about its beginning.
//!
//! What must hold: nothing is printed, allocated or locked before `begin` has opened the books. A
//! program finds one page at `place::BOOT_INFO`, whose first word says what it is: the boot information
//! (the first program) or a [`StartPage`] (all others).

use core::arch::global_asm;
use core::sync::atomic::{AtomicBool, Ordering};

use freehold_abi::info::{BOOT_MAGIC, BootInfo, CPU_SYSENTER, place, start};
use freehold_abi::layout::NODE_SLOTS;
use freehold_abi::{CapName, SlotRef};

use crate::start_page::{self, StartPage};
use crate::{Utcb, call, calls, machine, memory, slots};

/// The runtime's own notification, which nobody signals: [`crate::time::sleep`] waits for it.
pub const SLEEP: CapName = CapName(4);
/// First slot of what a program is given by name; memory follows.
pub const GIVEN: CapName = CapName(8);

/// Bit of the capability named `exit`: `main` has returned.
pub const EXIT_DONE: u32 = 1;
/// Bit of the capability named `exit`: a thread panicked.
pub const EXIT_PANIC: u32 = 2;

/// Names the main function: `fn()` or `fn() -> !`. When it returns the program has ended, see [`exit`].
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "Rust" fn freehold_main() {
            $main()
        }
    };
}

unsafe extern "Rust" {
    safe fn freehold_main();
}

// The stack pointer becomes a multiple of 16, as the compiler expects before a call.
global_asm!(
    ".pushsection .text.start, \"ax\"",
    ".globl _start",
    "_start:",
    "and esp, -16",
    "xor ebp, ebp",
    "call {begin}",
    "ud2",
    ".popsection",
    begin = sym begin,
);

static FIRST: AtomicBool = AtomicBool::new(false);

/// Whether this is the first program.
pub fn is_first() -> bool {
    FIRST.load(Ordering::Relaxed)
}

/// What the kernel told the first program; `None` in all others.
pub fn boot_info() -> Option<&'static BootInfo> {
    // SAFETY: the first program has this page for as long as it lives; nothing can write it.
    is_first().then(|| unsafe { &*(place::BOOT_INFO as *const BootInfo) })
}

/// What the parent told this program; `None` in the first one.
pub fn start_page() -> Option<&'static StartPage> {
    // SAFETY: as above, and `begin` has looked at the first word.
    (!is_first()).then(|| unsafe { &*(place::BOOT_INFO as *const StartPage) })
}

/// The capability that the parent gave under this name.
pub fn capability(name: &str) -> Option<CapName> {
    start_page()?.capability(name)
}

/// The arguments that the parent gave.
pub fn arguments() -> &'static str {
    start_page().map_or("", StartPage::arguments)
}

/// Features of the processor, `CPU_SYSENTER` and the like.
pub fn cpu() -> u32 {
    match (boot_info(), start_page()) {
        (Some(boot), _) => boot.cpu,
        (_, Some(page)) => page.cpu,
        _ => 0,
    }
}

/// The end of the program: says so through the capability named `exit`, if there is one, and stops its
/// first thread. Further threads go on. The first program has nobody to tell: it must not end so, and
/// ends the machine as a failure.
pub fn exit() -> ! {
    if is_first() {
        machine::leave(machine::FAILURE);
    }
    tell_parent(EXIT_DONE);
    loop {
        // Stopping oneself fails only without the capability; the loop then is the end.
        let _ = calls::stop_thread(start::THREAD);
    }
}

/// Sets bits of the notification named `exit`.
pub(crate) fn tell_parent(bits: u32) {
    if let Some(exit) = capability("exit") {
        // A parent that took the capability away does not want to know.
        let _ = calls::notify(exit, bits);
    }
}

extern "C" fn begin() -> ! {
    // SAFETY: every program has a page there.
    let magic = unsafe { (place::BOOT_INFO as *const u32).read() };
    assert!(magic == BOOT_MAGIC || magic == start_page::MAGIC);
    FIRST.store(magic == BOOT_MAGIC, Ordering::Relaxed);
    call::choose_entry(cpu() & CPU_SYSENTER != 0);
    Utcb::current().remove_limits();
    calls::make_notification(SlotRef::own(SLEEP)).expect("the slot is there, and empty");
    let books = match (boot_info(), start_page()) {
        (Some(boot), _) => {
            slots::init(CapName(start::BLOCKS.0 + boot.blocks), start::TABLE.0, start::NODES);
            memory::init_first(boot)
        }
        (_, Some(page)) => {
            slots::init(CapName(page.first_slot), page.slots, page.slots / NODE_SLOTS);
            memory::init_given(page.memory())
        }
        _ => unreachable!("a program is the first or another"),
    };
    books.expect("memory for the books on memory");
    freehold_main();
    exit()
}
