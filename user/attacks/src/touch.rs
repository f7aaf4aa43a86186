//! Reads and writes wherever an attack likes, and survives the faults.
//!
//! What must hold: one thread touches, at the attack's bidding, and its faults come to the attack itself, which leads it on
//! behind the instruction. So an attack asks for one touch at a time.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_rt::abi::fault;
use freehold_rt::memory::MapError;
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options, Thread};
use freehold_rt::{CapName, Error, Message, calls};

use crate::kit::PRIORITY;

/// A page fault that a touch met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The address.
    pub address: u32,
    /// `fault::ACCESS_PRESENT` and `ACCESS_WRITE`.
    pub access: u32,
}

static BELL: AtomicU32 = AtomicU32::new(0);
static SEES: AtomicU32 = AtomicU32::new(0);
static WRITES: AtomicU32 = AtomicU32::new(0);
static ADDRESS: AtomicU32 = AtomicU32::new(0);
static WORD: AtomicU32 = AtomicU32::new(0);

/// Bytes of the instructions that touch memory.
const TOUCH_BYTES: u32 = 2;
/// Label of the message that a touch is done.
const TOUCHED: u16 = 1;

/// The thread that touches, one in a program.
#[derive(Debug)]
pub struct Touch {
    bell: Slot,
    sees: Slot,
    thread: Thread,
}

impl Touch {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`MapError`]: memory or slots are used up.
    pub fn new() -> Result<Touch, MapError> {
        let slot = || Slot::take().ok_or(MapError::OutOfSlots);
        let (bell, sees) = (slot()?, slot()?);
        calls::make_notification(bell.reference())?;
        calls::make_endpoint(sees.reference())?;
        BELL.store(bell.name().0, Ordering::Relaxed);
        SEES.store(sees.name().0, Ordering::Relaxed);
        let options = Options { stack_pages: 2, pager: sees.name(), ..Options::new(PRIORITY) };
        let thread = thread::spawn(obey, 0, options)?;
        Ok(Touch { bell, sees, thread })
    }

    /// Reads a word.
    ///
    /// # Errors
    /// The fault that reading met.
    pub fn read(&self, address: u32) -> Result<u32, Fault> {
        self.touch(0, address, 0)
    }

    /// Writes a word.
    ///
    /// # Errors
    /// The fault that writing met.
    pub fn write(&self, address: u32, word: u32) -> Result<(), Fault> {
        self.touch(1, address, word).map(drop)
    }

    fn touch(&self, writes: u32, address: u32, word: u32) -> Result<u32, Fault> {
        for (place, value) in [(&WRITES, writes), (&ADDRESS, address), (&WORD, word)] {
            place.store(value, Ordering::Relaxed);
        }
        calls::notify(self.bell.name(), 1).expect("a bell");
        let mut met = None;
        loop {
            let got = calls::receive(self.sees.name()).expect("an endpoint of its own").message;
            if got.label() != fault::PAGE_FAULT {
                let _ = calls::reply(None, &Message::new(0));
                return met.map_or(Ok(WORD.load(Ordering::Relaxed)), Err);
            }
            met = Some(Fault { address: got.word(0), access: got.word(1) });
            let esp = calls::thread_info(self.thread.name()).expect("a thread of its own").esp;
            let behind = Message::of(fault::RESUME_AT, &[got.word(2) + TOUCH_BYTES, esp]);
            calls::reply(None, &behind).expect("a thread that faulted");
        }
    }

    /// Ends the thread.
    pub fn destroy(self) {
        // What cannot be taken back stays out of use.
        let _ = self.thread.destroy();
    }
}

/// What the thread does.
fn obey(_: u32) {
    let name = |place: &AtomicU32| CapName(place.load(Ordering::Relaxed));
    while let Ok(_) | Err(Error::Canceled) = calls::wait(name(&BELL)) {
        let (address, mut word) = (ADDRESS.load(Ordering::Relaxed), WORD.load(Ordering::Relaxed));
        // SAFETY: the address is the attack's, which touches what nothing in Rust relies on; if nothing is there the
        // attack leads on behind the instruction, which has two bytes either way.
        unsafe {
            if WRITES.load(Ordering::Relaxed) == 0 {
                asm!("mov eax, dword ptr [ecx]", inout("eax") word, in("ecx") address, options(nostack));
            } else {
                asm!("mov dword ptr [ecx], eax", in("eax") word, in("ecx") address, options(nostack));
            }
        }
        WORD.store(word, Ordering::Relaxed);
        if calls::call(name(&SEES), &Message::new(TOUCHED)).is_err() {
            return;
        }
    }
}
