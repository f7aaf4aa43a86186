//! Circular lists of threads, whose head is one word anywhere: in the scheduler, in the slot of an
//! endpoint, in a Directory. The thread before the head is the last.
//!
//! What must hold: a thread is in at most one list through each of its places; taking a thread out
//! needs its list's head, since it may be the head itself. Every operation takes constant time.

use core::cell::Cell;

use crate::thread::{Place, Thread, ThreadRef};

/// Which place of a thread a list runs through.
pub type Through = fn(&Thread) -> &Place;

/// The place in ready queues and on endpoints and notifications.
pub const QUEUE: Through = |thread| &thread.queue;
/// The place on the timer wheel.
pub const TIMER: Through = |thread| &thread.timer;
/// The place among the threads of a space.
pub const SIBLINGS: Through = |thread| &thread.siblings;

fn next(thread: ThreadRef, through: Through) -> ThreadRef {
    through(&thread).next.get().expect("a thread in a list has a successor")
}

fn prev(thread: ThreadRef, through: Through) -> ThreadRef {
    through(&thread).prev.get().expect("a thread in a list has a predecessor")
}

/// Puts `thread` at the end.
#[inline]
pub fn push_back(head: &Cell<Option<ThreadRef>>, thread: ThreadRef, through: Through) {
    let place = through(&thread);
    match head.get() {
        None => {
            place.next.set(Some(thread));
            place.prev.set(Some(thread));
            head.set(Some(thread));
        }
        Some(first) => {
            let last = prev(first, through);
            place.next.set(Some(first));
            place.prev.set(Some(last));
            through(&last).next.set(Some(thread));
            through(&first).prev.set(Some(thread));
        }
    }
}

/// Puts `thread` at the beginning.
pub fn push_front(head: &Cell<Option<ThreadRef>>, thread: ThreadRef, through: Through) {
    push_back(head, thread, through);
    head.set(Some(thread));
}

/// Takes `thread` out of the list of `head`.
#[inline]
pub fn remove(head: &Cell<Option<ThreadRef>>, thread: ThreadRef, through: Through) {
    let (behind, before) = (next(thread, through), prev(thread, through));
    if behind == thread {
        head.set(None);
    } else {
        through(&before).next.set(Some(behind));
        through(&behind).prev.set(Some(before));
        if head.get() == Some(thread) {
            head.set(Some(behind));
        }
    }
    let place = through(&thread);
    place.next.set(None);
    place.prev.set(None);
}

/// Takes the first thread.
#[inline]
pub fn pop(head: &Cell<Option<ThreadRef>>, through: Through) -> Option<ThreadRef> {
    let first = head.get()?;
    remove(head, first, through);
    Some(first)
}
