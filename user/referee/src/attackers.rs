//! Attackers and their accomplices.
//!
//! Each of the two is given: its orders; an endpoint of its own, and the way to the other's; a notification that says when
//! to end; the way to the victim's server; memory of its own, lent under a stated bound; the other's first thread (by the
//! order to begin); and, where the attack needs it, the transfer service, or lent pages. Under a design with a pool also the root's memory,
//! which is its pager.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use freehold_first::actor::{Actor, new_endpoint, new_notification};
use freehold_first::failure::Failure;
use freehold_first::services::Services;
use freehold_first::trust::Trust;
use freehold_protocol::answer::DONE;
use freehold_protocol::attack::{
    BEGIN, MEMORY, ORDERS, OWN, PEER, PRIORITY, SERVER, STOP, TRANSFER, VERDICT, argument, attacker_badge,
};
use freehold_rt::abi::designs::Design;
use freehold_rt::abi::message::Item;
use freehold_rt::load::{Grant, Program};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls};

use crate::lent::Lent;
use crate::memory::Memory;
use crate::plan::Plan;
use crate::victim::{Victim, transfer_badge};

/// Numbers at the console begin here.
const CONSOLE: u32 = 16;
/// Milliseconds that a program may take to begin, or to come to its end.
const PATIENCE: u32 = 3_000;

/// The two programs of an attacker.
pub struct Pair {
    /// Attacker, accomplice.
    programs: [Actor; 2],
    stops: [Slot; 2],
    lent: Option<Lent>,
}

/// What one of them says it saw.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// As in the protocol.
    pub outcome: u32,
    /// Times that it tried.
    pub tries: u32,
    /// Times that it succeeded.
    pub successes: u32,
    /// In its words.
    pub detail: String,
}

/// What is the same for all pairs.
pub struct Stage<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Console and records.
    pub services: &'a Services,
    /// The root's memory.
    pub memory: &'a Memory,
    /// Whom the design lets send what.
    pub trust: &'a Trust,
    /// Who is attacked.
    pub victim: &'a Victim,
    /// How many attackers there are.
    pub attackers: u32,
    /// Free frames of each of their programs.
    pub frames: u32,
}

impl Pair {
    /// Makes both programs; they wait for the order to begin.
    ///
    /// # Errors
    /// [`Failure`]; nothing is left then.
    pub fn start(stage: &Stage<'_>, number: u32, lent: Option<Lent>) -> Result<Pair, Failure> {
        let own = [new_endpoint()?, new_endpoint()?];
        let names = [own[0].name(), own[1].name()];
        let stops = [new_notification()?, new_notification()?];
        let mut programs = Vec::new();
        for (role, own) in (0..).zip(own) {
            let other = names[1 - role as usize];
            let lent = lent.as_ref().filter(|_| role == 0);
            programs.push(stage.program(number, role, own, other, stops[role as usize].name(), lent)?);
        }
        let [attacker, accomplice]: [Actor; 2] = programs.try_into().map_err(|_| Failure::NoSuchProgram)?;
        Ok(Pair { programs: [attacker, accomplice], stops, lent })
    }

    /// What the attacker has borrowed.
    pub fn lent(&self) -> Option<&Lent> {
        self.lent.as_ref()
    }

    /// Lets both begin, the accomplice first.
    ///
    /// # Errors
    /// [`Failure`]: one of them did not take the order.
    pub fn begin(&self) -> Result<(), Failure> {
        for (program, other) in [(1, 0), (0, 1)] {
            let mut message = Message::new(BEGIN);
            let source = self.programs[other].thread();
            message.push_item(Item { source, moved: false, rights: Rights::CONTROL, total: 0 });
            patiently(self.programs[program].endpoint(0), &message)?;
        }
        Ok(())
    }

    /// Tells the attacker that it is time to end. The accomplice goes on serving it until it has said what it saw.
    pub fn stop(&self) {
        self.stop_program(0);
    }

