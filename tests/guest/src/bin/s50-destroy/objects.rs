//! Tables, nodes, notifications and pagers, under those who use them.

use freehold_abi::fault;
use freehold_abi::info::{State, start};
use freehold_abi::layout::BLOCK;
use freehold_abi::message::Item;
use freehold_guest_tests::home::{BLOCKS, Home};
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::pages::{Frames, update};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::worker::{ABOVE, BELOW, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::calls::{self, Stop};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Message, Rights, SlotRef};

use crate::scene::{Bystander, Scene, WAYS, Way};

/// The Table that holds a thread's stack and UTCB: the thread faults when it next touches them.
pub fn tables() {
    let bystander = Bystander::new();
    for way in WAYS {
        let mut scene = Scene::new(way);
        let home = scene.home.as_ref().expect("a home");
        let frames = home.frames();
        check_eq!(calls::reclaim(frames.container, frames.first + 8, 4), Ok(()), "{way:?}");
        check_eq!(calls::cap_info(SlotRef::own(home.table())).map(|info| info.total), Ok(0));
        check_eq!(calls::space_summary(home.space()).map(|space| space.tables), Ok(1));
        bystander.check();
        let worker = scene.worker.take().expect("a worker");
        check_eq!(worker.destroy(), Ok(()));
        scene.check_ended("without Table");
    }
    // What was mapped in it is not there any more, in any space.
    let home = Home::new();
    let there = Probe::new(&home, 1);
    let (memory, frame) = (Frames::take(4, 4), Frames::take(1, 1));
    let slot = Slot::take().expect("a slot");
    check_eq!(calls::make_table(memory.container(), memory.at(0), slot.reference(), CapName::NONE), Ok(()));
    check_eq!(
        calls::update(&[update((frame.container(), frame.at(0)), 1, slot.name(), 0, Rights::WRITE, 3)]),
        Ok(())
    );
    check_eq!(calls::hook(slot.name(), home.space(), 300, Rights::WRITE), Ok(()));
    check_eq!(calls::hook(slot.name(), CapName::NONE, 300, Rights::WRITE), Ok(()));
    let from = update((slot.name(), 0), 1, home.space(), BLOCKS >> 12, Rights::WRITE, 0);
    check_eq!(calls::update(&[from]), Ok(()));
    check_eq!(there.write(BLOCKS, 5), Ok(()));
    check_eq!(there.read(300 * BLOCK), Ok(5));
    check_eq!(calls::reclaim(memory.container(), memory.at(0), 4), Ok(()));
    check!(there.read(300 * BLOCK).is_err());
    check!(there.read(BLOCKS).is_err(), "derived from its entry");
    check_eq!(calls::unhook(CapName::NONE, 300), Err(Error::NoTable));
}

/// The area's own Table goes: the space loses its Tables, not its life.
pub fn area() {
    let bystander = Bystander::new();
    for way in [Way::Waiting, Way::Spinning, Way::Faulted] {
        let mut scene = Scene::new(way);
        let home = scene.home.as_ref().expect("a home");
        let frames = home.frames();
        check_eq!(calls::reclaim(frames.container, frames.first + 4, 4), Ok(()));
        check_eq!(calls::space_summary(home.space()).map(|space| space.tables), Ok(0));
        let one =
            [update((frames.container, frames.first + 4), 1, home.space(), BLOCKS >> 12, Rights::NONE, 0)];
        check_eq!(calls::update(&one), Err(Stop { error: Error::NoTable, done: 0 }), "no Table is its own");
        // It can have an area again.
        let own = calls::make_table(frames.container, frames.first + 4, SlotRef::default(), home.space());
        check_eq!(own, Ok(()));
        check_eq!(calls::space_summary(home.space()).map(|space| space.tables), Ok(1));
        bystander.check();
        drop(scene.worker.take());
        scene.check_ended("without area");
    }
}

