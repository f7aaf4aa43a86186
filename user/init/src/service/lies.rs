//! Messages that no honest client sends, and what a client cannot name: each is answered with the precise reason,
//! harms nobody else, and the same session goes on.

use freehold_protocol::answer::{DONE, FAILED, REFUSED};
use freehold_protocol::server::{MAKE, OK};
use freehold_protocol::transfer::{
    ABORTED, BAD_PIECE, BAD_RANGE, BEGIN, CANCEL, FAULTED, OPEN, PIECE, REPLY_FAULTED, RESUMED_TOO_OFTEN,
    SESSIONS, SLICE, TIME,
};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::abi::message::Item;
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::transfer::Session;
use freehold_rt::utcb::Range;
use freehold_rt::{CapName, Error, Message, Rights, SlotRef, Utcb, calls, memory};

use super::caller::Piece;
use super::ground::{AT, Ground};
use super::stage::{BYTES, LIMIT, PAGES, RANGES, REPLY_AT, Stage, piece, rest};
use crate::actor::new_endpoint;
use crate::claims::Claims;
use crate::failure::Failure;
use crate::services::Services;
use crate::tour::carried::file_bytes;

/// A range of nothing.
const NOTHING: Range = Range { address: AT, bytes: 0, writable: false };

/// What an answer says: label, two words.
type Said = (u16, u32, u32);

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let ground = Ground::new()?;
    let stage = Stage::start(services, &ground, (1, 2, file_bytes()?))?;
    let session = stage.open()?;
    pieces(&stage, claims, &session)?;
    ranges(&stage, claims, &session)?;
    resumes(&stage, claims, &session)?;
    session.close()?;
    names(&stage, claims)?;
    frames(&stage, claims)?;
    claims.holds("nothing is left of the sessions", stage.is_cleared(0)?);
    stage.end()?;
    ground.end()
}

fn say(piece: &Piece) -> Result<Said, Failure> {
    let answer = Utcb::current().within((LIMIT, LIMIT), || piece.call())?;
    Ok((answer.label(), answer.word(0), answer.word(1)))
}

/// Claims that a message is answered so, and that an honest transfer in the same session goes well then.
fn lie(
    stage: &Stage<'_>,
    claims: &mut Claims,
    what: &str,
    (lie, answer): (Piece, Said),
) -> Result<(), Failure> {
    let found = say(&lie)?;
    let honest = Piece { worker: lie.worker, ..honest() };
    let then = say(&honest)?;
    claims.equal(what, (found, then, stage.reply_is_right()?), (answer, (DONE, OK, BYTES), true));
    stage.prepare()
}

fn honest() -> Piece {
    Piece {
        worker: CapName::NONE,
        label: PIECE,
        words: [0, BYTES, freehold_protocol::server::ADD, super::stage::ADDEND, 0, PAGES * FRAME],
        count: 6,
        ranges: RANGES,
        declared: 2,
        item: None,
    }
}

