//! Notifications between threads that run beside each other: in which order they run, who gets which bits, and what
//! those find that were interrupted meanwhile.
//!
//! What must hold: nothing here depends on whether a call goes by a short path. Notify does where one thread waits,
//! not above the caller and without a limit; Receive does where nobody waits.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint, notification};
use freehold_guest_tests::worker::{ABOVE, BELOW, MAIN_PRIORITY, Options, Worker, eventually};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, Utcb, calls, time};

const BESIDE: Options = Options { priority: MAIN_PRIORITY, ..ABOVE };

/// Words of the board: the order of events; what was heard, from here on; a notification that ends something.
const EVENTS: usize = 0;
const HEARD: usize = 1;
const LAST: usize = 9;

fn happens(event: u32) {
    board::set(EVENTS, board::get(EVENTS) << 4 | event);
}

/// Waits without a limit.
fn wait(bits: &Slot) -> Result<u32, Error> {
    Utcb::current().within((FOREVER, FOREVER), || calls::wait(bits.name()))
}

/// Waits once, notes the bits, and notifies whoever the board names, if these are all that it waits for.
fn once(argument: u32) {
    let bits = calls::wait(CapName(argument & 0xFFF)).unwrap_or(0);
    happens(bits);
    board::set(HEARD + (argument >> 12) as usize, bits);
    if bits == board::get(LAST + 1) {
        let _ = calls::notify(CapName(board::get(LAST)), bits);
    }
}

/// Who is notified runs when it is its turn: behind those of its priority that were ready before, in the order of the
/// notifications; also the one that is notified by one of them.
pub fn order() {
    board::clear();
    let last = notification();
    board::set(LAST, last.name().0);
    for waker in 1..=4 {
        board::set(EVENTS, 0);
        board::set(LAST + 1, waker);
        let bits = [1, 2, 3, 4].map(|_| notification());
        let workers: [Worker; 4] = core::array::from_fn(|index| {
            // The fourth stands below the others.
            let options = if index == 3 { BELOW } else { BESIDE };
            let worker = Worker::spawn(&Home::own(), options, once, bits[index].name().0);
            check!(worker.reaches(State::Waiting));
            worker
        });
        for event in [4, 3, 1, 2] {
            check_eq!(calls::notify(bits[event - 1].name(), event as u32), Ok(()));
            check_eq!(workers[event - 1].state(), State::Ready);
        }
        check_eq!(board::get(EVENTS), 0, "it is this thread's turn");
        check_eq!(wait(&last), Ok(waker));
        // This thread was ready behind those that stood there.
        check_eq!(board::get(EVENTS), if waker == 4 { 0x3124 } else { 0x312 }, "{waker}");
        check!(workers.iter().all(Worker::ends));
        check_eq!(board::get(EVENTS), 0x3124, "{waker}");
    }
}

/// The first who waits gets all bits, and the next one the next ones; what nobody waits for stays.
pub fn several() {
    for others in [BESIDE, BELOW] {
        board::clear();
        let bits = notification();
        let badged = derived(bits.name(), Rights::SEND, 8, 0);
        let workers = [0, 1, 2].map(|index| {
            let worker = Worker::spawn(&Home::own(), others, once, bits.name().0 | index << 12);
            check!(worker.reaches(State::Waiting));
            worker
        });
        check_eq!(calls::notify(bits.name(), 0), Ok(()));
        check_eq!(calls::notify(bits.name(), 5), Ok(()));
        check_eq!(calls::notify(badged.name(), 2), Ok(()));
        check_eq!(workers.each_ref().map(Worker::state), [State::Ready, State::Ready, State::Waiting]);
        check_eq!(calls::notify(bits.name(), 1), Ok(()));
        check_eq!(calls::notify(bits.name(), 1), Ok(()));
        check_eq!(calls::notify(badged.name(), 0), Ok(()));
        check!(workers.iter().all(Worker::ends));
        check_eq!([0, 1, 2].map(|index| board::get(HEARD + index)), [5, 8, 1]);
        check_eq!(wait(&bits), Ok(9));
    }
}

