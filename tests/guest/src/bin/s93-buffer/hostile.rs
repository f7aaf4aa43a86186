//! Clients that do not play along. Whatever they send, they learn what was wrong with it, and the server goes on
//! serving somebody else.

use freehold_abi::layout::{ENTRIES, FOREVER, FRAME};
use freehold_abi::message::Item;
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::pages::Frames;
use freehold_guest_tests::{check, check_eq};
use freehold_protocol::answer::DONE;
use freehold_protocol::buffer::{
    BAD, GET, HOOK, LOST, MORE, PULL, PUT, PUT_ON, REST, STRING, TAKE, TOO_LARGE, UNKNOWN,
};
use freehold_rt::buffer::{Peer, Trust, Way};
use freehold_rt::calls::{self, Broken, range};
use freehold_rt::slots::Slot;
use freehold_rt::utcb::{Part, Range};
use freehold_rt::{CapName, Error, Message, Rights, Utcb};

use crate::duo::{self, Duo, PIECE, REPLY, REQUEST};
use crate::ways;

/// The hostile client's badge, and the other one's.
const HOSTILE: u32 = 1;
const OTHER: u32 = 2;
/// An address at which nothing is.
const NOWHERE: u32 = 700 << 22;

/// A server, a hostile client's way to it, another client's.
struct Scene {
    duo: Duo,
    hostile: Slot,
    other: Slot,
    trust: Trust,
}

impl Scene {
    fn new(trust: Trust) -> Scene {
        let duo = Duo::new(trust);
        let (hostile, other) = (duo.client(HOSTILE), duo.client(OTHER));
        Scene { duo, hostile, other, trust }
    }

    /// Sends, as the hostile client: the answer's label and first word.
    fn send(&self, message: &Message) -> (u16, u32) {
        match calls::call(self.hostile.name(), message) {
            Ok(answer) => (answer.label(), answer.word(0)),
            Err(error) => (0xFFFF, error as u32),
        }
    }

    /// Whether the server names a slot.
    fn takes_capabilities(&self) -> bool {
        self.trust == Trust::Trusting
    }

    fn words(&self, label: u16, words: &[u32]) -> (u16, u32) {
        self.send(&Message::of(label, words))
    }

    /// Somebody else is served, in three ways.
    fn serves(&self, what: &str) {
        let mut peer = Peer::new(self.other.name(), Trust::Distrusting);
        for (way, bytes) in [(Way::Registers, 1000), (Way::Touched, 5000), (Way::Pull, 70_000)] {
            duo::fill(4, bytes, bytes);
            let done = ways::call(&mut peer, way, duo::PLAIN, (bytes, bytes), 4);
            check_eq!(done.map(|done| done.bytes), Ok(bytes as u32), "after {what}");
        }
    }
}

fn each(test: fn(&Scene)) {
    for trust in ways::TRUSTS {
        test(&Scene::new(trust));
    }
}

/// A head: op 7, ticket, request bytes, room.
fn head(ticket: u32, bytes: u32, room: u32) -> [u32; 5] {
    [7 | ticket << 16, 1, 2, bytes, room]
}

/// A head and a further word.
fn head_and(ticket: u32, bytes: u32, room: u32, word: u32) -> [u32; 6] {
    let [first, second, third, fourth, fifth] = head(ticket, bytes, room);
    [first, second, third, fourth, fifth, word]
}

