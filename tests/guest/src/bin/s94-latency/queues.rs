//! Queues of hundreds of threads, dealt with by one call or one tick.

use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_abi::layout::utcb::{MESSAGE, RECEIVE_LIMIT, SEND_LIMIT};
use freehold_abi::message::{ITEMS_MAX, Item};
use freehold_abi::{Call, Tag};
use freehold_guest_tests::crowd::{Crowd, Member};
use freehold_guest_tests::objects::{derived, endpoint, notification};
use freehold_guest_tests::worker::{MAIN_PRIORITY, eventually};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::slots::{self, Slot};
use freehold_rt::{CapName, Error, Message, Rights, SlotRef, Utcb, calls, time};

const COUNT: u32 = 200;

/// Words of the board: what to wait on, how, with which tag, for how long; who has begun; who has ended, and so.
const NAME: usize = 0;
const WAY: usize = 1;
const TAG: usize = 2;
const UNTIL: usize = 3;
const BEGUN: usize = 4;
const ENDED: usize = 5;
const RIGHT: usize = 6;
const STATUS: usize = 7;
/// The item that is sent eight times.
const ITEM: usize = 8;

const WAYS: [State; 4] = [State::Sending, State::Calling, State::Receiving, State::Waiting];

fn wait(member: Member) {
    let until = board::get(UNTIL);
    let limit = if until == 0 { FOREVER } else { until.wrapping_sub(time::ticks()) };
    member.set(SEND_LIMIT, limit);
    member.set(RECEIVE_LIMIT, limit);
    let item = [board::get(ITEM), board::get(ITEM + 1)];
    for (index, word) in item.into_iter().cycle().take(2 * ITEMS_MAX as usize).enumerate() {
        member.set(MESSAGE + 1 + index, word);
    }
    board::add(BEGUN, 1);
    let number = [Call::Send, Call::Call, Call::Receive, Call::Receive][board::get(WAY) as usize];
    let (status, _) = member.call(number, [board::get(NAME), board::get(TAG), item[0], item[1]]);
    board::add(RIGHT, u32::from(status == board::get(STATUS)));
    board::add(ENDED, 1);
}

/// Hundreds of threads that wait in `way` by `name`, at most until tick `until` (0: for ever), and below this one.
fn crowd(way: usize, name: CapName, until: u32, status: Error) -> Crowd {
    let asked = [(NAME, name.0), (WAY, way as u32), (UNTIL, until), (STATUS, status as u32)];
    for (word, value) in asked.into_iter().chain([(BEGUN, 0), (ENDED, 0), (RIGHT, 0)]) {
        board::set(word, value);
    }
    let crowd = Crowd::start(COUNT, MAIN_PRIORITY - 1, wait);
    check!(eventually(|| board::get(BEGUN) == COUNT));
    time::sleep(2);
    crowd
}

fn check_ended(crowd: Crowd, what: State) {
    check!(eventually(|| board::get(ENDED) == COUNT), "{what:?}: {} of them", board::get(ENDED));
    check_eq!(board::get(RIGHT), COUNT, "{what:?}");
    drop(crowd);
}

/// What a thread in this state waits on.
fn object(state: State) -> Slot {
    if state == State::Waiting { notification() } else { endpoint() }
}

pub fn deleted() {
    board::clear();
    for (way, state) in WAYS.into_iter().enumerate() {
        let object = object(state);
        let far = time::ticks() + 60_000;
        let crowd = crowd(way, object.name(), far, Error::Canceled);
        check_eq!(calls::delete(object.reference()), Ok(()));
        check_ended(crowd, state);
    }
}

/// The capability by which they wait is gone: whoever comes next finds all of them and serves none.
pub fn refused() {
    board::clear();
    let mine = Utcb::current();
    for (way, state) in WAYS.into_iter().enumerate() {
        let object = object(state);
        let copy = derived(object.name(), Rights::ALL, 0, 0);
        let far = time::ticks() + 60_000;
        let crowd = crowd(way, copy.name(), far, Error::Canceled);
        check_eq!(calls::revoke(SlotRef::own(object.name())), Ok(()));
        let found = match state {
            State::Waiting => calls::notify(object.name(), 1).err(),
            State::Receiving => mine.within((0, 0), || calls::send(object.name(), &Message::new(0))).err(),
            _ => mine.within((0, 0), || calls::receive(object.name())).err(),
        };
        check_eq!(found, (state != State::Waiting).then_some(Error::Timeout));
        check_ended(crowd, state);
    }
}

/// Eight capabilities each, of which the last cannot be derived: seven are, and are taken back.
pub fn items() {
    board::clear();
    let (door, goods) = (endpoint(), endpoint());
    let source = derived(goods.name(), Rights::ALL, 0, ITEMS_MAX - 1);
    let item = Item { source: source.name(), moved: false, rights: Rights::ALL, total: 0 };
    for (index, word) in item.encode().into_iter().enumerate() {
        board::set(ITEM + index, word);
    }
    board::set(TAG, Tag::new(0, 0).with_items(ITEMS_MAX).0);
    let crowd = crowd(0, door.name(), time::ticks() + 60_000, Error::NoCredits);
    let row = slots::take_row(ITEMS_MAX).expect("slots");
    let mine = Utcb::current();
    mine.set_slots(row, ITEMS_MAX);
    let got = mine.within((0, 0), || calls::receive(door.name()).map(|got| got.badge));
    check_eq!(got, Err(Error::Timeout));
    mine.set_slots(CapName::NONE, 0);
    for index in 0..ITEMS_MAX {
        slots::give_back(CapName(row.0 + index));
    }
    check_ended(crowd, State::Sending);
}

pub fn timers() {
    board::clear();
    for (way, state) in WAYS.into_iter().enumerate() {
        let object = object(state);
        // Far enough that the wheel moves them down before.
        let crowd = crowd(way, object.name(), time::ticks() + 300, Error::Timeout);
        check_eq!(board::get(ENDED), 0);
        time::sleep(310);
        check_ended(crowd, state);
    }
}
