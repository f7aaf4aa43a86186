//! A storm: threads of several priorities in two spaces make whatever calls with strings, and the first thread stops
//! and destroys them, takes their pages, their Tables, their capabilities and the endpoint away, and answers their faults or
//! does not, all of it between any two pieces of a copy.
//!
//! What must hold: whatever happens, a thread that has stopped has its own priority; who is in a transfer has the
//! higher of two that there are; nobody stays in one when all others are gone; what is only read, and what nobody
//! named, stays as it was. The numbers are the same in every run.

use alloc::vec::Vec;

use freehold_abi::fault::{RESUME, STOP};
use freehold_abi::info::State;
use freehold_abi::layout::{BLOCK, FOREVER, FRAME};
use freehold_abi::message::Item;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::random::Random;
use freehold_guest_tests::worker::MAIN_PRIORITY;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Rights, Utcb, calls, time};

use crate::actor::{Actor, Outcome};
use crate::memory::{GUARD, Memory, byte, fill, guard, pattern};
use crate::order::{Order, part};
use crate::scene::{RECEIVER, SENDER, Scene};

const ROUNDS: u32 = 2500;
/// Pages of each space's memory: strings come from the first, go to those in the middle, and never to the last.
const PAGES: u32 = 512;
const READ: u32 = 128;
const NAMED: u32 = 496;
/// Their priorities. Those below the first thread compute only while it sleeps, and so are met in the middle.
const PRIORITIES: [u8; 6] = [14, 16, 11, 13, 17, 12];
const _: () = assert!(MAIN_PRIORITY == 15);
const BADGES: [u32; 2] = [SENDER, RECEIVER];
/// Slots of each space for what is sent: capabilities of any kind, saved replies among them.
const GOODS: core::ops::Range<u32> = 20..28;
const LIMITS: [u32; 4] = [0, 10, 30, FOREVER];

struct Storm {
    random: Random,
    actors: Vec<Actor>,
    /// Pages that are missing, and whether the Table is hooked where its actors live.
    missing: [Vec<u32>; 2],
    hooked: [bool; 2],
    /// Copies that were over, and that were met in the middle.
    done: u32,
    caught: u32,
    scene: Scene,
}

/// Whatever happens to transfers.
pub fn storm() {
    let scene = Scene::at([MAIN_PRIORITY + 1; 2], [Home::new(), Home::new()], PAGES);
    for memory in [&scene.from, &scene.to] {
        fill(part(memory.base(), READ * FRAME));
        guard(part(memory.page(READ), (PAGES - READ) * FRAME));
    }
    let actors = (0..PRIORITIES.len()).map(|index| actor(&scene, index)).collect();
    let mut storm = Storm {
        random: Random::new(0x5704_0001),
        actors,
        missing: [Vec::new(), Vec::new()],
        hooked: [true; 2],
        done: 0,
        caught: 0,
        scene,
    };
    (0..PRIORITIES.len()).for_each(|index| storm.begin(index));
    for _ in 0..ROUNDS {
        storm.round();
    }
    storm.clear_up();
}

fn actor(scene: &Scene, index: usize) -> Actor {
    let names = [scene.door.name(), scene.faults.name()];
    Actor::at(PRIORITIES[index], &scene.homes[index % 2], 2 + index, names, BADGES[index % 2])
}

fn good(random: &mut Random) -> CapName {
    CapName(GOODS.start + random.below(GOODS.len() as u32))
}

impl Storm {
    fn memory(&self, side: usize) -> &Memory {
        if side == 0 { &self.scene.from } else { &self.scene.to }
    }