/// What is no message of these, and messages in registers that contradict themselves.
pub fn registers() {
    duo::with_pager(duo::THREAD, || {
        each(|scene| {
            check_eq!(scene.words(0, &[]), (BAD, 0));
            check_eq!(scene.words(0xFFFF, &[1; 62]), (BAD, 0));
            for label in [PUT, STRING, PULL] {
                check_eq!(scene.words(label, &[7, 1, 2, 0]), (BAD, 0), "no head: {label:#x}");
            }
            // Counts.
            for bytes in [PIECE + 1, 1 << 31, u32::MAX] {
                check_eq!(scene.words(PUT, &head(1, bytes, 0)), (TOO_LARGE, PIECE));
                check_eq!(scene.words(PULL, &head_and(1, bytes, 0, 0)), (TOO_LARGE, PIECE));
                check_eq!(scene.words(STRING, &head(1, bytes, 0)), (BAD, 0));
            }
            check_eq!(scene.words(PUT, &head(1, 1, 0)), (BAD, 0), "a byte that is not there");
            check_eq!(scene.words(PUT, &head(1, 1000, 0)), (BAD, 0), "as many as fit, not there");
            check_eq!(scene.words(PUT, &head(1, 0, u32::MAX)).0, DONE, "room for everything");
            scene.serves("wrong counts");
            // Offsets, tickets.
            check_eq!(scene.words(PUT_ON, &[9, 228]), (MORE, 0), "of no call");
            let mut first = Message::of(PUT, &head(2, 1000, 0));
            while first.words().len() < 62 {
                first.push(0x0101_0101);
            }
            check_eq!(scene.send(&first), (MORE, 228));
            for offset in [0, 227, 229, 1000, u32::MAX] {
                check_eq!(scene.words(PUT_ON, &[2, offset]), (MORE, 228), "{offset}");
            }
            check_eq!(scene.words(PUT_ON, &[3, 228]), (MORE, 0), "another ticket");
            check_eq!(scene.words(PUT_ON, &[2 | 1 << 16, 228]), (MORE, 0), "a ticket that is none");
            check_eq!(scene.words(PUT_ON, &[2, 228]), (MORE, 228), "without bytes");
            check_eq!(scene.words(GET, &[2, 0]), (LOST, 0), "the reply before the request");
            check_eq!(scene.words(GET, &[1, 0]), (UNKNOWN, 0), "of an earlier call");
            for label in [GET, REST, TAKE] {
                check_eq!(scene.words(label, &[77, 0]), (UNKNOWN, 0));
            }
            // A reply's pieces, behind its end as well.
            check_eq!(scene.words(PUT, &head(5, 0, 500)).0, DONE);
            for offset in [0, 499, 500, 501, u32::MAX] {
                check_eq!(scene.words(GET, &[5, offset]).0, DONE, "{offset}");
            }
            check_eq!(scene.words(TAKE, &[5, 0]), (BAD, Error::BadRange as u32));
            check_eq!(scene.words(TAKE, &[5, u32::MAX]).0, DONE, "nothing is left");
            check_eq!(scene.words(REST, &[5, 0]), (BAD, Error::NoRoom as u32));
            scene.serves("wrong offsets");
        });
    });
}

