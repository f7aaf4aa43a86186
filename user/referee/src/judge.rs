//! What became of it: held, degraded or broken.
//!
//! *Broken*: an attacker shows evidence; an operation of the victim's, or of a client
//! that starts beside the attackers, was refused; the victim stands still; lent memory
//! did not come back; frames or bytes of the kernel's are lost; or, where the kernel promises to allocate nothing, it did. *Degraded*:
//! the victim did less than [`HELD_PER_CENT`] of what it does alone, or its server has to pay for what others sent. *Held*: else, if the attackers tried often enough for that to be a merit
//! ([`Found::least`]); if not, *impossible* where they say that the design offers no way, *untried* where something else kept them from it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use freehold_protocol::attack::{BROKEN, HELD, IMPOSSIBLE, Worked};
use freehold_rt::Error;

use crate::attackers::Verdict;
use crate::lent::TakenBack;

/// The victim has to do so much of what it does alone.
pub const HELD_PER_CENT: u32 = 95;
/// With less than this it stands still.
pub const STILL_PER_CENT: u32 = 5;

/// What was found.
pub struct Found<'a> {
    /// Operations of the victim's alone.
    pub alone: u32,
    /// What it did beside the attackers; `None`: it did not come to the end.
    pub attacked: Option<Worked>,
    /// What attackers and accomplices say, as far as they still say something.
    pub verdicts: &'a [Verdict],
    /// Tries that they must have made, all together, for the design to have held.
    pub least: u32,
    /// Programs that do not say anything.
    pub silent: u32,
    /// How taking back went.
    pub taken_back: Option<TakenBack>,
    /// Frames that did not come back.
    pub frames_lost: u32,
    /// Bytes of the pool that did not.
    pub pool_lost: u32,
    /// Bytes that the kernel allocated after boot.
    pub allocated: u32,
    /// What a client did that started beside the attackers; `None`: it did not come so far.
    pub newcomer: Option<Worked>,
    /// Bytes of the pool that the victim's server has to pay for.
    pub server_charged: u32,
}

/// The outcome, and how.
pub fn judge(found: &Found<'_>) -> (&'static str, String) {
    let mut reasons: Vec<String> = Vec::new();
    let worked = found.attacked.unwrap_or_default();
    if found.attacked.is_none() {
        reasons.push("the victim did not come to the end of its window".to_string());
    } else if let Some(error) = refused(worked) {
        reasons.push(format!("the victim's operations fail with {error}, {} of them", worked.failed));
    } else if worked.done * 100 < found.alone * STILL_PER_CENT {
        reasons.push("the victim stands still".to_string());
    }
    match found.newcomer.map(refused) {
        None => reasons.push("a client that starts now gets no service".to_string()),
        Some(Some(error)) => reasons.push(format!("a client that starts now gets {error}")),
        Some(None) => {}
    }
    let convinced = found.verdicts.iter().filter(|verdict| verdict.outcome == BROKEN).count();
    if convinced != 0 {
        reasons.push(format!("{convinced} attackers show evidence"));
    }
    match found.taken_back {
        Some(TakenBack { cycles: None, .. }) => reasons.push("lent pages did not come back".to_string()),
        Some(TakenBack { error: Some(error), .. }) => {
            reasons.push(format!("taking lent pages back failed with {}", error.name()));
        }
        Some(TakenBack { is_late: true, .. }) => {
            reasons.push("taking lent pages back did not end while the attackers went on".to_string());
        }
        _ => {}
    }
    for (count, what) in [
        (found.frames_lost, "frames are lost"),
        (found.pool_lost, "bytes of the pool are lost"),
        (found.allocated, "bytes were allocated by the kernel"),
    ] {
        if count != 0 {
            reasons.push(format!("{count} {what}"));
        }
    }
    let broken = !reasons.is_empty();
    let charged = found.server_charged;
    if charged != 0 {
        let what = "bytes of the pool are charged to the victim's server for what it did not ask for";
        reasons.push(format!("{charged} {what}"));
    }
    let outcome = if broken {
        "broken"
    } else if charged != 0 || worked.done * 100 < found.alone * HELD_PER_CENT {
        "degraded"
    } else if tries(found.verdicts) >= found.least.max(1) {
        "held"
    } else if found.silent == 0 && found.verdicts.iter().any(|it| it.outcome == IMPOSSIBLE) {
        reasons.push("there is no way to try it".to_string());
        "impossible"
    } else {
        let (tries, least) = (tries(found.verdicts), found.least);
        reasons.push(match tries {
            0 => "nobody tried anything".to_string(),
            tries => format!("{tries} tries are too few: {least} would show something"),
        });
        "untried"
    };
    (outcome, detail(&reasons, found))
}

/// Tries of those who came so far that they can say whether it held.
fn tries(verdicts: &[Verdict]) -> u32 {
    let tried = verdicts.iter().filter(|verdict| verdict.outcome == HELD);
    tried.map(|verdict| verdict.tries).fold(0, u32::saturating_add)
}

/// With what its operations failed, other than by coming too late.
fn refused(worked: Worked) -> Option<&'static str> {
    match Error::from_status(worked.error) {
        Some(Error::Timeout) => None,
        Some(error) if worked.failed != 0 => Some(error.name()),
        None if worked.failed != 0 => Some("a wrong answer"),
        _ => None,
    }
}

/// The reasons, then what the attackers say: those that show evidence before the others, each text once.
fn detail(reasons: &[String], found: &Found<'_>) -> String {
    let mut said: Vec<&str> = Vec::new();
    for wanted in [true, false] {
        let verdicts = found.verdicts.iter().filter(|verdict| (verdict.outcome == BROKEN) == wanted);
        for verdict in verdicts.filter(|verdict| !verdict.detail.is_empty()) {
            if !said.contains(&verdict.detail.as_str()) && said.len() < 2 {
                said.push(&verdict.detail);
            }
        }
    }
    let mut parts: Vec<String> = Vec::from(reasons);
    parts.extend(said.iter().map(ToString::to_string));
    if found.silent != 0 {
        parts.push(format!("{} programs say nothing any more", found.silent));
    }
    parts.join("; ")
}
