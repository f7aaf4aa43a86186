//! Circular lists of threads, whose head is one word anywhere: in the scheduler, in the slot of an
//! endpoint, in a Directory. The thread before the head is the last.
//!
//! What must hold: a thread is in at most one list through each of its places; where it is in none it is a
//! circle by itself, its own successor and predecessor, so that a list of one differs from that in its head
//! alone. Taking a thread out needs its list's head, since it may be the head itself. Every operation takes
//! constant time.

use core::cell::Cell;

use crate::thread::{Thread, ThreadRef};

/// A place of a thread in a circular list. In no list, it is a circle by itself.
pub struct Place {
    /// The thread behind.
    pub next: Cell<ThreadRef>,
    /// The thread before.
    pub prev: Cell<ThreadRef>,
}

impl Place {
    /// The place of `thread` in no list.
    pub fn alone(thread: ThreadRef) -> Place {
        Place { next: Cell::new(thread), prev: Cell::new(thread) }
    }
}

/// Which place of a thread a list runs through.
pub type Through = fn(&Thread) -> &Place;

/// The place in ready queues and on endpoints and notifications.
pub const QUEUE: Through = |thread| &thread.queue;
/// The place on the timer wheel.
pub const TIMER: Through = |thread| &thread.timer;
/// The place among the threads of a space.
pub const SIBLINGS: Through = |thread| &thread.siblings;

/// Puts `thread`, which is in no list, at the end.
#[inline]
pub fn push_back(head: &Cell<Option<ThreadRef>>, thread: ThreadRef, through: Through) {
    let Some(first) = head.get() else { return head.set(Some(thread)) };
    let last = through(&first).prev.get();
    through(&thread).next.set(first);
    through(&thread).prev.set(last);
    through(&last).next.set(thread);
    through(&first).prev.set(thread);
}

/// Puts `thread`, which is in no list, at the beginning.
pub fn push_front(head: &Cell<Option<ThreadRef>>, thread: ThreadRef, through: Through) {
    push_back(head, thread, through);
    head.set(Some(thread));
}

/// Takes `thread` out of the list of `head`.
#[inline]
pub fn remove(head: &Cell<Option<ThreadRef>>, thread: ThreadRef, through: Through) {
    let place = through(&thread);
    let (behind, before) = (place.next.get(), place.prev.get());
    if behind == thread {
        return head.set(None);
    }
    through(&before).next.set(behind);
    through(&behind).prev.set(before);
    if head.get() == Some(thread) {
        head.set(Some(behind));
    }
    place.next.set(thread);
    place.prev.set(thread);
}

/// Takes the first thread.
#[inline]
pub fn pop(head: &Cell<Option<ThreadRef>>, through: Through) -> Option<ThreadRef> {
    let first = head.get()?;
    remove(head, first, through);
    Some(first)
}
