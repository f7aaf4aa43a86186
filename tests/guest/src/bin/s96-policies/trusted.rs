//! Who is trusted, and that nobody comes to be.

use freehold_abi::info::{State, place};
use freehold_abi::layout::ENTRIES;
use freehold_guest_tests::home::{BLOCKS, Home};
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::pages::Frames;
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::calls::{self, Lend, ThreadPlace};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, SlotRef};

use crate::scene::{Scene, TO, sender, tell, told};

/// A part of memory, as the other space names it, and where it puts what it makes.
const MEMORY: CapName = CapName(50);
const MADE: CapName = CapName(51);
const THREAD: CapName = CapName(52);

/// Frames lent to an untrusted space.
fn lend(home: &Home, count: u32) -> (Frames, Slot) {
    let frames = Frames::take(count, 4);
    let proxy = Slot::take().expect("a slot");
    let part = calls::range(frames.at(0), count);
    calls::lend(frames.container(), proxy.reference(), Rights::ALL, part, Lend::UNLIMITED, 400)
        .expect("memory lent");
    let given = calls::lend(
        proxy.name(),
        home.slot(MEMORY),
        Rights::ALL,
        calls::range(0, count),
        Lend::UNLIMITED,
        100,
    );
    check_eq!(given, Ok(()));
    (frames, proxy)
}

/// What an untrusted space says of itself, and of others, counts for nothing.
pub fn marks() {
    fn says(_: u32) {
        tell(0, calls::distrust(CapName::NONE, None));
        let (number, operation) =
            (freehold_abi::Call::Design, freehold_abi::designs::Operation::Distrust as u32);
        for (at, space, endpoint) in
            [(1, CapName::NONE, 0), (2, MADE, 0), (3, MADE, TO.0), (4, CapName::NONE, TO.0)]
        {
            tell(at, freehold_rt::call::call(number, operation, [space.0, endpoint, 0, 0]).0);
        }
        sender(0);
    }
    let scene = Scene::new();
    let other = Home::new();
    scene.home.give(MADE, other.space(), Rights::EDIT, 0);
    let worker = scene.thread(says, 0);
    for at in 0..5 {
        check_eq!(told(at), Some(Err(Error::NoRight)), "{at}");
    }
    check_eq!(worker.state(), State::Sending);
    check!(scene.shown().is_ok(), "it is still untrusted");
    check_eq!(calls::propagate(Ok(())), Ok(()));
    check!(calls::receive(scene.endpoint.name()).is_ok() && worker.ends());
    // Others can trust it again.
    check_eq!(calls::distrust(CapName(0xFFF), None), Err(Error::NoCapability));
    check_eq!(calls::distrust(scene.home.space(), None), Err(Error::OutOfRange), "no endpoint");
    check_eq!(calls::trust(scene.home.space()), Ok(()));
    drop(worker);
    let worker = scene.thread(sender, 0);
    check!(calls::receive(scene.endpoint.name()).is_ok() && worker.ends());
    scene.nothing_shown();
}

/// A space that it makes is no more trusted than itself, whoever makes threads there.
pub fn makes_spaces() {
    fn makes(_: u32) {
        let made = calls::make_space(MEMORY, 0, SlotRef::own(MADE), place::AREA, ENTRIES)
            .and_then(|()| calls::make_table(MEMORY, 4, SlotRef::default(), MADE))
            .and_then(|()| calls::make_table(MEMORY, 8, SlotRef::own(CapName(53)), MADE))
            .and_then(|()| calls::hook(CapName(53), MADE, BLOCKS >> 22, Rights::WRITE))
            .and_then(|()| calls::make_cap_node(MEMORY, 12, MADE, 0))
            .and_then(|()| calls::derive(TO, SlotRef::of(MADE, TO), Rights::SEND, 0, 0));
        tell(0, made);
    }
    let scene = Scene::new();
    let (frames, proxy) = lend(&scene.home, 16);
    calls::delete(scene.home.slot(TO)).expect("a capability");
    calls::derive(scene.endpoint.name(), scene.home.slot(TO), Rights::SEND, 0, 9).expect("a capability");
    let maker = scene.thread(makes, 1);
    check!(maker.ends());
    check_eq!(told(0), Some(Ok(())));
    // The image, and a thread of the test's own.
    let space = Slot::take().expect("a slot");
    check_eq!(calls::relocate(scene.home.slot(MADE), space.reference()), Ok(()));
    let image = freehold_guest_tests::home::IMAGE_TABLE;
    check_eq!(calls::hook(image, space.name(), place::IMAGE >> 22, Rights::WRITE), Ok(()));
    let code = Frames::take(4, 1);
    let stack = freehold_guest_tests::pages::update(
        (code.container(), code.at(2)),
        2,
        space.name(),
        (BLOCKS + 0x10_0000) >> 12,
        Rights::WRITE,
        0,
    );
    check_eq!(calls::update(&[stack]), Ok(()));
    let thread = Slot::take().expect("a slot");
    let place = ThreadPlace {
        container: code.container(),
        thread: code.at(0),
        utcb: code.at(1),
        space: space.name(),
        address: BLOCKS + 0x20_0000,
        fpu: false,
    };
    check_eq!(calls::make_thread(place, thread.reference()), Ok(()));
    let entry = sends_bare as *const () as u32;
    let started =
        calls::start_thread(thread.name(), entry, BLOCKS + 0x10_2000, CapName::NONE, ABOVE.priority);
    check_eq!(started, Ok(()));
    check_eq!(scene.shown().map(|message| message.label()), Ok(17));
    check_eq!(calls::propagate(Err(Error::Busy)), Ok(()));
    check_eq!(board::get(5), Error::Busy as u32);
    drop((code, thread));
    drop((space, proxy, frames));
}

