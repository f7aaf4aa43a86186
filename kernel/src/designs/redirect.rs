//! The redirector: messages that leave an untrusted space are shown to a thread that looks at them, and go on when it
//! says so.
//!
//! A message that is redirected passes three places. (a) Its sender waits in the queue of the redirector's endpoint.
//! (b) A thread has received it there: tag and words as they are, the items' words as words, nothing carried; the
//! sender waits as for a reply of that thread's. (c) Propagate makes the sender's call for it, from its beginning, with
//! its registers as they are; from here on it is as if there were no redirector.
//!
//! What must hold: a sender in (a) or (b) is REDIRECTED and INVOLVED, so that no short path meets it, and whatever
//! ends its wait clears both; its call has done nothing yet. What the redirector saw is what goes on: the registers
//! are the kernel's meanwhile, and the items, which programs could change behind its back, are written back before they
//! are read again. A thread of an untrusted space makes a call of [`WATCHED`] by [`kernel_watched_call`] alone, or by
//! the short paths that do the same; a call that starts again comes in anew.

use freehold_abi::designs::Design;
use freehold_abi::info::{Kind, State};
use freehold_abi::layout::{FOREVER, utcb};
use freehold_abi::{Call, CapName, Error, Rights, Tag};
use freehold_captree::Link;
use freehold_user_pagetables::Budget;
use freehold_user_pagetables::layout::IN_NODE;

use crate::designs::trust;
use crate::kernel::Kernel;
use crate::reply::ReplyPlace;
use crate::syscall::{self, CallResult, Outcome, apart};
use crate::thread::{Errand, ThreadRef, reg, special};
use crate::{ipc, units};

/// The calls of untrusted threads that are looked at: those whose messages can leave the space, and [`trust::WATCHED`].
pub const WATCHED: [Call; 7] = {
    let [first, second, third] = trust::WATCHED;
    [first, second, third, Call::Call, Call::Send, Call::Reply, Call::ReplyReceive]
};

/// Entry point: a call of a thread that may be untrusted.
#[unsafe(no_mangle)]
extern "C" fn kernel_watched_call() {
    let (k, thread) = Kernel::enter();
    let result = watched(k, thread);
    syscall::conclude(k, thread, result);
}

fn watched(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let call = Call::from_word(t.get(reg::EAX));
    if !trust::is_untrusted(k, t.directory.get()) {
        return syscall::dispatch(k, t);
    }
    match call {
        Some(Call::MakeSpace) => trust::make_space(k, t),
        Some(Call::MakeThread) => trust::make_thread(k, t),
        Some(Call::StartThread) => trust::start_thread(k, t),
        Some(call) if k.designs.design == Design::Redirector && leaves(k, t, call) => redirect(k, t, call),
        _ => syscall::dispatch(k, t),
    }
}

/// Whether `t` makes a call whose message goes to another space. A message that cannot be sent at all goes nowhere, and
/// its sender learns why. One for nobody yet can come to be for anybody.
fn leaves(k: &Kernel, t: ThreadRef, call: Call) -> bool {
    let own = t.directory.get();
    let target = match call {
        Call::Call | Call::Send => {
            let cap = k.cap(t, CapName::from_word(t.get(reg::EBX)));
            let Ok(origin) = cap.and_then(|cap| k.origin(cap, Kind::Endpoint, Rights::SEND)) else {
                return false;
            };
            let first = k.head(origin).filter(|head| head.state.get() == State::Receiving);
            first.filter(|&first| k.may_still_wait(first, origin))
        }
        Call::Reply | Call::ReplyReceive => match ipc::reply_target(k, t) {
            Ok(caller) => Some(caller),
            Err(_) => return false,
        },
        _ => return false,
    };
    ipc::check_tag(Tag(t.get(reg::ESI))).is_ok() && target.is_none_or(|target| target.directory.get() != own)
}

/// The message of `t` goes to its redirector first.
fn redirect(k: &mut Kernel, t: ThreadRef, call: Call) -> CallResult {
    let (door, _) = trust::door(k, t.directory.get())?;
    // What its last calls offered is no longer on offer, nor is what this one will.
    t.buffers.forget();
    t.range_count.set(0);
    // The redirector gets a tick even if the receiver gets none.
    let limit = match call {
        Call::Call | Call::Send => t.utcb_word(utcb::SEND_LIMIT).max(1),
        _ => FOREVER,
    };
    while let Some(redirector) = k.head(door).filter(|head| head.state.get() == State::Receiving) {
        if !k.units.spend(units::of_wait(redirector)) {
            return Ok(Outcome::Again);
        }
        let entitled = k.may_still_wait(redirector, door);
        k.dequeue(door, redirector);
        if !entitled {
            ipc::end_wait(k, redirector, Error::Canceled);
            continue;
        }
        k.wheel.cancel(redirector);
        k.scheduler.rest(t);
        show(k, t, redirector);
        k.wheel.limit(t, limit);
        k.scheduler.make_ready(redirector);
        return Ok(Outcome::Waits);
    }
    // It needs no capability to wait there; nor has it one by which it could go on without being shown.
    let waits = ipc::queue_up(k, t, door, Link::new(t.frame(), IN_NODE), State::Sending, limit)?;
    t.mark(special::REDIRECTED | special::INVOLVED, true);
    Ok(waits)
}

