//! Short calls to the server, each of them measured.

use alloc::vec::Vec;

use freehold_protocol::answer::{DONE, FAILED, REFUSED};
use freehold_protocol::server::SERVER;
use freehold_protocol::victim::{ECHO, Measured};
use freehold_rt::{CapName, Error, Message, Tag, calls, start, time};

/// What the last measurement found, in cycles.
#[derive(Default)]
pub struct Victim {
    samples: Vec<u32>,
}

impl Victim {
    /// Makes `calls` calls.
    pub fn measure(&mut self, calls: u32) -> Message {
        self.samples.clear();
        let room = self.samples.try_reserve_exact(calls as usize);
        let Some(server) = start::capability(SERVER).filter(|_| room.is_ok()) else {
            return Message::new(REFUSED);
        };
        for number in 0..calls {
            match measured(server, number) {
                Ok(cycles) => self.samples.push(cycles),
                Err(error) => return Message::of(FAILED, &[error.map_or(0, |error| error as u32)]),
            }
        }
        Message::new(DONE)
    }

    /// What that came to.
    pub fn result(&mut self) -> Message {
        self.samples.sort_unstable();
        let count = self.samples.len();
        let at = |index: usize| self.samples.get(index).copied().unwrap_or(0);
        let measured = Measured {
            calls: count as u32,
            min: at(0),
            median: at(count / 2),
            p99: at(count * 99 / 100),
            max: at(count.saturating_sub(1)),
        };
        Message::of(DONE, &measured.words())
    }
}

/// Cycles of one call. `Err(None)`: it was not answered with what it sent.
fn measured(server: CapName, number: u32) -> Result<u32, Option<Error>> {
    let sent = [number, !number];
    let begin = time::cycles();
    let answer = calls::call_short(server, Tag::new(ECHO, 2), sent);
    let end = time::cycles();
    match answer {
        Ok((tag, words)) if tag.label() == DONE && words == sent => {
            Ok(u32::try_from(end - begin).unwrap_or(u32::MAX))
        }
        Ok(_) => Err(None),
        Err(error) => Err(Some(error)),
    }
}
