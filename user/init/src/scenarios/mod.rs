//! The scenarios of message transfer, all or some of them: the word `bench-transfer` of the kernel's command line.
//!
//! Each cell of case × way × residency × trust (`protocol::scenario`, `rt::buffer`) is carried out by two
//! programs, `caller` and `files`, some rounds each, and comes to one record. What a cell's record says was counted by
//! the programs; why a cell was refused was said by the program that refused it.
//!
//! What the host must provide: the modules `init`, `caller`, `files` and `transfer` (`init` first, the others in any
//! order; further ones do no harm), under the design `redirector` that too, and 64 MiB of memory. Words on the command line beside `bench-transfer`:
//!
//! | word | what |
//! |---|---|
//! | `only=PART,PART…` | only the cells whose name contains one of the parts |
//! | `rounds=N` | N rounds a cell (1 to 10,000) instead of [`ROUNDS`]; fewer where many bytes travel, see [`rounds`] |
//!
//! Records, on the second serial port: a `bench` for each cell, measured or refused; before those of a pair
//! `transfer-null.TRUST`, an empty call by registers; last the closing record, which bears the name `bench-transfer`.
//! On a machine whose time is the host's the figures are cycles of that machine, and no instructions.
//!
//! | file | what |
//! |---|---|
//! | cell.rs | a cell and its name; which of them are asked for |
//! | pair.rs | the programs, started with what each needs |
//! | report.rs | a cell's record; what is claimed about it |
//! | story.rs | one cell, told step by step |

mod cell;
mod pair;
mod report;
pub mod story;

use freehold_rt::buffer::Trust;
use freehold_rt::println;

use crate::claims::Claims;
use crate::command;
use crate::failure::Failure;
use crate::services::Services;
use crate::tour::State;
use cell::Cell;
use pair::{Ended, Pair};
use report::Tally;

/// The name of the run.
pub const NAME: &str = "bench-transfer";
/// Rounds of a cell if the command line does not say.
const ROUNDS: u32 = 8;
/// Bytes that travel in all rounds of a cell together, about, at most; two rounds are made in any case.
const BYTES_MAX: u32 = 8 << 20;

/// Carries out all cells that the command line asks for.
pub fn run(services: &Services, claims: &mut Claims) {
    let asked = command::values("rounds=").next().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let mut tally = Tally::default();
    for trust in [Trust::Trusting, Trust::Distrusting] {
        if !Cell::all(trust).any(Cell::is_asked_for) {
            continue;
        }
        let before = State::now();
        println!("a {} pair", trust.name());
        if let Err(failure) = all_of(services, claims, trust, asked, &mut tally) {
            claims.holds(format_args!("the {} pair served to its end: {failure:?}", trust.name()), false);
        }
        claims.equal("all frames and slots are back", State::now(), before);
    }
    tally.claim(claims);
}

fn all_of(
    services: &Services,
    claims: &mut Claims,
    trust: Trust,
    asked: u32,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let pair = Pair::start(services, trust)?;
    report::null(&pair.null(asked)?, trust)?;
    for cell in Cell::all(trust).filter(|cell| cell.is_asked_for()) {
        let ended = pair.run(cell, rounds(cell, asked))?;
        report::cell(cell, &ended)?;
        tally.add(claims, cell, &ended);
        if let Ended::Measured(_) = ended
            && cell.is_missing().0
            && let Some(found) = pair.beside(cell)?
        {
            tally.add_beside(claims, cell, found);
        }
    }
    claims.succeeds("all frames of the programs come back", pair.destroy());
    Ok(())
}

/// Rounds of a cell, of which `asked` were asked for.
fn rounds(cell: Cell, asked: u32) -> u32 {
    asked.min((BYTES_MAX / cell.bytes()).max(2)).max(1)
}
