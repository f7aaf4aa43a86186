//! Pagers: what they are told, what their answers do, and who runs then; whatever their priority, and whatever
//! becomes of them.
//!
//! What must hold: nothing here depends on whether a fault and its answer go by a short path. They do where the
//! pager waits beside the thread and answers by ReplyReceive; each of the other cases fails one condition of it.

use freehold_abi::Tag;
use freehold_abi::fault::{EXCEPTION, PAGE_FAULT, RESUME, RESUME_AT, STOP};
use freehold_abi::info::{State, start};
use freehold_abi::layout::{FOREVER, FRAME};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::worker::{MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Message, Rights, Utcb, calls};

use crate::flags::{AC, DF, IF, NT};
use crate::handler::{
    NOWHERE, PAGE, Piece, at, freehold_upcall_read, freehold_upcall_registers, freehold_upcall_registers_end,
    freehold_upcall_registers_page, freehold_upcall_registers_trap, freehold_upcall_trap,
};
use crate::run::INVALID_OPCODE;

/// A thread of the first one's priority.
pub const BESIDE: Options = Options { priority: MAIN_PRIORITY, fpu: false, pager: CapName::NONE };
const CARRY: u32 = 1;
const ARITHMETIC: u32 = 0x8D5;
const ID: u32 = 1 << 21;
const LOOKED_AT: u32 = ARITHMETIC | IF | DF | NT | AC | ID;

/// In a pager's space: where it receives, the frame's container, the space that it maps in.
const SERVED: CapName = CapName(8);
const FRAMES: CapName = CapName(9);
const SPACE: CapName = CapName(10);
/// What threads are known by.
pub const BADGE: u32 = 0xFA17;

/// Words of the board.
pub mod word {
    /// How many faults there were.
    pub const COUNT: usize = 0;
    /// The index of the pager's frame in its container.
    pub const FRAME: usize = 1;
    /// The tag of the answer to a missing page.
    pub const ANSWER: usize = 2;
    /// What was heard of each fault.
    pub const LOG: usize = 128;
    /// Words of that.
    pub const LOGGED: usize = 8;
}

/// Ways to answer a fault that is to be resumed; the last three are never for a short path.
pub const ANSWERS: [Tag; 6] = [
    Tag::new(RESUME, 0),
    Tag::new(RESUME, 2),
    Tag::new(RESUME, 62),
    Tag::new(3, 0),
    Tag::new(0xFFFF, 3),
    // An item, which is ignored.
    Tag(1 << 8),
];

/// Maps the pager's frame where a page below [`NOWHERE`] is missing, leads a missing page above to UD2, goes on behind a
/// breakpoint, and stops the thread at all else.
fn serve(endpoint: u32) {
    let endpoint = CapName(endpoint);
    let mut received = calls::receive(endpoint);
    while let Ok(got) = received {
        let label = got.message.label();
        if label != PAGE_FAULT && label != EXCEPTION {
            let _ = calls::reply(None, &Message::new(0));
            return;
        }
        let log = word::LOG + word::LOGGED * (board::add(word::COUNT, 1) as usize % 16);
        board::set(log, u32::from(label));
        board::set(log + 1, got.badge);
        got.message.words().iter().enumerate().for_each(|(index, &word)| board::set(log + 2 + index, word));
        let first = got.message.word(0);
        let answer = match (label, first) {
            (PAGE_FAULT, NOWHERE..) => Message::of(RESUME_AT, &[at(freehold_upcall_trap), 0x1234_5678]),
            (PAGE_FAULT, _) => {
                let source = (FRAMES, board::get(word::FRAME));
                let update = pages::update(source, 1, SPACE, first / FRAME, Rights::WRITE, 0);
                check_eq!(calls::update(&[update]), Ok(()));
                Message::with_tag(Tag(board::get(word::ANSWER)))
            }
            (_, 3) => Message::new(RESUME),
            _ => Message::new(STOP),
        };
        received = calls::reply_receive(None, &answer, endpoint);
    }
}

/// A pager in a space of its own, and what it hears from.
pub struct Pager {
    worker: Worker,
    faults: Slot,
    /// By which its threads fault.
    pub way: Slot,
    _home: Home,
    _frame: Frames,
}

impl Pager {
    /// Starts one that answers by the shortest tag.
    pub fn new(options: Options) -> Pager {
        board::clear();
        let (home, faults, frame) = (Home::new(), endpoint(), Frames::take(1, 1));
        let way = derived(faults.name(), Rights::SEND, BADGE, 0);
        home.give(SERVED, faults.name(), Rights::RECEIVE, 0);
        home.give(SPACE, start::SPACE, Rights::EDIT, 0);
        let (slot, range) = (home.slot(FRAMES), calls::range(frame.at(0), 1));
        let lent = calls::lend(frame.container(), slot, Rights::ALL, range, calls::Lend::UNLIMITED, 0);
        check_eq!(lent, Ok(()));
        let worker = Worker::spawn(&home, options, serve, SERVED.0);
        check!(worker.reaches(State::Receiving));
        Pager { worker, faults, way, _home: home, _frame: frame }
    }

    /// A thread of this space whose pager this is.
    pub fn thread(&self, options: Options) -> Worker {
        Worker::new(&Home::own(), Options { pager: self.way.name(), ..options })
    }

