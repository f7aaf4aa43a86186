//! Messages: send, call, receive, reply, notify, copy.

use freehold_abi::{Call, CapName, Error, SlotRef, Tag, error};

use crate::call::{self, Registers, enter};
use crate::{Message, Utcb, signal};

/// A message, and the badge of the capability that it was sent through.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// The badge; 0 for an unbadged capability.
    pub badge: u32,
    /// The message.
    pub message: Message,
}

/// The caller's answer-to, if it is not the one that a receive left with the thread.
pub type ReplyTo = Option<CapName>;

/// How far a `copy` came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Bytes copied.
    pub done: u32,
    /// What stopped it, and at which address (for FaultMine and FaultTheirs).
    pub stop: Option<(Error, u32)>,
}

/// Does nothing: the cost of an entry.
///
/// # Errors
/// None.
#[inline(always)]
pub fn null() -> Result<(), Error> {
    error::status(enter(Call::Null as u32, [0; 4]).0)
}

/// Sends, and waits until the message is taken.
///
/// # Errors
/// Timeout (the send limit), Canceled, NoSlots, BadItem, BadMessage, and what deriving items lacks.
pub fn send(endpoint: CapName, message: &Message) -> Result<(), Error> {
    call::simple(Call::Send, 0, load(endpoint, message))
}

/// Sends, and waits for the reply.
///
/// # Errors
/// As [`send`]; Timeout also for the receive limit; PeerGone if the reply will never come; BadAddress
/// for a range that is not below 3 GiB.
pub fn call(endpoint: CapName, message: &Message) -> Result<Message, Error> {
    let registers = call::query(Call::Call, 0, load(endpoint, message))?;
    Ok(unload(registers).message)
}

/// A call of at most two words either way, with nothing but registers: the shortest path there is.
/// Returns the reply's tag and two words.
///
/// # Errors
/// As [`call()`].
#[inline(always)]
pub fn call_short(endpoint: CapName, tag: Tag, words: [u32; 2]) -> Result<(Tag, [u32; 2]), Error> {
    let (status, [_, tag, first, second]) = enter(Call::Call as u32, [endpoint.0, tag.0, words[0], words[1]]);
    error::status(status).map(|()| (Tag(tag), [first, second]))
}

/// Waits for a message. A caller that has not been answered by then learns PeerGone.
///
/// # Errors
/// Timeout (the receive limit), Canceled.
pub fn receive(endpoint: CapName) -> Result<Received, Error> {
    call::query(Call::Receive, 0, [endpoint.0, 0, 0, 0]).map(unload)
}

/// [`receive`] of at most two words, with nothing but registers. Returns badge, tag and two words. Words
/// beyond the second stay in the UTCB.
///
/// # Errors
/// As [`receive`].
#[inline(always)]
pub fn receive_short(endpoint: CapName) -> Result<(u32, Tag, [u32; 2]), Error> {
    let (status, [badge, tag, first, second]) = enter(Call::Receive as u32, [endpoint.0, 0, 0, 0]);
    error::status(status).map(|()| (badge, Tag(tag), [first, second]))
}

/// Waits for a notification: its bits, which are cleared.
///
/// # Errors
/// Timeout (the receive limit), Canceled.
pub fn wait(notification: CapName) -> Result<u32, Error> {
    let (status, bits) = signal::wait(notification);
    error::status(status).map(|()| bits)
}

/// Answers a call.
///
/// # Errors
/// NoReply (there is no such caller, or no longer), BadMessage, and what items lack: then the caller
/// still waits and can be answered.
pub fn reply(to: ReplyTo, message: &Message) -> Result<(), Error> {
    call::simple(Call::Reply, reply_name(to), load(CapName::NONE, message))
}

/// Answers a call, then waits for a message.
///
/// # Errors
/// Those of [`reply`], in which case nothing was received, then those of [`receive`].
pub fn reply_receive(to: ReplyTo, message: &Message, endpoint: CapName) -> Result<Received, Error> {
    call::query(Call::ReplyReceive, reply_name(to), load(endpoint, message)).map(unload)
}

/// [`reply_receive`] of at most two words either way, with nothing but registers. Returns badge, tag and
/// two words. Words beyond the second stay in the UTCB.
///
/// # Errors
/// As [`reply_receive`].
#[inline(always)]
pub fn reply_receive_short(
    endpoint: CapName,
    tag: Tag,
    words: [u32; 2],
) -> Result<(u32, Tag, [u32; 2]), Error> {
    let (status, [badge, tag, first, second]) =
        enter(Call::ReplyReceive as u32, [endpoint.0, tag.0, words[0], words[1]]);
    error::status(status).map(|()| (badge, Tag(tag), [first, second]))
}

/// Sets bits of a notification; through a badged capability, the badge's bits.
///
/// # Errors
/// Only the common ones.
pub fn notify(notification: CapName, bits: u32) -> Result<(), Error> {
    error::status(signal::notify(notification, bits))
}

/// Moves the capability to answer the caller, which a receive left with the thread, into a slot of the
/// own space.
///
/// # Errors
/// NoReply, Occupied.
pub fn save_reply(slot: CapName) -> Result<(), Error> {
    call::simple(Call::SaveReply, 0, [SlotRef::own(slot).0, 0, 0, 0])
}

/// Whether the caller whose message this thread received last still waits for its answer.
pub fn caller_waits() -> bool {
    // Nobody can declare a range of this number, so a caller that is there gives BadRange.
    copy(None, 15 << 12, 0, 0, 0).stop.map(|(error, _)| error) == Some(Error::BadRange)
}

/// Copies `bytes` from a range that the caller to be answered declared, from `offset` in it, to `own`.
/// Never waits.
///
/// # Safety
/// No Rust code relies on what lies at `own`, or it is the caller's to write.
///
/// # Errors
/// In [`Copied::stop`]: FaultMine, FaultTheirs, BadRange, BadAddress, NoReply, PeerGone.
pub unsafe fn copy_in(from: ReplyTo, range: u32, offset: u32, own: u32, bytes: u32) -> Copied {
    copy(from, range << 12, offset, own, bytes)
}

/// Copies `bytes` from `own` to such a range, which must be writable.
///
/// # Errors
/// As [`copy_in`].
pub fn copy_out(to: ReplyTo, range: u32, offset: u32, own: u32, bytes: u32) -> Copied {
    copy(to, range << 12 | 1 << 16, offset, own, bytes)
}

fn copy(who: ReplyTo, immediate: u32, offset: u32, own: u32, bytes: u32) -> Copied {
    let immediate = immediate | reply_name(who);
    let (result, [_, _, left, address]) = call::call(Call::Copy, immediate, [offset, own, bytes, 0]);
    Copied { done: bytes - left, stop: result.err().map(|error| (error, address)) }
}

pub(super) fn reply_name(to: ReplyTo) -> u32 {
    to.map_or(0, |name| name.0 & 0xFFF)
}

/// Puts a message where the kernel takes it from.
pub(super) fn load(endpoint: CapName, message: &Message) -> Registers {
    if message.last() > 2 {
        Utcb::current().put_words(3, message.beyond(message.last()));
    }
    [endpoint.0, message.tag().0, message.register(1), message.register(2)]
}

/// Takes a message from where the kernel puts it.
pub(super) fn unload([badge, tag, first, second]: Registers) -> Received {
    let mut message = Message::with_tag(Tag(tag));
    message.set_register(1, first);
    message.set_register(2, second);
    let last = message.tag().words() as usize;
    if last > 2 {
        Utcb::current().get_words(3, message.beyond_mut(last));
    }
    Received { badge, message }
}
