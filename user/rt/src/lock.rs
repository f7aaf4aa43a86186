//! A lock for data that threads of one program share.
//!
//! There is one processor: who finds the lock taken has interrupted its holder, so it sleeps for a
//! tick instead of spinning. No priority is inherited; what is locked is short.

use core::sync::atomic::{AtomicBool, Ordering};

use talc::lock_api;

use crate::time;

/// The lock itself.
#[derive(Debug)]
pub struct RawSleepLock(AtomicBool);

/// A value under such a lock.
pub type Mutex<T> = lock_api::Mutex<RawSleepLock, T>;

// SAFETY: only who turned `false` into `true` holds the lock, until it stores `false`.
unsafe impl lock_api::RawMutex for RawSleepLock {
    #[allow(clippy::declare_interior_mutable_const, reason = "what the trait asks for")]
    const INIT: RawSleepLock = RawSleepLock(AtomicBool::new(false));

    type GuardMarker = lock_api::GuardNoSend;

    fn lock(&self) {
        while !self.try_lock() {
            time::sleep(1);
        }
    }

    fn try_lock(&self) -> bool {
        !self.0.swap(true, Ordering::Acquire)
    }

    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::Release);
    }
}
