//! Messages: send, call, receive, reply, and every way in which a wait can end.
//!
//! What must hold: a message is delivered whole or not at all; a reply capability is in exactly one
//! place, which its caller knows, and dies with its use or its caller (docs/invariants.md, 19); a thread in a
//! waiting state is either in the queue of `waits_on` or has `reply` set. All constant time, but for
//! the words and items of the message itself.

use core::cell::Cell;

use freehold_abi::info::{Kind, State};
use freehold_abi::layout::{FOREVER, USER_END, utcb};
use freehold_abi::{Call, CapName, Error, Rights, Tag, message};
use freehold_captree::Link;
use freehold_user_pagetables::layout::{IN_NODE, SPARE};
use freehold_user_pagetables::{Budget, FrameType};

use crate::caps::{Cap, Content};
use crate::items::Named;
use crate::kernel::Kernel;
use crate::queue::{self, QUEUE};
use crate::reply::ReplyPlace;
use crate::strings::Part;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{ThreadRef, Until, reg, special};
use crate::transfer::{self, Exchange};
use crate::{hooks, items, notification, pager, strings, units};

/// Call: sends and waits for the reply.
pub fn call(k: &mut Kernel, t: ThreadRef) -> CallResult {
    check_tag(Tag(t.get(reg::ESI)))?;
    declare_ranges(t)?;
    if strings::read_strings(k, t)? == Outcome::Again || strings::read_buffers(k, t)? == Outcome::Again {
        return Ok(Outcome::Again);
    }
    send_phase(k, t, State::Calling, 0)
}

/// Goes on with a Call or ReplyReceive that has one string, whose first `copied` bytes the short path has copied. What is
/// checked before that is as it must be, and the buffers are read.
pub fn string_begun(k: &mut Kernel, t: ThreadRef, string: Part, copied: u32) -> CallResult {
    strings::take_one(t, string);
    if Call::from_word(t.get(reg::EAX)) == Some(Call::ReplyReceive) {
        let caller = t.caller.get().ok_or(Error::NoReply)?;
        let answered = give_answer(k, t, caller, copied)?;
        return receive_behind(k, t, answered);
    }
    t.range_count.set(0);
    send_phase(k, t, State::Calling, copied)
}

/// Send: sends, and goes on when the message is taken.
pub fn send(k: &mut Kernel, t: ThreadRef) -> CallResult {
    check_tag(Tag(t.get(reg::ESI)))?;
    if strings::read_strings(k, t)? == Outcome::Again {
        return Ok(Outcome::Again);
    }
    send_phase(k, t, State::Sending, 0)
}

/// Receive: from an endpoint, or the bits of a notification.
pub fn receive(k: &mut Kernel, t: ThreadRef) -> CallResult {
    if strings::read_buffers(k, t)? == Outcome::Again {
        return Ok(Outcome::Again);
    }
    t.until.set(Until::Fresh);
    receive_on(k, t)
}

/// Goes on with a Receive from the endpoint in `waits_on`, if that is still the thread's to receive from.
pub fn receive_again(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let cap = k.cap(t, CapName::from_word(t.get(reg::EBX)));
    match cap.and_then(|cap| k.origin(cap, Kind::Endpoint, Rights::RECEIVE)) {
        Ok(origin) if origin == t.waits_on.get() => receive_on(k, t),
        _ => Err(Error::Canceled),
    }
}