/// Waits that are over for another reason, or have a limit, are nobody's to wake; those whose capability only might be
/// gone are.
pub fn entitled() {
    fn limited(argument: u32) {
        let bits = CapName(argument);
        let now = |limit| Utcb::current().within((0, limit), || calls::wait(bits));
        board::set(HEARD, now(20).unwrap_or(0));
        board::set(HEARD + 1, now(3).map_or_else(|error| error as u32, |_| 0));
        board::set(HEARD + 2, now(FOREVER).unwrap_or(0));
    }
    board::clear();
    let bits = notification();
    let worker = Worker::spawn(&Home::own(), BESIDE, limited, bits.name().0);
    check!(worker.reaches(State::Waiting));
    check_eq!(calls::notify(bits.name(), 6), Ok(()));
    check!(eventually(|| board::get(HEARD + 1) != 0));
    check_eq!((board::get(HEARD), board::get(HEARD + 1)), (6, Error::Timeout as u32));
    // Longer than the first limit was.
    time::sleep(25);
    check_eq!(worker.state(), State::Waiting);
    check_eq!(calls::notify(bits.name(), 7), Ok(()));
    check!(worker.ends());
    check_eq!(board::get(HEARD + 2), 7);

    // A slot is emptied meanwhile: another one, then the one that counts.
    for gone in [false, true] {
        board::clear();
        let (right, other) = (derived(bits.name(), Rights::RECEIVE, 0, 0), endpoint());
        let worker = Worker::spawn(&Home::own(), BESIDE, once, right.name().0);
        check!(worker.reaches(State::Waiting));
        check_eq!(calls::delete(if gone { right.reference() } else { other.reference() }), Ok(()));
        check_eq!(calls::notify(bits.name(), 5), Ok(()));
        check!(worker.ends());
        check_eq!(board::get(HEARD), if gone { 0 } else { 5 });
        let rest = Utcb::current().within((0, 0), || calls::wait(bits.name()));
        check_eq!(rest, if gone { Ok(5) } else { Err(Error::Timeout) }, "once, or still");
    }
}

// Holds words of its own in all registers, and DF, and looks at them until END is set; returns whether they were
// always there.
global_asm!(
    ".pushsection .text.signals_pieces, \"ax\"",
    "freehold_signals_hold:",
    "push ebx",
    "push esi",
    "push edi",
    "push ebp",
    "mov eax, 0xa1a1a1a1",
    "mov ebx, 0xb2b2b2b2",
    "mov ecx, 0xc3c3c3c3",
    "mov edx, 0xd4d4d4d4",
    "mov esi, 0xe5e5e5e5",
    "mov edi, 0xf6f6f6f6",
    "mov ebp, 0x17171717",
    "std",
    "2: inc dword ptr [{rounds}]",
    "cmp eax, 0xa1a1a1a1",
    "jne 3f",
    "cmp ebx, 0xb2b2b2b2",
    "jne 3f",
    "cmp ecx, 0xc3c3c3c3",
    "jne 3f",
    "cmp edx, 0xd4d4d4d4",
    "jne 3f",
    "cmp esi, 0xe5e5e5e5",
    "jne 3f",
    "cmp edi, 0xf6f6f6f6",
    "jne 3f",
    "cmp ebp, 0x17171717",
    "jne 3f",
    "pushfd",
    "test dword ptr [esp], 0x400",
    "lea esp, [esp + 4]",
    "jz 3f",
    "cmp dword ptr [{end}], 0",
    "je 2b",
    "mov eax, 1",
    "jmp 4f",
    "3: xor eax, eax",
    "4: cld",
    "pop ebp",
    "pop edi",
    "pop esi",
    "pop ebx",
    "ret",
    ".popsection",
    rounds = sym ROUNDS,
    end = sym END,
);

unsafe extern "C" {
    fn freehold_signals_hold() -> u32;
}

static ROUNDS: AtomicU32 = AtomicU32::new(0);
static END: AtomicU32 = AtomicU32::new(0);

/// A thread that was interrupted goes on with all its registers and flags when one above it begins to wait.
pub fn interrupted() {
    fn hold(_: u32) {
        // SAFETY: changes no register that its convention keeps, and no memory but two statics.
        board::set(HEARD, unsafe { freehold_signals_hold() });
    }
    fn tick(argument: u32) {
        while END.load(Ordering::Relaxed) == 0 {
            time::sleep(1);
            let _ = calls::notify(CapName(argument), 1);
        }
    }
    board::clear();
    ROUNDS.store(0, Ordering::Relaxed);
    END.store(0, Ordering::Relaxed);
    let bits = notification();
    let homes = [Home::own(), Home::new()];
    for home in &homes {
        END.store(0, Ordering::Relaxed);
        board::set(HEARD, 0);
        let (held, ticks) =
            (Worker::spawn(home, BELOW, hold, 0), Worker::spawn(&Home::own(), ABOVE, tick, bits.name().0));
        // The first bit may be there already.
        check_eq!(wait(&bits), Ok(1));
        for _ in 0..20 {
            let before = ROUNDS.load(Ordering::Relaxed);
            check_eq!(wait(&bits), Ok(1));
            check!(ROUNDS.load(Ordering::Relaxed) != before, "it runs meanwhile");
        }
        check_eq!(board::get(HEARD), 0);
        END.store(1, Ordering::Relaxed);
        check!(held.ends() && ticks.ends());
        check_eq!(board::get(HEARD), 1, "its registers are its own");
    }
}
