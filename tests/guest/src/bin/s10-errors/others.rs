//! Messages, capabilities, threads, information, devices, copies: what is refused at once.

use freehold_abi::designs::Operation;
use freehold_abi::info::start;
use freehold_abi::layout::USER_END;
use freehold_abi::layout::utcb::{RANGES, RANGES_COUNT};
use freehold_abi::{Call, Error, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint, notification};
use freehold_guest_tests::pages::{self, Frames};
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::calls::{self, Lend};
use freehold_rt::slots::Slot;
use freehold_rt::utcb::Range;
use freehold_rt::{CapName, Message, Rights, SlotRef, Utcb, time};

use crate::claims::{fails, fails_but};
use crate::scene::Scene;

/// Calls and waits for the answer, with a range of its stack.
fn caller(endpoint: u32) {
    let words = [0_u32; 4];
    Utcb::current().set_ranges(&[
        Range { address: words.as_ptr() as u32, bytes: 16, writable: false },
        Range { address: 0x9000_0000, bytes: 16, writable: true },
    ]);
    let _ = calls::call(CapName(endpoint), &Message::new(1).with_ranges());
}

/// A caller whose answer this thread holds.
fn called(endpoint: &Slot) -> Worker {
    let worker = Worker::spawn(&Home::own(), ABOVE, caller, endpoint.name().0);
    check!(calls::receive(endpoint.name()).is_ok());
    worker
}

pub fn messages() {
    let scene = &Scene::new();
    let (endpoint, bits) = (scene.endpoint.name().0, scene.bits.name().0);
    let deaf = derived(scene.endpoint.name(), Rights::SEND, 0, 0);
    for call in [Call::Call, Call::Send] {
        scene.name(call, Some(&scene.bits), Some(&scene.no_endpoint), true, |name| (0, [name, 0, 1, 2]));
        for tag in [63, 9 << 8, 62 | 1 << 8, 1 << 6, 1 << 12, 1 << 14 | 3] {
            fails(call, 0, [endpoint, tag, 1, 2], Error::BadMessage);
        }
    }
    let utcb = Utcb::current();
    let ranges = Tag::new(1, 0).with_ranges().0;
    utcb.set(RANGES_COUNT, 5);
    fails(Call::Call, 0, [endpoint, ranges, 1, 2], Error::BadMessage);
    utcb.set(RANGES_COUNT, 1);
    for (address, bytes) in [(USER_END, 1), (u32::MAX, 2), (USER_END - 4, 8)] {
        utcb.set(RANGES, address);
        utcb.set(RANGES + 1, bytes);
        fails(Call::Call, 0, [endpoint, ranges, 1, 2], Error::BadAddress);
    }
    scene.name(Call::Receive, Some(&scene.table), Some(&deaf), true, |name| (0, [name, 1, 2, 3]));
    fails(Call::Receive, 0, [scene.no_bits.name().0, 1, 2, 3], Error::NoRight);
    scene.name(Call::Notify, Some(&scene.endpoint), Some(&scene.no_bits), true, |name| (0, [name, 1, 2, 3]));

    // Replies: nobody to answer, then somebody, in vain.
    for call in [Call::Reply, Call::ReplyReceive] {
        fails(call, 0, [endpoint, 0, 1, 2], Error::NoReply);
        scene.name(call, Some(&scene.endpoint), None, false, |name| (name, [endpoint, 0, 1, 2]));
    }
    fails(Call::SaveReply, 0, [scene.empty(), 1, 2, 3], Error::NoReply);
    let _worker = called(&scene.endpoint);
    for call in [Call::Reply, Call::ReplyReceive] {
        fails(call, 0, [endpoint, 63, 1, 2], Error::BadMessage);
    }
    fails(Call::SaveReply, 0, [0, 1, 2, 3], Error::NoCapability);
    fails(Call::SaveReply, 0, [crate::scene::NO_NODE, 1, 2, 3], Error::NoCapability);
    fails(Call::SaveReply, 0, [bits, 1, 2, 3], Error::Occupied);
    check_eq!(calls::reply(None, &Message::new(0)), Ok(()));
    // Once the answer is delivered, the receive is what fails; the registers are then the reply's.
    for (name, error) in [
        (scene.empty(), Error::NoCapability),
        (scene.dying(), Error::Gone),
        (scene.table.name().0, Error::WrongKind),
        (deaf.name().0, Error::NoRight),
    ] {
        let worker = called(&scene.endpoint);
        let (status, _) = freehold_rt::call::enter(Call::ReplyReceive as u32, [name, 0, 0, 0]);
        if check_eq!(status, error as u32) {
            crate::claims::note(Call::ReplyReceive, error);
        }
        check!(worker.ends(), "the answer was delivered");
    }
}

