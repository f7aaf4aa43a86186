//! Pages lent to an attacker under a stated bound, and taken back in the middle of the window by a thread that is no more
//! than the attackers' equal: below the victim, so that it costs the victim only what the kernel makes of it. Afterwards the
//! owner must have all of what it had: it maps the page once more, at the price of most of a page's credits, then lends it.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_first::failure::Failure;
use freehold_protocol::attack::{LENT, LENT_PAGES};
use freehold_rt::abi::designs::Design;
use freehold_rt::abi::layout::FRAME;
use freehold_rt::abi::update::Update;
use freehold_rt::calls::{self, Lend};
use freehold_rt::layout::{SCRATCH, SCRATCH_PAGES};
use freehold_rt::load::{Grant, Part};
use freehold_rt::lock::Mutex;
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options, Thread};
use freehold_rt::{CapName, Error, Rights, SlotRef, memory, time};

use crate::memory::Memory;
use crate::plan::Plan;

/// What can be derived from the borrower's capability, and from what it hangs on: it, and the loader's proxy.
const TOTAL: u32 = 64;
const PROXY_TOTAL: u32 = TOTAL + 2;

/// Code of a total of 3,072, of the 4,095 that a page was lent with.
const NEARLY_ALL: u32 = 61;
/// Where the owner maps a page that it has again: a page that nothing else uses meanwhile.
const CHECKED: u32 = SCRATCH + (SCRATCH_PAGES - 1) * FRAME;

/// Ticks that taking back may take, beyond the window.
const PATIENCE: u32 = 1_000;

/// Pages that an attacker has borrowed.
pub struct Lent {
    frames: Extent,
    /// What the borrower's capability hangs on.
    proxy: Slot,
}

impl Lent {
    /// Lends pages.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn new() -> Result<Lent, Failure> {
        let frames = memory::take(LENT_PAGES, LENT_PAGES).ok_or(Failure::NoMemory)?;
        let proxy = Slot::take().ok_or(Failure::NoSlot)?;
        let range = calls::range(frames.first, frames.count);
        calls::lend(frames.container, proxy.reference(), Rights::ALL, range, Lend::LARGEST, PROXY_TOTAL)?;
        Ok(Lent { frames, proxy })
    }

    /// What the borrower is given.
    pub fn grant(&self) -> Grant<'static> {
        let part = Part::Range { first: 0, count: LENT_PAGES };
        Grant { name: LENT, source: self.proxy.name(), rights: Rights::ALL, part, total: TOTAL }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // What cannot be reclaimed stays out of use, and is seen to be lost.
        let _ = calls::delete(self.proxy.reference());
        let _ = memory::release(self.frames);
    }
}

/// What is taken back, and how.
enum Order {
    /// Frames of the main design, whose borrower's capability hangs on the slot.
    Frames(Extent, CapName),
    /// The pages of a client of the root's memory.
    Client(u32),
}

static ORDER: Mutex<Option<(Order, u32)>> = Mutex::new(None);
static CYCLES: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];
static STATUS: AtomicU32 = AtomicU32::new(PENDING);

/// Not done yet.
const PENDING: u32 = u32::MAX;

/// How taking back went.
#[derive(Clone, Copy, Debug)]
pub struct TakenBack {
    /// Cycles from its begin to its end, in which others ran as well. `None`: it has not ended.
    pub cycles: Option<u64>,
    /// Why it did not succeed.
    pub error: Option<Error>,
    /// The most steps that the lender granted; `None`: nobody bounded them.
    pub bound: Option<u32>,
    /// Whether it went on for as long as the attackers did.
    pub is_late: bool,
}

/// The thread that takes back.
pub struct Taker {
    thread: Thread,
    bound: Option<u32>,
    is_late: bool,
}

impl Taker {
    /// Starts it: in the middle of the window it takes back what the attacker with this badge has borrowed.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(plan: &Plan, lent: Option<&Lent>, badge: u32) -> Result<Taker, Failure> {
        let order = match lent {
            Some(lent) => Order::Frames(lent.frames, lent.proxy.name()),
            None => Order::Client(badge),
        };
        let bound = (plan.design == Design::UserTables)
            .then(|| LENT_PAGES * (1 + Lend::LARGEST.total()) + PROXY_TOTAL);
        *ORDER.lock() = Some((order, plan.window / 2));
        STATUS.store(PENDING, Ordering::Relaxed);
        let thread = thread::spawn(take_back, 0, Options::new(plan.needs.owner))?;
        Ok(Taker { thread, bound, is_late: false })
    }

    /// Waits until it has come to its end, but not for ever: attackers that can keep it from that have won.
    pub fn wait(&mut self) {
        let is_pending = || STATUS.load(Ordering::Relaxed) == PENDING;
        for _ in 0..PATIENCE {
            if !is_pending() {
                break;
            }
            time::sleep(1);
        }
        self.is_late = is_pending();
    }

    /// Ends it; how it went.
    ///
    /// # Errors
    /// [`Failure`]: its frames could not be reclaimed.
    pub fn end(self) -> Result<TakenBack, Failure> {
        let status = STATUS.load(Ordering::Relaxed);
        let [low, high] = [0, 1].map(|half: usize| u64::from(CYCLES[half].load(Ordering::Relaxed)));
        self.thread.destroy()?;
        Ok(TakenBack {
            cycles: (status != PENDING).then_some(low | high << 32),
            error: Error::from_status(status),
            bound: self.bound,
            is_late: self.is_late,
        })
    }
}

fn take_back(_: u32) {
    let Some((order, ticks)) = ORDER.lock().take() else { return };
    time::sleep(ticks);
    let begin = time::cycles();
    let result = match order {
        Order::Client(badge) => Memory::take_back(badge),
        Order::Frames(frames, proxy) => from_borrower(frames, proxy),
    };
    let cycles = time::cycles() - begin;
    CYCLES[0].store(cycles as u32, Ordering::Relaxed);
    CYCLES[1].store((cycles >> 32) as u32, Ordering::Relaxed);
    STATUS.store(result.map_or_else(|error| error as u32, |()| 0), Ordering::Relaxed);
}

/// First the capability, then whatever became of the frames; then nothing hangs on them, and they can be lent again.
fn from_borrower(frames: Extent, proxy: CapName) -> Result<(), Error> {
    let proxy = SlotRef::own(proxy);
    calls::revoke(proxy)?;
    // An object that was made of the frames is for Reclaim alone.
    if calls::revoke_range(frames.container, frames.first, frames.count).is_ok() {
        map_once_more(frames)?;
    }
    calls::reclaim(frames.container, frames.first, frames.count).map_err(|stop| stop.error)?;
    calls::delete(proxy)?;
    let range = calls::range(frames.first, frames.count);
    calls::lend(frames.container, proxy, Rights::ALL, range, Lend::LARGEST, PROXY_TOTAL)
}

/// Maps the first page, at the price of most of its credits: they are all there again.
fn map_once_more(frames: Extent) -> Result<(), Error> {
    let whole = Update {
        source: frames.container,
        first: frames.first,
        count: 1,
        destination: CapName::NONE,
        page: CHECKED / FRAME,
        rights: Rights::NONE,
        total_code: NEARLY_ALL,
    };
    calls::update(&[whole]).map_err(|stop| stop.error)?;
    calls::unmap(CapName::NONE, CHECKED / FRAME, 1).map_err(|stop| stop.error)
}
