//! Maps a lent page anew, from every mapping of it that it has, all the while that the root takes it back.
//!
//! The root is below the attacker, which leaves it the end of a tick and no more: it is interrupted in the middle of taking back, at
//! another place each time, and finds more there than before. If the attack succeeded, taking back would never end, or something
//! mapped meanwhile would outlast it. Under user-tables each copy costs credits, which the revoke takes along: it ends. Expected to with
//! credits off, and under the baselines that open interrupts in an unmap (all but kernel-heap): there is always one more.

#![no_std]
#![no_main]

use core::iter;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::kit::PRIORITY;
use freehold_attacks::protocol::answer::DONE;
use freehold_attacks::rt::abi::layout::{BLOCK, FRAME};
use freehold_attacks::rt::layout::OWN;
use freehold_attacks::rt::memory::MapError;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::thread::{self, Options};
use freehold_attacks::rt::{CapName, Error, Message, Utcb, calls, time};
use freehold_attacks::touch::Touch;
use freehold_attacks::world::{self, Refusal, Whose, World, message};
use freehold_attacks::{Design, Evidence, Kit, attack, format};

attack!("derive-during-revoke", attacker, world::serve);

/// Where the borrowed page is seen.
const PAGE: u32 = OWN;
/// Where it is mapped again, in both spaces; each from the one before.
const COPIES: u32 = OWN + BLOCK;
/// How many of these there are.
const COUNT: u32 = 900;
/// Codes of totals: of the borrowed page, of a copy of it, and of a copy of that.
const TOTALS: [u32; 3] = [61, 6, 0];
/// Cycles before the end of a tick in which the owner may run, at least and at most: a small part of what taking back takes.
const MOMENT: [u32; 2] = [2_000, 8_000];
/// Places at which it looks for a copy that is left, at a time.
const LOOKS: u32 = 64;
/// Pauses by which ticks are measured.
const PAUSES: u32 = 6;

fn attacker(kit: &mut Kit) -> Evidence {
    let (Ok(mut world), Ok(touch)) = (World::new(kit), Touch::new()) else {
        return kit.impossible("no way to map");
    };
    world.total_code = TOTALS[0];
    if let Err(why) = world.borrow(kit, 0, PAGE) {
        return kit.untried(format!("nothing was lent: {}", why.name()));
    }
    if kit.number != 0 {
        // Theirs is not taken back: all that they would do is to take turns away from the first.
        while !kit.pause(1000) {}
        return kit.untried("");
    }
    let Ok(mut ticks) = Ticks::new(kit) else { return kit.untried("no memory for a thread") };
    let mut copies = Copies { world, next: 0, source: Some(PAGE) };
    let (mut before, mut meanwhile, mut last) = (0, 0, None);
    while !kit.stopped() {
        let moment = MOMENT[0] + kit.random() % (MOMENT[1] - MOMENT[0]);
        while ticks.left() > moment
            && let Some(source) = copies.source
        {
            let result = copies.derive(kit, source);
            // What is hung on the page itself is there before it is taken back.
            let result = if source == PAGE { result } else { kit.try_(result) };
            match result {
                Ok(()) if source == PAGE => before += 1,
                Ok(()) => meanwhile += 1,
                // What got lost on the way comes back to the page, if there is one.
                Err(why) if source == PAGE && why.error() == Some(Error::NoCredits) => {
                    let _ = copies.world.revoke(PAGE, 1);
                }
                Err(why) => {
                    if source != PAGE && why.error() != Some(Error::Occupied) {
                        copies.look(kit, &touch);
                    }
                    last = Some(why);
                }
            }
        }
        ticks.wait();
        copies.look(kit, &touch);
    }
    // The owner has come to its end, or could not.
    let theirs = |at| {
        let answer = calls::call(kit.peer, &Message::of(message::READ, &[at]));
        answer.is_ok_and(|answer| answer.label() == DONE)
    };
    let alive = (0..COUNT).map(place).filter(|&at| touch.read(at).is_ok() || theirs(at)).count();
    let alive = alive + usize::from(touch.read(PAGE).is_ok());
    let end = last.map_or("no error", |why| why.name());
    let detail = format!("{before} copies made before, {meanwhile} in the middle of it, in the end {end}");
    if before + meanwhile == 0 && last.and_then(Refusal::error) == Some(Error::MapRefused) {
        return kit.impossible(detail);
    }
    if alive + meanwhile as usize == 0 && kit.design == Design::KernelHeap {
        return kit.impossible(format!("{detail}; an unmap is one operation, which has no middle"));
    }
    if alive == 0 { kit.held(detail) } else { kit.broken(format!("{detail}; {alive} are still there")) }
}