/// Receive, with the buffers read already, and perhaps after it has waited for a while.
pub fn receive_on(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let cap = k.cap(t, CapName::from_word(t.get(reg::EBX)))?;
    if cap.kind == Kind::Notification {
        return notification::wait(k, t, cap);
    }
    let origin = k.origin(cap, Kind::Endpoint, Rights::RECEIVE)?;
    if let Some(caller) = t.caller.take() {
        caller.reply.set(ReplyPlace::None);
        end_wait(k, caller, Error::PeerGone);
    }
    while let Some(sender) = k.head(origin).filter(|head| head.state.get() != State::Receiving) {
        // Each item can be derived, refused and taken back.
        if !k.units.spend(units::of_wait(sender) + units::ITEM * sender.tag().items()) {
            return Ok(Outcome::Again);
        }
        let entitled = k.may_still_wait(sender, origin);
        let calling = sender.state.get() == State::Calling;
        k.dequeue(origin, sender);
        if !entitled {
            if hooks::arrive(k, sender, t) {
                return Ok(Outcome::Done);
            }
            end_wait(k, sender, Error::Canceled);
            continue;
        }
        let exchange = if calling { Exchange::Call(origin) } else { Exchange::Send(origin) };
        match deliver(k, (sender, t), exchange, sender.badge.get(), t, 0) {
            Ok(true) => {}
            Ok(false) => return Ok(Outcome::Waits),
            Err(error) => {
                end_wait(k, sender, error);
                continue;
            }
        }
        // A fault has no limit of its own: what runs is the transfer's that it happened in.
        if !sender.has_faulted() {
            k.wheel.cancel(sender);
        }
        if calling {
            await_reply(k, sender, t);
        } else {
            sender.finish(Ok(()));
            k.scheduler.make_ready(sender);
        }
        return Ok(Outcome::Done);
    }
    let limit = match t.until.get() {
        Until::Fresh => t.utcb_word(utcb::RECEIVE_LIMIT),
        Until::Tick(_) | Until::Forever => FOREVER,
    };
    let outcome = queue_up(k, t, origin, cap.slot, State::Receiving, limit)?;
    if let Until::Tick(deadline) = t.until.get() {
        k.wheel.arm_until(t, deadline);
    }
    Ok(outcome)
}

/// What has become of an answer.
enum Answer {
    /// It is delivered; the caller does not compete for the processor yet.
    Delivered(ThreadRef),
    /// It was a pager's; what becomes of the thread is settled.
    Settled,
    /// It is not delivered yet: its strings are on their way, or not even looked at.
    Later(Outcome),
}

fn answer(k: &mut Kernel, t: ThreadRef) -> Result<Answer, Error> {
    let caller = reply_target(k, t)?;
    check_tag(Tag(t.get(reg::ESI)))?;
    if caller.has_faulted() {
        return Ok(pager::answer(k, t, caller)?.map_or(Answer::Settled, Answer::Delivered));
    }
    if strings::read_strings(k, t)? == Outcome::Again || !spend_on_items(k, t) {
        return Ok(Answer::Later(Outcome::Again));
    }
    give_answer(k, t, caller, 0)
}

/// Answers `caller`, to whom so much of a string is copied already.
fn give_answer(k: &mut Kernel, t: ThreadRef, caller: ThreadRef, copied: u32) -> Result<Answer, Error> {
    let delivered = deliver(k, (t, caller), Exchange::Reply, 0, t, copied)?;
    k.drop_reply(caller);
    if !delivered {
        return Ok(Answer::Later(Outcome::Waits));
    }
    k.wheel.cancel(caller);
    Ok(Answer::Delivered(caller))
}

/// Reply: answers a call and goes on.
pub fn reply(k: &mut Kernel, t: ThreadRef) -> CallResult {
    match answer(k, t)? {
        Answer::Delivered(caller) => k.scheduler.make_ready(caller),
        Answer::Settled => {}
        Answer::Later(outcome) => return Ok(outcome),
    }
    Ok(Outcome::Done)
}

/// ReplyReceive: answers a call, then receives. If that means to wait, the caller is handed the processor.
pub fn reply_receive(k: &mut Kernel, t: ThreadRef) -> CallResult {
    if strings::read_buffers(k, t)? == Outcome::Again {
        return Ok(Outcome::Again);
    }
    let answered = answer(k, t)?;
    receive_behind(k, t, answered)
}

/// The second half of ReplyReceive.
fn receive_behind(k: &mut Kernel, t: ThreadRef, answered: Answer) -> CallResult {
    if let Answer::Later(outcome) = answered {
        return Ok(outcome);
    }
    replied(t);
    let received = receive_on(k, t);
    if let Answer::Delivered(caller) = answered {
        k.scheduler.make_ready(caller);
    }
    received
}

