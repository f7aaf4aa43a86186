//! Calls that do as much as a call can, to keep interrupts off.
//!
//! A thread of low priority makes as many Tables as its memory allows, fills them by batches of 15 updates of 1,024 pages each
//! and takes all of it back by calls over the whole: Unmap over all pieces, RevokeRange over a thousand entries with fourteen
//! descendants each, Reclaim of the frames beneath. With a pool it maps its pages onward some thousands of times and takes
//! them back by one Unmap. Its other thread, of a higher priority, waits for each tick of the clock and looks how late it is.
//!
//! Success would mean: one program's call decides when others run. Evidence: the thread that waits for the clock is late by
//! more than a quarter of a tick beyond what it is while no such call is made.
//!
//! What stops it: invariant 9. After at most 64 units of work interrupts are let in, and the call goes on later. Map and
//! unmap of kernel-heap do not do that, as those of its original do not.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use freehold_attacks::edge::{self, Ground, page, probe, update};
use freehold_attacks::messages::clock;
use freehold_attacks::rt::abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_attacks::rt::abi::update::{UPDATES_MAX, Update};
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::thread::{self, Options};
use freehold_attacks::rt::{CapName, Rights, calls, memory, time};
use freehold_attacks::world::{Refusal, World};
use freehold_attacks::{Evidence, Kit, Vec, attack, format, idle};

attack!("oversized-batch", attacker, idle);

/// Times that the thread waits, of two or three ticks each, before anything is tried: to know how late it is then.
const QUIET: u32 = 6;
/// Frames beneath the mappings.
const FRAMES: u32 = 8;
/// Frames that stay out of it: for nodes, stacks and the heap.
const SPARE: u32 = 20;
/// Total of each mapping from which others are made.
const TOTAL: u32 = UPDATES_MAX;
/// With a pool: pages, and times that each is mapped onward.
const POOLED: u32 = 64;
const ONWARD: u32 = 100;

/// Cycles before the end of a tick at which the Unmap of the pool's pages begins: who waits for that tick waits for its end.
const BEFORE: u32 = 20_000;

/// Cycles of a tick.
static TICK: AtomicU32 = AtomicU32::new(0);
/// 1: the heavy calls are made.
static GO: AtomicU32 = AtomicU32::new(0);
/// How many have been made.
static MADE: AtomicU32 = AtomicU32::new(0);

struct Heavy {
    /// The first one's mappings hang on the frames, all others' on the first one's.
    tables: Vec<Ground>,
    frames: Extent,
    pool: Option<World>,
}

fn attacker(kit: &mut Kit) -> Evidence {
    let Some(frames) = memory::take(FRAMES, 1) else { return kit.untried("no memory to try it with") };
    // It has a thread of its own, so it is made before the Tables take what there is.
    let pool = match kit.design.has_pool().then(|| World::new(kit).and_then(fill_pool)) {
        Some(Err(why)) => return kit.untried(format!("no pages of the pool: {}", why.name())),
        pool => pool.and_then(Result::ok),
    };
    let mut tables: Vec<Ground> = Vec::new();
    while memory::free_frames() > SPARE && tables.len() < UPDATES_MAX as usize {
        match Ground::new(tables.len() as u32) {
            Some(table) => tables.push(table),
            None => break,
        }
    }
    if tables.len() < 2 {
        return kit.untried("no memory for two Tables");
    }
    let pages = tables.len() as u32 * ENTRIES;
    let heavy = Box::new(Heavy { tables, frames, pool });
    let options = Options { stack_pages: 4, ..Options::new(probe::priority().saturating_sub(1)) };
    let Ok(caller) = thread::spawn(call, Box::into_raw(heavy) as u32, options) else {
        return kit.untried("no memory for a thread");
    };
    let mut clock = Clock::new();
    let quiet = (0..QUIET).map(|_| clock.late()).max().unwrap_or(0);
    TICK.store(clock.tick as u32, Relaxed);
    GO.store(1, Relaxed);
    let limit = quiet + clock.tick / 4;
    let mut worst = 0;
    while worst <= limit && !kit.stopped() {
        worst = worst.max(clock.late());
    }
    kit.tries = MADE.load(Relaxed);
    let _ = caller.destroy();
    let seen = format!("late by {worst} cycles of a tick's {}, {quiet} without", clock.tick);
    if worst > limit {
        kit.successes += 1;
        return kit.broken(format!("{seen}; calls over {pages} pages"));
    }
    kit.held(format!("{} calls over up to {pages} pages; {seen}", kit.tries))
}

