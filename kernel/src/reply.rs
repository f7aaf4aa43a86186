//! Where the one capability to answer a caller is: its caller knows, so that its use or the caller's end takes it away.
//!
//! What must hold: a place names the thread or slot that has the capability, and is set to none before either is
//! anything else (docs/invariants.md, 19).

use core::cell::Cell;

use freehold_captree::Link;

use crate::thread::ThreadRef;

/// Where the capability to answer a caller is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ReplyPlace {
    /// Nowhere: nobody can answer.
    None,
    /// With the thread that received the call.
    Held(ThreadRef),
    /// In a slot of a capability node.
    Slot(Link),
}

/// A [`ReplyPlace`] in one word: 0, the thread's frame, or the slot's link, whose kind is never 0.
#[derive(Default)]
pub struct ReplyCell(Cell<u32>);

impl ReplyCell {
    /// Where it is.
    pub fn get(&self) -> ReplyPlace {
        match Link::from_word(self.0.get()) {
            Link::NONE => ReplyPlace::None,
            // SAFETY: a thread was put there, and it is taken away before that thread ends.
            frame if frame.kind() == 0 => ReplyPlace::Held(unsafe { ThreadRef::new(frame.address()) }),
            slot => ReplyPlace::Slot(slot),
        }
    }

    /// It is elsewhere.
    pub fn set(&self, place: ReplyPlace) {
        self.0.set(match place {
            ReplyPlace::None => 0,
            ReplyPlace::Held(thread) => thread.frame(),
            ReplyPlace::Slot(slot) => slot.word(),
        });
    }

    /// Sets it; what it was.
    pub fn replace(&self, place: ReplyPlace) -> ReplyPlace {
        let before = self.get();
        self.set(place);
        before
    }
}
