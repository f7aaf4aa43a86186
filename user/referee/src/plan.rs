//! What the kernel's command line asks for: `attack=NAME attackers=1,4,16 window=TICKS seed=S`; and what each attack is
//! given beside the usual.

use alloc::vec::Vec;

use freehold_first::command;
use freehold_protocol::attack::PRIORITY;
use freehold_rt::abi::designs::Design;
use freehold_rt::calls::{self, Lend};

/// Ticks for which the victim is watched, unless the command line says otherwise.
const WINDOW: u32 = 100;
/// Attackers at most: their badges, and the machine's memory, are made for so many.
pub const ATTACKERS_MAX: u32 = 16;

/// What is to be done.
pub struct Plan {
    /// The boot's design.
    pub design: Design,
    /// Name of the attack: a module.
    pub attack: &'static str,
    /// Numbers of attackers, one cell each.
    pub attackers: Vec<u32>,
    /// Ticks for which the victim is watched, alone and then attacked.
    pub window: u32,
    /// What the attackers' choices come from.
    pub seed: u32,
    /// What the attack needs.
    pub needs: Needs,
}

/// What an attack is given beside what all are.
#[derive(Clone, Copy)]
pub struct Needs {
    /// The transfer service, and a victim that uses it.
    pub transfer: bool,
    /// Pages that are lent by the root, which takes those of the first attacker back in the middle of the window.
    pub lent: bool,
    /// Priority with which it does so; the attackers have `protocol::attack::PRIORITY`.
    pub owner: u8,
    /// Ticks that the attackers have before the window begins.
    pub head_start: u32,
    /// Ticks for which the victim is watched, unless the command line says otherwise.
    pub window: u32,
    /// Free frames of each program; [`Needs::SHARE`]: what the machine has, shared out between them.
    pub frames: u32,
    /// What each of them allows to be derived: the bound that the root grants.
    pub lend: Lend,
    /// Tries that the attackers must have made, all together, for the design to have held: with fewer nothing is known.
    pub least: u32,
}

/// [`Needs::least`] of each attack: one round of all its ways, or, where chance has to help, a few tries. Else it is 1: a
/// single try is the whole attack.
const LEAST: [(&str, u32); 32] = [
    ("abandoned-revoke", 4),
    ("cache-type", 112),
    ("confused-deputy", 14),
    ("container-hoarding", 3),
    ("credit-exhaustion", 4095),
    ("derive-during-revoke", 3),
    ("double-fetch", 10),
    ("endless-resume", 18),
    ("endpoint-crowd", 2),
    ("flag-update", 9),
    ("forged-capability", 1000),
    ("hostile-flags", 48),
    ("killed-parties", 30),
    ("oversized-batch", 6),
    ("payload-change", 4),
    ("reply-blocking", 60),
    ("reply-reuse", 8),
    ("residual-data", 81),
    ("self-map", 18),
    ("split-charge", 64),
    ("stale-tlb", 96),
    ("superpage-smuggling", 99),
    ("table-alias", 30),
    ("timer-flood", 100),
    ("transfer-flood", 10),
    ("transit-stall-both", 100),
    ("transit-stall-receiver", 100),
    ("transit-stall-sender", 100),
    ("type-race", 14),
    ("validation-restart", 4),
    ("withdraw-live", 10),
    ("worker-frames", 16),
];

impl Needs {
    const USUAL: Needs = Needs {
        transfer: false,
        lent: false,
        owner: PRIORITY,
        head_start: 0,
        window: WINDOW,
        frames: 96,
        lend: Lend::LARGEST,
        least: 1,
    };
    /// For [`Needs::frames`].
    pub const SHARE: u32 = 0;

    /// Those of the attack of that name.
    fn of(attack: &str) -> Needs {
        let least = LEAST.iter().find(|(name, _)| *name == attack).map_or(1, |(_, least)| *least);
        let usual = Needs { least, ..Needs::USUAL };
        match attack {
            "double-fetch" | "payload-change" | "endless-resume" | "confused-deputy" | "killed-parties" => {
                Needs { transfer: true, ..usual }
            }
            // Sessions live for some hundred milliseconds; where a worker is when it is struck, chance decides.
            "transfer-flood" | "worker-frames" => Needs { transfer: true, window: 400, ..usual },
            // As many threads as there is memory for; to make them takes its time, too.
            "timer-flood" | "endpoint-crowd" => {
                Needs { frames: Needs::SHARE, head_start: 200, window: 300, ..usual }
            }
            // Nothing but its Tables bounds how often it can map a frame.
            "mapping-flood" | "page-table-bomb" => {
                Needs { frames: 160, lend: Lend::UNLIMITED, head_start: 200, ..usual }
            }
            // What hangs on a page grows for a while before it is taken back.
            "revoke-time" => Needs { lent: true, head_start: 300, frames: 160, ..usual },
            // An owner whom they can interrupt at any time.
            "derive-during-revoke" => Needs { lent: true, owner: 0, head_start: 20, ..usual },
            "container-hoarding" => Needs { lent: true, head_start: 20, ..usual },
            // All credits are to be used up by then, whoever else wants turns.
            "credit-exhaustion" => Needs { lent: true, head_start: 200, ..usual },
            // Chance decides where a call is met, and how often the one thread runs that makes it.
            "abandoned-revoke" | "validation-restart" => Needs { head_start: 200, ..usual },
            // The clock is looked at beside the victim, so there is no head start.
            "oversized-batch" => Needs { window: 300, ..usual },
            // Nothing but the deepest derivation that there is ends a chain.
            "derivation-depth" | "depth-wrap" => Needs { lend: Lend::UNLIMITED, ..usual },
            _ => usual,
        }
    }
}

impl Plan {
    /// Reads it.
    ///
    /// # Errors
    /// Why it cannot be understood.
    pub fn read() -> Result<Plan, &'static str> {
        let word = |beginning| command::values(beginning).next();
        let number = |beginning, usual: u32| match word(beginning) {
            None => Ok(usual),
            Some(text) => text.parse().map_err(|_| "not a number"),
        };
        let attack = word("attack=").ok_or("no attack=NAME")?;
        let attackers = word("attackers=").unwrap_or("1,4,16").split(',');
        let attackers: Vec<u32> =
            attackers.map(str::parse).collect::<Result<_, _>>().map_err(|_| "attackers= is no list")?;
        if attackers.iter().any(|&count| count > ATTACKERS_MAX) {
            return Err("at most 16 attackers");
        }
        let needs = Needs::of(attack);
        let (window, seed) = (number("window=", needs.window)?, number("seed=", 1)?);
        Ok(Plan { design: calls::design(), attack, attackers, window: window.max(1), seed, needs })
    }
}
