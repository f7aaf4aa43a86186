//! The client: works by the clock. In each period of four ticks it does so many operations, then waits for the next one; what
//! it does not get done in a period, or in periods that it did not see, is lost.
//!
//! What must hold: the clock is the processor's counter. The kernel's ticks stand still while it keeps interrupts out, and that is
//! one of the things to be seen.

use freehold_protocol::answer::{DONE, REFUSED};
use freehold_protocol::attack::{ORDERS, WORK, Worked};
use freehold_rt::abi::layout::TICK_MS;
use freehold_rt::{Message, serve, start, time};

use crate::operation::Operation;

/// Serves orders until nobody is left who gives any.
pub fn serve() {
    let orders = start::capability(ORDERS).expect("given by the referee");
    let mut operation = Operation::new().expect("memory for the work");
    // Its first service; one that fails is no service.
    let first = operation.run().map_or(0, |()| time::cycles());
    let mut worker = Worker { operation, tick: cycles_of_a_tick(), first };
    serve::serve(orders, |order| {
        let message = order.ok()?.message;
        Some(match message.label() {
            WORK => Message::of(DONE, &worker.work(message.word(0), message.word(1)).words()),
            _ => Message::new(REFUSED),
        })
    });
}

/// Ticks of a period. A thread that sleeps for n ticks wakes when n + 1 of them have begun: work that ends in the last tick but
/// one is in time for the next period.
const PERIOD: u32 = 4;

/// Ticks over which the counter is compared with the kernel's clock.
const COMPARED: u32 = 4;

struct Worker {
    operation: Operation,
    /// Cycles of a tick.
    tick: u32,
    /// The cycle counter when the first operation was done; 0: none has been.
    first: u64,
}

impl Worker {
    /// Works for `ticks` ticks, `batch` operations in each period.
    fn work(&mut self, ticks: u32, batch: u32) -> Worked {
        let mut worked = Worked::default();
        time::sleep(TICK_MS);
        let begin = time::cycles();
        // Ticks since then. Waking takes more time or less: what is early by little is not early.
        let early = u64::from(self.tick / 8);
        let tick = self.tick;
        let now = || ((time::cycles() - begin + early) / u64::from(tick)) as u32;
        let (periods, mut next) = (ticks / PERIOD, 0);
        while next < periods {
            let period = now() / PERIOD;
            worked.missed += period.min(periods) - next;
            if period >= periods {
                break;
            }
            let done = self.batch(batch, || now() / PERIOD == period, &mut worked);
            worked.missed += u32::from(!done);
            next = period + 1;
            let left = (next * PERIOD).saturating_sub(now());
            if left != 0 {
                time::sleep(TICK_MS * (left - 1));
            }
        }
        (worked.first_low, worked.first_high) = (self.first as u32, (self.first >> 32) as u32);
        worked
    }

    /// Does `batch` operations while there is time. Returns whether all have been done.
    fn batch(&mut self, batch: u32, time_left: impl Fn() -> bool, worked: &mut Worked) -> bool {
        for _ in 0..batch {
            if !time_left() {
                return false;
            }
            let begin = time::cycles();
            match self.operation.run() {
                Ok(()) => worked.done += 1,
                Err(error) => {
                    if worked.failed == 0 {
                        worked.error = error.map_or(0, |error| error as u32);
                    }
                    worked.failed += 1;
                }
            }
            let end = time::cycles();
            worked.longest = worked.longest.max((end - begin).min(u32::MAX.into()) as u32);
        }
        true
    }
}

/// Cycles between two ticks, while nobody keeps the kernel from seeing them.
fn cycles_of_a_tick() -> u32 {
    time::sleep(TICK_MS);
    let (tick, begin) = (time::ticks(), time::cycles());
    time::sleep(TICK_MS * COMPARED);
    let (ticks, cycles) = (time::ticks() - tick, time::cycles() - begin);
    (cycles / u64::from(ticks.max(1))) as u32
}