/// The reply of a ReplyReceive is delivered: from here on the call is a Receive, also if it has to start again.
pub fn replied(t: ThreadRef) {
    t.set(reg::EAX, Call::Receive as u32 | (t.immediate() & message::ACCEPT) << 8);
    t.until.set(Until::Fresh);
}

/// SaveReply: puts the reply capability that the thread holds into a slot of its space.
pub fn save_reply(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let slot = k.slot(t.directory.get(), CapName::from_word(t.get(reg::EBX)))?;
    if k.tables.cap_kind(slot) != 0 {
        return Err(Error::Occupied);
    }
    let caller = t.caller.get().ok_or(Error::NoReply)?;
    t.caller.set(None);
    caller.reply.set(ReplyPlace::Slot(slot));
    let content = Content { kind: Kind::Reply, object: caller.frame(), badge: 0, spare: 0 };
    k.fill(slot, content, false);
    Ok(Outcome::Done)
}

/// The caller that a Reply, ReplyReceive or Copy names.
///
/// # Errors
/// NoCapability, WrongKind, NoReply.
pub fn reply_target(k: &Kernel, t: ThreadRef) -> Result<ThreadRef, Error> {
    let name = CapName::from_word(t.immediate());
    if name.0 == 0 {
        return t.caller.get().ok_or(Error::NoReply);
    }
    let cap = k.cap(t, name)?.expect(Kind::Reply, Rights::NONE)?;
    // SAFETY: the slot is cleared before its caller's frame is anything else.
    Ok(unsafe { ThreadRef::new(cap.object) })
}

/// The time limit of a waiting thread has passed.
pub fn time_out(k: &mut Kernel, t: ThreadRef) {
    if t.role.get().is_some() {
        return transfer::time_out(k, t);
    }
    stop_waiting(k, t);
    end_wait(k, t, Error::Timeout);
}

/// Takes a thread out of whatever it waits in. Its state is still what it was.
pub fn stop_waiting(k: &mut Kernel, t: ThreadRef) {
    match t.state.get() {
        State::Stopped | State::Ready | State::Transferring => {}
        State::AwaitingReply => k.drop_reply(t),
        State::Sending | State::Calling | State::Receiving | State::Waiting => {
            k.dequeue(t.waits_on.get(), t);
        }
    }
    k.wheel.cancel(t);
}

/// A thread that is in no queue any more learns why its wait ended. If it waited for its pager, it
/// stops: there is nobody to deal with its fault.
#[inline(always)]
pub fn end_wait(k: &mut Kernel, t: ThreadRef, error: Error) {
    if t.role.get().is_some() {
        return transfer::pager_lost(k, t);
    }
    k.wheel.cancel(t);
    if t.has_faulted() {
        t.state.set(State::Stopped);
        return;
    }
    t.finish(Err(error));
    k.scheduler.make_ready(t);
}

/// Whether a message can have this tag.
pub fn check_tag(tag: Tag) -> Result<(), Error> {
    if tag.is_short() || tag.is_valid() { Ok(()) } else { Err(Error::BadMessage) }
}

/// Whether the items of the message that `t` sends can be dealt with before the next check: lists that were read
/// may have used up the units. Each item can be derived, refused and taken back.
fn spend_on_items(k: &mut Kernel, t: ThreadRef) -> bool {
    match t.tag().items() {
        0 => true,
        items => k.units.spend(units::ITEM * items),
    }
}

fn send_phase(k: &mut Kernel, t: ThreadRef, state: State, copied: u32) -> CallResult {
    let cap = k.cap(t, CapName::from_word(t.get(reg::EBX)))?;
    let origin = k.origin(cap, Kind::Endpoint, Rights::SEND)?;
    send_to(k, t, origin, cap, state, copied)
}