/// `t` receives, and next in the queue was `sender`, which has no capability to wait there. True: it is one whose
/// message is redirected, and `t` has it now.
pub fn arrive(k: &mut Kernel, sender: ThreadRef, t: ThreadRef) -> bool {
    let redirected = sender.is(special::REDIRECTED);
    if redirected {
        show(k, sender, t);
    }
    redirected
}

/// `redirector` receives what `sender`, which is in no queue, sends.
fn show(k: &mut Kernel, sender: ThreadRef, redirector: ThreadRef) {
    let tag = sender.tag();
    let (words, items) = (tag.words(), tag.items());
    let badge = trust::door(k, sender.directory.get()).map_or(0, |(_, badge)| badge);
    redirector.set(reg::EBX, badge);
    for register in [reg::ESI, reg::EDI, reg::EBP] {
        redirector.set(register, sender.get(register));
    }
    for index in 3..1 + (words + 2 * items) as usize {
        redirector.set_message(index, sender.message(index));
    }
    if items != 0 {
        let mut shown = sender.shown.get();
        for (index, item) in shown.iter_mut().take(items as usize).enumerate() {
            let at = 1 + words as usize + 2 * index;
            *item = [sender.message(at), sender.message(at + 1)];
        }
        sender.shown.set(shown);
    }
    redirector.finish(Ok(()));
    sender.state.set(State::AwaitingReply);
    sender.reply.set(ReplyPlace::Held(redirector));
    sender.mark(special::REDIRECTED | special::INVOLVED, true);
    redirector.caller.set(Some(sender));
}

/// Propagate: the message that `t` has received as a redirector goes on, or its sender gets an error; and `t` receives.
pub fn propagate(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [endpoint, status, ..] = t.args();
    let sender = t.caller.get().filter(|sender| sender.is(special::REDIRECTED)).ok_or(Error::NoReply)?;
    if endpoint != 0 {
        let cap = k.cap(t, CapName::from_word(endpoint))?;
        k.origin(cap, Kind::Endpoint, Rights::RECEIVE)?;
    }
    if status == 0 {
        if go_on(k, sender) == Outcome::Again {
            return Ok(Outcome::Again);
        }
    } else {
        let error = Error::from_status(status).ok_or(Error::OutOfRange)?;
        k.drop_reply(sender);
        ipc::end_wait(k, sender, error);
    }
    if endpoint == 0 {
        return Ok(Outcome::Done);
    }
    // From here on the call is a Receive, also if it has to start again.
    ipc::replied(t);
    t.buffers.forget();
    ipc::receive_on(k, t)
}

/// Makes the call of `sender`, whose message the redirector has let past. Again: nothing has happened yet.
fn go_on(k: &mut Kernel, sender: ThreadRef) -> Outcome {
    let ReplyPlace::Held(redirector) = sender.reply.get() else { return Outcome::Done };
    // Its limit runs on until its message is taken.
    let deadline = sender.wheel.get().map(|_| sender.deadline.get());
    k.wheel.cancel(sender);
    sender.mark(special::REDIRECTED | special::INVOLVED, false);
    if sender.tag().items() != 0 {
        sender.mark(special::PROPAGATED, true);
        recall(sender);
    }
    // Not Ready, for it is in no queue; else as if it ran.
    k.drop_reply(sender);
    let made = match Call::from_word(sender.get(reg::EAX)) {
        Some(Call::Call) => apart(k, sender, ipc::call),
        Some(Call::Send) => apart(k, sender, ipc::send),
        Some(Call::Reply) => apart(k, sender, ipc::reply),
        _ => apart(k, sender, ipc::reply_receive),
    };
    let result = match made {
        Ok(Outcome::Done) => Ok(()),
        Ok(Outcome::Waits) => {
            let queued = matches!(sender.state.get(), State::Sending | State::Calling);
            if let (true, Some(deadline), Some(_)) = (queued, deadline, sender.wheel.get()) {
                k.wheel.arm_until(sender, deadline);
            }
            if queued && sender.is(special::PROPAGATED) {
                // Who takes its message looks twice.
                sender.mark(special::INVOLVED, true);
            }
            // It drives the transfer of its strings, and competes for the time that that takes.
            if sender.errand.get() != Errand::None && sender.state.get() != State::Ready {
                k.scheduler.make_ready(sender);
            }
            return Outcome::Waits;
        }
        Ok(Outcome::Again) if Call::from_word(sender.get(reg::EAX)) == Some(Call::Receive) => {
            // Its reply is delivered. What is left it does itself.
            sender.restart();
            k.scheduler.make_ready(sender);
            return Outcome::Waits;
        }
        Ok(Outcome::Again) => {
            sender.state.set(State::AwaitingReply);
            sender.reply.set(ReplyPlace::Held(redirector));
            redirector.caller.set(Some(sender));
            sender.mark(special::REDIRECTED | special::INVOLVED, true);
            if let Some(deadline) = deadline {
                k.wheel.arm_until(sender, deadline);
            }
            return Outcome::Again;
        }
        Err(error) => Err(error),
    };
    sender.finish(result);
    k.scheduler.make_ready(sender);
    Outcome::Done
}

/// The items of a message that has been past the redirector are again what it saw.
pub fn recall(sender: ThreadRef) {
    if sender.is(special::PROPAGATED) {
        let tag = sender.tag();
        for (index, item) in sender.shown.get().into_iter().take(tag.items() as usize).enumerate() {
            let at = 1 + tag.words() as usize + 2 * index;
            sender.set_message(at, item[0]);
            sender.set_message(at + 1, item[1]);
        }
    }
}