    fn stop_program(&self, program: usize) {
        // The notification is the referee's own: there is no error to meet.
        let _ = calls::notify(self.stops[program].name(), 1);
    }

    /// What both saw. `None`: that one says nothing any more.
    pub fn verdicts(&self) -> [Option<Verdict>; 2] {
        [0, 1].map(|program| {
            self.stop_program(program);
            let answer = patiently(self.programs[program].endpoint(0), &Message::new(VERDICT)).ok()?;
            (answer.label() == DONE).then(|| Verdict::read(&answer))
        })
    }

    /// Bytes that their page tables and capability nodes take: of their own frames, or of the pool as far as it is charged
    /// to them.
    pub fn charged_bytes(&self, design: Design) -> u32 {
        let charged = |program: &Actor| -> Result<u32, Error> {
            if design.has_pool() {
                return calls::account(program.space()).map(|account| account.bytes);
            }
            let summary = calls::space_summary(program.space())?;
            Ok(summary.tables * TABLE_BYTES + summary.nodes * NODE_BYTES)
        };
        self.programs.iter().map(|program| charged(program).unwrap_or(0)).sum()
    }

    /// Ends both.
    ///
    /// # Errors
    /// [`Failure`]: frames could not be reclaimed.
    pub fn destroy(self) -> Result<(), Failure> {
        for program in self.programs {
            program.destroy()?;
        }
        Ok(())
    }
}

/// Bytes of a Table, and of a capability node.
const TABLE_BYTES: u32 = 16 << 10;
const NODE_BYTES: u32 = 4 << 10;

impl Stage<'_> {
    fn program(
        &self,
        number: u32,
        role: u32,
        own: Slot,
        other: CapName,
        stop: CapName,
        lent: Option<&Lent>,
    ) -> Result<Actor, Failure> {
        let badge = attacker_badge(number, role);
        let mut grants = Vec::from([
            Grant::receive(STOP, stop),
            Grant::send(PEER, other, 1),
            Grant::send(SERVER, self.victim.requests(), badge),
        ]);
        // The root's memory is also who hears of faults.
        grants.extend([MEMORY, "pager"].iter().filter_map(|name| self.memory.grant(name, badge)));
        let manager = self.victim.manager();
        grants.extend(manager.map(|it| Grant::send(TRANSFER, it, transfer_badge(badge, PRIORITY))));
        grants.extend(lent.map(Lent::grant));
        let seed = self.plan.seed.wrapping_mul(0x9E37_79B9).wrapping_add(badge);
        let arguments = format!(
            "{}{role} {}{number} {}{} {}{seed}",
            argument::ROLE,
            argument::NUMBER,
            argument::ATTACKERS,
            self.attackers,
            argument::SEED,
        );
        let needs = &self.plan.needs;
        let settings = Program {
            arguments: &arguments,
            frames: self.frames,
            lend: needs.lend,
            memory_total: 1024,
            stack_pages: 4,
            priority: PRIORITY,
            ..Program::new(&[])
        };
        let endpoints = Vec::from([(ORDERS, new_endpoint()?), (OWN, own)]);
        let actor =
            Actor::serving(endpoints, self.services, self.plan.attack, CONSOLE + badge, settings, &grants)?;
        // It has not run yet: this thread, above it, has not waited.
        self.trust.distrust(actor.space())?;
        Ok(actor)
    }
}

impl Verdict {
    fn read(answer: &Message) -> Verdict {
        let bytes = answer.words().get(4..).unwrap_or(&[]).iter().flat_map(|word| word.to_le_bytes());
        let detail: Vec<u8> = bytes.take(answer.word(3) as usize).collect();
        Verdict {
            outcome: answer.word(0),
            tries: answer.word(1),
            successes: answer.word(2),
            detail: String::from_utf8_lossy(&detail).into_owned(),
        }
    }
}

fn patiently(endpoint: CapName, message: &Message) -> Result<Message, Error> {
    Utcb::current().within((PATIENCE, PATIENCE), || calls::call(endpoint, message))
}