/// Labels, offsets, totals.
fn pieces(stage: &Stage<'_>, claims: &mut Claims, session: &Session) -> Result<(), Failure> {
    stage.prepare()?;
    let good = piece(session, 0);
    let words = |words: [u32; 6]| Piece { words, ..good };
    let [_, total, op, first, second, room] = good.words;
    let bad = (ABORTED, BAD_PIECE, 0);
    let refused = (REFUSED, 0, 0);
    let lies = [
        ("a label that means nothing", Piece { label: 77, ..good }, refused),
        ("a piece of two words", Piece { count: 2, ..good }, refused),
        ("a message for the manager", Piece { label: BEGIN, count: 1, ..good }, refused),
        ("a transfer that begins in the middle", words([1, total, op, first, second, room]), bad),
        ("a request of 4 GiB", words([0, u32::MAX, op, first, second, room]), bad),
        ("room for a reply of 4 GiB", words([0, total, op, first, second, u32::MAX]), bad),
        ("one byte more than the session is for", words([0, PAGES * FRAME + 1, op, 0, 0, room]), bad),
        ("the rest of a reply that there is not", rest(session, 0), bad),
        ("the rest of a reply, without an offset", Piece { count: 0, ..rest(session, 0) }, refused),
    ];
    for (what, piece, answer) in lies {
        lie(stage, claims, what, (piece, answer))?;
    }
    // Stopped at its page 1, a request goes on only where it stopped.
    let stopped = (FAULTED, AT + FRAME, FRAME);
    let continued = [
        ("then it goes on too early", piece(session, FRAME - 1), bad),
        ("then too late", piece(session, 2 * FRAME), bad),
        ("then it has another size", words([FRAME, total - 1, op, first, second, room]), bad),
        ("then it asks for the reply", rest(session, FRAME), bad),
        ("then it begins anew", good, bad),
    ];
    for (what, piece, answer) in continued {
        stage.ground.hide(1, 1)?;
        claims.equal("stopped at page 1", say(&good)?, stopped);
        stage.ground.show(1, 1, true)?;
        lie(stage, claims, what, (piece, answer))?;
    }
    // Stopped at the reply's page 1.
    let stopped = (REPLY_FAULTED, AT + (REPLY_AT + 1) * FRAME, FRAME);
    let continued = [
        ("then it goes on too late", rest(session, FRAME + 1), bad),
        ("then it sends a request", good, bad),
        ("then it goes on with the request", piece(session, BYTES), bad),
    ];
    for (what, piece, answer) in continued {
        stage.ground.hide(REPLY_AT + 1, 1)?;
        claims.equal("stopped at the reply's page 1", say(&good)?, stopped);
        stage.ground.show(REPLY_AT + 1, 1, true)?;
        lie(stage, claims, what, (piece, answer))?;
    }
    Ok(())
}

/// Ranges that are not what the words say, or change.
fn ranges(stage: &Stage<'_>, claims: &mut Claims, session: &Session) -> Result<(), Failure> {
    let good = piece(session, 0);
    let [request, reply] = RANGES;
    let with = |ranges: [Range; 2]| Piece { ranges, ..good };
    let bad = (ABORTED, BAD_RANGE, Error::BadRange as u32);
    let lies = [
        ("no range", Piece { declared: 0, ..good }, bad),
        ("no range for the reply", Piece { declared: 1, ..good }, bad),
        ("a range smaller than the request", with([Range { bytes: BYTES - 1, ..request }, reply]), bad),
        ("a range of nothing", with([NOTHING, reply]), bad),
        ("room smaller than the words say", with([request, Range { bytes: BYTES - 1, ..reply }]), bad),
        ("room that cannot be written", with([request, Range { writable: false, ..reply }]), bad),
    ];
    for (what, piece, answer) in lies {
        lie(stage, claims, what, (piece, answer))?;
    }
    stage.ground.hide(1, 1)?;
    claims.equal("stopped at page 1", say(&good)?.0, FAULTED);
    stage.ground.show(1, 1, true)?;
    let shrunk = Range { bytes: FRAME, ..request };
    let piece = Piece { ranges: [shrunk, reply], ..piece(session, FRAME) };
    lie(stage, claims, "then its range has shrunk", (piece, bad))?;
    stage.ground.hide(REPLY_AT + 1, 1)?;
    claims.equal("stopped at the reply's page 1", say(&good)?.0, REPLY_FAULTED);
    stage.ground.show(REPLY_AT + 1, 1, true)?;
    let piece = Piece { declared: 1, ..rest(session, FRAME) };
    lie(stage, claims, "then there is no room any more", (piece, bad))?;
    // Nothing needs no range.
    let nothing = Piece { words: [0, 0, MAKE, 0, 0, 0], declared: 0, ..good };
    lie(stage, claims, "a transfer of nothing, without ranges", (nothing, (DONE, OK, 0)))
}

/// A page that never comes, on either side.
fn resumes(stage: &Stage<'_>, claims: &mut Claims, session: &Session) -> Result<(), Failure> {
    let often = 2 * PAGES + 8;
    for (page, label) in [(0, FAULTED), (REPLY_AT, REPLY_FAULTED)] {
        stage.prepare()?;
        stage.ground.hide(page, 1)?;
        let mut said = say(&piece(session, 0))?;
        let mut resumed = 0;
        while said == (label, AT + page * FRAME, 0) && resumed < 2 * often {
            let again = if page == 0 { piece(session, 0) } else { rest(session, 0) };
            said = say(&again)?;
            resumed += 1;
        }
        let what = format_args!("page {page} never comes: that is resumed {often} times");
        claims.equal(what, (said, resumed), ((ABORTED, RESUMED_TOO_OFTEN, 0), often));
    }
    stage.prepare()?;
    lie(stage, claims, "and then", (Piece { label: 77, ..piece(session, 0) }, (REFUSED, 0, 0)))
}