pub fn capabilities() {
    let scene = &Scene::new();
    let (endpoint, slot) = (scene.endpoint.name().0, scene.empty());
    let derive = Call::Derive;
    scene.name(derive, None, None, true, |name| (7, [name, slot, 0, 0]));
    scene.empty_slot(derive, |slot| (7, [endpoint, slot, 0, 0]));
    let badged = derived(scene.endpoint.name(), Rights::ALL, 5, 3);
    fails(derive, 7, [badged.name().0, slot, 6, 0], Error::Badged);
    fails(derive, 7, [badged.name().0, slot, 0, 3], Error::NoCredits);
    fails(derive, 7, [scene.no_table.name().0, slot, 0, 0], Error::NoRight);
    let part = derived(scene.table.name(), Rights::ALL, calls::range(8, 4), 9);
    fails(derive, 7, [part.name().0, slot, calls::range(3, 2), 0], Error::OutOfRange);
    let ports = derived(start::PORTS, Rights::USE, calls::ports(0x80, 0x83), 9);
    for (first, last) in [(0x83, 0x80), (0x7F, 0x80), (0x83, 0x84)] {
        fails(derive, 7, [ports.name().0, slot, calls::ports(first, last), 0], Error::OutOfRange);
    }
    // Lending: for more than one has, and what is in use.
    let range = calls::range(scene.frames.at(0), 4);
    let lent = Slot::take().expect("a slot");
    check_eq!(
        calls::lend(scene.frames.container(), lent.reference(), Rights::ALL, range, Lend::exactly(2), 9),
        Ok(())
    );
    fails(derive, 7 | 3 << 3, [lent.name().0, slot, 0, 0], Error::NoCredits);
    let used = Frames::take(1, 1);
    check_eq!(pages::map(&used, pages::AT, Rights::NONE, 0), Ok(()));
    let range = calls::range(used.at(0), 1);
    fails(derive, 7 | 63 << 3, [used.container().0, slot, range, 0], Error::HasDescendants);
    // A reply capability is neither derived from nor revoked.
    let _worker = called(&scene.endpoint);
    let reply = Slot::take().expect("a slot");
    check_eq!(calls::save_reply(reply.name()), Ok(()));
    fails(derive, 7, [reply.name().0, slot, 0, 0], Error::WrongKind);
    fails(Call::Revoke, 0, [reply.name().0, 0, 0, 0], Error::WrongKind);

    scene.slot(Call::Move, |from| (0, [from, slot, 0, 0]));
    scene.empty_slot(Call::Move, |to| (0, [badged.name().0, to, 0, 0]));
    fails(Call::Move, 0, [slot, 50 << 7, 0, 0], Error::NoCapability);
    fails(Call::Move, 0, [endpoint, slot, 0, 0], Error::Unmovable);
    // A node of lent memory, which holds no larger totals.
    let node = Frames::take(1, 1);
    let poor = Slot::take().expect("a slot");
    let range = calls::range(node.at(0), 1);
    check_eq!(
        calls::lend(node.container(), poor.reference(), Rights::ALL, range, Lend::exactly(2), 9),
        Ok(())
    );
    check_eq!(calls::make_cap_node(poor.name(), 0, CapName::NONE, 31), Ok(()));
    fails(Call::Move, 0, [badged.name().0, CapName::new(31, 0).0, 0, 0], Error::NoCredits);
    fails(derive, 7, [endpoint, CapName::new(31, 0).0, 0, 3], Error::NoCredits);
    for call in [Call::Delete, Call::Revoke, Call::CapInfo] {
        scene.slot(call, |reference| (0, [reference, 1, 2, 3]));
    }
}

pub fn threads() {
    let scene = &Scene::new();
    let thread = scene.worker.name().0;
    for call in [Call::StartThread, Call::StopThread, Call::ThreadInfo] {
        scene.name(call, Some(&scene.endpoint), Some(&scene.no_thread), true, |name| {
            (5 << 8, [name, 0, 0, 0])
        });
    }
    // The first thread may give all priorities that exist.
    for priority in [32, 255] {
        fails(Call::StartThread, priority << 8, [thread, 0, 0, 0], Error::OutOfRange);
    }
    fails(Call::StartThread, 5 << 8, [start::THREAD.0, 0, 0, 0], Error::BadState);
    let frames = scene.worker.frames();
    check_eq!(calls::reclaim(frames.container, frames.first + 1, 1), Ok(()));
    fails(Call::StartThread, 5 << 8, [thread, 0, 0, 0], Error::NoSpace);
    // A thread may give no more than it was given.
    board::clear();
    let target = Worker::new(&Home::own(), ABOVE);
    board::set(90, target.name().0);
    let modest = Worker::spawn(
        &Home::own(),
        ABOVE,
        |own| {
            let target = CapName(board::get(90));
            let start = |priority| calls::start_thread(target, 0, 0, CapName::NONE, priority);
            board::set(91, u32::from(start(own as u8 + 1) == Err(Error::OutOfRange)));
            board::set(92, u32::from(start(31) == Err(Error::OutOfRange)));
        },
        ABOVE.priority.into(),
    );
    check!(modest.ends());
    check_eq!((board::get(91), board::get(92)), (1, 1));

    scene.space(Call::SpaceInfo, |space| (0, [space, u32::MAX, 1, 2]));
    for index in [500, 1024, u32::MAX - 1] {
        fails(Call::SpaceInfo, 0, [0, index, 1, 2], Error::OutOfRange);
    }
    for question in [14, 15, 16 + 12, u32::MAX] {
        fails(Call::KernelInfo, 0, [1, question, 2, 3], Error::OutOfRange);
    }
}

