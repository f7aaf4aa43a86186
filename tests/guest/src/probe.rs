//! A thread that reads and writes where it is told to, in any space, and survives the faults.
//!
//! What must hold: it waits with a priority above the first thread's, so an order is carried out, or has
//! faulted, when the call that gives it returns.

use core::arch::asm;

use freehold_abi::fault;
use freehold_abi::info::State;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Message, Rights, Utcb, calls};

use crate::home::Home;
use crate::objects::{endpoint, notification};
use crate::worker::{ABOVE, Options, Worker};
use crate::{board, check_eq};

/// A page fault that an order met: address and access bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The address.
    pub address: u32,
    /// `ACCESS_PRESENT` and `ACCESS_WRITE`.
    pub access: u32,
}

/// Names in other spaces.
const BELL: CapName = CapName(120);
const PAGER: CapName = CapName(121);

/// First word of the board that probes use, eight each.
const WORDS: usize = 192;
const ORDER: usize = 0;
const ADDRESS: usize = 1;
const WORD: usize = 2;
const DONE: usize = 3;
const NAME: usize = 4;

/// Bytes of the instructions that touch memory.
const TOUCH_BYTES: u32 = 2;

/// A probe.
#[derive(Debug)]
pub struct Probe {
    worker: Worker,
    bell: Slot,
    faults: Slot,
    at: usize,
}

impl Probe {
    /// A probe in `home`; `number` (0 to 7) tells probes apart that exist at the same time.
    ///
    /// # Panics
    /// If memory or slots are used up.
    pub fn new(home: &Home, number: usize) -> Probe {
        let at = WORDS + 8 * number;
        let (bell, faults) = (notification(), endpoint());
        let (mut name, mut pager) = (bell.name(), faults.name());
        if home.space() != CapName::NONE {
            let next = 2 * number as u32;
            (name, pager) = (CapName(BELL.0 - next), CapName(PAGER.0 - next));
            home.give(name, bell.name(), Rights::RECEIVE, 0);
            home.give(pager, faults.name(), Rights::SEND, 0);
        }
        board::set(at + NAME, name.0);
        let worker = Worker::spawn(home, Options { pager, ..ABOVE }, obey, at as u32);
        check_eq!(worker.state(), State::Waiting);
        Probe { worker, bell, faults, at }
    }

    /// The thread.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// Reads a word.
    ///
    /// # Errors
    /// The fault.
    pub fn read(&self, address: u32) -> Result<u32, Fault> {
        self.order(1, address, 0)?;
        Ok(board::get(self.at + WORD))
    }

    /// Writes a word.
    ///
    /// # Errors
    /// The fault.
    pub fn write(&self, address: u32, word: u32) -> Result<(), Fault> {
        self.order(2, address, word)
    }

    fn order(&self, order: u32, address: u32, word: u32) -> Result<(), Fault> {
        for (index, value) in [(ORDER, order), (ADDRESS, address), (WORD, word), (DONE, 0)] {
            board::set(self.at + index, value);
        }
        calls::notify(self.bell.name(), 1).expect("a bell");
        if board::get(self.at + DONE) != 0 {
            return Ok(());
        }
        let got = Utcb::current().within((0, 50), || calls::receive(self.faults.name())).expect("a fault");
        check_eq!(got.message.label(), fault::PAGE_FAULT);
        let words: [u32; 3] = core::array::from_fn(|index| got.message.word(index));
        let esp = self.worker.info().esp;
        let behind = Message::of(fault::RESUME_AT, &[words[2] + TOUCH_BYTES, esp]);
        calls::reply(None, &behind).expect("a thread that faulted");
        check_eq!(self.worker.state(), State::Waiting, "behind the fault");
        Err(Fault { address: words[0], access: words[1] })
    }
}

/// What a probe does.
fn obey(at: u32) {
    let at = at as usize;
    while calls::wait(CapName(board::get(at + NAME))).is_ok() {
        let (address, mut word) = (board::get(at + ADDRESS), board::get(at + WORD));
        // SAFETY: the address is the test's, and if nothing is there the pager leads on behind the
        // instruction, which has two bytes either way.
        unsafe {
            if board::get(at + ORDER) == 1 {
                asm!("mov eax, dword ptr [ecx]", inout("eax") word, in("ecx") address, options(nostack));
            } else {
                asm!("mov dword ptr [ecx], eax", in("eax") word, in("ecx") address, options(nostack));
            }
        }
        board::set(at + WORD, word);
        board::set(at + DONE, 1);
    }
}