/// A node with everything in it that has a meaning elsewhere.
pub fn nodes() {
    let bystander = Bystander::new();
    for way in WAYS {
        let mut scene = Scene::new(way);
        let home = scene.home.as_ref().expect("a home");
        let frames = home.frames();
        // An endpoint that lives there, with somebody waiting on a copy.
        let there = CapName(40);
        check_eq!(calls::make_endpoint(home.slot(there)), Ok(()));
        let (source, copy) = (home.slot(there), Slot::take().expect("a slot"));
        check_eq!(calls::relocate(source, copy.reference()), Err(Error::Unmovable));
        let give = Worker::spawn(home, ABOVE, pass_on, 41);
        let channel = endpoint();
        drop(give);
        home.give(CapName(41), channel.name(), Rights::SEND, 0);
        freehold_rt::Utcb::current().set_slots(copy.name(), 1);
        let give = Worker::spawn(home, ABOVE, pass_on, 41);
        check_eq!(calls::receive(channel.name()).map(|got| got.message.items()), Ok(1));
        freehold_rt::Utcb::current().set_slots(CapName::NONE, 0);
        check!(give.ends());
        board::set(20, 0);
        let waiter = Worker::spawn(
            &Home::own(),
            ABOVE,
            |name| {
                let got = calls::receive(CapName(name)).map(|got| got.badge);
                board::set(20, got.err().map_or(0, |error| error as u32));
            },
            copy.name().0,
        );
        check_eq!(waiter.state(), State::Receiving);
        check_eq!(calls::reclaim(frames.container, frames.first + 12, 1), Ok(()), "{way:?}");
        check!(waiter.ends());
        check_eq!(board::get(20), Error::Canceled as u32);
        check_eq!(calls::send(copy.name(), &Message::new(0)), Err(Error::NoCapability));
        check_eq!(calls::space_summary(home.space()).map(|space| space.nodes), Ok(0));
        check_eq!(calls::cap_info(home.slot(CapName(9))), Err(Error::NoCapability));
        bystander.check();
        if way == Way::SavedCaller {
            scene.check_ended("without node");
        }
        drop(scene.worker.take());
        scene.check_ended("without node");
    }
}

/// Passes the endpoint at 40 on by the one that `name` names.
fn pass_on(name: u32) {
    let item = Item { source: CapName(40), moved: false, rights: Rights::ALL, total: 0 };
    let mut message = Message::new(3);
    message.push_item(item);
    let _ = calls::send(CapName(name), &message);
}

/// A line's notification ends: the line is free for another.
pub fn lines() {
    let irq = CapName(start::IRQ.0 + 3);
    for _ in 0..3 {
        let (bits, other) = (notification(), notification());
        check_eq!(calls::irq_bind(irq, bits.name()), Ok(()));
        check_eq!(calls::irq_bind(irq, other.name()), Err(Error::BadBinding));
        check_eq!(calls::irq_ack(irq), Ok(()));
        drop(bits);
        check_eq!(calls::irq_ack(irq), Err(Error::BadBinding));
        check_eq!(calls::irq_bind(irq, other.name()), Ok(()));
        check_eq!(calls::irq_unbind(irq), Ok(()));
    }
}

/// A pager that ends leaves its threads stopped; another can take over.
pub fn pagers() {
    fn faulting(_: u32) {
        board::set(30, 1);
        // SAFETY: an exception; whoever resumes the thread does so behind the instruction.
        unsafe { core::arch::asm!("int3") }
        board::set(30, 2);
    }
    for taken in [false, true] {
        board::clear();
        let (first, second) = (endpoint(), endpoint());
        let worker = Worker::spawn(&Home::own(), Options { pager: first.name(), ..ABOVE }, faulting, 0);
        check_eq!(worker.state(), State::Calling);
        if taken {
            let pager = Worker::spawn(
                &Home::own(),
                BELOW,
                |name| {
                    let _ = calls::receive(CapName(name));
                    let _ = calls::receive(CapName(board::get(31)));
                },
                first.name().0,
            );
            board::set(31, second.name().0);
            check!(pager.reaches(State::Receiving));
            // Receiving again has dropped the thread; had it not, its end would.
            check_eq!(worker.state(), State::Stopped);
            check_eq!(pager.destroy(), Ok(()));
        } else {
            drop(first);
        }
        check_eq!((worker.state(), board::get(30)), (State::Stopped, 1));
        // It goes on behind its exception, which int3 is.
        check_eq!(calls::continue_thread(worker.name(), second.name(), ABOVE.priority), Ok(()));
        check!(worker.ends());
        check_eq!(board::get(30), 2);
    }
    // A fault is repeated until somebody deals with it.
    let pager = endpoint();
    let worker = Worker::spawn(
        &Home::own(),
        Options { pager: pager.name(), ..ABOVE },
        |_| {
            // SAFETY: as above, but this one stays where it is.
            unsafe { core::arch::asm!("ud2") }
        },
        0,
    );
    for _ in 0..3 {
        let got = calls::receive(pager.name()).map(|got| (got.message.label(), got.message.word(0)));
        check_eq!(got, Ok((fault::EXCEPTION, 6)));
        check_eq!(calls::reply(None, &Message::new(fault::STOP)), Ok(()));
        check_eq!(worker.state(), State::Stopped);
        check_eq!(calls::continue_thread(worker.name(), pager.name(), ABOVE.priority), Ok(()));
    }
    drop(pager);
    check_eq!(worker.state(), State::Stopped);
}
