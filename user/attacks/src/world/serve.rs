//! The accomplice's side: does what its partner asks it to do with its space.

use freehold_protocol::answer::{DONE, FAILED, REFUSED};
use freehold_rt::abi::designs::Fpage;
use freehold_rt::abi::layout::{FRAME, utcb};
use freehold_rt::abi::message::Item;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls};

use super::Refusal;
use super::message::{BACK, DROP, READ, SPACE, TABLE, TAKE, WRITE};
use super::pool::with_item;
use super::tables::{Blocks, OWN_SPACE};
use crate::evidence::Evidence;
use crate::kit::Kit;
use crate::touch::Touch;

/// Milliseconds after which an accomplice that hears nothing asks whether it is time to end.
const PATIENCE: u32 = 5;

/// What an accomplice keeps between two requests.
#[derive(Default)]
pub struct Server {
    tables: Blocks,
    touch: Option<Touch>,
}

/// An accomplice that does what is asked until it is time to end.
pub fn serve(kit: &mut Kit) -> Evidence {
    let mut server = Server::default();
    while !kit.stopped() {
        while serve_one(kit, &mut server, PATIENCE) {}
    }
    kit.held("")
}

/// Waits at most so long for a request, and does it. Returns whether one came.
pub fn serve_one(kit: &Kit, server: &mut Server, milliseconds: u32) -> bool {
    let utcb = Utcb::current();
    if kit.design.has_pool() {
        utcb.set(utcb::WINDOW, Fpage::WHOLE.0);
    }
    let got = utcb.within((0, milliseconds), || calls::receive(kit.own));
    let Ok(received) = got else { return false };
    let answer = server.obey(kit, &received.message);
    if let Err(error) = calls::reply(None, &answer) {
        // A partner that is gone hears neither.
        let _ = calls::reply(None, &Message::of(FAILED, &[error as u32]));
    }
    true
}

impl Server {
    fn obey(&mut self, kit: &Kit, message: &Message) -> Message {
        let word = |index| message.word(index);
        let own = |source| Item { source, moved: false, rights: Rights::ALL, total: 0 };
        let result: Result<Message, Refusal> = match message.label() {
            SPACE => Ok(answer_with(own(OWN_SPACE))),
            TABLE => self.tables.own(word(0)).map(|table| answer_with(own(table))),
            TAKE => Ok(Message::new(DONE)),
            BACK => Ok(with_item(DONE, word(0), word(1), word(2).max(1))),
            DROP if kit.design.has_pool() => {
                let fpage = Fpage::new(word(0), word(1).max(1).ilog2(), 0);
                calls::fpage_unmap(fpage, true).map(|()| Message::new(DONE)).map_err(Refusal::from)
            }
            DROP => calls::unmap(CapName::NONE, word(0) / FRAME, word(1))
                .map(|()| Message::new(DONE))
                .map_err(Refusal::from),
            READ => self.touch().map(|touch| {
                touch.read(word(0)).map_or(Message::new(FAILED), |word| Message::of(DONE, &[word]))
            }),
            WRITE => self.touch().map(|touch| {
                touch.write(word(0), word(1)).map_or(Message::new(FAILED), |()| Message::new(DONE))
            }),
            _ => Ok(Message::new(REFUSED)),
        };
        let failed =
            |refusal: Refusal| Message::of(FAILED, &[refusal.error().map_or(0, |error| error as u32)]);
        result.unwrap_or_else(failed)
    }

    fn touch(&mut self) -> Result<&Touch, Refusal> {
        if self.touch.is_none() {
            self.touch = Some(Touch::new()?);
        }
        self.touch.as_ref().ok_or(Refusal::Exhausted)
    }
}

fn answer_with(item: Item) -> Message {
    let mut message = Message::new(DONE);
    message.push_item(item);
    message
}

/// The answer, if it is that all is done.
pub(super) fn done(answer: Result<Message, Error>) -> Result<Message, Refusal> {
    let answer = answer?;
    match answer.label() {
        DONE => Ok(answer),
        _ => Err(Refusal::Partner(Error::from_status(answer.word(0)))),
    }
}
