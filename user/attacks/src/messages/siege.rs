//! Attackers' threads that stall in transfers with the victim's server, while the attacker's first thread looks whether the
//! server still answers.

use alloc::format;

use freehold_protocol::answer::DONE;
use freehold_protocol::attack::ECHO;
use freehold_rt::{Error, Message, calls};

use super::abyss::{self, Abyss, Side, Staller};
use crate::{Evidence, Kit};

/// Milliseconds in which a server that serves must have answered. It is above every attacker, so what an attacker waits for
/// is its own turn.
const PROMPT: u32 = 100;
/// Milliseconds between two questions.
const PERIOD: u32 = 10;

/// Questions put to the server, and those that it left without an answer in time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Probes {
    /// Questions.
    pub asked: u32,
    /// Left unanswered for too long.
    pub silent: u32,
    /// Answered with an error or nonsense.
    pub wrong: u32,
}

impl Probes {
    /// Puts a question. Returns whether it was answered in time.
    pub fn ask(&mut self, kit: &Kit) -> bool {
        self.asked += 1;
        let words = [self.asked, !self.asked];
        let answer = kit.within(PROMPT, || calls::call(kit.server, &Message::of(ECHO, &words)));
        match answer {
            Ok(answer) if answer.label() == DONE && answer.words() == words => return true,
            Err(Error::Timeout) => self.silent += 1,
            _ => self.wrong += 1,
        }
        false
    }
}

/// Lays siege to the server with `stallers` threads that lack a page on that side, until it is time to end.
pub fn lay(kit: &mut Kit, side: Side, stallers: usize) -> Evidence {
    let Ok(abyss) = Abyss::new() else { return kit.untried("no memory for a pager") };
    let started: Result<crate::Vec<Staller>, _> =
        (0..stallers).map(|index| Staller::start(index, side, kit.server, &abyss)).collect();
    let Ok(stallers) = started else { return kit.untried("no memory for threads") };
    let mut probes = Probes::default();
    while !kit.pause(PERIOD) {
        probes.ask(kit);
    }
    let count = abyss::sum(&stallers);
    kit.tries = count.stopped + stallers.iter().filter(|staller| staller.count().inside != 0).count() as u32;
    // Every question to the attacker's pager is one that the server waited for.
    kit.successes = abyss.asked() + probes.silent;
    let detail = format!(
        "{} stopped at the page, {} otherwise ({}), pager asked {}, server silent {} of {}, wrong {}",
        count.stopped,
        count.otherwise,
        count.error,
        abyss.asked(),
        probes.silent,
        probes.asked,
        probes.wrong
    );
    match kit.successes {
        0 if count.stopped == 0 => kit.untried(format!("no transfer came to the missing page: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}
