//! Names, slot references, rights, ranges and badges that it was not given.
//!
//! It names every slot of its space in every call, and every slot in which there is nothing must be nothing to all of them; it
//! refers to slots of spaces through every capability that is to no space; it sets a second badge upon a badged capability, the
//! one to the victim's server and one of its own, and sends by it; it derives with rights and ranges that the source lacks, and
//! maps, hooks and reclaims by what comes of it; it answers calls that nobody made.
//!
//! Success would mean: a capability that nobody gave. Evidence: a call through an empty slot succeeds; a message arrives under
//! a badge that its sender was not given; a page that may only be read is written; an entry beyond the range is used.
//!
//! What stops it: invariant 4, and that names are looked up in the caller's own nodes: what a slot holds no word can say.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use freehold_attacks::edge::{self, Ground, probe, update};
use freehold_attacks::protocol::attack::{ECHO, VICTIM};
use freehold_attacks::rt::abi::info::{Kind, start};
use freehold_attacks::rt::abi::layout::{NODE_SLOTS, NODES};
use freehold_attacks::rt::abi::{Call, error};
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::{CapName, Message, Rights, SlotRef, call, calls, memory, thread};
use freehold_attacks::{Evidence, Kit, String, attack, format, idle};

attack!("forged-capability", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

const NAMES: u32 = NODES * NODE_SLOTS;
/// Slots tried between two looks at whether it is time to end.
const AT_A_TIME: u32 = 64;
/// The badge that it gives, and the one that it forges.
const GIVEN: u32 = 7;
const FORGED: u32 = 9;
const MARK: u32 = 0xF026_ED01;

/// Calls whose first register names a capability that has to be there.
const CALLS: [Call; 27] = [
    Call::Call,
    Call::Send,
    Call::Receive,
    Call::ReplyReceive,
    Call::Notify,
    Call::Derive,
    Call::MakeCapNode,
    Call::MakeSpace,
    Call::MakeTable,
    Call::MakeThread,
    Call::Hook,
    Call::Unhook,
    Call::Validate,
    Call::Unmap,
    Call::RevokeRange,
    Call::Reclaim,
    Call::Withdraw,
    Call::StartThread,
    Call::StopThread,
    Call::ThreadInfo,
    Call::SpaceInfo,
    Call::IrqBind,
    Call::IrqAck,
    Call::PortIn,
    Call::PortOut,
    Call::PortWrite,
    Call::Design,
];

fn work(kit: &mut Kit) -> Evidence {
    let scene = (Ground::new(0), memory::take(2, 1));
    let (Some(ground), Some(frames)) = scene else { return kit.untried("no memory to try it with") };
    let mut next = 1;
    loop {
        let found = by_badge(kit)
            .or_else(|| by_right(kit, &ground, frames))
            .or_else(|| by_range(kit, &ground, frames))
            .or_else(|| (0..AT_A_TIME).find_map(|at| by_name(kit, 1 + (next + at) % (NAMES - 1))));
        if let Some(how) = found {
            kit.successes += 1;
            return kit.broken(how);
        }
        next = (next + AT_A_TIME) % (NAMES - 1);
        if kit.stopped() {
            return kit.held(format!("{} names, references, badges, rights and ranges", kit.tries));
        }
    }
}

/// An empty slot in every call, also with bits above those that count; and as a space that slots are referred to by.
fn by_name(kit: &mut Kit, name: u32) -> Option<String> {
    let info = calls::cap_info(SlotRef::own(CapName(name)));
    if info.is_ok_and(|info| info.kind == Kind::Empty) || info.is_err() {
        for number in CALLS {
            for name in [name, name | 0xABCD_E000] {
                kit.tries += 1;
                let (result, _) = kit.within(0, || call::call(number, 0, [name, 0, 1, 1]));
                if result.is_ok() {
                    return Some(format!("{number:?} succeeds with the name {name:#x} of nothing"));
                }
            }
        }
    }
    if info.is_ok_and(|info| info.kind == Kind::Space) {
        return None;
    }
    kit.tries += 2;
    let reference = SlotRef::of(CapName(name), start::SPACE);
    let seen = calls::cap_info(reference).is_ok();
    let moved = calls::make_endpoint(SlotRef::of(CapName(name), CapName(NAMES - 1))).is_ok();
    (seen || moved).then(|| format!("slots are referred to through the name {name:#x}, which is no space"))
}

static BY: AtomicU32 = AtomicU32::new(0);

/// A badge where there is one.
fn by_badge(kit: &mut Kit) -> Option<String> {
    let (origin, given, forged) = (Slot::take()?, Slot::take()?, Slot::take()?);
    // The victim's own badge at its server.
    kit.tries += 1;
    if calls::derive(kit.server, forged.reference(), Rights::SEND, VICTIM, 0).is_ok() {
        let answer = kit.within(5, || calls::call(forged.name(), &Message::of(ECHO, &[MARK, 0])));
        if answer.is_ok() {
            return Some("the victim's server answered it as the victim".into());
        }
    }
    calls::make_endpoint(origin.reference()).ok()?;
    calls::derive(origin.name(), given.reference(), Rights::SEND, GIVEN, 16).ok()?;
    let _ = calls::delete(forged.reference());
    kit.tries += 1;
    calls::derive(given.name(), forged.reference(), Rights::SEND, FORGED, 0).ok()?;
    BY.store(forged.name().0, Relaxed);
    let sender =
        thread::spawn(send, 0, thread::Options { stack_pages: 2, ..thread::Options::new(probe::priority()) })
            .ok()?;
    let got = kit.within(5, || calls::receive(origin.name()));
    let _ = sender.destroy();
    let badge = got.ok()?.badge;
    (badge != GIVEN).then(|| format!("a message arrived under badge {badge}; what was given had {GIVEN}"))
}

fn send(_: u32) {
    let _ = calls::send(CapName(BY.load(Relaxed)), &Message::of(0, &[MARK]));
}

/// Rights that the source lacks.
fn by_right(kit: &mut Kit, ground: &Ground, frames: Extent) -> Option<String> {
    let (less, more, origin, heard) = (Slot::take()?, Slot::take()?, Slot::take()?, Slot::take()?);
    let range = calls::range(frames.first, 1);
    let code = calls::Lend::exactly(8);
    calls::lend(frames.container, less.reference(), Rights::EDIT.or(Rights::SHARE), range, code, 8).ok()?;
    kit.tries += 3;
    let derived = calls::lend(less.name(), more.reference(), Rights::ALL, calls::range(0, 1), code, 4);
    for source in [less.name(), more.name()] {
        let from = Extent { container: source, first: 0, count: 1 };
        let _ = ground.map(from, 0, Rights::WRITE, 0);
        let written = probe::write(ground.address(0), MARK);
        let _ = ground.unmap(0, 1);
        if written {
            return Some(format!("a page lent to be read was written ({derived:?})"));
        }
    }
    // To send is not to receive.
    calls::make_endpoint(origin.reference()).ok()?;
    calls::derive(origin.name(), heard.reference(), Rights::SEND, GIVEN, 8).ok()?;
    let _ = calls::delete(more.reference());
    let _ = calls::derive(heard.name(), more.reference(), Rights::ALL, 0, 0);
    [heard.name(), more.name()].into_iter().find_map(|name| {
        kit.tries += 1;
        let (result, _) = kit.within(0, || call::call(Call::Receive, 0, [name.0, 0, 0, 0]));
        // With the right, nothing would be there.
        let refused = matches!(
            result,
            Err(freehold_attacks::rt::Error::NoRight | freehold_attacks::rt::Error::NoCapability)
        );
        (!refused).then(|| format!("Receive by a capability to send answers {result:?}"))
    })
}

/// Entries beyond the range; and a reply to nobody.
fn by_range(kit: &mut Kit, ground: &Ground, frames: Extent) -> Option<String> {
    let (part, more) = (Slot::take()?, Slot::take()?);
    let code = calls::Lend::exactly(8);
    let range = calls::range(frames.first, 1);
    calls::lend(frames.container, part.reference(), Rights::ALL, range, code, 8).ok()?;
    let beyond = |first, count| Extent { container: part.name(), first, count };
    let maps = |extent| calls::update(&[update(extent, ground.table(), 8, Rights::WRITE, 0)]).is_ok();
    let tries = [
        calls::lend(part.name(), more.reference(), Rights::ALL, calls::range(0, 2), code, 0).is_ok(),
        calls::lend(part.name(), more.reference(), Rights::ALL, calls::range(1023, 1024), code, 0).is_ok(),
        maps(beyond(1, 1)),
        maps(beyond(0, 2)),
        maps(beyond(1023, 1024)),
        calls::reclaim(part.name(), 1, 1).is_ok(),
        calls::reclaim(part.name(), 0, 2).is_ok(),
        calls::unmap(part.name(), 1, 1).is_ok(),
        calls::hook(part.name(), CapName::NONE, ground.index() + 1, Rights::WRITE).is_ok(),
        calls::reply(None, &Message::new(0)).is_ok(),
        error::status(call::enter(Call::Reply as u32 | part.name().0 << 8, [0; 4]).0).is_ok(),
    ];
    kit.tries += tries.len() as u32;
    let _ = ground.unmap(8, 2);
    let at = tries.into_iter().position(|succeeded| succeeded)?;
    Some(format!("way {at} beyond a range of one entry"))
}
