//! Runs a piece of machine code in a thread and hears of its faults.

use freehold_abi::fault;
use freehold_abi::info::State;
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::worker::{ABOVE, Options, Worker};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Message, Rights, Utcb, calls};

/// The pager's name in other spaces.
const PAGER: CapName = CapName(9);
/// The badge that the pager knows the thread by.
const BADGE: u32 = 0xFA17;

/// Vectors (SDM vol. 3, table 6-1).
pub const INVALID_OPCODE: u32 = 6;

/// A fault, as the pager hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Vector, error code, EIP.
    Exception(u32, u32, u32),
    /// Address, access, EIP.
    Page(u32, u32, u32),
    /// None came, or something else.
    None,
}

/// A thread for machine code, and its pager's end.
pub struct Machine {
    pager: Slot,
    worker: Worker,
}

impl Machine {
    pub fn new(home: &Home) -> Machine {
        Machine::with(home, ABOVE)
    }

    pub fn with(home: &Home, options: Options) -> Machine {
        let pager = endpoint();
        let worker = if home.space() == CapName::NONE {
            Worker::new(home, Options { pager: pager.name(), ..options })
        } else {
            let _ = calls::delete(home.slot(PAGER));
            home.give(PAGER, pager.name(), Rights::SEND, BADGE);
            Worker::new(home, Options { pager: PAGER, ..options })
        };
        Machine { pager, worker }
    }

    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// Lets the thread run from `eip` on, with a fresh stack.
    pub fn start(&self, eip: u32) {
        self.start_with(eip, self.worker.stack_end());
    }

    pub fn start_with(&self, eip: u32, esp: u32) {
        self.worker.start_at(eip, esp).expect("a stopped thread");
    }

    /// The next fault, and the flags and stack pointer that come with exceptions.
    pub fn fault(&self) -> (Fault, u32, u32) {
        let got = Utcb::current().within((0, 30), || calls::receive(self.pager.name()));
        let Ok(got) = got else { return (Fault::None, 0, 0) };
        let word = |index| got.message.word(index);
        match (got.message.label(), got.message.words().len()) {
            (fault::PAGE_FAULT, 3) => (Fault::Page(word(0), word(1), word(2)), 0, 0),
            (fault::EXCEPTION, 5) => (Fault::Exception(word(0), word(1), word(2)), word(4), word(3)),
            _ => (Fault::None, 0, 0),
        }
    }

    /// The next fault alone.
    pub fn heard(&self) -> Fault {
        self.fault().0
    }

    /// Lets it go on where it is.
    pub fn resume(&self) {
        check_eq!(calls::reply(None, &Message::new(fault::RESUME)), Ok(()));
    }

    /// Lets it go on elsewhere, with a fresh stack.
    pub fn resume_at(&self, eip: u32) {
        let message = Message::of(fault::RESUME_AT, &[eip, self.worker.stack_end()]);
        check_eq!(calls::reply(None, &message), Ok(()));
    }

    /// Leaves it stopped.
    pub fn stop(&self) {
        check_eq!(calls::reply(None, &Message::new(fault::STOP)), Ok(()));
        check_eq!(self.worker.state(), State::Stopped);
    }

    /// Hears of the UD2 that ends a piece of code, and leaves the thread stopped.
    pub fn expect_end(&self, at: u32, what: &str) -> u32 {
        let (fault, flags, _) = self.fault();
        check_eq!(fault, Fault::Exception(INVALID_OPCODE, 0, at), "the end of {what}");
        if fault == Fault::None {
            let _ = calls::stop_thread(self.worker.name());
        } else {
            self.stop();
        }
        flags
    }
}