pub fn devices() {
    let scene = &Scene::new();
    let line = derived(CapName(start::IRQ.0 + 3), Rights::USE, 0, 9);
    let none = derived(line.name(), Rights::NONE, 0, 0);
    let bits = scene.bits.name().0;
    for call in [Call::IrqBind, Call::IrqAck] {
        scene.name(call, Some(&scene.endpoint), Some(&none), true, |name| (0, [name, bits, 0, 0]));
    }
    scene.name(Call::IrqBind, Some(&scene.endpoint), Some(&scene.no_bits), false, |name| {
        (0, [line.name().0, name, 0, 0])
    });
    fails(Call::IrqAck, 0, [line.name().0, 0, 0, 0], Error::BadBinding);
    check_eq!(calls::irq_bind(line.name(), scene.bits.name()), Ok(()));
    let other = notification();
    fails(Call::IrqBind, 0, [line.name().0, other.name().0, 0, 0], Error::BadBinding);
    check_eq!(calls::irq_unbind(line.name()), Ok(()));
    // The timer's line is the kernel's: neither bound nor closed.
    fails(Call::IrqBind, 0, [start::IRQ.0, bits, 0, 0], Error::BadBinding);
    fails(Call::IrqAck, 0, [start::IRQ.0, 0, 0, 0], Error::BadBinding);
    let _ = calls::irq_unbind(start::IRQ);
    let begin = time::ticks();
    time::sleep(3);
    check!(time::ticks() - begin >= 3, "the timer goes on");

    let ports = derived(start::PORTS, Rights::USE, calls::ports(0x80, 0x83), 9);
    let none = derived(ports.name(), Rights::NONE, calls::ports(0x80, 0x83), 0);
    let name = ports.name().0;
    for call in [Call::PortIn, Call::PortOut, Call::PortWrite] {
        let arguments = |name, port, width| match call {
            Call::PortIn => [name, port, width, 0],
            Call::PortOut => [name, port, 0, width],
            _ => [name, port, 0, 0],
        };
        scene.name(call, Some(&scene.endpoint), Some(&none), true, |name| (0, arguments(name, 0x80, 1)));
        for (port, width) in [(0x7F, 1), (0x84, 1), (0x1_0080, 1), (u32::MAX, 1)] {
            fails(call, 0, arguments(name, port, width), Error::OutOfRange);
        }
        if call != Call::PortWrite {
            for (port, width) in [(0x80, 0), (0x80, 3), (0x80, 8), (0x83, 2), (0x81, 4), (0x80, u32::MAX)] {
                fails(call, 0, arguments(name, port, width), Error::OutOfRange);
            }
        }
    }
    fails(Call::PortWrite, 0, [name, 0x80, 241, 0], Error::OutOfRange);
    let free = endpoint();
    check_eq!(calls::delete(SlotRef::own(free.name())), Ok(()));
}

pub fn copies() {
    let scene = &Scene::new();
    let call = Call::Copy;
    let own = Frames::take(1, 1);
    check_eq!(pages::map(&own, pages::AT, Rights::WRITE, 0), Ok(()));
    fails(call, 0, [0, pages::AT, 1, 0], Error::NoReply);
    scene.name(call, Some(&scene.endpoint), None, false, |name| (name, [0, pages::AT, 1, 0]));
    let _worker = called(&scene.endpoint);
    let outward = 1 << 16;
    for (immediate, offset, own, bytes, error) in [
        (2 << 12, 0, pages::AT, 1, Error::BadRange),
        (0, 15, pages::AT, 2, Error::BadRange),
        (0, u32::MAX, pages::AT, 2, Error::BadRange),
        (outward, 0, pages::AT, 1, Error::BadRange),
        (0, 0, USER_END, 1, Error::BadAddress),
        (0, 0, u32::MAX, 2, Error::BadAddress),
    ] {
        fails(call, immediate, [offset, own, bytes, 7], error);
    }
    // The fault's address comes back in EBP.
    fails_but(8, call, 0, [0, 0x5000, 4, 7], Error::FaultMine);
    fails_but(8, call, 1 << 12, [0, pages::AT, 4, 7], Error::FaultTheirs);
    fails_but(8, call, 1 << 12 | outward, [0, pages::AT, 4, 7], Error::FaultTheirs);
}

/// Under `user-tables` no operation of the other designs exists.
pub fn designs() {
    for operation in 0..=Operation::Account as u32 + 1 {
        fails(Call::Design, operation, [start::SPACE.0, 0, 0, 0], Error::UnknownCall);
    }
}
