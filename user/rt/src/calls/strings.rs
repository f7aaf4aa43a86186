//! Messages with strings: the same calls, which can also be stopped by a page fault on either side.
//!
//! What goes out is what [`Utcb::set_strings`](crate::Utcb::set_strings) named, if the message says
//! [`Message::with_strings`]; what comes in goes into [`Utcb::set_buffers`](crate::Utcb::set_buffers). How long
//! faults are waited for: [`Utcb::set_send_faults`](crate::Utcb::set_send_faults) and its counterpart. All of
//! it is read by the call, once.

use freehold_abi::layout::utcb;
use freehold_abi::message::ACCEPT;
use freehold_abi::{Call, CapName, Error, Tag, error};

use super::ipc::{Received, ReplyTo, load, reply_name, unload};
use crate::call::{Registers, enter};
use crate::{Message, Utcb};

/// Why a message with strings did not go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// FaultMine and FaultTheirs say on which side a page was missing; any other error, that no memory was.
    pub error: Error,
    /// Bytes transferred before the fault; 0 for other errors.
    pub done: u32,
    /// Where the fault was, in the space of its side; 0 for other errors.
    pub address: u32,
}

/// Sends, and waits until the message is taken, strings and all.
///
/// # Errors
/// As `send`; FaultMine and FaultTheirs; NoRoom, PeerGone; for the strings named, BadMessage, EmptyString,
/// BadAddress, TooLong.
pub fn send_strings(endpoint: CapName, message: &Message) -> Result<(), Broken> {
    exchange(Call::Send, 0, load(endpoint, message)).map(|_| ())
}

/// Sends, and waits for the reply, which can bring strings if `accept`. Returns the reply and the bytes of
/// its strings.
///
/// # Errors
/// As `call` and [`send_strings`]; for the buffers named, BadMessage, EmptyString, BadAddress, PageTableArea,
/// Overlap.
pub fn call_strings(endpoint: CapName, message: &Message, accept: bool) -> Result<(Message, u32), Broken> {
    let accept = if accept { ACCEPT } else { 0 };
    let (received, bytes) = arrived(exchange(Call::Call, accept, load(endpoint, message))?);
    Ok((received.message, bytes))
}

/// Waits for a message, with or without strings. Returns it and the bytes of its strings.
///
/// # Errors
/// As `receive`; FaultMine; for the buffers named, BadMessage, EmptyString, BadAddress, PageTableArea, Overlap.
pub fn receive_strings(endpoint: CapName) -> Result<(Received, u32), Broken> {
    exchange(Call::Receive, ACCEPT, [endpoint.0, 0, 0, 0]).map(arrived)
}

/// Answers a call. Waits for nothing but what [`Utcb::set_send_faults`](crate::Utcb::set_send_faults) allows.
///
/// # Errors
/// As `reply` and [`send_strings`]. After FaultMine and FaultTheirs the caller does not wait any more: it
/// knows what its reply came to.
pub fn reply_strings(to: ReplyTo, message: &Message) -> Result<(), Broken> {
    exchange(Call::Reply, reply_name(to), load(CapName::NONE, message)).map(|_| ())
}

/// Answers a call, then waits for a message, with or without strings.
///
/// # Errors
/// Those of [`reply_strings`] and [`receive_strings`]. Which of them it was, FaultMine says by its address, if strings and
/// buffers are apart.
pub fn reply_receive_strings(
    to: ReplyTo,
    message: &Message,
    endpoint: CapName,
) -> Result<(Received, u32), Broken> {
    exchange(Call::ReplyReceive, reply_name(to) | ACCEPT, load(endpoint, message)).map(arrived)
}

/// A message in registers: badge, tag, and the first two words. Words beyond the second are in the UTCB.
pub type Short = (u32, Tag, [u32; 2]);

/// [`call_strings`] of a message that is in registers and, beyond its second word, in the UTCB already. Returns tag and
/// two words; what is beyond the second is in the UTCB, as are the bytes of the strings.
///
/// # Errors
/// As [`call_strings`].
#[inline]
pub fn call_strings_short(
    endpoint: CapName,
    tag: Tag,
    [first, second]: [u32; 2],
    accept: bool,
) -> Result<(Tag, [u32; 2]), Broken> {
    let accept = if accept { ACCEPT } else { 0 };
    exchange(Call::Call, accept, [endpoint.0, tag.0, first, second])
        .map(short)
        .map(|(_, tag, words)| (tag, words))
}

/// [`receive_strings`] likewise.
///
/// # Errors
/// As [`receive_strings`].
#[inline]
pub fn receive_strings_short(endpoint: CapName) -> Result<Short, Broken> {
    exchange(Call::Receive, ACCEPT, [endpoint.0, 0, 0, 0]).map(short)
}

/// [`reply_strings`] to the caller of the message received last, likewise.
///
/// # Errors
/// As [`reply_strings`].
#[inline]
pub fn reply_strings_short(tag: Tag, [first, second]: [u32; 2]) -> Result<(), Broken> {
    exchange(Call::Reply, 0, [0, tag.0, first, second]).map(|_| ())
}

/// [`reply_receive_strings`] likewise.
///
/// # Errors
/// As [`reply_receive_strings`].
#[inline]
pub fn reply_receive_strings_short(
    tag: Tag,
    [first, second]: [u32; 2],
    endpoint: CapName,
) -> Result<Short, Broken> {
    exchange(Call::ReplyReceive, ACCEPT, [endpoint.0, tag.0, first, second]).map(short)
}

fn short([badge, tag, first, second]: Registers) -> Short {
    (badge, Tag(tag), [first, second])
}

#[inline(always)]
fn exchange(call: Call, immediate: u32, registers: Registers) -> Result<Registers, Broken> {
    let (status, registers) = enter(call as u32 | immediate << 8, registers);
    let [_, _, done, address] = registers;
    error::status(status).map(|()| registers).map_err(|error| match error {
        Error::FaultMine | Error::FaultTheirs => Broken { error, done, address },
        _ => Broken { error, done: 0, address: 0 },
    })
}

fn arrived(registers: Registers) -> (Received, u32) {
    let received = unload(registers);
    let bytes = if received.message.tag().has_strings() { Utcb::current().get(utcb::ARRIVED) } else { 0 };
    (received, bytes)
}
