//! Entering the kernel with flags and segment registers that it did not choose.
//!
//! It makes calls with DF, NT, TF and AC set, and with the privilege bits that it would like to have, by SYSENTER and by
//! `int 0x80`, with null and odd selectors in DS, ES, FS and GS: a Null, one that clears memory (Reclaim, MakeTable), one that
//! copies a message. Its accomplice does the same from another space, and each looks at what the other left behind.
//!
//! Success would mean: the kernel works backwards through memory, or not at all: it clears or copies over what lies before its
//! frames (DF), returns into a task that does not exist (NT), traps in itself (TF); or flags go from space to space. Evidence:
//! words beside a frame that was taken back have changed, or those in it have not; flags behind a call that another space's
//! program set.
//!
//! What stops it: every entry loads EFLAGS, DS and ES before anything else, a debug trap at the entry clears TF and goes
//! back, and what crosses spaces is cleaned: invariant 24.

#![no_std]
#![no_main]

use freehold_attacks::edge::flagged::{AC, DF, FLAT, Flagged, NT, PRIVILEGED, TF};
use freehold_attacks::edge::{self, Ground, one, probe};
use freehold_attacks::protocol::answer::DONE;
use freehold_attacks::rt::abi::layout::FRAME;
use freehold_attacks::rt::abi::{Call, Tag};
use freehold_attacks::rt::call::by_sysenter;
use freehold_attacks::rt::{Rights, Utcb, memory};
use freehold_attacks::{Evidence, Kit, String, attack, format};

attack!("hostile-flags", attacker, accomplice);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

/// Flags, and a selector for DS, ES, FS and GS. The mildest first: what one of them does to a kernel that is not prepared
/// for it should be seen before another takes the machine down.
const LEFT: [(u32, u32); 12] = [
    (0, 0),
    (DF, FLAT),
    (AC, FLAT),
    (DF | AC, 3),
    (PRIVILEGED, 0x1B),
    (TF, FLAT),
    (DF | TF, 0),
    (NT, FLAT),
    (NT | DF, 0x20),
    (NT | TF, 1),
    (DF | NT | TF | AC, 2),
    (DF | NT | AC | PRIVILEGED, 0),
];
const MARK: u32 = 0xF1A6_D00D;
/// Milliseconds that the partner may take.
const PATIENCE: u32 = 2;

fn work(kit: &mut Kit) -> Evidence {
    let (Some(ground), Some(frames)) = (Ground::new(0), memory::take(3, 1)) else {
        return kit.untried("no memory to try it with");
    };
    if ground.map(one(frames, 0), 0, Rights::WRITE, 0).is_err()
        || ground.map(one(frames, 2), 2, Rights::WRITE, 0).is_err()
    {
        return kit.untried("no pages of its own");
    }
    loop {
        for left in LEFT {
            for by_interrupt in [false, true] {
                if !by_interrupt && !by_sysenter() {
                    continue;
                }
                kit.tries += 1;
                let mut null = Flagged::new(Call::Null, [0; 4], left, by_interrupt);
                let status = null.enter();
                if status != 0 {
                    return kit.broken(format!("{left:x?}: Null answers {status}"));
                }
                if let Some(how) = cleared(&ground, frames, left, by_interrupt) {
                    kit.successes += 1;
                    return kit.broken(format!("{left:x?}: {how}"));
                }
                if let Some(how) = crossed(kit, left, by_interrupt) {
                    kit.successes += 1;
                    return kit.broken(format!("{left:x?}: {how}"));
                }
            }
        }
        if kit.stopped() {
            return kit.held(format!("{} calls of three kinds with hostile flags and selectors", kit.tries));
        }
    }
}

/// Takes the middle one of three frames back, whose neighbours are marked from end to end.
fn cleared(
    ground: &Ground,
    frames: freehold_attacks::rt::roots::Extent,
    left: (u32, u32),
    by_interrupt: bool,
) -> Option<String> {
    let middle = one(frames, 1);
    let words = |page: u32| (0..FRAME / 4).map(move |word| ground.address(page) + 4 * word);
    ground.map(middle, 1, Rights::WRITE, 0).ok()?;
    probe::fill(ground.address(0), 3 * FRAME / 4, MARK);
    let _ = ground.unmap(1, 1);
    let mut reclaim =
        Flagged::new(Call::Reclaim, [middle.container.0, middle.first, 1, 0], left, by_interrupt);
    let status = reclaim.enter();
    ground.map(middle, 1, Rights::NONE, 0).ok()?;
    let changed = words(0).chain(words(2)).filter(|&address| probe::read(address) != Some(MARK)).count();
    let kept = words(1).filter(|&address| probe::read(address) != Some(0)).count();
    let _ = ground.unmap(1, 1);
    (changed + kept != 0 || status != 0).then(|| {
        format!("Reclaim answered {status}, left {kept} words and changed {changed} beside its frame")
    })
}

/// Calls the accomplice, which answers with flags of its own.
fn crossed(kit: &mut Kit, left: (u32, u32), by_interrupt: bool) -> Option<String> {
    let tag = Tag::new(DONE, 2).0;
    let mut call = Flagged::new(Call::Call, [kit.peer.0, tag, MARK, !MARK], left, by_interrupt);
    let status = kit.within(PATIENCE, || call.enter());
    if status != 0 {
        return None;
    }
    let (flags, selectors) = call.left_over();
    if call.registers[2..] != [MARK, !MARK] {
        return Some(format!("the partner's answer came as {:x?}", call.registers));
    }
    (flags != 0 || selectors)
        .then(|| format!("flags {flags:#x} came over from another space, selectors: {selectors}"))
}

/// Answers with the same words, and with hostile flags: the next ones for each call, so that it is behind the attacker.
fn accomplice(kit: &mut Kit) -> Evidence {
    let mut leaks = 0;
    let mut next = Call::Receive;
    let mut answer = [kit.own.0, Tag::new(DONE, 2).0, 0, 0];
    let mut left = LEFT.into_iter().cycle();
    let mut with = LEFT[0];
    loop {
        let mut call = Flagged::new(next, answer, with, !by_sysenter());
        let status = Utcb::current().within((0, 5), || call.enter());
        if status != 0 {
            next = Call::Receive;
            if kit.stopped() {
                break;
            }
            continue;
        }
        kit.tries += 1;
        // A message that was there already is received without another space's thread.
        if next == Call::ReplyReceive && call.left_over() != (0, false) {
            leaks += 1;
        }
        answer = [kit.own.0, Tag::new(DONE, 2).0, call.registers[2], call.registers[3]];
        next = Call::ReplyReceive;
        with = left.next().unwrap_or(with);
    }
    match leaks {
        0 => kit.held(""),
        _ => kit.broken(format!("flags or selectors of the attacker were seen {leaks} times")),
    }
}
