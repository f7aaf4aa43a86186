//! Reads and writes that come back when nothing is there, or it may not be written, in the very thread that has just made a
//! call: nothing, no switch of threads either, comes between the call and the touch (`touch.rs` is for all else).
//!
//! What must hold: they are made in a thread whose faults are upcalls ([`guarded`]); a fault anywhere else than in the
//! two functions stops that thread, and the attack then has no verdict, which the referee sees.

use core::arch::global_asm;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use freehold_rt::abi::fault::UPCALL;
use freehold_rt::abi::info::start;
use freehold_rt::abi::layout::utcb;
use freehold_rt::thread::{self, Options, Thread};
use freehold_rt::{CapName, Utcb, calls, time};

use crate::{Evidence, Kit};

global_asm!(
    ".pushsection .text.probe, \"ax\"",
    "freehold_probe_touches:",
    // (address, where the word goes): 0, or 1 behind a fault.
    "freehold_probe_read:",
    "mov ecx, [esp + 4]",
    "mov edx, [esp + 8]",
    "mov eax, [ecx]",
    "mov [edx], eax",
    "xor eax, eax",
    "ret",
    // (address, word)
    "freehold_probe_write:",
    "mov ecx, [esp + 4]",
    "mov edx, [esp + 8]",
    "mov [ecx], edx",
    "xor eax, eax",
    "ret",
    "freehold_probe_touches_end:",
    // ESP is the address of UPCALL in the UTCB. Behind a touch: back to who called it.
    "freehold_probe_upcall:",
    "mov eax, [esp + 28]",
    "cmp eax, offset freehold_probe_touches",
    "jb 1f",
    "cmp eax, offset freehold_probe_touches_end",
    "jae 1f",
    "mov ecx, esp",
    "mov esp, [ecx + 32]",
    "mov dword ptr [ecx], 0",
    "mov eax, 1",
    "ret",
    // The upcall is not finished, so this stops the thread.
    "1: ud2",
    ".popsection",
);

unsafe extern "C" {
    fn freehold_probe_read(address: u32, word: *mut u32) -> u32;
    fn freehold_probe_write(address: u32, word: u32) -> u32;
    fn freehold_probe_upcall();
}

/// The word at `address` (a multiple of four); `None`: the processor refuses.
pub fn read(address: u32) -> Option<u32> {
    let mut word = 0;
    // SAFETY: reads a word, or faults and comes back; it writes to the local variable.
    let refused = unsafe { freehold_probe_read(address, &raw mut word) };
    (refused == 0).then_some(word)
}

/// Writes a word to `address` (a multiple of four). Whether the processor lets it.
///
/// The address is one of an attack's pieces or of the page-table area: nothing that Rust code relies on lies there.
pub fn write(address: u32, word: u32) -> bool {
    // SAFETY: as above; what it writes to, no reference covers.
    unsafe { freehold_probe_write(address, word) == 0 }
}

/// Writes `word` to each of `words` places from `address` on, where the processor lets it.
pub fn fill(address: u32, words: u32, word: u32) {
    for index in 0..words {
        write(address + 4 * index, word);
    }
}

/// What a guarded thread is to do, and what came of it.
struct Order {
    kit: *mut Kit,
    work: fn(&mut Kit) -> Evidence,
    evidence: UnsafeCell<Option<Evidence>>,
    done: AtomicBool,
}

/// Does an attack's work in a thread of its own, in which [`read()`] and [`write()`] are possible. It has the priority of the
/// first thread, which sleeps meanwhile.
///
/// # Panics
/// If there is no memory for a thread.
pub fn guarded(kit: &mut Kit, work: fn(&mut Kit) -> Evidence) -> Evidence {
    let order = Order { kit, work, evidence: UnsafeCell::new(None), done: AtomicBool::new(false) };
    let thread = spawn(obey, &raw const order as u32);
    while !order.done.load(Ordering::Acquire) {
        time::sleep(1);
    }
    let _ = thread.destroy();
    order.evidence.into_inner().expect("written before it is done")
}

fn obey(order: u32) {
    guard();
    // SAFETY: `guarded` keeps it until this is done, and looks at the flag alone until then.
    let order = unsafe { &*(order as *const Order) };
    // SAFETY: as above: meanwhile the kit and the cell are this thread's alone.
    unsafe { *order.evidence.get() = Some((order.work)(&mut *order.kit)) };
    order.done.store(true, Ordering::Release);
}

/// Starts a further thread, with the first one's priority, whose faults are upcalls: [`guard`] is for it.
///
/// # Panics
/// If there is no memory for it.
pub fn spawn(main: fn(u32), argument: u32) -> Thread {
    let options = Options { stack_pages: 8, pager: CapName(UPCALL), ..Options::new(priority()) };
    thread::spawn(main, argument, options).expect("memory for a thread")
}

/// The first thread's priority.
pub fn priority() -> u8 {
    calls::thread_info(start::THREAD).map_or(0, |info| info.priority as u8)
}

/// Makes [`read()`] and [`write()`] possible in the calling thread, which was made for upcalls.
pub fn guard() {
    let own = Utcb::current();
    own.set(utcb::UPCALL_EIP, freehold_probe_upcall as *const () as u32);
    own.set(utcb::UPCALL_ESP, own.address() + 4 * utcb::UPCALL as u32);
}
