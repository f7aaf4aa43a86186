//! A bystander: a second client of the same server. It shows whether the server waits for the first one's memory.
//!
//! Its priority lies between the caller's and that of the caller's pager. So it runs at the very moment when the
//! caller, and everybody who works for it, waits for that pager, and the pager does not run before the bystander
//! waits itself. Then it calls the server. If its answer comes before the pager has done anything, the server did
//! not wait for the caller's page.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use freehold_protocol::files::{FILES_BESIDE, NOTHING};
use freehold_rt::buffer::{Failure, Peer, Trust, Way};
use freehold_rt::memory::MapError;
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options};
use freehold_rt::{CapName, calls, start};

use crate::buffers;
use crate::cell::{Cell, Moment, Stage};

/// The bystander's priority.
const PRIORITY: u8 = 6;
const _: () = assert!(crate::PAGER_PRIORITY < PRIORITY);

/// Whether the caller's call is under way.
static UNDER_WAY: AtomicBool = AtomicBool::new(false);
/// The bystander's last call was made while the caller's was under way.
static WHILE: AtomicBool = AtomicBool::new(false);
/// It was answered, before the pager had done anything.
static AT_ONCE: AtomicBool = AtomicBool::new(false);

/// The bystander.
pub struct Bystander {
    go: Slot,
}

impl Bystander {
    /// Starts it.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn start() -> Result<Bystander, MapError> {
        let go = Slot::take().ok_or(MapError::OutOfSlots)?;
        calls::make_notification(go.reference())?;
        thread::spawn(stand_by, go.name().0, Options { stack_pages: 4, ..Options::new(PRIORITY) })?;
        Ok(Bystander { go })
    }
}

/// Waits to be told, then calls the server once.
fn stand_by(go: u32) {
    let server = start::capability(FILES_BESIDE).expect("as the caller has it");
    let mut peer = Peer::new(server, Trust::Distrusting);
    while calls::wait(CapName(go)).is_ok() {
        WHILE.store(UNDER_WAY.load(Relaxed), Relaxed);
        let before = buffers::pager();
        let answer = peer.call_by(Way::Registers, NOTHING, [0; 2], &[], &mut []);
        AT_ONCE.store(answer.is_ok() && buffers::pager() == before, Relaxed);
    }
}

/// Carries a cell out while the bystander calls. Returns whether it called while the call was under way, and whether
/// it had its answer before the pager did anything.
///
/// # Errors
/// [`Failure`] of the cell's call.
pub fn run(stage: &mut Stage, bystander: &Bystander, cell: Cell) -> Result<[u32; 2], Failure> {
    WHILE.store(false, Relaxed);
    AT_ONCE.store(false, Relaxed);
    let go = bystander.go.name();
    stage.carry_out(cell, 0, |moment| {
        UNDER_WAY.store(moment == Moment::Begins, Relaxed);
        if moment == Moment::Begins {
            // It is the caller's own notification, so there is no error to meet.
            let _ = calls::notify(go, 1);
        }
    })?;
    Ok([WHILE.load(Relaxed).into(), AT_ONCE.load(Relaxed).into()])
}