/// Sends the message of `t`, which is Ready or in a transfer, through `cap` to the endpoint that lives in `origin`;
/// of its strings, so much is copied already to who waits there.
pub fn send_to(
    k: &mut Kernel,
    t: ThreadRef,
    origin: Link,
    cap: Cap,
    state: State,
    copied: u32,
) -> CallResult {
    while let Some(receiver) = k.head(origin).filter(|head| head.state.get() == State::Receiving) {
        if !k.may_still_wait(receiver, origin) {
            if !k.units.spend(units::of_wait(receiver)) {
                return Ok(Outcome::Again);
            }
            k.dequeue(origin, receiver);
            end_wait(k, receiver, Error::Canceled);
            continue;
        }
        if !spend_on_items(k, t) {
            return Ok(Outcome::Again);
        }
        let calling = state == State::Calling;
        let exchange = if calling { Exchange::Call(origin) } else { Exchange::Send(origin) };
        let delivered = deliver(k, (t, receiver), exchange, cap.badge, t, copied)?;
        k.dequeue(origin, receiver);
        if !delivered {
            return Ok(Outcome::Waits);
        }
        k.wheel.cancel(receiver);
        if calling {
            k.scheduler.rest(t);
            await_reply(k, t, receiver);
        }
        k.scheduler.make_ready(receiver);
        return Ok(if calling { Outcome::Waits } else { Outcome::Done });
    }
    t.badge.set(cap.badge);
    let faulted = t.has_faulted();
    let limit = if faulted { FOREVER } else { t.utcb_word(utcb::SEND_LIMIT) };
    queue_up(k, t, origin, cap.slot, state, limit)
}

/// `t`, which is Ready, waits on an endpoint or notification, at most `limit` milliseconds. It need not
/// be current any more: whom it answered, or refused, can have a higher priority.
pub fn queue_up(
    k: &mut Kernel,
    t: ThreadRef,
    origin: Link,
    by: Link,
    state: State,
    limit: u32,
) -> CallResult {
    if limit == 0 {
        return Err(Error::Timeout);
    }
    k.scheduler.rest(t);
    t.state.set(state);
    t.waits_on.set(origin);
    t.waits_by.set(by);
    let first = k.head(origin);
    if let Some(first) = first {
        first.mark(special::INVOLVED, true);
    }
    t.mark(special::INVOLVED, first.is_some() || !t.calls_by_sysenter());
    k.with_queue(origin, |head| queue::push_back(head, t, QUEUE));
    k.wheel.limit(t, limit);
    Ok(Outcome::Waits)
}

/// `caller`'s message has been taken by `callee`, who may now answer.
pub fn await_reply(k: &mut Kernel, caller: ThreadRef, callee: ThreadRef) {
    caller.state.set(State::AwaitingReply);
    caller.reply.set(ReplyPlace::Held(callee));
    caller.mark(special::INVOLVED, !caller.calls_by_sysenter());
    callee.caller.set(Some(caller));
    if !caller.has_faulted() {
        k.wheel.limit(caller, caller.utcb_word(utcb::RECEIVE_LIMIT));
    }
}

/// Carries the message of `from` over to `to`: all of it, or nothing. Strings may take longer: false. The last two are
/// [`transfer::begin`]'s.
fn deliver(
    k: &mut Kernel,
    (from, to): (ThreadRef, ThreadRef),
    exchange: Exchange,
    badge: u32,
    driver: ThreadRef,
    copied: u32,
) -> Result<bool, Error> {
    let tag = from.tag();
    if tag.has_strings() {
        return transfer::begin(k, (from, to), exchange, badge, driver, copied);
    }
    if tag.items() != 0 {
        items::transfer(k, from, to, &Named::read(from, to))?;
    }
    deliver_words(from, to, badge);
    Ok(true)
}

