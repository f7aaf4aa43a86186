//! One number of attackers: the victim works alone for a window, then beside them; they are told to end and asked what
//! they saw; everything is destroyed, and what did not come back is counted.

use alloc::vec::Vec;

use freehold_first::claims::Claims;
use freehold_first::failure::Failure;
use freehold_first::frames::Frames;
use freehold_first::services::Services;
use freehold_first::trust::Trust;
use freehold_protocol::attack::{Worked, attacker_badge};
use freehold_rt::abi::info::Kernel;
use freehold_rt::abi::layout::NODE_SLOTS;
use freehold_rt::{calls, memory, println, records, slots, time};

use crate::attackers::{Pair, Stage, Verdict};
use crate::judge::{Found, judge};
use crate::lent::{Lent, TakenBack, Taker};
use crate::memory::Memory;
use crate::plan::{Needs, Plan};
use crate::record::Record;
use crate::victim::Victim;

/// Frames of a program beside its free ones, if all are shared out: image, stack, and what fits into no row.
const BESIDE: u32 = 160;
/// Frames that a program gets at most then: 10,000 threads and their Tables.
const MOST: u32 = 20_400;

/// Frames that a client takes.
const RESERVE: u32 = 256;

/// What outlasts a cell.
pub struct House<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Console and records.
    pub services: &'a Services,
    /// The root's memory.
    pub memory: &'a Memory,
    /// Whom the design trusts.
    pub trust: &'a Trust,
    /// The cycle counter when the boot's first victim had done its first operation; 0: none has.
    pub first_service: core::cell::Cell<u64>,
}

/// Runs it and writes its record.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(house: &House<'_>, attackers: u32, claims: &mut Claims) -> Result<(), Failure> {
    let plan = house.plan;
    let before = Ground::now();
    let peak_before = pool(Kernel::PoolPeak);
    let victim = Victim::start(house.services, house.memory, plan.needs.transfer)?;
    let alone = victim.work(plan.window).unwrap_or_default();
    let found = (alone.done, alone.failed);
    let what = format_args!("{attackers}: the victim, alone, does all in {} ticks", plan.window);
    claims.equal(what, found, (victim.whole(plan.window), 0));
    if house.first_service.get() == 0 {
        house.first_service.set(alone.first());
    }

    let seen = attack(house, attackers, &victim)?;
    let peak = pool(Kernel::PoolPeak);
    let kernel_bytes = seen.allocated + if peak > peak_before { peak } else { seen.pool_used };
    victim.destroy()?;
    house.memory.clear()?;
    let after = Ground::now();

    let found = Found {
        alone: alone.done,
        attacked: seen.attacked,
        verdicts: &seen.verdicts,
        least: plan.needs.least,
        silent: 2 * attackers - seen.verdicts.len() as u32,
        taken_back: seen.taken_back,
        frames_lost: before.lost(&after),
        pool_lost: after.pool.saturating_sub(before.pool),
        allocated: seen.allocated,
        server_charged: seen.server_charged,
        newcomer: seen.newcomer,
    };
    let (outcome, detail) = judge(&found);
    let attacked = seen.attacked.unwrap_or_default();
    let sum = |of: fn(&Verdict) -> u32| seen.verdicts.iter().map(of).fold(0, u32::saturating_add);
    println!("  {attackers} attackers: {outcome}; the victim did {} of {}", attacked.done, alone.done);
    println!("    {detail}");
    let written = records::write(&Record {
        attack: plan.attack,
        design: plan.design.name(),
        attackers,
        outcome,
        detail,
        kernel_bytes,
        pool_bytes: pool(Kernel::PoolBytes),
        charged_bytes: seen.charged,
        victim_ops: attacked.done,
        victim_ops_alone: alone.done,
        victim_failed: attacked.failed,
        victim_missed: attacked.missed,
        victim_longest_alone: alone.longest,
        victim_longest: attacked.longest,
        tries: sum(|verdict| verdict.tries),
        successes: sum(|verdict| verdict.successes),
        first_service: house.first_service.get(),
        newcomer_service: seen.newcomer_service,
        frames_lost: found.frames_lost,
        pool_lost: found.pool_lost,
        revoke_cycles: seen.taken_back.and_then(|taken| taken.cycles),
        revoke_bound: seen.taken_back.and_then(|taken| taken.bound),
    });
    claims.succeeds(format_args!("{attackers}: the record is written"), written);
    Ok(())
}

