//! Strings and buffers that are refused: lists that are wrong in themselves, and messages that do not fit. The
//! other side waits on, and nothing has arrived.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::info::{State, place};
use freehold_abi::layout::utcb::{BUFFERS, BUFFERS_COUNT, STRINGS, STRINGS_COUNT, STRINGS_MAX};
use freehold_abi::layout::{BLOCK, STRING_BYTES_MAX, USER_END};
use freehold_abi::message::{ACCEPT, Item};
use freehold_abi::{Call, Error, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::slots::{self, Slot};
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Message, Rights, Utcb, calls};

use crate::claims::fails;

/// Pairs of address and bytes.
type Pairs<'a> = &'a [(u32, u32)];

/// Memory that is there, and where no test may find anything new.
static MEMORY: [AtomicU32; 64] = [const { AtomicU32::new(0) }; 64];
const UNTOUCHED: u32 = 0x5EA1_ED00;

fn memory() -> u32 {
    MEMORY.as_ptr() as u32
}

fn seal() {
    MEMORY.iter().for_each(|word| word.store(UNTOUCHED, Ordering::Relaxed));
}

fn is_sealed() -> bool {
    MEMORY.iter().all(|word| word.load(Ordering::Relaxed) == UNTOUCHED)
}

/// Writes a list, with a count that may be wrong.
fn write(count: usize, first: usize, number: u32, pairs: Pairs) {
    let utcb = Utcb::current();
    utcb.set(count, number);
    for (index, &(address, bytes)) in pairs.iter().enumerate().take(STRINGS_MAX) {
        utcb.set(first + 2 * index, address);
        utcb.set(first + 2 * index + 1, bytes);
    }
}

fn write_strings(number: u32, pairs: Pairs) {
    write(STRINGS_COUNT, STRINGS, number, pairs);
}

fn write_buffers(number: u32, pairs: Pairs) {
    write(BUFFERS_COUNT, BUFFERS, number, pairs);
}

/// What the other side does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Receives.
    Receive = 0,
    /// Calls, and so waits for the answer.
    Call = 1,
}

/// The other side: who it talks to, with how many slots from where on, and how many bytes it accepts.
struct Partner {
    endpoint: Slot,
    does: Does,
    worker: Worker,
}

static SLOTS: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];
static ROOM: AtomicU32 = AtomicU32::new(0);
static DOES: AtomicU32 = AtomicU32::new(0);

fn partner(endpoint: u32) {
    let (utcb, endpoint) = (Utcb::current(), CapName(endpoint));
    let room = ROOM.load(Ordering::Relaxed);
    utcb.set_slots(CapName(SLOTS[0].load(Ordering::Relaxed)), SLOTS[1].load(Ordering::Relaxed));
    // SAFETY: the memory is words that anybody may change.
    unsafe { utcb.set_buffers(&[Part { address: memory(), bytes: room.max(1) }]) };
    let _ = match (DOES.load(Ordering::Relaxed) == Does::Call as u32, room != 0) {
        (false, false) => calls::receive(endpoint).map(|_| ()).is_ok(),
        (false, true) => calls::receive_strings(endpoint).is_ok(),
        (true, accept) => calls::call_strings(endpoint, &Message::new(1), accept).is_ok(),
    };
}

impl Partner {
    fn new(does: Does, room: u32, first: CapName, count: u32) -> Partner {
        let endpoint = endpoint();
        SLOTS[0].store(first.0, Ordering::Relaxed);
        SLOTS[1].store(count, Ordering::Relaxed);
        ROOM.store(room, Ordering::Relaxed);
        DOES.store(does as u32, Ordering::Relaxed);
        let worker = Worker::spawn(&Home::own(), ABOVE, partner, endpoint.name().0);
        if does == Does::Call {
            check!(calls::receive(endpoint.name()).is_ok());
        }
        let partner = Partner { endpoint, does, worker };
        partner.waits();
        partner
    }

    fn name(&self) -> u32 {
        self.endpoint.name().0
    }

    /// It waits on, and nothing has arrived.
    fn waits(&self) {
        let state = if self.does == Does::Call { State::AwaitingReply } else { State::Receiving };
        check_eq!(self.worker.state(), state);
        check!(is_sealed(), "something has arrived");
    }

