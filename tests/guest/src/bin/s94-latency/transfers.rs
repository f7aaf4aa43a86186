//! Many transfers of strings at a time, all of which wait for a page.

use freehold_abi::Call;
use freehold_abi::Tag;
use freehold_abi::layout::FOREVER;
use freehold_abi::layout::utcb;
use freehold_abi::message::ACCEPT;
use freehold_guest_tests::crowd::{Crowd, Member};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::pages::address;
use freehold_guest_tests::worker::{MAIN_PRIORITY, eventually};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::call::enter;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls, time};

/// Transfers.
const COUNT: u32 = 100;

/// Words of the board: how long a page is waited for; who has begun, and who has heard of a fault; the endpoint's name;
/// whether the crowd sends.
const LIMIT: usize = 0;
const BEGUN: usize = 1;
const FAULTED: usize = 2;
const DOOR: usize = 3;
const SENDS: usize = 4;

/// A page that is not there.
const ABSENT: u32 = address(900);
/// Names in other spaces.
const DOOR_THERE: CapName = CapName(5);
const PAGER_THERE: CapName = CapName(6);

/// A thread that receives a string into, or sends one from, a page that is not there.
fn partner(member: Member) {
    let (limit, door, sends) = (board::get(LIMIT), board::get(DOOR), board::get(SENDS) != 0);
    for word in [utcb::SEND_LIMIT, utcb::RECEIVE_LIMIT] {
        member.set(word, FOREVER);
    }
    for word in
        [utcb::SEND_FAULT_MINE, utcb::SEND_FAULT_OTHER, utcb::RECEIVE_FAULT_MINE, utcb::RECEIVE_FAULT_OTHER]
    {
        member.set(word, limit);
    }
    for (count, first) in [(utcb::STRINGS_COUNT, utcb::STRINGS), (utcb::BUFFERS_COUNT, utcb::BUFFERS)] {
        member.set(count, 1);
        member.set(first, ABSENT);
        member.set(first + 1, 64);
    }
    board::add(BEGUN, 1);
    let status = match sends {
        true => enter(Call::Send as u32, [door, Tag::new(0, 0).with_strings().0, 0, 0]).0,
        false => enter(Call::Receive as u32 | ACCEPT << 8, [door, 0, 0, 0]).0,
    };
    board::add(FAULTED, u32::from(status == Error::FaultMine as u32));
}

/// Receivers in the own space and senders in `home`, all in transfers that wait for the senders' pager, which does not
/// answer.
fn crowds(home: &Home, door: CapName, pager: CapName, limit: u32) -> [Crowd; 2] {
    board::clear();
    home.give(DOOR_THERE, door, Rights::SEND, 0);
    home.give(PAGER_THERE, pager, Rights::SEND, 0);
    let crowd = |home: &Home, pager, door: CapName, sends| {
        for (word, value) in [(LIMIT, limit), (DOOR, door.0), (SENDS, sends), (BEGUN, 0)] {
            board::set(word, value);
        }
        let crowd = Crowd::start_in(home, pager, COUNT, MAIN_PRIORITY - 1, partner);
        check!(eventually(|| board::get(BEGUN) == COUNT));
        time::sleep(2);
        crowd
    };
    [crowd(&Home::own(), CapName::NONE, door, 0), crowd(home, PAGER_THERE, DOOR_THERE, 1)]
}

/// Nobody is in a transfer, and all receivers wait again.
fn check_receivers(door: CapName) {
    time::sleep(2);
    let utcb = Utcb::current();
    for _ in 0..COUNT {
        check_eq!(utcb.within((0, 0), || calls::send(door, &Message::new(0))), Ok(()));
    }
    check_eq!(utcb.within((0, 0), || calls::send(door, &Message::new(0))), Err(Error::Timeout));
}

/// The time of all of them is over in one tick, or in a few.
pub fn stopped() {
    let (door, pager, home) = (endpoint(), endpoint(), Home::new());
    let crowds = crowds(&home, door.name(), pager.name(), 50);
    check_eq!(board::get(FAULTED), 0);
    time::sleep(60);
    check!(eventually(|| board::get(FAULTED) == COUNT), "{} of them", board::get(FAULTED));
    check_receivers(door.name());
    drop((home, crowds));
}

/// The senders' space ends, and with it all transfers: the receivers go on.
pub fn left() {
    let (door, pager, home) = (endpoint(), endpoint(), Home::new());
    let crowds = crowds(&home, door.name(), pager.name(), FOREVER);
    drop(home);
    check_eq!(board::get(FAULTED), 0);
    check_receivers(door.name());
    drop(crowds);
}