/// What was seen while the attackers were there.
struct Seen {
    attacked: Option<Worked>,
    verdicts: Vec<Verdict>,
    taken_back: Option<TakenBack>,
    charged: u32,
    server_charged: u32,
    /// What a client that started beside the attackers did, and the cycles until its first operation was done.
    newcomer: Option<Worked>,
    newcomer_service: Option<u64>,
    pool_used: u32,
    allocated: u32,
}

/// Sets the attackers upon the victim, and ends them.
fn attack(house: &House<'_>, attackers: u32, victim: &Victim) -> Result<Seen, Failure> {
    let plan = house.plan;
    let House { plan: _, services, memory: root, trust, .. } = *house;
    // For a client that starts beside them, whatever they are given.
    let reserve = memory::take(RESERVE, 4).ok_or(Failure::NoMemory)?;
    let frames = match plan.needs.frames {
        Needs::SHARE => (memory::free_frames() / (2 * attackers.max(1))).saturating_sub(BESIDE).min(MOST),
        frames => frames,
    };
    let stage = Stage { plan, services, memory: root, trust, victim, attackers, frames };
    let mut pairs = Vec::new();
    for number in 0..attackers {
        let lends = plan.needs.lent && !plan.design.has_pool();
        pairs.push(Pair::start(&stage, number, if lends { Some(Lent::new()?) } else { None })?);
    }
    for pair in &pairs {
        // One that those before it keep from beginning says nothing later, and is counted then.
        let _ = pair.begin();
    }
    if plan.needs.head_start != 0 {
        time::sleep(plan.needs.head_start);
    }
    let mut taker = match pairs.first().filter(|_| plan.needs.lent) {
        Some(pair) => Some(Taker::start(plan, pair.lent(), attacker_badge(0, 0))?),
        None => None,
    };

    let attacked = victim.work(plan.window);
    let pool_used = pool(Kernel::PoolUsed);
    let charged = pairs.iter().map(|pair| pair.charged_bytes(plan.design)).sum();
    let server_charged = victim.server_charged(plan.design);
    memory::give_back(reserve);
    let (newcomer, newcomer_service) = victim.newcomer(services, root)?;
    // Who is asked before the owner is through would show what is still to be taken back.
    taker.iter_mut().for_each(Taker::wait);
    pairs.iter().for_each(Pair::stop);
    let verdicts = pairs.iter().flat_map(Pair::verdicts).flatten().collect();
    let pool_used = pool_used.max(pool(Kernel::PoolUsed));
    let allocated = pool(Kernel::AllocatedBytes);
    let taken_back = taker.map(Taker::end).transpose()?;
    pairs.into_iter().try_for_each(Pair::destroy)?;
    Ok(Seen {
        attacked,
        verdicts,
        taken_back,
        charged,
        server_charged,
        newcomer,
        newcomer_service,
        pool_used,
        allocated,
    })
}

fn pool(question: Kernel) -> u32 {
    // The kernel knows these questions, so there is no error to meet.
    calls::kernel_info(question).unwrap_or(0)
}

/// What must be the same after a cell: frames, the own capability nodes apart, which stay; bytes of the pool.
struct Ground {
    data: u32,
    free: u32,
    pool: u32,
}

impl Ground {
    fn now() -> Ground {
        let nodes = slots::used().1 / NODE_SLOTS;
        let (data, free) = (Frames::now().data() + nodes, memory::free_frames() + nodes);
        Ground { data, free, pool: pool(Kernel::PoolUsed) }
    }

    fn lost(&self, after: &Ground) -> u32 {
        self.data.saturating_sub(after.data).max(self.free.saturating_sub(after.free))
    }
}
