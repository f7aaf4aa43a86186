//! A thread that must not notice what happens to others.

use freehold_rt::slots::Slot;
use freehold_rt::{Message, Utcb, calls, time};

use crate::home::Home;
use crate::objects::endpoint;
use crate::worker::{ABOVE, MAIN_PRIORITY, Options, Worker, eventually};
use crate::{board, check, check_eq};

/// Words of the board that it uses.
const COUNT: usize = 248;
const END: usize = 249;
const NAME: usize = 250;

/// A thread of the own space that counts ticks, and one that answers calls.
#[derive(Debug)]
pub struct Bystander {
    counter: Worker,
    server: Worker,
    endpoint: Slot,
}

impl Bystander {
    /// Starts both.
    pub fn new() -> Bystander {
        let endpoint = endpoint();
        board::set(COUNT, 0);
        board::set(END, 0);
        board::set(NAME, endpoint.name().0);
        let options = Options { priority: MAIN_PRIORITY + 3, ..ABOVE };
        let counter = Worker::spawn(&Home::own(), options, count, 0);
        let server = Worker::spawn(&Home::own(), options, answer, endpoint.name().0);
        Bystander { counter, server, endpoint }
    }

    /// Checks that they are still at it.
    pub fn check(&self) {
        let count = board::get(COUNT);
        check!(eventually(|| board::get(COUNT) > count), "the bystander stands still");
        let answer = calls::call(self.endpoint.name(), &Message::of(1, &[7, 8, 9]));
        check!(answer.is_ok_and(|answer| answer.words() == [9, 8, 7]), "the bystander does not answer");
    }
}

impl Default for Bystander {
    fn default() -> Bystander {
        Bystander::new()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        board::set(END, 1);
        check!(self.counter.ends());
        check_eq!(calls::call(self.endpoint.name(), &Message::new(0)).is_ok(), true);
        check!(self.server.ends());
    }
}

fn count(_: u32) {
    while board::get(END) == 0 {
        time::sleep(1);
        board::add(COUNT, 1);
    }
}

fn answer(_: u32) {
    let endpoint = freehold_rt::CapName(board::get(NAME));
    while let Ok(got) = calls::receive(endpoint) {
        let words = got.message.words();
        let reversed = match words {
            [first, second, third] => Message::of(1, &[*third, *second, *first]),
            _ => Message::new(1),
        };
        let _ = Utcb::current().within((0, 0), || calls::reply(None, &reversed));
        if got.message.label() == 0 {
            return;
        }
    }
}
