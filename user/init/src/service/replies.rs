//! Requests and replies of many sizes through rt's library, by a thread whose pager brings each page when it is
//! touched: none is there at first. And what the server, or the session, is too small for.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_protocol::server::{ADD, BAD_REQUEST, DIGEST, MAKE, OK};
use freehold_protocol::transfer::BAD_PIECE;
use freehold_rt::abi::layout::FRAME;
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options};
use freehold_rt::transfer::{Answer, Failure as Broken, Session};
use freehold_rt::{CapName, Utcb, calls, println, records, serde_json};
use sha2::{Digest, Sha256};

use super::ground::{AT, Ground};
use super::stage::{LIMIT, PRIORITY, Stage, byte};
use crate::actor::new_notification;
use crate::claims::Claims;
use crate::failure::Failure;
use crate::services::Services;
use crate::tour::carried::{Carried, digest, file_bytes, hexadecimal};

/// Sizes, around those of pages.
const SIZES: [u32; 7] = [0, 1, FRAME - 1, FRAME, FRAME + 1, 5 * FRAME, (64 << 10) + 5];
/// Bytes that the session is for.
const BYTES: u32 = 128 << 10;
/// Where replies go, in pages.
const REPLY_AT: u32 = 256;

/// What the thread is to do: service, done, op, two words, bytes of the request, of the room.
static JOB: [AtomicU32; 7] = [const { AtomicU32::new(0) }; 7];
/// What came of it: 0 and status, bytes, resumed; or 1, reason; or 2.
static RESULT: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

/// A call: op, two words, bytes of the request, bytes of room for the reply.
#[derive(Clone, Copy)]
struct Case(u32, [u32; 2], u32, u32);

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let ground = Ground::new()?;
    let stage = Stage::start(services, &ground, (1, 2, file_bytes()?))?;
    file(&stage, claims)?;
    for size in SIZES {
        let add = Case(ADD, [5, 0], size, size);
        try_case(&stage, claims, add, size, |index| byte(index).wrapping_add(5))?;
        let mut hash = Sha256::new();
        (0..size).for_each(|index| hash.update([byte(index)]));
        let digest = hash.finalize();
        try_case(&stage, claims, Case(DIGEST, [0; 2], size, 32), 32, |index| digest[index as usize])?;
        let make = Case(MAKE, [size, 3], 0, size + 100);
        try_case(&stage, claims, make, size, |index| (3 + index / 4096 + index) as u8)?;
    }
    let nothing = |status| Ok(Answer { status, bytes: 0, resumed: 1 });
    let small = call(&stage, Case(ADD, [5, 0], 100, 99))?;
    claims.equal("room for less than the reply", small, nothing(BAD_REQUEST));
    claims.equal("no such op", call(&stage, Case(99, [0; 2], 100, 100))?, nothing(BAD_REQUEST));
    let large = Err(Broken::Aborted { reason: BAD_PIECE, error: None });
    let sizes = [(BYTES, OK, BYTES), (BYTES + 1, 0, 0)];
    for (size, status, bytes) in sizes {
        let found = call(&stage, Case(MAKE, [size, 0], 0, size))?;
        let pages = size.div_ceil(FRAME);
        let expected = if bytes == 0 { large } else { Ok(Answer { status, bytes, resumed: pages }) };
        claims.equal(format_args!("a reply of {size} bytes, in a session for {BYTES}"), found, expected);
    }
    claims.equal("a request larger than that", call(&stage, Case(ADD, [0; 2], BYTES + 1, 0))?, large);
    claims.holds("nothing is left of the sessions", stage.is_cleared(0)?);
    stage.end()?;
    ground.end()
}

/// A real client's transfer of the whole file.
fn file(stage: &Stage<'_>, claims: &mut Claims) -> Result<(), Failure> {
    let bytes = file_bytes()?;
    let carried = Carried::of(&stage.troupe, 1, bytes)?;
    carried.claim(claims, &digest(bytes)?);
    let digest = hexadecimal(&carried.digest);
    println!("  {bytes} bytes: sha256 {digest}");
    Ok(records::write(&serde_json::json!({ "tour": "file", "bytes": bytes, "sha256": digest }))?)
}