    /// What it heard of fault `count`: label, badge, words.
    pub fn heard(&self, count: usize) -> [u32; 7] {
        core::array::from_fn(|index| board::get(word::LOG + word::LOGGED * count + index))
    }

    /// Ends it, which must be waiting.
    pub fn end(self) {
        check_eq!(self.worker.state(), State::Receiving);
        let last = Utcb::current().within((FOREVER, FOREVER), || {
            calls::call(self.faults.name(), &Message::new(1)).map(|answer| answer.label())
        });
        check_eq!(last, Ok(0));
        check!(self.worker.ends());
    }
}

/// Lets a thread run a piece that begins with `flags`.
fn run(thread: &Worker, piece: Piece, flags: u32) {
    let stack = thread.stack_end() - 4;
    poke(stack, flags | 2);
    check_eq!(thread.start_at(at(piece), stack), Ok(()));
}

/// Unmaps pages of this space.
pub fn unmap(address: u32, pages: u32) {
    check_eq!(calls::unmap(CapName::NONE, address / FRAME, pages), Ok(()));
}

const fn at_priority(priority: u8) -> Options {
    Options { priority, ..BESIDE }
}

/// The pagers that there are, as the threads that they serve see them: beside, above, below, with FPU use.
const PAGERS: [Options; 4] =
    [BESIDE, at_priority(MAIN_PRIORITY + 1), at_priority(MAIN_PRIORITY - 1), Options { fpu: true, ..BESIDE }];

/// All registers and flags come back, behind a missing page as behind a trap, with no stack to stand on; and the pager
/// is told what it must be.
pub fn registers() {
    for options in PAGERS {
        for fpu in [false, true] {
            let pager = Pager::new(options);
            let thread = pager.thread(Options { fpu, ..BESIDE });
            for flags in [0, CARRY | DF, NT | AC | ARITHMETIC, ARITHMETIC | DF | NT | AC | ID] {
                board::set(word::COUNT, 0);
                run(&thread, freehold_upcall_registers, flags);
                check!(thread.reaches(State::Stopped), "{options:?} {flags:#x} {:?}", thread.info());
                check_eq!(board::get(word::COUNT), 3, "{options:?} {flags:#x}");
                if board::get(word::COUNT) != 3 {
                    return;
                }
                let (fault, trap) = (at(freehold_upcall_registers_page), at(freehold_upcall_registers_trap));
                let (page, exception) = (u32::from(PAGE_FAULT), u32::from(EXCEPTION));
                check_eq!(pager.heard(0)[..5], [page, BADGE, PAGE + 4, 2, fault], "{options:?}");
                check_eq!(pager.heard(1)[..6], [exception, BADGE, 3, 0, trap, NOWHERE], "{options:?}");
                check_eq!(pager.heard(1)[6] & LOOKED_AT, flags | IF, "{options:?}");
                let end = at(freehold_upcall_registers_end);
                check_eq!(pager.heard(2)[2..5], [INVALID_OPCODE, 0, end], "{options:?}");
                let stored: [u32; 9] = core::array::from_fn(|index| peek(PAGE + 256 - 36 + 4 * index as u32));
                let [edi, esi, ebp, _, ebx, edx, ecx, eax, after] = stored;
                check_eq!(after & LOOKED_AT, flags | IF, "afterwards");
                check_eq!([eax, ebx, ecx, edx], [0xA1A1_A1A1, 0xB2B2_B2B2, 0xC3C3_C3C3, 0xD4D4_D4D4]);
                check_eq!([esi, edi, ebp], [0xE5E5_E5E5, 0xF6F6_F6F6, 0x1717_1717]);
                check_eq!((peek(PAGE), peek(PAGE + 4)), (NOWHERE, 0xA1A1_A1A1));
                unmap(PAGE, 1);
            }
            drop(thread);
            pager.end();
        }
    }
}

/// Every label resumes but two; what else is in the answer changes nothing of the thread.
pub fn answers() {
    fn touch(pages: u32) {
        (0..pages).for_each(|page| {
            peek(pages::address(page));
        });
    }
    for options in PAGERS {
        let pager = Pager::new(options);
        let thread = pager.thread(BESIDE);
        for tag in ANSWERS {
            board::set(word::ANSWER, tag.0);
            board::set(word::COUNT, 0);
            thread.start(touch, 3);
            check!(thread.ends(), "{tag:?}: {:?}", thread.info());
            check_eq!(board::get(word::COUNT), 3, "{tag:?}");
            unmap(pages::AT, 3);
        }
        // RESUME_AT, then STOP.
        board::set(word::COUNT, 0);
        run(&thread, freehold_upcall_read, 0);
        check!(thread.reaches(State::Stopped));
        let info = thread.info();
        check_eq!((info.eip, info.esp), (at(freehold_upcall_trap), 0x1234_5678));
        check_eq!(pager.heard(0)[2..5], [NOWHERE + 8, 0, at(freehold_upcall_read)]);
        check_eq!(pager.heard(1)[2..5], [INVALID_OPCODE, 0, at(freehold_upcall_trap)]);
        drop(thread);
        pager.end();
    }
}
