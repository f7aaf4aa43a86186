//! The manager: opens and ends sessions, and watches their time.
//!
//! What must hold: it alone changes what sessions share. A session ends by its client's or the server's wish,
//! by its time, or because its worker is gone; its slice is another client's only when the server has taken
//! back every frame in it. While a client of the same rank waits that could use a session's slice, that session begins no
//! transfer but its first, and gets no more time: so whoever is first of those who wait has waited at most twice
//! the time of the longest session that there is, and what the server takes (at most SERVER_TIME a transfer). For a client
//! of a higher rank it ends at once: so nobody waits for clients of lower ranks, but for what the server takes.

use freehold_protocol::answer::{DONE, EXHAUSTED, FAILED, REFUSED};
use freehold_protocol::server::PAGING;
use freehold_protocol::transfer::{
    BEGIN, CANCEL, CEILING_SHIFT, CLIENT_NUMBERS, CLOSE, OPEN, PAUSE, PERIOD, SERVER, SERVER_TIME, SESSIONS,
    SESSIONS_MAX, SLICE, TIME, TIME_PER_PAGE, WORKER,
};
use freehold_rt::abi::layout::{BLOCK, FOREVER, utcb};
use freehold_rt::abi::message::Item;
use freehold_rt::calls::Received;
use freehold_rt::memory::MapError;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls, memory, serve, start, time};

use crate::board;
use crate::session::{Released, Session, Wish, release};
use crate::slices::Slices;
use crate::waiting::{Waiter, Waiting};

/// A slice's place.
enum Place {
    /// Nobody has the slice.
    Free,
    /// A session has it.
    Open(Session),
    /// A session had it, and the server still has frames there.
    Ended,
}

/// The manager's state.
pub struct Manager {
    places: [Place; SESSIONS_MAX],
    slices: Slices,
    waiting: Waiting,
    paging: CapName,
    /// Where the next capability arrives.
    arrival: Slot,
    /// Tick of the last look at the sessions.
    looked: u32,
}

impl Manager {
    /// Without sessions and slices.
    pub fn new() -> Manager {
        // The Table for the workers' UTCBs.
        memory::grow(board::WORKERS / BLOCK).expect("memory for the workers' Table");
        Manager {
            places: [const { Place::Free }; SESSIONS_MAX],
            slices: Slices::new(),
            waiting: Waiting::new(),
            paging: start::capability(PAGING).expect("the service is given the server's pager"),
            arrival: Slot::take().expect("a slot"),
            looked: time::ticks(),
        }
    }

    /// Serves until the endpoint is gone.
    pub fn serve(mut self, endpoint: CapName) {
        self.prepare();
        serve::serve(endpoint, |received| {
            let answer = received.ok().and_then(|received| self.handle(&received));
            self.look_after();
            self.admit();
            self.prepare();
            answer
        });
    }

    /// Makes ready for the next message: how long to wait for it, where its capability arrives.
    fn prepare(&mut self) {
        // Whoever waits is looked at again, also if it came due since the last look.
        let quiet = self.taken() == 0 && self.waiting.count() == 0;
        let limit = match self.waiting.is_pausing() {
            true => PAUSE,
            false if quiet => FOREVER,
            false => PERIOD,
        };
        let utcb = Utcb::current();
        utcb.set_limits((FOREVER, limit));
        // What came with a message that has no use for it leaves. So the slot is empty.
        if utcb.get(utcb::SLOTS_COUNT) != 0 {
            let deleted = calls::delete(self.arrival.reference());
            debug_assert!(deleted.is_ok());
        }
        utcb.set_slots(self.arrival.name(), 1);
    }