/// What the thread that waits for the clock knows.
struct Clock {
    /// Cycles of a tick.
    tick: u64,
    before: (u32, u64),
}

impl Clock {
    fn new() -> Clock {
        let now = || {
            time::sleep(1);
            (time::ticks(), time::cycles())
        };
        let mut clock = Clock { tick: 0, before: now() };
        // Some begin late, since others begin as well: the one in the middle does not.
        let mut ticks = [0; QUIET as usize];
        for tick in &mut ticks {
            let (begin, end) = (clock.before, now());
            *tick = (end.1 - begin.1) / u64::from(end.0.wrapping_sub(begin.0).max(1));
            clock.before = end;
        }
        ticks.sort_unstable();
        clock.tick = ticks[ticks.len() / 2];
        clock
    }

    /// Waits for the next tick. Cycles that it is later than it was at the one before.
    fn late(&mut self) -> u64 {
        time::sleep(1);
        let now = (time::ticks(), time::cycles());
        let due = self.tick * u64::from(now.0.wrapping_sub(self.before.0));
        let passed = now.1 - self.before.1;
        self.before = now;
        passed.saturating_sub(due)
    }
}

/// The caller's part.
fn call(heavy: u32) {
    // SAFETY: `attacker` made it for this thread alone, and never frees it.
    let heavy = unsafe { &mut *(heavy as *mut Heavy) };
    let Heavy { tables, frames, pool } = heavy;
    let first = &tables[0];
    let all = Extent { container: first.table(), first: 0, count: ENTRIES };
    let batch: Vec<Update> =
        tables[1..].iter().map(|table| update(all, table.table(), 0, Rights::WRITE, 0)).collect();
    let pages = tables.len() as u32 * ENTRIES;
    while GO.load(Relaxed) == 0 {
        time::sleep(1);
    }
    loop {
        // What only some designs have comes first: beside many others it may be all that there is time for.
        if let Some(world) = pool {
            let base = pooled();
            for onward in 1..=ONWARD {
                let _ = world.alias(base, base + onward * POOLED * FRAME, POOLED);
            }
            clock::near_the_end(TICK.load(Relaxed), BEFORE);
            made(world.revoke(base, POOLED));
        }
        for from in (0..ENTRIES).step_by(FRAMES as usize) {
            let _ = calls::update(&[update(*frames, first.table(), from, Rights::WRITE, TOTAL)]);
        }
        made(calls::update(&batch));
        made(calls::revoke_range(first.table(), 0, ENTRIES));
        made(calls::update(&batch));
        made(calls::unmap(CapName::NONE, page(first.address(0)), pages));
        for from in (0..ENTRIES).step_by(FRAMES as usize) {
            let _ = calls::update(&[update(*frames, first.table(), from, Rights::WRITE, TOTAL)]);
        }
        made(calls::update(&batch));
        made(calls::reclaim(frames.container, frames.first, FRAMES));
    }
}

/// Counts a heavy call, if it did something.
fn made<E>(result: Result<(), E>) {
    MADE.fetch_add(result.is_ok().into(), Relaxed);
}

/// Where its pages of the pool lie: behind all Tables.
fn pooled() -> u32 {
    (edge::PIECES + 32) * BLOCK
}

/// As many pages as it can have, side by side.
fn fill_pool(mut world: World) -> Result<World, Refusal> {
    (0..POOLED).try_for_each(|page| world.obtain(pooled() + page * FRAME))?;
    Ok(world)
}