/// Claims that a call goes as it must: the reply of `bytes` bytes is `right`, and each page was asked for once.
fn try_case(
    stage: &Stage<'_>,
    claims: &mut Claims,
    case: Case,
    bytes: u32,
    right: impl Fn(u32) -> u8,
) -> Result<(), Failure> {
    let ground = stage.ground;
    let faults = ground.faults();
    let found = call(stage, case)?;
    let faults = ground.faults() - faults;
    let (request, reply) = (case.2.div_ceil(FRAME), bytes.div_ceil(FRAME));
    ground.show(REPLY_AT, reply + 1, true)?;
    let seen = ground.bytes(REPLY_AT, case.3.max(bytes));
    let intact = (0..).zip(seen).all(|(index, &seen)| seen == if index < bytes { right(index) } else { 0 });
    let expected = Ok(Answer { status: OK, bytes, resumed: request + reply });
    // A page of the reply is touched to be read, then to be written.
    let what = format_args!("{} bytes, op {}: a reply of {bytes} bytes", case.2, case.0);
    claims.equal(what, (found, intact, faults), (expected, true, request + 2 * reply));
    Ok(())
}

/// Makes a call in a session of its own, with no page present.
fn call(stage: &Stage<'_>, case: Case) -> Result<Result<Answer, Broken>, Failure> {
    let Case(op, [first, second], request, room) = case;
    let ground = stage.ground;
    ground.show(0, request.div_ceil(FRAME).max(1), true)?;
    ground.fill(0, request, byte);
    ground.show(REPLY_AT, room.div_ceil(FRAME).max(1), true)?;
    ground.fill(REPLY_AT, room, |_| 0);
    ground.hide(0, super::ground::PAGES)?;
    let done: Slot = new_notification()?;
    let job = [stage.service.name().0, done.name().0, op, first, second, request, room];
    JOB.iter().zip(job).for_each(|(place, word)| place.store(word, Ordering::Relaxed));
    let options = Options { pager: ground.pager(), ..Options::new(PRIORITY) };
    let thread = thread::spawn(client, 0, options)?;
    let ended = Utcb::current().within((0, LIMIT), || calls::wait(done.name()));
    thread.destroy()?;
    ended.map_err(|_| Failure::TooLate)?;
    let [kind, first, second, third] = &RESULT;
    let word = |place: &AtomicU32| place.load(Ordering::Relaxed);
    Ok(match word(kind) {
        0 => Ok(Answer { status: word(first), bytes: word(second), resumed: word(third) }),
        1 => Err(Broken::Aborted { reason: word(first), error: None }),
        _ => Err(Broken::Senseless),
    })
}

/// The thread.
fn client(_: u32) {
    let [service, done, op, first, second, request, room] =
        core::array::from_fn(|index| JOB[index].load(Ordering::Relaxed));
    // SAFETY: the ground's bytes are this thread's until it says that it is done; nothing else looks at them.
    let (request, room) = unsafe {
        let room_at = (AT + REPLY_AT * FRAME) as *mut u8;
        let request = core::slice::from_raw_parts(AT as *const u8, request as usize);
        (request, core::slice::from_raw_parts_mut(room_at, room as usize))
    };
    let answer = Session::open(CapName(service), BYTES, PRIORITY).and_then(|mut session| {
        let answer = session.call(op as u16, [first, second], request, room);
        session.close().map_err(|stop| Broken::Call(stop.error))?;
        answer
    });
    let words = match answer {
        Ok(answer) => [0, answer.status, answer.bytes, answer.resumed],
        Err(Broken::Aborted { reason, .. }) => [1, reason, 0, 0],
        Err(_) => [2, 0, 0, 0],
    };
    RESULT.iter().zip(words).for_each(|(place, word)| place.store(word, Ordering::Relaxed));
    // Whoever waits for it ends this thread.
    let _ = calls::notify(CapName(done), 1);
}