    /// The answer to a message, if it gets one now.
    fn handle(&mut self, received: &Received) -> Option<Message> {
        let message = &received.message;
        let (first, second) = (message.word(0), message.word(1));
        Some(match (received.badge, message.label()) {
            (0, SESSIONS) => {
                let waiting = self.waiting.count() as u32;
                Message::of(DONE, &[self.taken(), self.slices.count() as u32, waiting])
            }
            (WORKER, BEGIN) => Message::new(if self.begin(first) { DONE } else { REFUSED }),
            (SERVER, SLICE) if message.items() == 1 => match self.add_table(first, second, message.word(2)) {
                Ok(()) => Message::new(DONE),
                Err(error) => failed(error),
            },
            (SERVER, CANCEL) => {
                // The server asks: so it is not asked now whether the slice is empty.
                self.end_where(|session| session.number == first as usize);
                Message::new(DONE)
            }
            (badge @ 1..SERVER, OPEN) if message.items() == 1 => return self.open(badge, first, second),
            (badge @ 1..SERVER, CLOSE) => {
                self.close(badge & CLIENT_NUMBERS);
                Message::new(DONE)
            }
            _ => Message::new(REFUSED),
        })
    }

    /// Takes what has arrived.
    fn arrived(&mut self) -> Result<Slot, MapError> {
        let next = Slot::take().ok_or(MapError::OutOfSlots)?;
        Ok(core::mem::replace(&mut self.arrival, next))
    }

    fn add_table(&mut self, slice: u32, index: u32, priority: u32) -> Result<(), MapError> {
        let table = self.arrived()?;
        Ok(self.slices.add(slice, index, priority, table)?)
    }

    fn close(&mut self, client: u32) {
        self.waiting.remove_client(client);
        let of_client = |place: &Place| matches!(place, Place::Open(session) if session.client == client);
        // One of its sessions, one question to the server: a flood of CLOSE costs the server nothing.
        if let Some(slice) = self.places.iter().position(of_client) {
            self.end_where(|session| session.client == client);
            self.clear(slice);
        }
    }

    /// A client asks for a session. It gets its answer when it gets the session; at once, if it never will.
    fn open(&mut self, badge: u32, bytes: u32, priority: u32) -> Option<Message> {
        let (client, bytes) = (badge & CLIENT_NUMBERS, bytes.max(1));
        self.close(client);
        if (0..SESSIONS_MAX).all(|slice| self.slices.bytes(slice) < bytes) {
            return Some(Message::new(REFUSED));
        }
        let Ok((frames, reply)) = self.arrived().and_then(|frames| {
            let reply = Slot::take().ok_or(MapError::OutOfSlots)?;
            Ok((frames, reply))
        }) else {
            return Some(Message::new(EXHAUSTED));
        };
        // Without a ceiling that is for the server to say, and so nobody's is higher.
        let rank = (badge >> CEILING_SHIFT).checked_sub(1).unwrap_or(u32::MAX);
        let priority = priority.min(rank).min(u8::MAX.into()) as u8;
        // A client that only sent has nothing to be answered.
        calls::save_reply(reply.name()).ok()?;
        let waiter = Waiter { wish: Wish { client, rank, bytes, priority, frames }, reply };
        if let Some(waiter) = self.waiting.add(waiter) {
            answer(&waiter.reply, &Message::new(REFUSED));
        }
        None
    }

    /// Whoever waits gets a session, as far as there are slices.
    fn admit(&mut self) {
        loop {
            let (places, slices) = (&self.places, &self.slices);
            let free = |wish: &Wish| {
                let is_free = |&slice: &usize| matches!(places[slice], Place::Free);
                (0..SESSIONS_MAX).filter(is_free).find(|&slice| slices.bytes(slice) >= wish.bytes)
            };
            let Some(Waiter { wish, reply }) = self.waiting.next(|wish| free(wish).is_some()) else {
                if self.make_way() { continue } else { return }
            };
            let Some(number) = free(&wish) else { return };
            let priority = wish.priority.min(slices.priority(number));
            match Session::open(number, priority, wish) {
                Ok(session) => self.begin_session(session, &reply),
                Err(error) => {
                    answer(&reply, &failed(error));
                }
            }
        }
    }

    /// Ends a session for a client of a higher rank that waits. Returns whether its slice is free then.
    fn make_way(&mut self) -> bool {
        let Manager { places, slices, waiting, .. } = &*self;
        let usable = |wish: &Wish| {
            let bytes = wish.bytes;
            (0..SESSIONS_MAX).filter(move |&slice| slices.bytes(slice) >= bytes)
        };
        // One that is being cleared will do.
        let has_none_coming = |wish: &&Wish| !usable(wish).any(|slice| matches!(places[slice], Place::Ended));
        // The lowest rank; of several, rather not one that the server has to do with.
        let least = |wish: &Wish| {
            let lower = usable(wish).filter_map(|slice| match &places[slice] {
                Place::Open(session) if session.rank < wish.rank => Some(session),
                _ => None,
            });
            lower
                .min_by_key(|session| (session.rank, session.waits_for_server()))
                .map(|session| session.number)
        };
        let Some(slice) = waiting.wishes().filter(has_none_coming).find_map(least) else { return false };
        self.end_where(|session| session.number == slice);
        self.clear(slice);
        matches!(self.places[slice], Place::Free)
    }

