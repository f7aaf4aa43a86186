//! The attacker maps one frame as often as the kernel lets it: exactly 1,024 × (T − 1) times for T
//! Tables. A victim's calls cost what they did before, although it never stops.

use freehold_protocol::attacker::{ATTACK, Attacked, FLOOD, Flooded, RESULT, STOP};
use freehold_protocol::victim::Measured;
use freehold_rt::abi::info::Kernel;
use freehold_rt::abi::layout::{ENTRIES, USER_TABLES};
use freehold_rt::calls::{self, Lend};
use freehold_rt::load::{Grant, Program};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, println, records, serde_json};

use crate::actor::{self, Actor};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::services::Services;
use crate::tour::victim::Victim;

/// Tables of the attacker: two that every program begins with, the others from its free memory.
const TABLES: u32 = 8;
/// Frames of a Table.
const TABLE_FRAMES: u32 = 4;
/// Frames for the attacker's books, the frame that it maps, and what these leave of four.
const OTHER_FRAMES: u32 = 4;
/// Above the victim's: the attacker interrupts it wherever it is.
const PRIORITY: u8 = 10;
/// Its number at the console.
const CLIENT: u32 = 1;
/// Calls of the victim that are measured.
const CALLS: u32 = 10_000;
/// Per cent by which the medians may differ.
const TOLERANCE: u32 = 1;

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let stop = actor::new_notification()?;
    let attacker = attacker(services, CLIENT, &stop)?;
    let victim = Victim::start(services)?;

    let alone = victim.measure(CALLS)?;
    let flooded = Flooded::from_words(attacker.obeys(FLOOD, &[])?.words());
    let found = Found::of(attacker.space())?;
    attacker.obeys(ATTACK, &[])?;
    let attacked = victim.measure(CALLS);
    calls::notify(stop.name(), 1)?;
    let attack = Attacked::from_words(attacker.obeys(RESULT, &[])?.words());
    let attacked = attacked?;
    let kernel_bytes = found.kernel_bytes.max(calls::kernel_info(Kernel::AllocatedBytes)?);

    claim_bound(claims, &found, &flooded);
    claims.equal("the kernel allocated 0 bytes for it", kernel_bytes, 0);
    claim_victim(claims, &alone, &attacked, &attack);
    report(&found, &flooded, kernel_bytes, &alone, &attacked, &attack)?;
    victim.destroy()?;
    attacker.destroy()?;
    Ok(())
}

/// Starts the attacker, with memory for [`TABLES`] Tables in all.
///
/// # Errors
/// [`Failure`].
pub fn attacker(services: &Services, number: u32, stop: &Slot) -> Result<Actor, Failure> {
    let settings = Program {
        frames: OTHER_FRAMES + (TABLES - 2) * TABLE_FRAMES,
        // Nothing but its Tables bounds how often it can map a frame.
        lend: Lend::UNLIMITED,
        stack_pages: 4,
        priority: PRIORITY,
        ..Program::new(&[])
    };
    Actor::start(services, "attacker", number, settings, &[Grant::receive(STOP, stop.name())])
}

/// What the kernel says about the attacker's space when nothing more can be mapped.
struct Found {
    tables: u32,
    live: u32,
    kernel_bytes: u32,
}

impl Found {
    fn of(space: CapName) -> Result<Found, Failure> {
        let tables = calls::space_summary(space)?.tables;
        let mut live = 0;
        for index in 0..tables {
            live += calls::space_table(space, index)?.live;
        }
        Ok(Found { tables, live, kernel_bytes: calls::kernel_info(Kernel::AllocatedBytes)? })
    }

    fn bound(&self) -> u32 {
        ENTRIES * (self.tables - 1)
    }
}

fn claim_bound(claims: &mut Claims, found: &Found, flooded: &Flooded) {
    claims.equal(format_args!("the attacker has {TABLES} Tables"), found.tables, TABLES);
    let what = format_args!("{} Tables hold 1,024 x {} mappings", found.tables, found.tables - 1);
    claims.equal(what, found.live, found.bound());
    let what = format_args!("{} of them are of one frame, the others the program itself", flooded.mapped);
    claims.equal(what, flooded.mapped + flooded.occupied, found.bound());
    let behind = Error::from_status(flooded.error_behind);
    claims.equal("the next mapping fails with NoTable", behind, Some(Error::NoTable));
    let refused = (flooded.blocks_without_table, flooded.blocks_of_area, flooded.other_errors);
    let what = format_args!("and so do all others, in {} blocks of 4 MiB", flooded.blocks_without_table);
    claims.equal(what, refused, (USER_TABLES - found.tables, 1, 0));
}

fn claim_victim(claims: &mut Claims, alone: &Measured, attacked: &Measured, attack: &Attacked) {
    let counts = (alone.calls, attacked.calls);
    claims.equal(
        format_args!("the victim makes {CALLS} calls alone, and as many attacked"),
        counts,
        (CALLS, CALLS),
    );
    let what = format_args!(
        "meanwhile the attacker filled all its Tables {} times ({} mappings made, {} taken back)",
        attack.refused, attack.mapped, attack.unmapped
    );
    // The last round may have ended after the last call; those before it did not.
    claims.holds(what, attack.refused >= 2 && attack.unmapped >= ENTRIES * (TABLES - 2));
    let medians = (alone.median, attacked.median);
    claims.close("the victim's median call, alone and attacked", medians, TOLERANCE);
}

fn report(
    found: &Found,
    flooded: &Flooded,
    kernel_bytes: u32,
    alone: &Measured,
    attacked: &Measured,
    attack: &Attacked,
) -> Result<(), Error> {
    println!("  a call of the victim takes {} cycles, under attack {}", alone.median, attacked.median);
    records::write(&serde_json::json!({
        "tour": "flood",
        "tables": found.tables,
        "mapped": found.live,
        "bound": found.bound(),
        "of_one_frame": flooded.mapped,
        "error": Error::from_status(flooded.error_behind).map_or("none", Error::name),
        "kernel_bytes": kernel_bytes,
        "calls": attacked.calls,
        "victim_alone": alone.median,
        "victim_attacked": attacked.median,
        "victim_alone_p99": alone.p99,
        "victim_attacked_p99": attacked.p99,
        "victim_alone_max": alone.max,
        "victim_attacked_max": attacked.max,
        "attacker_mapped": attack.mapped,
        "attacker_unmapped": attack.unmapped,
        "attacker_refused": attack.refused,
    }))
}