/// Strings where none are expected, of other lengths than said, without room for the reply, from memory that is not
/// there; ranges that are not what was said.
pub fn memory() {
    duo::with_pager(duo::THREAD, || {
        each(|scene| {
            let (utcb, handled) = (Utcb::current(), duo::handled());
            let strings = |label, words: &[u32], part: Part| {
                utcb.set_send_faults(0, FOREVER);
                utcb.set_strings(&[part]);
                let message = Message::of(label, words).with_strings();
                let answer = calls::call_strings(scene.hostile.name(), &message, false);
                answer.map(|(answer, _)| answer.label()).map_err(|Broken { error, .. }| error)
            };
            duo::fill(1, 5000, 5000);
            let part = |bytes| Part { address: REQUEST.0, bytes };
            check_eq!(strings(PUT, &head(1, 0, 0), part(5000)), Ok(DONE), "and it makes no difference");
            check_eq!(strings(GET, &[1, 0], part(5000)), Ok(DONE));
            check_eq!(strings(0, &[], part(5000)), Ok(BAD));
            check_eq!(strings(STRING, &head(2, 4999, 0), part(5000)), Ok(BAD));
            check_eq!(strings(STRING, &head(2, 5001, 0), part(5000)), Ok(BAD));
            check_eq!(strings(STRING, &head(2, 5000, 1), part(5000)), Ok(BAD), "nowhere to reply to");
            check_eq!(strings(STRING, &head(2, PIECE + 1, 0), part(PIECE + 1)), Err(Error::NoRoom));
            check_eq!(duo::handled(), handled + 2);
            if scene.trust == Trust::Distrusting {
                // The client would wait for ever, for a pager that has no such page; the server waits for neither.
                let nowhere = Part { address: NOWHERE, bytes: 5000 };
                let request = Message::of(STRING, &head(2, 5000, 0)).with_strings();
                for message in [request, Message::of(STRING, &head(3, 0, 5000))] {
                    utcb.set_send_faults(FOREVER, FOREVER);
                    utcb.set_receive_faults(FOREVER, FOREVER);
                    utcb.set_strings(&[nowhere]);
                    // SAFETY: nothing is there.
                    unsafe { utcb.set_buffers(&[nowhere]) };
                    let answer = calls::call_strings(scene.hostile.name(), &message, true);
                    let stopped = Broken { error: Error::FaultMine, done: 0, address: NOWHERE };
                    check_eq!(answer.map(|(answer, _)| answer.label()), Err(stopped));
                    scene.serves("a client that would wait for ever");
                }
            }
            scene.serves("wrong strings");

            let ranges = |label, words: &[u32], ranges: &[Range]| {
                utcb.set_ranges(ranges);
                let answer = calls::call(scene.hostile.name(), &Message::of(label, words).with_ranges());
                answer.map(|answer| (answer.label(), answer.word(0))).unwrap_or_default()
            };
            let range = |address, bytes, writable| Range { address, bytes, writable };
            let refused = (BAD, Error::BadRange as u32);
            check_eq!(ranges(PULL, &head_and(3, 10, 0, 0), &[]), refused);
            check_eq!(ranges(PULL, &head_and(3, 10, 0, 0), &[range(REQUEST.0, 9, false)]), refused);
            let given = [range(REQUEST.0, 10, false), range(REPLY.0, 10, false)];
            check_eq!(
                ranges(PULL, &head_and(3, 10, 10, 0), &given),
                refused,
                "a reply that cannot be written"
            );
            check_eq!(ranges(PULL, &head_and(3, 10, 0, 10), &given), (MORE, 0), "an offset out of nothing");
            // Memory that is not there, and a client that never goes on, or goes on elsewhere.
            let nowhere = [range(NOWHERE, PIECE, false), range(NOWHERE, PIECE, true)];
            let stopped = ranges(PULL, &head_and(4, 10, 0, 0), &nowhere);
            check_eq!(stopped, (freehold_protocol::buffer::FAULTED, NOWHERE));
            for offset in [1, 10, u32::MAX] {
                check_eq!(ranges(PULL, &head_and(4, 10, 0, offset), &nowhere), (MORE, 0), "{offset}");
                check_eq!(ranges(PULL, &head_and(4, 11, 0, offset), &nowhere), (MORE, 0), "another length");
            }
            let stopped = ranges(PULL, &head_and(5, 0, PIECE, 0), &nowhere);
            check_eq!(stopped, (freehold_protocol::buffer::STOPPED, NOWHERE));
            scene.serves("wrong ranges");
        });
    });
}

/// Capabilities where none are expected, and containers of the wrong kind, size, rights.
pub fn capabilities() {
    duo::with_pager(duo::THREAD, || {
        each(|scene| {
            let trusting = scene.takes_capabilities();
            let item = |source: CapName, moved, rights| Item { source, moved, rights, total: 1 };
            let send = |label, words: &[u32], item| {
                let mut message = Message::of(label, words);
                message.push_item(item);
                scene.send(&message)
            };
            let expect = |answer: (u16, u32)| if trusting { answer } else { (0xFFFF, Error::NoSlots as u32) };
            let error = |error: Error| expect((BAD, error as u32));
            // With what has no use for it.
            let (junk, other) = (endpoint(), endpoint());
            let copy = item(other.name(), false, Rights::ALL);
            check_eq!(send(PUT, &head(1, 0, 0), Item { total: 0, ..copy }).0, expect((DONE, 0)).0);
            check_eq!(send(0, &[], Item { total: 0, ..copy }), expect((BAD, 0)));
            scene.serves("a capability");
            // As a container.
            let words = |bytes, room, from, to| {
                let [first, second, third, fourth, fifth] = head(2, bytes, room);
                [first, second, third, fourth, fifth, from, to]
            };
            check_eq!(send(HOOK, &words(1, 0, 0, 0), Item { total: 0, ..copy }), error(Error::WrongKind));
            let table = Frames::take(4, 4);
            let whole = Slot::take().expect("a slot");
            let made = calls::make_table(table.container(), table.at(0), whole.reference(), CapName::NONE);
            check_eq!(made, Ok(()));
            let share = item(whole.name(), false, Rights::SHARE);
            let half = derived(whole.name(), Rights::ALL, range(0, ENTRIES / 2), 4);
            check_eq!(
                send(HOOK, &words(1, 0, 0, 0), item(half.name(), false, Rights::SHARE)),
                error(Error::OutOfRange)
            );
            check_eq!(send(HOOK, &words(0, 1, 0, 0), share), error(Error::NoRight), "no Write");
            check_eq!(
                send(HOOK, &words(1, 0, 0, 0), item(whole.name(), false, Rights::WRITE)),
                error(Error::NoRight)
            );
            check_eq!(send(HOOK, &words(1, 0, 0, 0), Item { total: 0, ..share }), error(Error::NoCredits));
            let wrong =
                [(1, 0, 1 << 22, 0), (2, 0, (1 << 22) - 1, 0), (0, u32::MAX, 0, 1), (u32::MAX, 0, 1, 0)];
            for (bytes, room, from, to) in
                wrong.into_iter().chain([(10, 10, 0, 9), (10, 10, 9, 0), (1, 1, 0, 0)])
            {
                check_eq!(
                    send(HOOK, &words(bytes, room, from, to), share),
                    expect((BAD, 0)),
                    "{bytes} {room} {from} {to}"
                );
            }
            let without = scene.words(HOOK, &words(1, 0, 0, 0));
            check_eq!(
                without.0,
                if trusting { BAD } else { freehold_protocol::buffer::DISTRUST },
                "no container"
            );
            scene.serves("a wrong container");
            // One that is moved away, with something that hangs on it, is the server's to clear away: nobody's
            // who trusts nobody.
            let under = derived(junk.name(), Rights::ALL, 5, 8);
            let leaf = derived(under.name(), Rights::ALL, 0, 0);
            check_eq!(send(0, &[], item(under.name(), true, Rights::ALL)), expect((BAD, 0)));
            let kind = freehold_guest_tests::objects::info(leaf.name()).kind;
            check_eq!(kind == freehold_abi::info::Kind::Empty, trusting);
            scene.serves("a capability that was moved");
        });
    });
}