/// The copies.
struct Copies {
    world: World,
    /// Which is made next.
    next: u32,
    /// The page, or, once that has been taken away, a copy that is left, if one has been found.
    source: Option<u32>,
}

impl Copies {
    /// Looks for what is left to make copies of.
    fn look(&mut self, kit: &mut Kit, touch: &Touch) {
        let others = (0..LOOKS).map(|_| place(kit.random() % COUNT));
        self.source = iter::once(PAGE).chain(others).find(|&at| touch.read(at).is_ok());
    }

    /// Makes the next one, of the page itself or of the first of three copies; in the own space, or the partner's. Without
    /// the page, of `source`.
    fn derive(&mut self, kit: &mut Kit, source: u32) -> Result<(), Refusal> {
        let (copy, whose) = (self.next, if kit.random() & 1 == 0 { Whose::Own } else { Whose::Partners });
        self.next = (copy + 1) % COUNT;
        let at = place(copy);
        let is_first = copy.is_multiple_of(3);
        self.world.total_code = TOTALS[if is_first && source == PAGE { 1 } else { 2 }];
        let from = if is_first || source != PAGE { source } else { place(copy / 3 * 3) };
        if source == PAGE {
            // A place in use is no obstacle. Later on every copy counts.
            let _ = self.world.forget(at, 1);
        }
        self.world.map(from, at, 1, whose)
    }
}

/// Where a copy is.
fn place(copy: u32) -> u32 {
    COPIES + copy * FRAME
}

/// When ticks end, by the cycle counter; and a thread that rings whenever its shortest sleep is over.
///
/// The kernel counts a sleep of one tick from the end of the present one. So that somebody is awake when the next one ends, another
/// thread must have gone to sleep in the one before.
struct Ticks {
    /// Cycles of one.
    length: u32,
    /// The counter, its low half, when one ended.
    end: u32,
    /// When the thread rings again.
    ring: u32,
    bell: Slot,
}

impl Ticks {
    /// Measures some.
    fn new(kit: &mut Kit) -> Result<Ticks, MapError> {
        kit.pause(1);
        let begin = now();
        for _ in 0..PAUSES {
            kit.pause(1);
        }
        let end = now();
        // The shortest pause is two ticks.
        let length = end.wrapping_sub(begin) / (2 * PAUSES);
        let bell = Slot::take().ok_or(MapError::OutOfSlots)?;
        calls::make_notification(bell.reference())?;
        thread::spawn(ring, bell.name().0, Options { stack_pages: 1, ..Options::new(PRIORITY) })?;
        let mut ticks = Ticks { length, end, ring: 0, bell };
        ticks.wait();
        Ok(ticks)
    }

    /// Cycles until it rings.
    fn left(&self) -> u32 {
        let left = self.ring.wrapping_sub(now());
        if left > 2 * self.length { 0 } else { left }
    }

    /// Waits until it has rung.
    fn wait(&mut self) {
        // It rings for as long as there is a bell.
        let _ = Utcb::current().within((0, 20), || calls::wait(self.bell.name()));
        let rang = RANG.load(Ordering::Relaxed);
        let late = rang.wrapping_sub(self.end) % self.length;
        let near = self.length / 16;
        // Close to the end of a tick it was rung at it: that is where the clock is.
        let late = if late < near || late > self.length - near { 0 } else { late };
        self.end = rang.wrapping_sub(late);
        self.ring = self.end.wrapping_add(2 * self.length);
    }
}

/// The counter when it last rang.
static RANG: AtomicU32 = AtomicU32::new(0);

fn ring(bell: u32) {
    while calls::notify(CapName(bell), 1).is_ok() {
        RANG.store(now(), Ordering::Relaxed);
        time::sleep(1);
    }
}

fn now() -> u32 {
    time::cycles() as u32
}