/// Sends without a runtime, and says what came of it.
extern "C" fn sends_bare() -> ! {
    let (status, _) = freehold_rt::call::enter(freehold_abi::Call::Send as u32, [TO.0, 17 << 16, 0, 0]);
    board::set(5, status);
    loop {
        let _ = calls::null();
        // SAFETY: an exception, which ends the thread.
        unsafe { core::arch::asm!("ud2") }
    }
}

/// A trusted space in which it makes a thread, or starts one, is trusted no longer.
pub fn uses_spaces() {
    fn starts(_: u32) {
        let entry = sends_bare as *const () as u32;
        tell(0, calls::start_thread(THREAD, entry, board::get(9), CapName::NONE, ABOVE.priority));
    }
    let scene = Scene::new();
    let other = Home::new();
    other.give(TO, scene.endpoint.name(), Rights::SEND, 1);
    let thread = Worker::new(&other, ABOVE);
    scene.home.give(THREAD, thread.name(), Rights::CONTROL, 0);
    board::set(9, thread.stack_end());
    let starter = scene.thread(starts, 0);
    check!(starter.ends());
    check_eq!(told(0), Some(Ok(())));
    check_eq!(scene.shown().map(|message| message.label()), Ok(17));
    check_eq!(calls::propagate(Err(Error::Busy)), Ok(()));
    check_eq!(board::get(5), Error::Busy as u32);

    fn makes(_: u32) {
        let place = ThreadPlace {
            container: MEMORY,
            thread: 0,
            utcb: 1,
            space: MADE,
            address: BLOCKS + 0x3F_0000,
            fpu: false,
        };
        tell(1, calls::make_thread(place, SlotRef::own(CapName(54))));
    }
    let another = Home::new();
    another.give(TO, scene.endpoint.name(), Rights::SEND, 1);
    scene.home.give(MADE, another.space(), Rights::EDIT, 0);
    let (frames, proxy) = lend(&scene.home, 4);
    let maker = scene.thread(makes, 0);
    check!(maker.ends());
    check_eq!(told(1), Some(Ok(())));
    let own = Worker::spawn(&another, ABOVE, sender, 0);
    check_eq!(own.state(), State::Sending);
    check!(scene.shown().is_ok(), "whoever made the thread that sends");
    check_eq!(calls::propagate(Ok(())), Ok(()));
    check!(calls::receive(scene.endpoint.name()).is_ok() && own.ends());
    drop((proxy, frames));
}

/// As many doors as there can be, and one more; those that end make room.
pub fn doors() {
    let home = Home::new();
    let mut doors: [Option<Slot>; 9] = core::array::from_fn(|_| Some(endpoint()));
    for (index, door) in doors.iter().flatten().enumerate() {
        let expected = if index < 8 { Ok(()) } else { Err(Error::OutOfRange) };
        check_eq!(calls::distrust(home.space(), Some(door.name())), expected, "{index}");
    }
    let badged = derived(doors[0].as_ref().expect("a door").name(), Rights::SEND, 9, 0);
    check_eq!(calls::distrust(home.space(), Some(badged.name())), Ok(()), "one of these, otherwise badged");
    doors[3] = None;
    let last = doors[8].as_ref().expect("a door").name();
    check_eq!(calls::distrust(home.space(), Some(last)), Ok(()));
    let receive = derived(last, Rights::RECEIVE, 0, 0);
    check_eq!(calls::distrust(home.space(), Some(receive.name())), Err(Error::NoRight));
}
