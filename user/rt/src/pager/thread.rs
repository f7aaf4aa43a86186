//! The pager thread: faults as messages.
//!
//! What must hold: the thread has no pager of its own, and touches nothing pageable. Only threads of this space can
//! send to its endpoint, unless the program passes it on; a forged fault brings a page that a real one would have
//! brought.

use freehold_abi::CapName;
use freehold_abi::fault::{ACCESS_PRESENT, PAGE_FAULT, RESUME, STOP};

use super::{Error, books};
use crate::calls;
use crate::message::Message;
use crate::serve;
use crate::slots::Slot;
use crate::thread::{self, Options, Thread};

/// The thread and its endpoint.
pub(super) struct Server {
    thread: Thread,
    endpoint: Slot,
}

impl Server {
    /// Starts it.
    ///
    /// # Errors
    /// OutOfMemory, OutOfSlots, Kernel (OutOfRange: a priority above the caller's highest).
    pub fn start(priority: u8) -> Result<Server, Error> {
        let endpoint = Slot::take().ok_or(Error::OutOfSlots)?;
        calls::make_endpoint(endpoint.reference())?;
        let thread = thread::spawn(run, endpoint.name().0, Options::new(priority))?;
        Ok(Server { thread, endpoint })
    }

    /// The pager's name for threads of this space.
    pub fn name(&self) -> CapName {
        self.endpoint.name()
    }

    /// Ends it. A thread whose fault it has not answered stops.
    pub fn end(self) {
        // Frames that cannot be taken back stay out of the books.
        let _ = self.thread.destroy();
    }
}

fn run(endpoint: u32) {
    serve::serve(CapName(endpoint), |received| received.ok().map(|received| answer(&received.message)));
}

fn answer(message: &Message) -> Message {
    let [first, second, third] = [0, 1, 2].map(|word| message.word(word));
    let result = match message.label() {
        PAGE_FAULT => books::fault(first, third, second & ACCESS_PRESENT == 0),
        // An exception: its EIP is the third word, too.
        _ => books::fault(0, third, false),
    };
    Message::new(if result.is_ok() { RESUME } else { STOP })
}