    fn begin_session(&mut self, session: Session, reply: &Slot) {
        let number = session.number;
        let mut message = Message::of(DONE, &[number as u32]);
        let source = session.endpoint();
        message.push_item(Item { source, moved: false, rights: Rights::SEND, total: 0 });
        if answer(reply, &message) {
            self.places[number] = Place::Open(session);
            self.renew(number);
        } else {
            session.end();
        }
    }

    /// A session's transfer begins, if it may.
    fn begin(&mut self, number: u32) -> bool {
        let number = number as usize;
        let Some(Place::Open(session)) = self.places.get_mut(number) else { return false };
        let bytes = self.slices.bytes(number);
        let wanted = self.waiting.wishes().any(|wish| wish.bytes <= bytes && wish.rank >= session.rank);
        if core::mem::replace(&mut session.begun, true) && wanted {
            return false;
        }
        self.renew(number);
        true
    }

    /// A session's time begins anew.
    fn renew(&mut self, number: usize) {
        if let Place::Open(session) = &mut self.places[number] {
            session.deadline = time::ticks().wrapping_add(TIME + TIME_PER_PAGE * session.pages);
            session.server_left = SERVER_TIME;
        }
    }

    /// Now and then: ends what has to end, and asks again for the slices that are not yet clear.
    fn look_after(&mut self) {
        let now = time::ticks();
        // A message, or the server's pager by its silence, can make it more than PERIOD.
        let passed = now.wrapping_sub(self.looked);
        if passed < PERIOD {
            return;
        }
        self.looked = now;
        self.waiting.purge();
        for place in &mut self.places {
            // The server's time is not the client's.
            if let Place::Open(session) = place
                && session.waits_for_server()
            {
                let more = passed.min(session.server_left);
                session.server_left -= more;
                session.deadline = session.deadline.wrapping_add(more);
            }
        }
        self.end_where(|session| now.wrapping_sub(session.deadline) as i32 >= 0 || !session.is_alive());
        self.clear_ended();
    }

    fn end_where(&mut self, ends: impl Fn(&Session) -> bool) {
        for place in &mut self.places {
            if matches!(place, Place::Open(session) if ends(session))
                && let Place::Open(session) = core::mem::replace(place, Place::Ended)
            {
                session.end();
            }
        }
    }

    /// Asks for the slices that are not yet clear. One question that is not answered is enough.
    fn clear_ended(&mut self) {
        for slice in 0..SESSIONS_MAX {
            if matches!(self.places[slice], Place::Ended) && !self.clear(slice) {
                return;
            }
        }
    }

    /// Asks for a slice's frames to leave. `false`: the server's pager has not answered in its time.
    fn clear(&mut self, slice: usize) -> bool {
        let released = release(self.paging, slice);
        if matches!(released, Released::Now) {
            self.places[slice] = Place::Free;
        }
        !matches!(released, Released::Silence)
    }

    fn taken(&self) -> u32 {
        self.places.iter().filter(|place| !matches!(place, Place::Free)).count() as u32
    }
}

/// Answers a client that waited. `false`: it is gone, or has no room for the capability.
fn answer(reply: &Slot, message: &Message) -> bool {
    match calls::reply(Some(reply.name()), message) {
        Ok(()) => true,
        Err(Error::NoSlots) => {
            let _ = calls::reply(Some(reply.name()), &Message::new(serve::UNDELIVERED));
            false
        }
        Err(_) => false,
    }
}

fn failed(error: MapError) -> Message {
    match error {
        MapError::Kernel(error) => Message::of(FAILED, &[error as u32]),
        MapError::OutOfMemory | MapError::OutOfSlots => Message::new(EXHAUSTED),
    }
}
