//! What an attack has in its hands, and its life: begin, attack until it is told to stop, report.

use alloc::string::String;

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::attack::{self, BEGIN, VERDICT, argument};
use freehold_rt::abi::designs::Design;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Utcb, calls, serve, start};

use crate::evidence::{DETAIL_MAX, Evidence, Outcome};

/// Which of the two programs this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The attacker.
    Attacker,
    /// Its accomplice.
    Accomplice,
}

/// Priority of attackers' threads.
pub const PRIORITY: u8 = attack::PRIORITY;

/// What an attack has. Its memory is the runtime's: `rt::memory::take` and its kin, roots with Edit under every design.
#[derive(Debug)]
pub struct Kit {
    /// Which design the kernel was booted with.
    pub design: Design,
    /// Which of the two this is.
    pub role: Role,
    /// Which of the attackers, from 0 on.
    pub number: u32,
    /// How many there are.
    pub attackers: u32,
    /// What its choices come from; differs between programs.
    pub seed: u32,
    /// Notification: a bit is set when it is time to end.
    pub stop: CapName,
    /// The victim's server: `protocol::attack::{ECHO, STRING, ANSWER, TAKE}`, and requests with buffers.
    pub server: CapName,
    /// The transfer service's manager, if the attack needs it.
    pub transfer: Option<CapName>,
    /// Endpoint to send to the partner.
    pub peer: CapName,
    /// Endpoint to receive from the partner.
    pub own: CapName,
    /// The partner's first thread, with Control.
    pub partner_thread: CapName,
    /// The root's memory: `protocol::attack::{MAP, UNMAP}`; also the first thread's pager (designs with a pool).
    pub root: Option<CapName>,
    /// Container of `protocol::attack::LENT_PAGES` pages that the root lent, with Share and Edit, if the attack needs it.
    pub lent: Option<CapName>,
    /// Times that it tried.
    pub tries: u32,
    /// Times that it succeeded.
    pub successes: u32,
    stopped: bool,
}

impl Kit {
    fn new() -> Kit {
        let given = |name| start::capability(name).expect("given by the referee");
        let number = |name| value(name).expect("said by the referee");
        Kit {
            design: calls::design(),
            role: if number(argument::ROLE) == 0 { Role::Attacker } else { Role::Accomplice },
            number: number(argument::NUMBER),
            attackers: number(argument::ATTACKERS),
            // Xorshift stays at 0.
            seed: number(argument::SEED).max(1),
            stop: given(attack::STOP),
            server: given(attack::SERVER),
            transfer: start::capability(attack::TRANSFER),
            peer: given(attack::PEER),
            own: given(attack::OWN),
            // It comes with the order to begin.
            partner_thread: CapName::NONE,
            root: start::capability(attack::MEMORY),
            lent: start::capability(attack::LENT),
            tries: 0,
            successes: 0,
            stopped: false,
        }
    }

    /// Whether it is time to end. Costs a call: not to be asked more often than needed.
    pub fn stopped(&mut self) -> bool {
        self.pause(0)
    }

    /// Waits for `milliseconds` (0: not at all), or until it is time to end. Returns whether it is.
    pub fn pause(&mut self, milliseconds: u32) -> bool {
        if !self.stopped {
            let stop = self.stop;
            let bits = Utcb::current().within((0, milliseconds), || calls::wait(stop));
            self.stopped = !matches!(bits, Err(Error::Timeout | Error::Canceled));
        }
        self.stopped
    }

    /// Counts a try, and a success if it was one. Hands the result on.
    pub fn try_<T, E>(&mut self, result: Result<T, E>) -> Result<T, E> {
        self.tries += 1;
        self.successes += u32::from(result.is_ok());
        result
    }

    /// Does `work` with this limit, in milliseconds, on both halves of its calls.
    pub fn within<R>(&self, milliseconds: u32, work: impl FnOnce() -> R) -> R {
        Utcb::current().within((milliseconds, milliseconds), work)
    }

    /// A number that depends on the seed alone (and on how often this was asked).
    pub fn random(&mut self) -> u32 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        self.seed
    }

    /// The report that the design held, as far as the attacker sees.
    pub fn held(&self, detail: impl Into<String>) -> Evidence {
        self.evidence(Outcome::Held, detail)
    }

    /// The report that it did not.
    pub fn broken(&self, detail: impl Into<String>) -> Evidence {
        self.evidence(Outcome::Broken, detail)
    }

    /// The report that it was not tried: something was missing that the design would not refuse.
    pub fn untried(&self, detail: impl Into<String>) -> Evidence {
        self.evidence(Outcome::Untried, detail)
    }

    /// The report that the design has no way to try it.
    pub fn impossible(&self, detail: impl Into<String>) -> Evidence {
        self.evidence(Outcome::Impossible, detail)
    }

    fn evidence(&self, outcome: Outcome, detail: impl Into<String>) -> Evidence {
        Evidence { outcome, tries: self.tries, successes: self.successes, detail: detail.into() }
    }
}

/// The number behind this beginning in the arguments.
fn value(beginning: &str) -> Option<u32> {
    let mut words = start::arguments().split_ascii_whitespace();
    words.find_map(|word| word.strip_prefix(beginning))?.parse().ok()
}

/// An accomplice that only waits for the end.
pub fn idle(kit: &mut Kit) -> Evidence {
    while !kit.pause(1000) {}
    kit.held("")
}

/// The life of an attack program. Returns when the referee has taken its orders away.
#[doc(hidden)]
pub fn run(name: &str, attacker: fn(&mut Kit) -> Evidence, accomplice: fn(&mut Kit) -> Evidence) {
    let mut kit = Kit::new();
    let orders = start::capability(attack::ORDERS).expect("given by the referee");
    let partner = Slot::take().expect("a slot for the partner's thread");
    Utcb::current().set_slots(partner.name(), 1);
    let mut evidence = None;
    serve::serve(orders, |order| match order.ok()?.message.label() {
        BEGIN => {
            // A referee that is gone will not ask for the verdict either.
            let _ = calls::reply(None, &Message::new(DONE));
            Utcb::current().set_slots(CapName::NONE, 0);
            kit.partner_thread = partner.name();
            let work = if kit.role == Role::Attacker { attacker } else { accomplice };
            evidence = Some(work(&mut kit));
            None
        }
        VERDICT => Some(evidence.as_ref().map_or(Message::new(REFUSED), report)),
        _ => Some(Message::new(REFUSED)),
    });
    freehold_rt::println!("{name}: the referee is gone");
}

/// The answer to VERDICT.
fn report(evidence: &Evidence) -> Message {
    let detail = evidence.detail.as_bytes();
    let detail = &detail[..detail.len().min(DETAIL_MAX)];
    let outcome = evidence.outcome as u32;
    let mut message = Message::of(DONE, &[outcome, evidence.tries, evidence.successes, detail.len() as u32]);
    for chunk in detail.chunks(4) {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        message.push(u32::from_le_bytes(word));
    }
    message
}
