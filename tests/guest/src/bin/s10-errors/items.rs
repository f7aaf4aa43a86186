//! Items that cannot be carried, in a Send, a Call, a Reply and a ReplyReceive.

use freehold_abi::info::State;
use freehold_abi::layout::MAX_DEPTH;
use freehold_abi::layout::UNLIMITED;
use freehold_abi::message::Item;
use freehold_abi::{Call, Error};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint, notification};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::slots::{self, Slot};
use freehold_rt::{CapName, Message, Rights, Tag, Utcb, calls};

use crate::claims::fails;

/// Slots of the own space that the other side names for what arrives.
fn partner(argument: u32) {
    let (endpoint, first) = (CapName(argument & 0xFFF), CapName(argument >> 12 & 0xFFF));
    Utcb::current().set_slots(first, 2);
    if argument >> 24 == 0 {
        let _ = calls::receive(endpoint);
    } else {
        let _ = calls::call(endpoint, &Message::new(1));
    }
}

/// `item` sent in all four ways; each fails with `error`, and the other side waits on.
pub fn each_way(item: Item, error: Error) {
    each_way_with(&[item], error);
}

fn each_way_with(items: &[Item], error: Error) {
    let endpoint = endpoint();
    let first = slots::take_row(2).expect("two slots");
    let name = endpoint.name().0;
    let tag = Tag::new(1, 0).with_items(items.len() as u32).0;
    let load = || {
        let mut words = [0; 8];
        for (index, item) in items.iter().enumerate() {
            words[2 * index..2 * index + 2].copy_from_slice(&item.encode());
        }
        // MR 1 and 2 are registers, the others lie in the UTCB.
        (2..8).for_each(|index| Utcb::current().set(1 + index, words[index]));
        (words[0], words[1])
    };
    let receiver = Worker::spawn(&Home::own(), ABOVE, partner, name | first.0 << 12);
    check_eq!(receiver.state(), State::Receiving);
    for call in [Call::Send, Call::Call] {
        let (edi, ebp) = load();
        fails(call, 0, [name, tag, edi, ebp], error);
        check_eq!(receiver.state(), State::Receiving);
    }
    drop(receiver);
    let caller = Worker::spawn(&Home::own(), ABOVE, partner, name | first.0 << 12 | 1 << 24);
    check!(calls::receive(endpoint.name()).is_ok());
    for call in [Call::Reply, Call::ReplyReceive] {
        let (edi, ebp) = load();
        fails(call, 0, [name, tag, edi, ebp], error);
        check_eq!(caller.state(), State::AwaitingReply);
    }
    drop(caller);
    slots::give_back(first);
    slots::give_back(CapName(first.0 + 1));
}

pub fn all() {
    let (bits, empty) = (notification(), Slot::take().expect("a slot"));
    let copy = |slot: &Slot, total| Item { source: slot.name(), moved: false, rights: Rights::ALL, total };
    each_way(copy(&empty, 0), Error::BadItem);
    each_way(Item { moved: true, ..copy(&bits, 0) }, Error::BadItem);
    each_way_with(&[copy(&bits, 0); 3], Error::NoSlots);
    let poor = derived(bits.name(), Rights::ALL, 0, 3);
    each_way(copy(&poor, 3), Error::NoCredits);
    let mut chain = alloc::vec![derived(bits.name(), Rights::ALL, 0, UNLIMITED)];
    while chain.len() < MAX_DEPTH as usize {
        chain.push(derived(chain[chain.len() - 1].name(), Rights::ALL, 0, UNLIMITED));
    }
    each_way(copy(&chain[chain.len() - 1], 0), Error::TooDeep);
    let slot = empty.name().0;
    fails(Call::Derive, 7, [chain[chain.len() - 1].name().0, slot, 0, 0], Error::TooDeep);
    check_eq!(calls::revoke(chain[0].reference()), Ok(()));
}
