//! Who runs: fixed priorities, preemptive, round robin within one.
//!
//! What must hold: a thread in state Ready is either `current` or in the queue of its priority, and
//! no other thread is in one; `current` has the highest priority of all Ready threads; a bit of
//! `ready` is set exactly when that queue is not empty. Every operation takes constant time.

use core::cell::Cell;
use core::mem::offset_of;

use freehold_abi::info::State;
use freehold_abi::layout::{MAX_PRIORITY, SLICE_TICKS};

use crate::queue::{self, QUEUE};
use crate::thread::{ThreadRef, special};

/// The ready queues.
pub struct Scheduler {
    /// The thread that runs, or will when the kernel is left.
    current: Option<ThreadRef>,
    ready: u32,
    queues: [Cell<Option<ThreadRef>>; MAX_PRIORITY as usize + 1],
}

impl Scheduler {
    /// Where the bits stand of the queues that are not empty, for the short paths.
    pub const READY: usize = offset_of!(Scheduler, ready);
    /// Where the queues' heads stand, by priority.
    pub const QUEUES: usize = offset_of!(Scheduler, queues);

    /// Nobody is ready.
    pub const fn new() -> Scheduler {
        Scheduler { current: None, ready: 0, queues: [const { Cell::new(None) }; MAX_PRIORITY as usize + 1] }
    }

    /// The thread that runs or will.
    #[inline(always)]
    pub fn current(&self) -> Option<ThreadRef> {
        self.current
    }

    /// `thread` ran until now. Nobody else who is Ready has a higher priority: the short paths see to that.
    #[inline(always)]
    pub fn found_running(&mut self, thread: ThreadRef) {
        self.current = Some(thread);
    }

    /// Lets `thread`, which waited, compete again. If nobody is current and nobody of a higher priority
    /// is ready, it runs next, before others of its priority: a message hands the processor over.
    #[inline]
    pub fn make_ready(&mut self, thread: ThreadRef) {
        thread.state.set(State::Ready);
        thread.mark(special::INVOLVED | special::REDIRECTED | special::PROPAGATED, false);
        let priority = u32::from(thread.priority.get());
        match self.current {
            None if self.ready >> priority <= 1 => self.run(thread),
            None => self.enqueue(thread, false),
            Some(current) if priority > u32::from(current.priority.get()) => {
                self.enqueue(current, true);
                self.run(thread);
            }
            Some(_) => self.enqueue(thread, false),
        }
    }

    /// Takes `thread` out of the competition, if it is Ready.
    pub fn rest(&mut self, thread: ThreadRef) {
        if thread.state.get() == State::Ready {
            self.withdraw(thread);
        }
    }

    /// The current thread, which is no longer Ready, does not compete.
    pub fn vacate(&mut self) {
        self.current = None;
    }

    /// Takes `thread`, which is Ready, out of the competition.
    pub fn withdraw(&mut self, thread: ThreadRef) {
        if self.current == Some(thread) {
            self.current = None;
            return;
        }
        let priority = usize::from(thread.priority.get());
        queue::remove(&self.queues[priority], thread, QUEUE);
        self.mark(priority);
    }

    /// Gives `thread` another priority. If it is Ready it competes anew: it runs on only if nobody is above it.
    pub fn set_priority(&mut self, thread: ThreadRef, priority: u8) {
        if thread.priority.get() == priority {
            return;
        }
        let ready = thread.state.get() == State::Ready;
        self.rest(thread);
        thread.set_priority(priority);
        if ready {
            self.make_ready(thread);
        }
    }

    /// The current thread goes behind the others of its priority.
    pub fn rotate(&mut self) {
        if let Some(thread) = self.current.take() {
            thread.slice.set(SLICE_TICKS);
            self.enqueue(thread, false);
        }
    }

    /// Takes a tick off the current thread's slice.
    pub fn tick(&mut self) {
        let Some(thread) = self.current else { return };
        match thread.slice.get() {
            0 | 1 => self.rotate(),
            left => thread.slice.set(left - 1),
        }
    }

    /// The thread to run: the current one, else the first of the highest priority.
    #[inline]
    pub fn pick(&mut self) -> Option<ThreadRef> {
        if self.current.is_none() && self.ready != 0 {
            let priority = self.ready.ilog2() as usize;
            let thread = queue::pop(&self.queues[priority], QUEUE).expect("its bit is set");
            self.mark(priority);
            self.run(thread);
        }
        debug_assert!(self.current.is_none_or(|thread| self.ready >> thread.priority.get() <= 1));
        self.current
    }

    #[inline]
    fn run(&mut self, thread: ThreadRef) {
        self.current = Some(thread);
    }

    fn enqueue(&mut self, thread: ThreadRef, front: bool) {
        let priority = usize::from(thread.priority.get());
        let push = if front { queue::push_front } else { queue::push_back };
        push(&self.queues[priority], thread, QUEUE);
        self.ready |= 1 << priority;
    }

    fn mark(&mut self, priority: usize) {
        if self.queues[priority].get().is_none() {
            self.ready &= !(1 << priority);
        }
    }
}
