//! The transfer service as a confused deputy: lies by which it would touch memory that is neither in the ranges which its
//! client declared nor in the session's slice. Ranges that are shorter than what is asked, or not writable, or not there;
//! totals and rooms above what the session was opened for; offsets that continue nothing; a range over the page-table area,
//! over a page that the client itself can only read, up to the end of user memory; the messages of workers and of the server,
//! said by a client; a session opened with what are no two free roots. The accomplice is an honest client with a secret.
//!
//! Success would mean that a lie is carried out: a byte outside the declared ranges has changed, a table has, the secret is
//! found in the liar's memory, or what must be refused is DONE. What stops it: the worker moves bytes by `copy` alone, whose
//! authority is what the blocked caller declared, whole (invariants 1, 16); sessions are known by badge and address, not by
//! what messages say.

#![no_std]
#![no_main]

use freehold_attacks::messages::client::{self, ADDEND, BYTES, PAGES, Piece, REPLY, REQUEST, byte, fill};
use freehold_attacks::protocol::answer::DONE;
use freehold_attacks::protocol::server::{ADD, COMPLETE, FILL, RELEASE, SETUP};
use freehold_attacks::protocol::transfer::{BEGIN, CANCEL, OPEN, SESSIONS, SLICE};
use freehold_attacks::rt::abi::info::place::AREA;
use freehold_attacks::rt::abi::layout::{FRAME, USER_END};
use freehold_attacks::rt::abi::message::Item;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::transfer::Session;
use freehold_attacks::rt::utcb::Range;
use freehold_attacks::rt::{CapName, Error, Message, Rights, Utcb, calls, memory, start};
use freehold_attacks::{Evidence, Kit, attack, format};

/// What the liar's memory holds where nobody may write, and what the accomplice sends.
const CANARY: u8 = 0xC5;
const SECRET: u8 = 0x5E;
/// A page of the liar's that it can only read.
const READ_ONLY: u32 = 0x6830_0000;
/// Bytes of an honest range in a lie.
const FEW: u32 = 100;