/// A container that is taken back while the handler has it. (A handler that looked at it afterwards would fault:
/// that is what trust is for.)
pub fn revoked() {
    duo::with_pager(duo::THREAD, || {
        let scene = Scene::new(Trust::Trusting);
        let table = Frames::take(5, 4);
        let whole = Slot::take().expect("a slot");
        let made = calls::make_table(table.container(), table.at(0), whole.reference(), CapName::NONE);
        check_eq!(made, Ok(()));
        let proxy = derived(whole.name(), Rights::SHARE.or(Rights::WRITE), range(0, ENTRIES), 2);
        // The handler revokes it itself, in the client's name, and does not look at what it was given.
        let words = [u32::from(duo::REVOKE) | 1 << 16, proxy.name().0, 0, 8, 8, 0, FRAME];
        let mut message = Message::of(HOOK, &words);
        message.push_item(Item {
            source: proxy.name(),
            moved: false,
            rights: Rights::SHARE.or(Rights::WRITE),
            total: 1,
        });
        for _ in 0..3 {
            check_eq!(scene.send(&message).0, DONE);
            scene.serves("a container that was taken back");
        }
        check_eq!(freehold_guest_tests::objects::info(proxy.name()).credits, 2);
    });
}

/// Clients that never come back, more than the server has places for: what they had goes, and who it was learns it.
pub fn never() {
    duo::with_pager(duo::THREAD, || {
        each(|scene| {
            let clients = [3, 4, 5, 6].map(|badge| scene.duo.client(badge));
            let mut first = Message::of(PUT, &head(1, PIECE, 0));
            while first.words().len() < 62 {
                first.push(0);
            }
            // Requests that are never finished.
            for client in &clients {
                let answer = calls::call(client.name(), &first);
                check!(answer.is_ok_and(|answer| (answer.label(), answer.word(0)) == (MORE, 228)));
                scene.serves("a request that is never finished");
            }
            // The first one has lost its place, and could begin anew.
            let answer = calls::call(clients[0].name(), &Message::of(PUT_ON, &[1, 228]));
            check!(answer.is_ok_and(|answer| (answer.label(), answer.word(0)) == (MORE, 0)));
            // Replies that are never fetched: its owner learns that the call may have been carried out.
            check_eq!(scene.words(PUT, &head(9, 0, 1000)).0, DONE);
            check_eq!(scene.words(GET, &[9, 240]).0, DONE);
            for client in &clients {
                check!(calls::call(client.name(), &first).is_ok());
            }
            for label in [GET, REST, TAKE] {
                check_eq!(scene.words(label, &[9, 240]), (LOST, 0));
            }
            scene.serves("replies that are never fetched");
        });
    });
}