    fn round(&mut self) {
        let index = self.random.below(PRIORITIES.len() as u32) as usize;
        let side = index % 2;
        match self.random.below(24) {
            0..10 => self.go_on(index),
            10 | 11 => self.stop(index),
            12..15 => self.answer(),
            15 => self.remove(side),
            16 => self.unhook(side),
            17 if self.random.below(4) == 0 => self.replace_door(),
            18 if self.random.below(4) == 0 => {
                let destroyed = self.actors.remove(index);
                drop(destroyed);
                self.actors.insert(index, actor(&self.scene, index));
                self.begin(index);
            }
            19 | 20 => self.deal(side),
            21 => {
                let door = self.scene.door.name();
                // Whoever called has no answer.
                let _ = Utcb::current().within((0, 0), || calls::receive(door));
            }
            _ => time::sleep(1),
        }
        for (actor, own) in self.actors.iter().zip(PRIORITIES) {
            let info = actor.worker().info();
            if matches!(info.state, State::Stopped | State::Receiving) {
                check_eq!(info.priority, u32::from(own), "nobody lends it any");
            }
            check!(PRIORITIES.map(u32::from).contains(&info.priority), "{}", info.priority);
            self.caught += u32::from(info.state == State::Transferring);
        }
    }

    /// Gives an actor that is through with its order the next one.
    fn go_on(&mut self, index: usize) {
        if self.actors[index].state() != State::Stopped {
            return;
        }
        if !self.actors[index].worker().has_ended() {
            // It was stopped in the middle, and hears of it.
            return self.actors[index].continue_();
        }
        self.done += u32::from(self.actors[index].outcome() == Outcome::Done);
        self.begin(index);
    }

    fn begin(&mut self, index: usize) {
        let order = self.order(index);
        self.actors[index].go(&order);
    }

    fn order(&mut self, index: usize) -> Order {
        let door = self.actors[index].door;
        let memory = if index.is_multiple_of(2) { &self.scene.from } else { &self.scene.to };
        let (base, random) = (memory.base(), &mut self.random);
        let size = |random: &mut Random, most: u32| match random.below(3) {
            0 => 1 + random.below(64),
            1 => 1 + random.below(3 * FRAME),
            _ => 1 + random.below(most),
        };
        let mut strings = [part(0, 0); 3];
        let count = 1 + random.below(3) as usize;
        for string in &mut strings[..count] {
            let bytes = size(random, READ * FRAME / 2);
            *string = part(base + random.below(READ * FRAME - bytes), bytes);
        }
        // One behind the other, with gaps, all in the middle.
        let (mut buffers, mut at, each) = ([part(0, 0); 2], READ * FRAME, (NAMED - READ) * FRAME / 2);
        for buffer in &mut buffers {
            let bytes =
                if random.below(4) == 0 { 1 + random.below(FRAME) } else { each - random.below(FRAME) };
            *buffer = part(base + at + random.below(each - bytes + 1), bytes);
            at += each;
        }
        let faults = (random.one_of(&LIMITS), random.one_of(&LIMITS));
        let others = (random.one_of(&LIMITS), random.one_of(&LIMITS));
        let limits = (random.one_of(&LIMITS[1..]), random.one_of(&LIMITS[1..]));
        let strings: &[Part] = &strings[..count];
        let item = |random: &mut Random| Item {
            source: good(random),
            moved: random.below(2) == 0,
            rights: Rights::ALL,
            total: 0,
        };
        let items = [item(random), item(random)];
        let items = &items[..random.below(5).saturating_sub(2) as usize];
        let order = match random.below(9) {
            0 | 1 => Order::send(door, 1).items(items).strings(strings, faults),
            2 => Order::call(door, 2).items(items).strings(strings, faults).accept(&buffers, others),
            3 => Order::call(door, 3).items(items).accept(&buffers, others),
            4 => Order::reply(4).items(items).strings(strings, faults),
            5 => Order::reply_receive(door, 5).strings(strings, faults).accept(&buffers, others),
            6 => Order::save_reply(good(random)),
            _ => Order::receive(door).accept(&buffers, others),
        };
        let by_name = order.is_reply() && random.below(2) == 0;
        let order = if by_name { order.named(good(random)) } else { order };
        order.slots(good(random), random.below(4)).limits(limits.0, limits.1)
    }

