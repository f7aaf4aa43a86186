//! A thread that makes one call at a time, exactly as it is ordered, and reports all that came of it.
//!
//! What must hold: its priority is above the first thread's, so when an order has been given the call is over,
//! or the actor waits in it. Orders and reports lie in the program's image, which every space sees.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::error;
use freehold_abi::info::State;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::derived;
use freehold_guest_tests::worker::{ABOVE, Options, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::call::enter;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, Utcb, calls, time};

use crate::order::{Order, UTCB_WORDS};

/// Names in an actor's own space, if that is not the program's.
const DOOR: CapName = CapName(9);
const PAGER: CapName = CapName(10);

/// What the badge of an actor's faults has beyond that of its messages.
pub const FAULTS: u32 = 0x1000;

/// Actors at a time.
const ACTORS: usize = 8;
/// EAX, four registers, the UTCB; in a report, how long it took.
const WORDS: usize = 6 + UTCB_WORDS;
const TOOK: usize = WORDS - 1;

static ORDERS: [[AtomicU32; WORDS]; ACTORS] = [const { [const { AtomicU32::new(0) }; WORDS] }; ACTORS];
static REPORTS: [[AtomicU32; WORDS]; ACTORS] = [const { [const { AtomicU32::new(0) }; WORDS] }; ACTORS];

/// What has become of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is not over.
    Pending,
    Done,
    Failed(Error),
    /// FaultMine: where, and after how many bytes.
    Mine {
        address: u32,
        done: u32,
    },
    /// FaultTheirs.
    Theirs {
        address: u32,
        done: u32,
    },
}

/// The thread.
pub struct Actor {
    worker: Worker,
    number: usize,
    /// The endpoint that messages go through, as its space names it.
    pub door: CapName,
    pager: CapName,
    options: Options,
    _slots: Option<[Slot; 2]>,
}

impl Actor {
    /// Actor `number` in `home`, above the first thread. Its messages have the badge `badge`, its faults have
    /// [`FAULTS`] more.
    pub fn new(home: &Home, number: usize, door: CapName, faults: CapName, badge: u32) -> Actor {
        Actor::at(ABOVE.priority, home, number, [door, faults], badge)
    }

    /// The same at another priority.
    pub fn at(priority: u8, home: &Home, number: usize, [door, faults]: [CapName; 2], badge: u32) -> Actor {
        assert!(number < ACTORS);
        let options = Options { priority, ..ABOVE };
        let worker = Worker::new(home, options);
        if home.space() == CapName::NONE {
            let slots =
                [derived(door, Rights::ALL, badge, 0), derived(faults, Rights::SEND, FAULTS + badge, 0)];
            let (door, pager) = (slots[0].name(), slots[1].name());
            return Actor { worker, number, door, pager, options, _slots: Some(slots) };
        }
        // Actors of one space share the names, and so the badge.
        if calls::cap_info(home.slot(DOOR)).is_ok_and(|info| info.kind == freehold_abi::info::Kind::Empty) {
            home.give(DOOR, door, Rights::ALL, badge);
            home.give(PAGER, faults, Rights::SEND, FAULTS + badge);
        }
        Actor { worker, number, door: DOOR, pager: PAGER, options, _slots: None }
    }

    /// Gives an order; the actor has no other to work on.
    pub fn go(&self, order: &Order) {
        self.go_with_pager(order, self.pager);
    }

    /// The same with another pager, or none.
    pub fn go_with_pager(&self, order: &Order, pager: CapName) {
        self.prepare(order);
        self.worker.start_with_pager(act, self.number as u32, pager);
    }

    /// Puts an order down for a thread that runs [`act`] by itself.
    pub fn prepare(&self, order: &Order) {
        let words = [order.eax].into_iter().chain(order.registers).chain(order.utcb);
        ORDERS[self.number].iter().zip(words).for_each(|(place, word)| place.store(word, Ordering::SeqCst));
    }

    pub fn priority(&self) -> u8 {
        self.options.priority
    }

    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// What it does at this moment.
    pub fn state(&self) -> State {
        self.worker.state()
    }

    /// Lets it go on after StopThread.
    pub fn continue_(&self) {
        check_eq!(calls::continue_thread(self.worker.name(), self.pager, self.options.priority), Ok(()));
    }

    /// What became of its last order.
    pub fn outcome(&self) -> Outcome {
        if !self.worker.has_ended() {
            return Outcome::Pending;
        }
        let (done, address) = (self.register(2), self.register(3));
        match error::status(REPORTS[self.number][0].load(Ordering::SeqCst)) {
            Ok(()) => Outcome::Done,
            Err(Error::FaultMine) => Outcome::Mine { address, done },
            Err(Error::FaultTheirs) => Outcome::Theirs { address, done },
            Err(error) => Outcome::Failed(error),
        }
    }

    /// EBX, ESI, EDI or EBP after its last call.
    pub fn register(&self, index: usize) -> u32 {
        REPORTS[self.number][1 + index].load(Ordering::SeqCst)
    }

    /// A word of the UTCB after its last call.
    pub fn after(&self, index: usize) -> u32 {
        REPORTS[self.number][5 + index].load(Ordering::SeqCst)
    }

    /// Cycles that its last call took.
    pub fn took(&self) -> u32 {
        REPORTS[self.number][TOOK].load(Ordering::SeqCst)
    }

    /// Message register `index` of what it received.
    pub fn message(&self, index: usize) -> u32 {
        if index < 3 { self.register(1 + index) } else { self.after(index) }
    }

    /// Checks that its last order ended so, and has left it the priority that it had.
    pub fn check(&self, outcome: Outcome, what: core::fmt::Arguments<'_>) {
        check_eq!(self.outcome(), outcome, "{what}");
        check_eq!(self.worker.info().priority, u32::from(self.options.priority), "{what}");
    }

    /// Checks that it waits in `state`.
    pub fn waits(&self, state: State, what: core::fmt::Arguments<'_>) {
        check!(
            self.outcome() == Outcome::Pending && self.state() == state,
            "{:?}, {:?}: {what}",
            self.outcome(),
            self.state()
        );
    }
}

/// Makes the call that is ordered, once.
pub fn act(number: u32) {
    let (order, report) = (&ORDERS[number as usize], &REPORTS[number as usize]);
    let utcb = Utcb::current();
    for index in 0..UTCB_WORDS {
        utcb.set(index, order[5 + index].load(Ordering::SeqCst));
    }
    let registers = core::array::from_fn(|index| order[1 + index].load(Ordering::SeqCst));
    let (eax, began) = (order[0].load(Ordering::SeqCst), time::cycles() as u32);
    let (status, registers) = enter(eax, registers);
    report[TOOK].store((time::cycles() as u32).wrapping_sub(began), Ordering::SeqCst);
    for index in 0..UTCB_WORDS {
        report[5 + index].store(utcb.get(index), Ordering::SeqCst);
    }
    for (index, register) in registers.into_iter().enumerate() {
        report[1 + index].store(register, Ordering::SeqCst);
    }
    report[0].store(status, Ordering::SeqCst);
}