/// Carries over what is left of a message whose items have been.
pub fn deliver_words(from: ThreadRef, to: ThreadRef, badge: u32) {
    let tag = from.tag();
    if let Some(sent) = from.fault() {
        for (index, word) in sent.words.into_iter().enumerate().take(sent.count as usize) {
            to.set_message(1 + index, word);
        }
    } else {
        to.set(reg::EDI, from.get(reg::EDI));
        to.set(reg::EBP, from.get(reg::EBP));
        to.take_words(from, tag.words().saturating_sub(2));
    }
    to.set(reg::ESI, tag.0 & !Tag::new(0, 0).with_ranges().0);
    to.set(reg::EBX, badge);
    to.finish(Ok(()));
}

/// Reads the ranges that a call declares, once.
fn declare_ranges(t: ThreadRef) -> Result<(), Error> {
    t.range_count.set(0);
    if !Tag(t.get(reg::ESI)).has_ranges() {
        return Ok(());
    }
    let count = t.utcb_word(utcb::RANGES_COUNT);
    if count > utcb::RANGES_MAX as u32 {
        return Err(Error::BadMessage);
    }
    for index in 0..count as usize {
        let address = t.utcb_word(utcb::RANGES + 2 * index);
        let bytes = t.utcb_word(utcb::RANGES + 2 * index + 1);
        let end = address.checked_add(bytes & !utcb::RANGE_WRITABLE);
        if end.is_none_or(|end| end > USER_END) {
            return Err(Error::BadAddress);
        }
        t.ranges[index].set((address, bytes));
    }
    t.range_count.set(count);
    Ok(())
}

impl Kernel {
    /// The first thread that waits on the endpoint or notification in `origin`.
    #[inline]
    pub fn head(&self, origin: Link) -> Option<ThreadRef> {
        match self.tables.cap_field(origin, SPARE) {
            0 => None,
            // SAFETY: only threads are put there, and they leave before they end.
            frame => Some(unsafe { ThreadRef::new(frame) }),
        }
    }

    /// The slot of a capability node is about to be emptied, what is derived from it to be revoked, or the object
    /// there to be deleted: whoever waits first at the endpoint or notification that it is for is looked at when
    /// its turn comes. Who waits behind it is, anyway.
    pub fn revoking(&mut self, slot: Link) {
        let cap = self.read(slot);
        if matches!(cap.kind, Kind::Endpoint | Kind::Notification)
            && let Some(first) = self.head(Link::new(cap.object, IN_NODE))
        {
            first.mark(special::INVOLVED, true);
        }
    }

    /// Whether a thread that waits on `origin` still has the capability by which it does. Revoking does
    /// not look for waiters but for the first; they are found here, one at a time, when their turn comes.
    pub fn may_still_wait(&self, thread: ThreadRef, origin: Link) -> bool {
        if !thread.is(special::INVOLVED) {
            return true;
        }
        hooks::recall(thread);
        let by = thread.waits_by.get();
        let right = match thread.state.get() {
            State::Sending | State::Calling => Rights::SEND,
            _ => Rights::RECEIVE,
        };
        let cap = self.read(by);
        let known = matches!(cap.kind, Kind::Endpoint | Kind::Notification);
        known
            && cap.object == origin.address()
            && cap.rights.contains(right)
            && self.tables.frame_type(by.address()) == FrameType::CapNode
    }

    fn with_queue(&mut self, origin: Link, f: impl FnOnce(&Cell<Option<ThreadRef>>)) {
        let head = Cell::new(self.head(origin));
        f(&head);
        self.tables.set_cap_field(origin, SPARE, head.get().map_or(0, ThreadRef::frame));
    }

    /// Takes `thread` out of the queue on `origin`.
    pub fn dequeue(&mut self, origin: Link, thread: ThreadRef) {
        thread.waits_on.set(Link::NONE);
        self.with_queue(origin, |head| queue::remove(head, thread, QUEUE));
    }

    /// The capability to answer `caller` is used up, or dies.
    pub fn drop_reply(&mut self, caller: ThreadRef) {
        match caller.reply.replace(ReplyPlace::None) {
            ReplyPlace::None => {}
            ReplyPlace::Held(holder) => holder.caller.set(None),
            ReplyPlace::Slot(slot) => self.clear(slot),
        }
    }
}
