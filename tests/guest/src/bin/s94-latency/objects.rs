//! Objects made, and ended with all that they can hold.

use freehold_abi::Call;
use freehold_abi::layout::utcb::{RECEIVE_LIMIT, SEND_LIMIT};
use freehold_abi::layout::{FOREVER, USER_TABLES};
use freehold_guest_tests::crowd::{Crowd, Member};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::pages::Frames;
use freehold_guest_tests::worker::{MAIN_PRIORITY, eventually};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::calls;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Message, Rights, SlotRef, time};

use crate::mappings::Table;

/// A node of the own space that nothing else uses.
const NODE: u32 = 31;
/// Slots of a node.
const SLOTS: u32 = 128;

/// Each kind once more in memory that was just mapped, so that a flush is due as well.
pub fn made() {
    for _ in 0..2 {
        let home = Home::new();
        let memory = Frames::take(4, 4);
        let slot = Slot::take().expect("a slot");
        let table = calls::make_table(memory.container(), memory.at(0), slot.reference(), home.space());
        check_eq!(table, Ok(()));
        let crowd = Crowd::start_in(&home, CapName::NONE, 1, MAIN_PRIORITY - 1, |_| {});
        drop(home);
        drop(crowd);
    }
}

pub fn table() {
    let frames = Frames::take(512, 1);
    let table = Table::new();
    table.fill(&frames, 3);
    table.derive_all();
    drop(table);
    check_eq!(calls::revoke_range(frames.container(), frames.at(0), 512), Ok(()));
}

pub fn directory() {
    for table_first in [true, false] {
        let (home, table) = (Home::new(), Table::new());
        let hook = |&index: &u32| calls::hook(table.name.name(), home.space(), index, Rights::WRITE).is_ok();
        check!((0..USER_TABLES).filter(hook).count() >= 700);
        if table_first {
            drop(table);
        }
        drop(home);
    }
}

pub fn area() {
    const TABLES: u32 = 150;
    let home = Home::new();
    let memory = Frames::take(4 * TABLES, 4);
    for table in 0..TABLES {
        let slot = Slot::take().expect("a slot");
        let made =
            calls::make_table(memory.container(), memory.at(4 * table), slot.reference(), home.space());
        check_eq!(made, Ok(()));
    }
    check_eq!(calls::space_summary(home.space()).map(|space| space.tables), Ok(TABLES + 2));
    drop(home);
}

/// A node of the own space, ended in the end.
fn with_node(fill: impl FnOnce()) {
    let frame = Frames::take(1, 1);
    check_eq!(calls::make_cap_node(frame.container(), frame.at(0), CapName::NONE, NODE), Ok(()));
    fill();
}

fn slot(index: u32) -> SlotRef {
    SlotRef::own(CapName::new(NODE, index))
}

pub fn nodes() {
    let (door, table) = (endpoint(), Table::new());
    with_node(|| {});
    with_node(|| (0..SLOTS).for_each(|index| check(calls::make_endpoint(slot(index)))));
    with_node(|| (0..SLOTS).for_each(|index| check(calls::make_notification(slot(index)))));
    with_node(|| {
        (0..SLOTS).for_each(|index| check(calls::derive(door.name(), slot(index), Rights::ALL, 7, 0)))
    });
    let part = calls::range(0, 1024);
    with_node(|| {
        let derive = |index| calls::derive(table.name.name(), slot(index), Rights::ALL, part, 0);
        (0..SLOTS).for_each(|index| check(derive(index)));
    });
    // Each of them with a child.
    let copies: alloc::vec::Vec<Slot> = (0..SLOTS).map(|_| Slot::take().expect("a slot")).collect();
    with_node(|| {
        for (index, copy) in (0..SLOTS).zip(&copies) {
            check(calls::make_endpoint(slot(index)));
            check(calls::derive(CapName::new(NODE, index), copy.reference(), Rights::ALL, 1, 0));
        }
    });
    // All of them derived from one, which is revoked.
    with_node(|| {
        (0..SLOTS).for_each(|index| check(calls::derive(door.name(), slot(index), Rights::ALL, 7, 0)));
        check(calls::revoke(door.reference()));
        (0..SLOTS)
            .for_each(|index| check(calls::derive(table.name.name(), slot(index), Rights::ALL, part, 0)));
        check(calls::revoke(table.name.reference()));
    });
}

fn check(made: Result<(), freehold_rt::Error>) {
    check_eq!(made, Ok(()));
}

/// Replies to many, saved: with the node they end, and all who wait for them learn it.
pub fn replies() {
    fn call(member: Member) {
        member.set(SEND_LIMIT, FOREVER);
        member.set(RECEIVE_LIMIT, 60_000);
        let (status, _) = member.call(Call::Call, [board::get(0), 0, 0, 0]);
        board::add(1, u32::from(status == freehold_rt::Error::PeerGone as u32));
    }
    board::clear();
    let door = endpoint();
    board::set(0, door.name().0);
    let crowd = Crowd::start(SLOTS, MAIN_PRIORITY - 1, call);
    with_node(|| {
        for index in 0..SLOTS {
            check_eq!(calls::receive(door.name()).map(|got| got.message.label()), Ok(0));
            check_eq!(calls::save_reply(CapName::new(NODE, index)), Ok(()));
        }
    });
    check!(eventually(|| board::get(1) == SLOTS), "{} have heard of it", board::get(1));
    drop(crowd);
}

/// Threads of another space, in whatever they can do, and those whom some of them hold up.
pub fn threads() {
    const COUNT: u32 = 240;
    const DOOR: u32 = 5;
    fn wait(member: Member) {
        member.set(SEND_LIMIT, 60_000);
        member.set(RECEIVE_LIMIT, 60_000);
        board::add(1, 1);
        let number = [Call::Send, Call::Call, Call::Receive, Call::Receive][member.index as usize % 4];
        let name = if number == Call::Receive { DOOR + 1 + member.index % 4 / 3 } else { DOOR };
        let _ = member.call(number, [name, 0, 0, 0]);
    }
    board::clear();
    let (first, second, bits) = (endpoint(), endpoint(), notification());
    let home = Home::new();
    home.give(CapName(DOOR), first.name(), Rights::ALL, 1);
    home.give(CapName(DOOR + 1), second.name(), Rights::ALL, 1);
    home.give(CapName(DOOR + 2), bits.name(), Rights::ALL, 1);
    let crowd = Crowd::start_in(&home, CapName::NONE, COUNT, MAIN_PRIORITY - 1, wait);
    check!(eventually(|| board::get(1) == COUNT));
    time::sleep(2);
    drop(home);
    let nobody = freehold_rt::Utcb::current().within((0, 0), || calls::send(second.name(), &Message::new(0)));
    check_eq!(nobody, Err(freehold_rt::Error::Timeout));
    drop(crowd);
}

/// Objects of all kinds, with nothing in them, in one Reclaim.
pub fn reclaimed() {
    for _ in 0..2 {
        let home = Home::new();
        let crowd = Crowd::start_in(&home, CapName::NONE, 16, MAIN_PRIORITY - 1, |_| {});
        drop(crowd);
        drop(home);
        let frames = Frames::take(8, 1);
        for index in 0..8 {
            check(calls::make_cap_node(frames.container(), frames.at(index), CapName::NONE, NODE - index));
        }
    }
}