    /// The calls that talk to it, each of which fails with `error`.
    fn refuse(&self, immediate: u32, message: [u32; 3], error: Error) {
        let calls = if self.does == Does::Call {
            [Call::Reply, Call::ReplyReceive]
        } else {
            [Call::Send, Call::Call]
        };
        let [tag, first, second] = message;
        for call in calls {
            fails(call, immediate, [self.name(), tag, first, second], error);
            self.waits();
        }
    }
}

/// Wrong for strings and for buffers.
const WRONG: &[(&str, Pairs, Error)] = &[
    ("nothing", &[(0x1000, 0)], Error::EmptyString),
    ("nothing, at 0", &[(0, 0)], Error::EmptyString),
    ("nothing, in the kernel", &[(u32::MAX, 0)], Error::EmptyString),
    ("nothing, behind something", &[(0x1000, 8), (0x2000, 0)], Error::EmptyString),
    ("the end of the space, and one byte", &[(USER_END - 4, 5)], Error::BadAddress),
    ("the kernel's first byte", &[(USER_END, 1)], Error::BadAddress),
    ("the kernel", &[(0xC010_0000, 0x1000)], Error::BadAddress),
    ("the last byte", &[(u32::MAX, 1)], Error::BadAddress),
    ("round 4 GiB", &[(0xFFFF_F000, 0x2000)], Error::BadAddress),
    ("round 4 GiB, to where it began", &[(0x1000, u32::MAX)], Error::BadAddress),
    ("from low memory into the kernel", &[(0x1000, USER_END)], Error::BadAddress),
    ("the kernel, behind something", &[(0x1000, 8), (0x2000, 8), (USER_END, 4)], Error::BadAddress),
    ("the first mistake counts", &[(USER_END, 4), (0x1000, 0)], Error::BadAddress),
];

const MOST: u32 = STRING_BYTES_MAX;

/// Wrong for strings alone.
const TOO_LONG: &[(&str, Pairs)] = &[
    ("a byte above 4 MiB", &[(0x1000, MOST + 1)]),
    ("4 MiB and a byte", &[(0x1000, MOST), (0x1000, 1)]),
    ("a byte and 4 MiB", &[(0x1000, 1), (0x1000, MOST)]),
    ("all memory", &[(0, USER_END)]),
    ("a sum above 4 GiB", &[(0, MOST), (0, USER_END), (0, USER_END)]),
];

const AREA: u32 = place::AREA;

/// Wrong for buffers alone.
const WRONG_BUFFERS: &[(&str, Pairs, Error)] = &[
    ("an entry of the area", &[(AREA, 4)], Error::PageTableArea),
    ("up to its first byte", &[(AREA - 8, 9)], Error::PageTableArea),
    ("its last byte", &[(AREA + BLOCK - 1, 1)], Error::PageTableArea),
    ("around it", &[(0x1000, USER_END - 0x1000)], Error::PageTableArea),
    ("the area, behind something", &[(0x1000, 8), (AREA + 64, 8)], Error::PageTableArea),
    ("the same twice", &[(0x1000, 8), (0x1000, 8)], Error::Overlap),
    ("a byte of the one before", &[(0x1000, 8), (0x1007, 8)], Error::Overlap),
    ("a byte of the one behind", &[(0x1000, 8), (0xFF9, 8)], Error::Overlap),
    ("inside", &[(0x1000, 0x1000), (0x1800, 1)], Error::Overlap),
    ("around", &[(0x1800, 1), (0x1000, 0x1000)], Error::Overlap),
    ("not only the neighbour", &[(0x1000, 8), (0x2000, 8), (0x3000, 8), (0x1004, 1)], Error::Overlap),
    ("a sum above 4 GiB", &[(0, AREA), (0, AREA)], Error::Overlap),
];

const COUNTS: [u32; 6] = [0, 33, 64, 1 << 16 | 1, 1 << 31 | 1, u32::MAX];

/// The last of as many pairs as can be is `wrong`.
fn full(wrong: (u32, u32)) -> [(u32, u32); STRINGS_MAX] {
    core::array::from_fn(
        |index| {
            if index == STRINGS_MAX - 1 { wrong } else { (0x1000 + 16 * index as u32, 8) }
        },
    )
}

