//! The manager: opens and ends sessions, and watches their time.
//!
//! What must hold: it alone changes what sessions share. A session ends by its client's wish, by its
//! time, or because its worker is gone; its slice is another client's only when the server has taken
//! back every frame in it.

use freehold_protocol::answer::{DONE, EXHAUSTED, FAILED, REFUSED};
use freehold_protocol::server::PAGING;
use freehold_protocol::transfer::{
    BEGIN, CLOSE, OPEN, SERVER, SESSIONS, SESSIONS_MAX, SLICE, TIME, TIME_PER_PAGE, WORKER,
};
use freehold_rt::abi::layout::{BLOCK, FOREVER, utcb};
use freehold_rt::abi::message::Item;
use freehold_rt::calls::Received;
use freehold_rt::memory::MapError;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Message, Rights, Utcb, calls, memory, serve, start, time};

use crate::board;
use crate::session::{Request, Session, release};
use crate::slices::Slices;

/// Milliseconds between two looks at the sessions that there are.
const PERIOD: u32 = 20;

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
    paging: CapName,
    /// Where the next capability arrives.
    arrival: Slot,
}

impl Manager {
    /// Without sessions and slices.
    pub fn new() -> Manager {
        // The Table for the workers' UTCBs.
        memory::grow(board::WORKERS / BLOCK).expect("memory for the workers' Table");
        Manager {
            places: [const { Place::Free }; SESSIONS_MAX],
            slices: Slices::new(),
            paging: start::capability(PAGING).expect("the service is given the server's pager"),
            arrival: Slot::take().expect("a slot"),
        }
    }

    /// Serves until the endpoint is gone.
    pub fn serve(mut self, endpoint: CapName) {
        self.prepare();
        serve::serve(endpoint, |received| {
            let answer = received.ok().map(|received| self.handle(&received));
            self.look_after();
            self.prepare();
            answer
        });
    }

    /// Makes ready for the next message: how long to wait for it, where its capability arrives.
    fn prepare(&mut self) {
        let idle = self.places.iter().all(|place| matches!(place, Place::Free));
        let utcb = Utcb::current();
        utcb.set_limits((FOREVER, if idle { FOREVER } else { PERIOD }));
        // What came with a message that has no use for it leaves. So the slot is empty.
        if utcb.get(utcb::SLOTS_COUNT) != 0 {
            let deleted = calls::delete(self.arrival.reference());
            debug_assert!(deleted.is_ok());
        }
        utcb.set_slots(self.arrival.name(), 1);
    }

    fn handle(&mut self, received: &Received) -> Message {
        let message = &received.message;
        let (first, second) = (message.word(0), message.word(1));
        let refused = || Message::new(REFUSED);
        match (received.badge, message.label()) {
            (0, SESSIONS) => Message::of(DONE, &[self.taken(), self.slices.count() as u32]),
            (WORKER, BEGIN) => {
                self.begin(first);
                Message::new(DONE)
            }
            (SERVER, SLICE) if message.items() == 1 => match self.add_table(first, second, message.word(2)) {
                Ok(()) => Message::new(DONE),
                Err(error) => failed(error),
            },
            (client @ 1..SERVER, OPEN) if message.items() == 1 => {
                self.open(client, first, second).unwrap_or_else(failed)
            }
            (client @ 1..SERVER, CLOSE) => {
                self.end_where(|session| session.client == client);
                Message::new(DONE)
            }
            _ => refused(),
        }
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

    fn open(&mut self, client: u32, bytes: u32, priority: u32) -> Result<Message, MapError> {
        let frames = self.arrived()?;
        self.end_where(|session| session.client == client || !session.is_alive());
        let fits = |index: &usize| self.slices.bytes(*index) >= bytes.max(1);
        let free = |index: &usize| matches!(self.places[*index], Place::Free);
        let Some(number) = (0..SESSIONS_MAX).filter(fits).find(free) else {
            return Ok(Message::new(REFUSED));
        };
        let priority = priority.min(self.slices.priority(number).into()) as u8;
        let session = Session::open(Request { number, client, bytes, priority, frames })?;
        let mut answer = Message::of(DONE, &[number as u32]);
        let source = session.endpoint();
        answer.push_item(Item { source, moved: false, rights: Rights::SEND, total: 0 });
        self.places[number] = Place::Open(session);
        self.begin(number as u32);
        Ok(answer)
    }

    /// A session's time begins.
    fn begin(&mut self, number: u32) {
        if let Some(Place::Open(session)) = self.places.get_mut(number as usize) {
            session.deadline = time::ticks().wrapping_add(TIME + TIME_PER_PAGE * session.pages);
        }
    }

    /// Ends what has to end, and asks again for the slices that are not yet clear.
    fn look_after(&mut self) {
        let now = time::ticks();
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
        self.clear_ended();
    }

    fn clear_ended(&mut self) {
        for (slice, place) in self.places.iter_mut().enumerate() {
            if matches!(place, Place::Ended) && release(self.paging, slice) {
                *place = Place::Free;
            }
        }
    }

    fn taken(&self) -> u32 {
        self.places.iter().filter(|place| !matches!(place, Place::Free)).count() as u32
    }
}

fn failed(error: MapError) -> Message {
    match error {
        MapError::Kernel(error) => Message::of(FAILED, &[error as u32]),
        MapError::OutOfMemory | MapError::OutOfSlots => Message::new(EXHAUSTED),
    }
}
