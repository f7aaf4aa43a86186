//! What came of one attack.

use super::{figure, text};
use crate::records::Record;

/// How an attack came out; the worse the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It cannot be tried under this design.
    Impossible,
    /// It got nowhere, and nobody noticed it.
    Held,
    /// No attacker tried anything, for a reason that is no merit of the design's.
    Untried,
    /// The victim got less done.
    Degraded,
    /// It did what it tried.
    Broken,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 5] =
        [Outcome::Impossible, Outcome::Held, Outcome::Untried, Outcome::Degraded, Outcome::Broken];

    /// As records and people call it.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Impossible => "impossible",
            Outcome::Held => "held",
            Outcome::Untried => "untried",
            Outcome::Degraded => "degraded",
            Outcome::Broken => "broken",
        }
    }

    /// Whether the design stood.
    pub fn stood(self) -> bool {
        self <= Outcome::Held
    }

    /// Whether the attack got somewhere. One that nobody tried neither did nor was withstood.
    pub fn succeeded(self) -> bool {
        self >= Outcome::Degraded
    }
}

/// One run of an attack with a number of attackers.
#[derive(Debug, Clone)]
pub struct Attack {
    /// Its name.
    pub attack: String,
    /// On whom.
    pub subject: String,
    /// Bytes of the pool, if that is known.
    pub pool: Option<u64>,
    /// The build that it was run on, if a defence was missing there.
    pub control: Option<String>,
    /// How many attacked.
    pub attackers: u64,
    /// How it came out.
    pub outcome: Outcome,
    /// In what way.
    pub detail: String,
    /// What the victim got done, as a part of what it does alone.
    pub ratio: Option<f64>,
    /// Bytes of the kernel's memory that were taken.
    pub kernel_bytes: Option<f64>,
    /// What the attackers got through.
    pub successes: Option<f64>,
    /// Frames that did not come back.
    pub frames_lost: Option<f64>,
    /// Ticks until the victim was first served.
    pub first_service: Option<f64>,
}

impl Attack {
    /// Reads a record; `None`: it is not as it must be.
    pub fn read(record: &Record, subject: String, pool: Option<u64>) -> Option<Attack> {
        let outcome = text(record, "outcome")?;
        Some(Attack {
            attack: text(record, "attack")?,
            subject,
            pool,
            control: text(record, "control"),
            attackers: figure(record, "attackers").unwrap_or(1.0) as u64,
            outcome: Outcome::ALL.into_iter().find(|known| known.name() == outcome)?,
            detail: text(record, "detail").unwrap_or_default(),
            ratio: figure(record, "victim_ops_ratio"),
            kernel_bytes: figure(record, "kernel_bytes"),
            successes: figure(record, "successes"),
            frames_lost: figure(record, "frames_lost"),
            first_service: figure(record, "first_service"),
        })
    }
}
