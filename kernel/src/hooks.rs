//! Where the designs under comparison take part in what others do, beside their calls and their entries.
//!
//! What must hold: the rest of the kernel is the same code with the designs and without (the scenario `bench-designs`
//! compares what that takes). So a hook is a call out of the way of what everybody takes, of a function of which the
//! compiler knows nothing, neither what it returns nor which of its arguments it needs: it stands here whether there is
//! anything behind it or not.

use core::hint::black_box;

use freehold_abi::Error;
use freehold_captree::Link;
use freehold_user_pagetables::Progress;

use crate::designs;
use crate::kernel::Kernel;
use crate::thread::ThreadRef;

/// `t` receives, and next in the queue was `sender`, which has no capability to wait there. Whether its message has come
/// to `t` all the same.
#[cold]
#[inline(never)]
pub fn arrive(k: &mut Kernel, sender: ThreadRef, t: ThreadRef) -> bool {
    let (k, sender, t) = black_box((k, sender, t));
    black_box(designs::redirect::arrive(k, sender, t))
}

/// The message of `sender`, which waits in another way than most, may be about to be read.
#[cold]
#[inline(never)]
pub fn recall(sender: ThreadRef) {
    designs::redirect::recall(black_box(sender));
}

/// The endpoint in `slot` ends.
#[cold]
#[inline(never)]
pub fn endpoint_ends(k: &mut Kernel, slot: Link) {
    let (k, slot) = black_box((k, slot));
    designs::trust::endpoint_ends(k, slot);
}

/// `t` has made the space of `directory`, and there is a pool.
#[cold]
#[inline(never)]
pub fn made_space(k: &mut Kernel, t: ThreadRef, directory: u32) {
    let (k, t, directory) = black_box((k, t, directory));
    designs::made_space(k, t, directory);
}

/// The space of `directory` ends, and there is a pool.
#[cold]
#[inline(never)]
pub fn end_space(k: &mut Kernel, directory: u32) -> Progress {
    let (k, directory) = black_box((k, directory));
    black_box(designs::end_space(k, directory))
}

/// A frame that is the pool's to map ends.
#[cold]
#[inline(never)]
pub fn end_frame(k: &mut Kernel, frame: u32) -> Progress {
    let (k, frame) = black_box((k, frame));
    black_box(designs::end_frame(k, frame))
}

/// `pager` answers a fault of `faulted` with items.
///
/// # Errors
/// Those of the items, in designs that have such.
#[cold]
#[inline(never)]
pub fn answer_items(k: &mut Kernel, pager: ThreadRef, faulted: ThreadRef) -> Result<(), Error> {
    let (k, pager, faulted) = black_box((k, pager, faulted));
    black_box(designs::items::answer(k, pager, faulted))
}

/// Whether totals are bounds. Asked only where one is.
#[cold]
#[inline(never)]
pub fn has_credits() -> bool {
    black_box(designs::has_credits())
}
