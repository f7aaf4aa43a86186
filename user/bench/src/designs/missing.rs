//! Strings whose pages are missing, in one space or the other, until a pager has mapped them: `string.fault.SIDE.N`.
//!
//! Both sides wait for either pager as long as it takes. Every page is missing when the transfer begins.

use alloc::format;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::designs::Fpage;
use freehold_abi::fault::{PAGE_FAULT, RESUME};
use freehold_abi::info::State;
use freehold_abi::layout::{ENTRIES, FOREVER, FRAME, utcb};
use freehold_abi::message::ACCEPT;
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::worker::{Options, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::Utcb;
use freehold_rt::call::enter;
use freehold_rt::calls;
use freehold_rt::slots::Slot;
use freehold_rt::utcb::Part;

use super::partner::{self, Partner};
use super::pool::{self, Given};
use super::trust::Distrust;
use crate::annex::Annex;
use crate::ipc::{BESIDE, SERVED};
use crate::measure::{Series, section, wanted};
use crate::stub;

/// Bytes of the strings, and pages of the longest.
const SIZES: [u32; 3] = [64, 4096, 65536];
const PAGES: u32 = 16;
const ROUNDS: u32 = 50;

/// In both spaces: the pager; in the sender's: the receiver.
const PAGER: CapName = CapName(16);
const RECEIVER: CapName = CapName(17);

/// `string.fault.*`.
pub fn run() {
    let rows = [(0, "sender"), (1, "receiver")];
    let name = |side: &str, bytes: u32| format!("string.fault.{side}.{bytes}");
    if !rows.iter().any(|(_, side)| SIZES.iter().any(|&bytes| wanted(&name(side, bytes)))) {
        return;
    }
    let scene = Scene::new();
    for (missing, side) in rows {
        for bytes in SIZES {
            scene.measure(&name(side, bytes), missing, bytes);
        }
    }
}

/// Where the string is in its space, and the buffer in its own.
fn here() -> u32 {
    super::index() * ENTRIES * FRAME
}

/// What the pager maps, by the badge of who asks, less one: container and index of the first frame, and the space; or the
/// address of the first page. And how often it was asked.
static SOURCES: [[AtomicU32; 3]; 2] = [const { [const { AtomicU32::new(0) }; 3] }; 2];
static FAULTS: AtomicU32 = AtomicU32::new(0);

/// A space and its memory, which the first program sees, too.
struct Side {
    home: Home,
    memory: Memory,
}

/// Frames, and a Table for their mappings; or frames that map items can pass on.
enum Memory {
    Frames(Frames, #[expect(dead_code, reason = "it is there for as long as this")] Annex),
    Given(Given),
}

impl Side {
    fn new(index: u32, pager: CapName) -> Side {
        let (home, view) = (Home::new(), view(index));
        home.give(PAGER, pager, Rights::SEND, 1 + index);
        let (memory, source) = if pool::is_there() {
            let given = Given::new(PAGES, view);
            (Memory::Given(given), [view, 0, 0])
        } else {
            let frames = Frames::take(PAGES, 1);
            check_eq!(pages::map(&frames, view, Rights::WRITE, 0), Ok(()));
            let source = [frames.container().0, frames.at(0), home.space().0];
            let annex = Annex::of(&home, super::index());
            (Memory::Frames(frames, annex), source)
        };
        for (word, value) in SOURCES[index as usize].iter().zip(source) {
            word.store(value, Ordering::Relaxed);
        }
        Side { home, memory }
    }

    /// Takes all pages out of the space.
    fn unmap(&self) {
        match &self.memory {
            Memory::Frames(..) => {
                check_eq!(calls::unmap(self.home.space(), here() / FRAME, PAGES), Ok(()));
            }
            Memory::Given(given) => {
                check_eq!(given.take_back(), stub::OK);
            }
        }
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if let Memory::Frames(frames, _) = &self.memory {
            check_eq!(calls::revoke_range(frames.container(), frames.at(0), PAGES), Ok(()));
        }
    }
}

/// Where the first program sees the memory of a side.
fn view(index: u32) -> u32 {
    let base = if pool::is_there() { (super::index() + 1) * ENTRIES * FRAME } else { pages::AT };
    base + index * PAGES * FRAME
}

/// A sender and a receiver, each in a space of its own, and the pager of both.
struct Scene {
    _distrust: Option<Distrust>,
    sender: Partner,
    _receiver: Partner,
    pager: Worker,
    sides: [Side; 2],
    _faults: Slot,
}

impl Scene {
    fn new() -> Scene {
        let faults = endpoint();
        let sides = [0, 1].map(|index| Side::new(index, faults.name()));
        let pager = Worker::spawn(&Home::own(), BESIDE, page, faults.name().0);
        check!(pager.reaches(State::Receiving));
        let options = Options { pager: PAGER, ..BESIDE };
        let receiver = Partner::start(&sides[1].home, options, SERVED, receive);
        sides[0].home.give(RECEIVER, receiver.name(), Rights::SEND, 0);
        let sender = Partner::start(&sides[0].home, options, SERVED, send);
        let distrust = Distrust::of(&[sides[0].home.space(), sides[1].home.space()]);
        Scene { _distrust: distrust, sender, _receiver: receiver, pager, sides, _faults: faults }
    }

    fn measure(&self, name: &str, missing: usize, bytes: u32) {
        let mut series = Series::new(name);
        // What is not to be missing comes now.
        self.round(0, bytes);
        for round in 1..=ROUNDS + 1 {
            self.sides[missing].unmap();
            FAULTS.store(0, Ordering::Relaxed);
            self.round(round, bytes);
            series.add(partner::last());
            check_eq!(
                FAULTS.load(Ordering::Relaxed),
                bytes.div_ceil(FRAME),
                "{name}: pages that were missing"
            );
        }
        series.finish();
        check_eq!(self.pager.state(), State::Receiving);
    }

    fn round(&self, round: u32, bytes: u32) {
        let words = |at: u32| (0..bytes / 4).map(move |word| at + 4 * word);
        words(view(0)).for_each(|at| poke(at, at ^ round.wrapping_mul(0x0100_0193)));
        let sum = words(view(0)).map(peek).fold(0, u32::wrapping_add);
        check_eq!(self.sender.tell(0, [bytes, 0]), [stub::OK, bytes], "{bytes} bytes, round {round}");
        let arrived = words(view(1)).map(peek).fold(0, u32::wrapping_add);
        check_eq!(arrived, sum, "{bytes} bytes, round {round}");
    }
}

/// The sender: sends so many bytes, and says what came of it.
fn send(served: u32) {
    let utcb = Utcb::current();
    utcb.set_send_faults(FOREVER, FOREVER);
    partner::serve(served, |_, [bytes, _]| {
        utcb.set_strings(&[Part { address: here(), bytes }]);
        let message = [RECEIVER.0, Tag::new(0, 0).with_strings().0, 0, 0];
        let (sample, (status, [_, _, arrived, _])) = section(|| stub::call(Call::Call, message));
        partner::leave(sample);
        [status, arrived]
    });
}

/// The receiver: answers with how many bytes arrived.
fn receive(served: u32) {
    let utcb = Utcb::current();
    utcb.set_receive_faults(FOREVER, FOREVER);
    // SAFETY: pages that the pager maps for this, used for nothing else.
    unsafe { utcb.set_buffers(&[Part { address: here(), bytes: PAGES * FRAME }]) };
    let accept = |call: Call| call as u32 | ACCEPT << 8;
    let mut received = enter(accept(Call::Receive), [served, 0, 0, 0]);
    while let (stub::OK, _) = received {
        let answer = [served, Tag::new(0, 0).0, utcb.get(utcb::ARRIVED), 0];
        received = enter(accept(Call::ReplyReceive), answer);
    }
}

/// The pager: maps each page that is missing.
fn page(served: u32) {
    let mut received = stub::call(Call::Receive, [served, 0, 0, 0]);
    while let (stub::OK, [badge, tag, address, _]) = received {
        if Tag(tag).label() != PAGE_FAULT {
            return;
        }
        FAULTS.fetch_add(1, Ordering::Relaxed);
        let [first, second, third] =
            [0, 1, 2].map(|word: usize| SOURCES[badge as usize - 1][word].load(Ordering::Relaxed));
        let page = (address - here()) / FRAME;
        let answer = if pool::is_there() {
            let fpage = Fpage::new(first + page * FRAME, 0, Rights::WRITE.bits());
            let item = pool::item(fpage, address & !(FRAME - 1));
            [served, Tag::new(RESUME, 0).with_items(1).0, item[0], item[1]]
        } else {
            let source = (CapName(first), second + page);
            let words = stub::words(source, 1, CapName(third), address / FRAME, 0);
            if stub::update(words) != stub::OK {
                return;
            }
            [served, Tag::new(RESUME, 0).0, 0, 0]
        };
        received = stub::call(Call::ReplyReceive, answer);
    }
}
