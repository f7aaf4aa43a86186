//! Threads with FPU use that wait for each other, for threads without, and for their pagers: each finds its registers
//! as it left them.

use core::arch::global_asm;

use freehold_abi::fault::{PAGE_FAULT, RESUME};
use freehold_abi::info::State;
use freehold_abi::layout::{FOREVER, FRAME};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::pages::{self, Frames};
use freehold_guest_tests::worker::{MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::{CapName, Message, Rights, Utcb, calls};

const PLAIN: Options = Options { priority: MAIN_PRIORITY, fpu: false, pager: CapName::NONE };
const FPU: Options = Options { fpu: true, ..PLAIN };

/// Words of the board: names of notifications; rounds that each thread found wrong; those that it made.
const NAMES: usize = 0;
const WRONG: usize = 8;
const MADE: usize = 16;
/// Threads of a ring.
const RING: u32 = 4;
const TURNS: u32 = 30;

// Keeps its argument and four constants in the FPU while it calls `turn` with the argument; what it found is `found`'s.
global_asm!(
    ".pushsection .text.ring_pieces, \"ax\"",
    "freehold_ring_turns:",
    "push ebp",
    "mov ebp, esp",
    "push ebx",
    "sub esp, 20",
    "fninit",
    "fldz",
    "fld1",
    "fldpi",
    "fldl2e",
    "fild dword ptr [ebp + 8]",
    "mov ebx, {turns}",
    "2: mov eax, [ebp + 8]",
    "mov [esp], eax",
    "call {turn}",
    "fist dword ptr [esp + 4]",
    "mov eax, [esp + 4]",
    "sub eax, [ebp + 8]",
    "mov [esp + 4], eax",
    "mov eax, [ebp + 8]",
    "mov [esp], eax",
    "call {found}",
    "dec ebx",
    "jnz 2b",
    "fninit",
    "add esp, 20",
    "pop ebx",
    "pop ebp",
    "ret",
    ".popsection",
    turns = const TURNS,
    turn = sym turn,
    found = sym found,
);

unsafe extern "C" {
    fn freehold_ring_turns(argument: u32);
}

/// Waits for its turn and gives the next one its own; a thread of the second kind touches a page instead.
extern "C" fn turn(argument: u32) {
    if argument >= RING {
        pages::peek(pages::address((argument - RING) * TURNS + board::get(MADE + argument as usize)));
        return;
    }
    let _ = calls::wait(CapName(board::get(NAMES + argument as usize)));
    let _ = calls::notify(CapName(board::get(NAMES + ((argument + 1) % RING) as usize)), 1);
}

extern "C" fn found(argument: u32, difference: u32) {
    board::add(MADE + argument as usize, 1);
    board::add(WRONG + argument as usize, u32::from(difference != 0));
}

fn with_fpu(argument: u32) {
    // SAFETY: leaves the FPU as it was, empty; what it calls does not use it.
    unsafe { freehold_ring_turns(argument) }
}

fn without(argument: u32) {
    for _ in 0..TURNS {
        turn(argument);
        found(argument, 0);
    }
}

/// A ring of notifications, through threads with FPU use and without, in two spaces.
pub fn notifications() {
    board::clear();
    let bits = [0, 1, 2, 3].map(|_| notification());
    let home = Home::new();
    for (index, bits) in bits.iter().enumerate() {
        // The same name in both spaces.
        board::set(NAMES + index, bits.name().0);
        home.give(bits.name(), bits.name(), Rights::ALL, 0);
    }
    let own = Home::own();
    let workers = [
        Worker::spawn(&own, FPU, with_fpu, 0),
        Worker::spawn(&home, FPU, with_fpu, 1),
        Worker::spawn(&own, PLAIN, without, 2),
        Worker::spawn(&own, FPU, with_fpu, 3),
    ];
    check!(workers.iter().all(|worker| worker.reaches(State::Waiting)));
    check_eq!(calls::notify(bits[0].name(), 1), Ok(()));
    check!(workers.iter().all(Worker::ends));
    for index in 0..RING as usize {
        check_eq!((board::get(MADE + index), board::get(WRONG + index)), (TURNS, 0), "thread {index}");
    }
}

/// Faults of threads with FPU use, and answers to them, by pagers with and without.
pub fn faults() {
    fn serve(argument: u32) {
        let (endpoint, frame) = (CapName(argument), (CapName(board::get(NAMES)), board::get(NAMES + 1)));
        let mut received = calls::receive(endpoint);
        while let Ok(got) = received {
            if got.message.label() == PAGE_FAULT {
                let page = got.message.word(0) / FRAME;
                let update = pages::update(frame, 1, CapName::NONE, page, Rights::WRITE, 0);
                check_eq!(calls::update(&[update]), Ok(()));
            }
            received = calls::reply_receive(None, &Message::new(RESUME), endpoint);
        }
    }
    fn serve_with_fpu(argument: u32) {
        // SAFETY: its own FPU state, which nothing else here uses.
        unsafe { core::arch::asm!("fninit", "fldpi", "fldpi", "fldpi") }
        serve(argument);
    }
    for (options, main) in [(PLAIN, serve as fn(u32)), (FPU, serve_with_fpu)] {
        board::clear();
        let (faults, frame) = (endpoint(), Frames::take(1, 1));
        board::set(NAMES, frame.container().0);
        board::set(NAMES + 1, frame.at(0));
        let pager = Worker::spawn(&Home::own(), options, main, faults.name().0);
        check!(pager.reaches(State::Receiving));
        let paged = |options: Options| Options { pager: faults.name(), ..options };
        let workers = [
            Worker::spawn(&Home::own(), paged(FPU), with_fpu, RING),
            Worker::spawn(&Home::own(), paged(FPU), with_fpu, RING + 1),
            Worker::spawn(&Home::own(), paged(PLAIN), without, RING + 2),
        ];
        check!(workers.iter().all(Worker::ends), "{:?}", workers.each_ref().map(Worker::info));
        for index in RING as usize..RING as usize + workers.len() {
            check_eq!((board::get(MADE + index), board::get(WRONG + index)), (TURNS, 0), "thread {index}");
        }
        let pages = workers.len() as u32 * TURNS;
        check_eq!(calls::unmap(CapName::NONE, pages::AT / FRAME, pages), Ok(()));
        drop(workers);
        // It waits still.
        let heard =
            Utcb::current().within((FOREVER, FOREVER), || calls::call(faults.name(), &Message::new(1)));
        check_eq!(heard.map(|answer| answer.label()), Ok(RESUME));
        check_eq!(pager.state(), State::Receiving);
    }
}