    /// Puts a capability to the endpoint into a slot of a space, or empties one.
    fn deal(&mut self, side: usize) {
        let slot = self.scene.homes[side].slot(good(&mut self.random));
        if self.random.below(2) == 0 {
            check_eq!(calls::delete(slot), Ok(()));
        } else {
            // It can be occupied.
            let _ = calls::derive(self.scene.door.name(), slot, Rights::ALL, BADGES[side], 3);
        }
    }

    fn stop(&mut self, index: usize) {
        check_eq!(calls::stop_thread(self.actors[index].worker().name()), Ok(()));
        if self.random.below(2) == 0 {
            self.go_on(index);
        }
    }

    /// Answers a fault, or not: the next receive then lets it be lost.
    fn answer(&mut self) {
        let Some(fault) = self.scene.fault() else { return };
        let side = usize::from(fault.who == RECEIVER);
        let page = self.memory(side).page_of(fault.address);
        // The thread may be gone from its transfer by now.
        let _ = match self.random.below(8) {
            0 => self.scene.answer(STOP, &[]),
            1 => Ok(()),
            2 => self.scene.answer(RESUME, &[]),
            _ => {
                self.restore(side, page);
                self.scene.answer(RESUME, &[])
            }
        };
    }

    fn restore(&mut self, side: usize, page: u32) {
        if let Some(place) = self.missing[side].iter().position(|&other| other == page) {
            self.missing[side].swap_remove(place);
            self.memory(side).restore(page, 1);
        }
        if !self.hooked[side] {
            self.hooked[side] = true;
            let memory = self.memory(side);
            memory.hook_at(&self.scene.homes[side], memory.base() / BLOCK);
        }
    }

    fn remove(&mut self, side: usize) {
        let page = self.random.below(NAMED);
        if !self.missing[side].contains(&page) {
            self.missing[side].push(page);
            self.memory(side).remove(page, 1);
        }
        if self.missing[side].len() > 12 {
            self.restore(side, self.missing[side][0]);
        }
    }

    /// Takes the whole Table away, which perhaps lies in the window at this moment, or gives it back.
    fn unhook(&mut self, side: usize) {
        if !self.hooked[side] {
            return self.restore(side, PAGES);
        }
        self.hooked[side] = false;
        let index = self.memory(side).base() / BLOCK;
        check_eq!(calls::unhook(self.scene.homes[side].space(), index), Ok(()));
    }

    /// Another endpoint, in the same slot and by the same names.
    fn replace_door(&mut self) {
        let door = &self.scene.door;
        check_eq!(calls::delete(door.reference()), Ok(()));
        check_eq!(calls::make_endpoint(door.reference()), Ok(()));
        for (side, home) in self.scene.homes.iter().enumerate() {
            home.give(self.actors[side].door, door.name(), Rights::ALL, BADGES[side]);
        }
    }

    /// Who is left alone is in no transfer any more.
    fn clear_up(mut self) {
        while let Some(actor) = self.actors.pop() {
            check_eq!(calls::stop_thread(actor.worker().name()), Ok(()));
            check_eq!(actor.worker().info().priority, u32::from(actor.priority()));
        }
        for side in 0..2 {
            while let Some(&page) = self.missing[side].first() {
                self.restore(side, page);
            }
            let memory = self.memory(side);
            let holds = |first: u32, behind: u32, right: fn(u32) -> u8| {
                (memory.page(first)..memory.page(behind)).all(|address| byte(address) == right(address))
            };
            check!(holds(0, READ, pattern), "what is only read has changed");
            check!(holds(NAMED, PAGES, |_| GUARD), "what nobody named has changed");
        }
        check!(self.done > ROUNDS / 100, "only {} calls came to a good end", self.done);
        check!(self.caught > ROUNDS / 50, "only {} times in the middle", self.caught);
    }
}