pub fn strings() {
    seal();
    let tag = Tag::new(7, 0).with_strings().0;
    for does in [Does::Receive, Does::Call] {
        let partner = Partner::new(does, 256, CapName::NONE, 0);
        let refuse = |what, error| {
            let before = freehold_guest_tests::check::counts().1;
            partner.refuse(0, [tag, 1, 2], error);
            check_eq!(freehold_guest_tests::check::counts().1, before, "{what}");
        };
        for count in COUNTS {
            write_strings(count, &full((0x9000, 8)));
            refuse("a count", Error::BadMessage);
        }
        let long = TOO_LONG.iter().map(|&(what, pairs)| (what, pairs, Error::TooLong));
        for (what, pairs, error) in WRONG.iter().copied().chain(long) {
            write_strings(pairs.len() as u32, pairs);
            refuse(what, error);
        }
        for (last, error) in
            [((0, 0), Error::EmptyString), ((USER_END, 1), Error::BadAddress), ((0, MOST), Error::TooLong)]
        {
            write_strings(32, &full(last));
            refuse("the last of 32", error);
        }
        // Without the flag nobody looks at the list, and what is wrong elsewhere comes first.
        write_strings(0, &[]);
        partner.refuse(0, [tag | 63, 1, 2], Error::BadMessage);
    }
}

pub fn buffers() {
    seal();
    let target = endpoint();
    let caller = Partner::new(Does::Call, 256, CapName::NONE, 0);
    let refuse = |what, error| {
        let before = freehold_guest_tests::check::counts().1;
        fails(Call::Receive, ACCEPT, [target.name().0, 1, 2, 3], error);
        fails(Call::Call, ACCEPT, [target.name().0, 1, 2, 3], error);
        // Nothing is answered yet.
        fails(Call::ReplyReceive, ACCEPT, [target.name().0, 0, 2, 3], error);
        caller.waits();
        check_eq!(freehold_guest_tests::check::counts().1, before, "{what}");
    };
    for count in COUNTS {
        write_buffers(count, &full((0x9000, 8)));
        refuse("a count", Error::BadMessage);
    }
    for &(what, pairs, error) in WRONG.iter().chain(WRONG_BUFFERS) {
        write_buffers(pairs.len() as u32, pairs);
        refuse(what, error);
    }
    for (last, error) in [
        ((0, 0), Error::EmptyString),
        ((USER_END, 1), Error::BadAddress),
        ((AREA, 1), Error::PageTableArea),
        ((0x1000, 1), Error::Overlap),
    ] {
        write_buffers(32, &full(last));
        refuse("the last of 32", error);
    }
    check_eq!(calls::reply(None, &Message::new(0)), Ok(()));
}

/// Messages whose strings or items do not fit at the receiver's.
pub fn no_room() {
    seal();
    let bits = notification();
    let (taken, first) = (notification(), slots::take_row(2).expect("two slots"));
    let plain = Tag::new(7, 0).with_strings();
    let item = Item { source: bits.name(), moved: false, rights: Rights::ALL, total: 0 }.encode();
    let with = |items: u32| [plain.with_items(items).0, item[0], item[1]];
    let source = [7_u32; 4];
    write_strings(2, &[(source.as_ptr() as u32, 4), (source.as_ptr() as u32 + 8, 5)]);
    for does in [Does::Receive, Does::Call] {
        // Strings are not accepted; too few bytes; both come before what is wrong with items.
        for room in [0, 8] {
            let partner = Partner::new(does, room, first, 0);
            partner.refuse(0, [plain.0, 1, 2], Error::NoRoom);
            partner.refuse(0, with(1), Error::NoRoom);
        }
        // The strings would fit; the slots are too few, taken, or none at all.
        for (first, count, items) in
            [(first, 1, 2), (first, 0, 1), (taken.name(), 1, 1), (CapName(4095), 2, 2)]
        {
            let partner = Partner::new(does, 9, first, count);
            // The second item, if there is one, is the first one's copy.
            Utcb::current().set(3, item[0]);
            Utcb::current().set(4, item[1]);
            partner.refuse(0, with(items), Error::NoSlots);
        }
        // The item itself is wrong.
        let partner = Partner::new(does, 9, first, 2);
        let empty = slots::take_row(1).expect("a slot");
        let item = Item { source: empty, moved: false, rights: Rights::ALL, total: 0 }.encode();
        partner.refuse(0, [plain.with_items(1).0, item[0], item[1]], Error::BadItem);
        slots::give_back(empty);
    }
    slots::give_back(first);
    slots::give_back(CapName(first.0 + 1));
    core::hint::black_box(&source);
}
