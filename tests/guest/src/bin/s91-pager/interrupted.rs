//! What a fault interrupts goes on as if nothing had happened; and what stops where it faulted.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::fault::{EXCEPTION, PAGE_FAULT};
use freehold_abi::info::start;
use freehold_abi::layout::{FRAME, utcb};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::worker::{BELOW, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::calls::{self, Received};
use freehold_rt::pager::{self, Error, Mode, Refusal, Region};
use freehold_rt::{CapName, Message};

use crate::scene::{AT, Paged, Scene, page};

/// EAX, EBX, ECX, EDX, ESI, EDI, EBP, ESP before and behind, flags.
static RESULT: [AtomicU32; 10] = [const { AtomicU32::new(0) }; 10];

/// Reserved bit, interrupts, and all that a program can set and that does not trap: CF PF AF ZF SF DF OF NT.
const FLAGS: u32 = 0x202 | 0x1 | 0x4 | 0x10 | 0x40 | 0x80 | 0x400 | 0x800 | 0x4000;

global_asm!(
    ".pushsection .text.pager_pieces, \"ax\"",
    ".globl freehold_pager_registers, freehold_pager_registers_at, freehold_pager_undefined",
    "freehold_pager_registers:",
    "pushad",
    "mov eax, 0xa1a1a1a1",
    "mov ebx, {at}",
    "mov ecx, 0xc3c3c3c3",
    "mov edx, 0xd4d4d4d4",
    "mov esi, 0xe5e5e5e5",
    "mov edi, 0xf6f6f6f6",
    "mov ebp, 0x17171717",
    "push {flags}",
    "popfd",
    "mov [{result} + 28], esp",
    "freehold_pager_registers_at: mov [ebx], eax",
    "mov [{result} + 32], esp",
    "mov [{result}], eax",
    "mov [{result} + 4], ebx",
    "mov [{result} + 8], ecx",
    "mov [{result} + 12], edx",
    "mov [{result} + 16], esi",
    "mov [{result} + 20], edi",
    "mov [{result} + 24], ebp",
    "pushfd",
    "pop dword ptr [{result} + 36]",
    "push 0x202",
    "popfd",
    "popad",
    "ret",
    "freehold_pager_undefined: ud2",
    ".popsection",
    at = const AT,
    flags = const FLAGS,
    result = sym RESULT,
);

unsafe extern "C" {
    fn freehold_pager_registers();
    fn freehold_pager_registers_at();
    fn freehold_pager_undefined();
}

pub fn registers(mode: Mode) {
    fn run(_: u32) {
        for round in 0..20 {
            poke(page(1 + round % 9), round);
            pager::evict(page(0), FRAME);
            poke(page(2 + round % 7), round);
            // SAFETY: it restores what a function must keep.
            unsafe { freehold_pager_registers() };
            let seen = RESULT.each_ref().map(|word| word.load(Ordering::SeqCst));
            let right = [0xA1A1_A1A1, AT, 0xC3C3_C3C3, 0xD4D4_D4D4, 0xE5E5_E5E5, 0xF6F6_F6F6, 0x1717_1717];
            check_eq!(seen[..7], right, "round {round}");
            check_eq!(seen[7], seen[8], "ESP");
            check_eq!(seen[9], FLAGS);
            check_eq!(peek(AT), 0xA1A1_A1A1);
            poke(AT, 0);
        }
    }
    let scene = Scene::new(mode, 4, 16, 0);
    let region = Region::new(page(0), 16).expect("a region");
    let thread = Paged::spawn(run, 0);
    check!(thread.ends());
    check!(scene.statistics().faults >= 20);
    drop(thread);
    drop(region);
}

/// Where a message lies that is sent, and one that is received: over the edges of pages.
const SENT: u32 = page(2) - 128;
const RECEIVED: u32 = page(8) - 128;
const WORDS: u32 = 50;

/// A message in pageable memory is read, and written, in the middle of being put into the UTCB and taken out of it.
pub fn message(mode: Mode) {
    fn send(endpoint: u32) {
        let at = SENT as *mut Message;
        let words: [u32; WORDS as usize] = core::array::from_fn(|word| word as u32 * 3 + 1);
        for _ in 0..10 {
            // SAFETY: the region's own pages, aligned; nothing else refers to them.
            let message = unsafe {
                at.write(Message::of(7, &words));
                pager::evict(page(0), 16 * FRAME);
                &*at
            };
            check_eq!(calls::send(CapName(endpoint), message), Ok(()));
        }
    }
    fn receive(endpoint: u32) {
        let at = RECEIVED as *mut Received;
        for _ in 0..10 {
            pager::evict(page(0), 16 * FRAME);
            // SAFETY: as above.
            let received = unsafe {
                at.write(calls::receive(CapName(endpoint)).expect("a message"));
                pager::evict(page(0), 16 * FRAME);
                &*at
            };
            let right = (0..WORDS).all(|word| received.message.word(word as usize) == word * 3 + 1);
            check!(right && received.message.words().len() == WORDS as usize, "{:?}", received.message);
        }
    }
    let scene = Scene::new(mode, 4, 16, 0);
    let region = Region::new(page(0), 16).expect("a region");
    let meeting = endpoint();
    let threads = (Paged::spawn(send, meeting.name().0), Paged::spawn(receive, meeting.name().0));
    check!(threads.0.ends() && threads.1.ends());
    check!(scene.statistics().faults >= 40);
    drop(threads);
    drop(region);
}

/// How much of its part of the UTCB an upcall uses, with evictions and with a lock that is taken.
pub fn stack() {
    fn fight(thread: u32) {
        for step in 0..2000 {
            poke(page((step * 7 + thread * 5) % 16), step);
        }
    }
    let scene = Scene::new(Mode::Upcall, 4, 16, 0);
    let region = Region::new(page(0), 16).expect("a region");
    let threads = [0, 1, 2].map(|thread| Paged::spawn(fight, thread));
    check!(threads.iter().all(Paged::ends));
    check!(scene.statistics().evictions > 3000);
    for thread in &threads {
        // Behind the way back's 22 bytes.
        let unused = (utcb::FREE_BYTES / 4 + 6..FRAME / 4).take_while(|&word| thread.utcb_word(word) == 0);
        let unused = 4 * unused.count() as u32;
        check!((1024..3000).contains(&unused), "{unused} bytes are unused");
    }
    drop(threads);
    drop(region);
}

/// An address outside all regions, a page that must not be written, an exception: the thread stops where it is, and
/// what happened can be read. Nobody else notices.
pub fn foreign(mode: Mode) {
    const OUTSIDE: u32 = 0x7000_0000;
    const VIEWS: u32 = freehold_abi::info::place::AREA;
    let scene = Scene::new(mode, 4, 16, 0);
    let region = Region::new(page(0), 16).expect("a region");
    for (address, access, main) in [
        (OUTSIDE, 2, (|_| poke(OUTSIDE, 1)) as fn(u32)),
        (OUTSIDE, 0, |_| board::set(0, peek(OUTSIDE))),
        (page(16), 2, |_| poke(page(16), 1)),
        (page(0) - 4, 0, |_| board::set(0, peek(page(0) - 4))),
        (VIEWS, 3, |_| poke(VIEWS, 1)),
    ] {
        let thread = Paged::spawn(main, 0);
        check!(thread.is_stopped());
        let eip = thread.info().eip;
        check_eq!(pager::last_refusal(), Some(Refusal { address, eip, error: Error::NotMine }));
        if mode == Mode::Upcall {
            let said = [0, 2, 3, 7].map(|word| thread.utcb_word(utcb::UPCALL as u32 + word));
            check_eq!(said, [u32::from(PAGE_FAULT), address, access, eip]);
        }
    }
    // SAFETY: it raises an exception, which is what is wanted.
    let thread = Paged::spawn(|_| unsafe { freehold_pager_undefined() }, 0);
    check!(thread.is_stopped());
    let eip = freehold_pager_undefined as *const () as u32;
    check_eq!(thread.info().eip, eip);
    check_eq!(pager::last_refusal(), Some(Refusal { address: 0, eip, error: Error::NotMine }));
    if mode == Mode::Upcall {
        check_eq!(thread.utcb_word(utcb::UPCALL as u32), u32::from(EXCEPTION));
    }
    // Stops with the registers that it faulted with, in a page that will come in vain: the region is gone.
    let other = Paged::spawn(|_| poke(page(3), 3), 0);
    check!(other.ends());
    drop(region);
    // SAFETY: it restores what a function must keep.
    let late = Paged::spawn(|_| unsafe { freehold_pager_registers() }, 0);
    check!(late.is_stopped());
    check_eq!(late.info().eip, freehold_pager_registers_at as *const () as u32);
    check_eq!(late.info().esp, RESULT[7].load(Ordering::SeqCst));
    drop((thread, other, late));
    drop(scene);
}

/// The first thread comes to the pager while it runs; a thread that the runtime did not make cannot.
pub fn adopted(mode: Mode) {
    board::clear();
    let scene = Scene::new(mode, 6, 30, 0);
    let region = Region::new(page(0), 30).expect("a region");
    let stranger = Worker::spawn(
        &Home::own(),
        BELOW,
        |_| board::set(0, 1 + u32::from(pager::adopt_current() == Err(Error::UnknownThread))),
        0,
    );
    check!(stranger.ends());
    check_eq!(board::get(0), 2);
    let before = calls::thread_info(start::THREAD).map(|info| info.priority);
    check_eq!(pager::adopt_current(), Ok(()));
    check_eq!(calls::thread_info(start::THREAD).map(|info| info.priority), before);
    (0..60).for_each(|step| poke(page(step % 30), step));
    check_eq!((0..30).filter(|&at| peek(page(at)) == 30 + at).count(), 30);
    check_eq!(pager::adopt_current(), Ok(()), "once more");
    check_eq!((0..30).filter(|&at| peek(page(at)) == 30 + at).count(), 30);
    // So does a thread that began without.
    let late = Paged::with(
        freehold_rt::thread::Options::new(crate::scene::PRIORITY - 1),
        |_| {
            check_eq!(pager::adopt_current(), Ok(()));
            check_eq!((0..30).filter(|&at| peek(page(at)) == 30 + at).count(), 30);
        },
        0,
    );
    check!(late.ends());
    check!(scene.statistics().faults >= 140);
    drop(late);
    drop(region);
}