/// What is not a client's to say, and which sessions are not its own.
fn names(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let service = stage.service.name();
    // Another client's session is in the middle of a transfer.
    let (slice, other) = stage.troupe.open(1, FRAME)?;
    for (what, label) in [
        ("a client says that a worker begins", BEGIN),
        ("it cancels another's slice", CANCEL),
        ("it gives a slice", SLICE),
        ("it asks for the sessions", SESSIONS),
        ("it opens without frames", OPEN),
        ("it says what means nothing", 99),
    ] {
        let found = calls::call(service, &Message::of(label, &[slice, 0]))?.label();
        claims.equal(what, (found, stage.troupe.sessions()?), (REFUSED, 1));
    }
    let mut message = Message::of(SLICE, &[7, 0, 31]);
    let source = stage.ground.container();
    message.push_item(Item { source, moved: false, rights: Rights::SHARE, total: 0 });
    let found = calls::call(service, &message)?.label();
    let slices = stage.troupe.slices()?;
    claims.equal("it gives a slice, with a Table", (found, slices), (REFUSED, 2));
    let cancelled = freehold_rt::transfer::cancel(service);
    let found = (cancelled, stage.troupe.sessions()?);
    claims.equal("its CLOSE ends nobody else's session", found, (Ok(()), 1));
    drop(other);
    stage.troupe.client(1)?.obeys(freehold_protocol::client::CLOSE, &[])?;
    // The way to a worker leads to its session, and to no later one.
    let session = stage.open()?;
    let copy = Slot::take().ok_or(Failure::NoSlot)?;
    let worker = session.worker().unwrap_or_default();
    // The service lets nothing be derived from it, so its holder can only move it.
    let derived = calls::derive(worker, copy.reference(), Rights::SEND, 0, 0);
    claims.equal("the way to a worker cannot be copied", derived, Err(Error::NoCredits));
    calls::relocate(SlotRef::own(worker), copy.reference())?;
    session.close()?;
    let session = stage.open()?;
    let found = Piece { worker: copy.name(), ..piece(&session, 0) }.call().map(|answer| answer.label());
    claims.equal("the way to an old session's worker leads nowhere", found, Err(Error::NoCapability));
    Ok(session.close()?)
}

/// Frames that a worker cannot stand on.
fn frames(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let frames = memory::take(2, 1).ok_or(Failure::NoMemory)?;
    let one = Extent { count: 1, ..frames };
    let endpoint = new_endpoint()?;
    let errors = [
        ("one frame", Ok(one), Error::OutOfRange),
        ("a Table", Err(stage.ground.container()), Error::NotRoots),
        ("an endpoint", Err(endpoint.name()), Error::WrongKind),
    ];
    for (what, given, error) in errors {
        let proxy = Slot::take().ok_or(Failure::NoSlot)?;
        let source = match given {
            Ok(extent) => {
                let rights = Rights::EDIT.or(Rights::SHARE);
                let roots = calls::range(extent.first, extent.count);
                calls::lend(extent.container, proxy.reference(), rights, roots, calls::Lend::exactly(8), 2)?;
                proxy.name()
            }
            Err(name) => name,
        };
        let mut message = Message::of(OPEN, &[FRAME, 8]);
        message.push_item(Item { source, moved: false, rights: Rights::ALL, total: 0 });
        let answer = Utcb::current().within((LIMIT, TIME), || calls::call(stage.service.name(), &message));
        let found = answer.map(|answer| (answer.label(), Error::from_status(answer.word(0))));
        let failed = Ok((FAILED, Some(error)));
        claims.equal(format_args!("a worker on {what}"), found, failed);
    }
    memory::release(frames)?;
    let whole = stage.plays_well()?;
    claims.holds("on two frames it opens and transfers", whole);
    Ok(())
}