/// A lie about a piece: its name, what is said.
type Lie = (&'static str, fn(Piece) -> Piece);

const fn range(address: u32, bytes: u32, writable: bool) -> Range {
    Range { address, bytes, writable }
}

/// None of these may be DONE, but where it says so.
const LIES: [Lie; 14] = [
    ("request shorter", |piece| Piece { ranges: [range(REQUEST, FEW, false), piece.ranges[1]], ..piece }),
    ("room shorter", |piece| Piece { ranges: [piece.ranges[0], range(REPLY, FEW, true)], ..piece }),
    ("room read-only", |piece| Piece { ranges: [piece.ranges[0], range(REPLY, BYTES, false)], ..piece }),
    ("no room", |piece| Piece { declared: 1, ..piece }),
    ("no range", |piece| Piece { declared: 0, ..piece }),
    ("page that cannot be written", |piece| Piece {
        words: [0, FEW, ADD, ADDEND, 0, FEW],
        ranges: [piece.ranges[0], range(READ_ONLY, FEW, true)],
        ..piece
    }),
    ("page-table area", |piece| Piece {
        words: [0, FEW, ADD, ADDEND, 0, FEW],
        ranges: [piece.ranges[0], range(AREA, FEW, true)],
        ..piece
    }),
    ("end of user memory", |piece| Piece {
        ranges: [range(USER_END - FEW, FEW, false), piece.ranges[1]],
        ..piece
    }),
    ("total above the session's", |piece| Piece {
        words: [0, 2 * BYTES, ADD, ADDEND, 0, BYTES],
        ranges: [range(REQUEST, 2 * BYTES, false), piece.ranges[1]],
        ..piece
    }),
    ("room above the session's", |piece| Piece { words: [0, BYTES, ADD, ADDEND, 0, 2 * BYTES], ..piece }),
    ("room without end", |piece| Piece { words: [0, BYTES, ADD, ADDEND, 0, u32::MAX], ..piece }),
    ("offset", |piece| Piece { words: [FRAME, BYTES, ADD, ADDEND, 0, BYTES], ..piece }),
    ("offset below nothing", |piece| Piece { words: [u32::MAX, BYTES, ADD, ADDEND, 0, BYTES], ..piece }),
    ("rest of nothing", |piece| Piece { label: freehold_attacks::protocol::transfer::REST, ..piece }),
];

/// Messages that others may send, with words.
const ORDERS: [(u16, [u32; 3]); 4] =
    [(BEGIN, [0; 3]), (CANCEL, [0; 3]), (SESSIONS, [0; 3]), (SLICE, [0, 1, 31])];
/// The same at the server.
const REQUESTS: [(u16, [u32; 6]); 4] =
    [(COMPLETE, [0, BYTES, ADD, 1, 0, BYTES]), (SETUP, [1; 6]), (FILL, [0; 6]), (RELEASE, [0; 6])];

attack!("confused-deputy", liar, honest);

struct Liar {
    lies: u32,
    sessions: u32,
    /// What was carried out that must not be.
    believed: u32,
    written: u32,
    secrets: u32,
    worst: &'static str,
}

fn liar(kit: &mut Kit) -> Evidence {
    let Some(service) = kit.transfer else { return kit.untried("there is no transfer service") };
    let Some(read_only) = memory::take(1, 1) else { return kit.untried("no memory") };
    // Behind the room for replies lies a page that no range ever covers.
    let ready = client::ground()
        .and_then(|()| memory::map(read_only, READ_ONLY, Rights::NONE))
        .and_then(|()| memory::map_new(REPLY + BYTES, 1))
        .and_then(|()| memory::map_new(REQUEST + BYTES, PAGES));
    if ready.is_err() {
        return kit.untried("no memory");
    }
    let mut liar = Liar { lies: 0, sessions: 0, believed: 0, written: 0, secrets: 0, worst: "nothing" };
    while !kit.stopped() {
        liar.opens_with_nonsense(kit, service);
        liar.says_what_others_may(kit, service);
        let Ok(session) = kit.within(500, || Session::open(service, BYTES, 1)) else { continue };
        liar.sessions += 1;
        for (name, lie) in LIES {
            let Some(worker) = session.worker().filter(|_| !kit.stopped()) else { break };
            liar.lie(kit, worker, name, lie);
        }
        // An honest one works all the same, unless the session is over: and brings what was asked, no more.
        liar.looks_for_residue(kit, &session);
        let _ = session.close();
    }
    kit.tries = liar.lies;
    kit.successes = liar.believed + liar.written + liar.secrets;
    let detail = format!(
        "{} lies in {} sessions: {} believed, {} bytes written outside, {} bytes of a secret; worst: {}",
        liar.lies, liar.sessions, liar.believed, liar.written, liar.secrets, liar.worst
    );
    match kit.successes {
        0 if liar.sessions == 0 => kit.untried(format!("nobody listened: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

impl Liar {
    fn lie(&mut self, kit: &Kit, worker: CapName, name: &'static str, lie: fn(Piece) -> Piece) {
        fill(REQUEST, BYTES, |index| index as u8);
        fill(REPLY, BYTES + FRAME, |_| CANARY);
        // SAFETY: the own area is there to be read.
        let table = unsafe { (AREA as *const [u32; 32]).read_volatile() };
        let piece = lie(Piece::new(worker, 0, BYTES));
        let Ok(answer) = kit.within(100, || piece.say()) else { return };
        self.lies += 1;
        let covered = match piece.ranges[1] {
            Range { address: REPLY, bytes, writable: true } if piece.declared == 2 => bytes,
            _ => 0,
        };
        // Outside of what was declared writable; in the page that can only be read; in the tables.
        let outside = (covered..BYTES + FRAME).filter(|&index| byte(REPLY + index) != CANARY).count() as u32;
        let kept = (0..FRAME).filter(|&index| byte(READ_ONLY + index) != 0).count() as u32;
        // SAFETY: as above. Accessed and dirty bits come and go.
        let now = unsafe { (AREA as *const [u32; 32]).read_volatile() };
        let tables =
            table.iter().zip(now).filter(|&(before, now)| (before ^ now) & !0xE00 & !0x60 != 0).count()
                as u32;
        self.found(name, u32::from(answer.label() == DONE), outside + kept + tables, secrets());
    }

    fn found(&mut self, name: &'static str, believed: u32, written: u32, secrets: u32) {
        self.believed += believed;
        self.written += written;
        self.secrets += secrets;
        if believed + written + secrets != 0 {
            self.worst = name;
        }
    }

    /// A short request with much room: what comes is as long as the request, and nothing of whoever had the slice before.
    fn looks_for_residue(&mut self, kit: &Kit, session: &Session) {
        let Some(worker) = session.worker() else { return };
        fill(REPLY, BYTES + FRAME, |_| CANARY);
        let piece = Piece { words: [0, 1, ADD, ADDEND, 0, BYTES], ..Piece::new(worker, 0, BYTES) };
        if kit.within(100, || piece.say()).is_ok_and(|answer| answer.label() == DONE) {
            self.lies += 1;
            let behind = (1..BYTES + FRAME).filter(|&index| byte(REPLY + index) != CANARY).count() as u32;
            self.found("residue", 0, behind, secrets());
        }
    }

    /// Sessions on what are no two free roots of this client's.
    fn opens_with_nonsense(&mut self, kit: &Kit, service: CapName) {
        let Some(proxy) = Slot::take() else { return };
        let one = memory::take(1, 1);
        if let Some(one) = one {
            let range = calls::range(one.first, 1);
            let rights = Rights::EDIT.or(Rights::SHARE);
            let _ = calls::derive(one.container, proxy.reference(), rights, range, 2);
        }
        for source in [start::SLEEP, kit.server, proxy.name()] {
            let mut message = Message::of(OPEN, &[BYTES, 31]);
            message.push_item(Item { source, moved: false, rights: Rights::EDIT.or(Rights::SEND), total: 0 });
            let opened = kit.within(500, || calls::call(service, &message));
            self.lies += u32::from(opened.is_ok());
            self.found(
                "opened on nothing",
                u32::from(opened.is_ok_and(|answer| answer.label() == DONE)),
                0,
                0,
            );
        }
        drop(proxy);
        if let Some(one) = one {
            let _ = memory::release(one);
        }
    }

    /// What workers, the server, or whoever gives orders may say.
    fn says_what_others_may(&mut self, kit: &Kit, service: CapName) {
        let Some(table) = Slot::take() else { return };
        for (label, words) in ORDERS {
            let mut message = Message::of(label, &words);
            if label == SLICE {
                message.push_item(Item { source: start::SLEEP, moved: false, rights: Rights::ALL, total: 0 });
            }
            self.said(kit, "an order", service, &message);
        }
        for (label, words) in REQUESTS {
            // The labels of other servers mean something else, or nothing, to this one.
            if label != RELEASE && label != FILL {
                self.said(kit, "a worker's message", kit.server, &Message::of(label, &words));
            }
        }
        drop(table);
    }

    fn said(&mut self, kit: &Kit, name: &'static str, to: CapName, message: &Message) {
        if let Ok(answer) = kit.within(100, || calls::call(to, message)) {
            self.lies += 1;
            self.found(name, u32::from(answer.label() == DONE), 0, 0);
        }
    }
}

/// Bytes of the accomplice's secret in the room for replies: as it was sent, or as the server answers it.
fn secrets() -> u32 {
    let answered = SECRET.wrapping_add(ADDEND as u8);
    let is_secret = |at: u32| [SECRET, answered].contains(&byte(at)) && byte(at) == byte(at + 1);
    // A run of them: single bytes are what requests have anyway.
    (REPLY..REPLY + BYTES - 1).filter(|&at| is_secret(at)).count() as u32
}

/// The accomplice: an honest client, whose requests are secret.
fn honest(kit: &mut Kit) -> Evidence {
    let Some(service) = kit.transfer else { return kit.untried("there is no transfer service") };
    if client::ground().is_err() {
        return kit.untried("no memory");
    }
    let (mut carried, mut wrong) = (0, 0);
    while !kit.stopped() {
        let Ok(session) = kit.within(500, || Session::open(service, BYTES, 1)) else { continue };
        let Some(worker) = session.worker() else { continue };
        fill(REQUEST, BYTES, |_| SECRET);
        let answer: Result<Message, Error> =
            Utcb::current().within((500, 500), || Piece::new(worker, 0, BYTES).say());
        if answer.is_ok_and(|answer| answer.label() == DONE) {
            carried += 1;
            let answered = SECRET.wrapping_add(ADDEND as u8);
            wrong += u32::from((0..BYTES).any(|index| byte(REPLY + index) != answered));
        }
        let _ = session.close();
        kit.pause(1);
    }
    // What is honest is no try.
    kit.successes = wrong;
    let detail = format!("{carried} requests with a secret carried, {wrong} answered wrongly");
    if wrong == 0 { kit.held(detail) } else { kit.broken(detail) }
}
