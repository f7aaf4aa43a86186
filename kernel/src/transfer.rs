//! Transfers: a message's strings on their way from one thread to another, through page faults on either side.
//!
//! What is short, and all there, is copied within the call that found the other waiting. Else that thread *drives*: it
//! stays Ready, with an errand that the
//! kernel runs whenever it is the thread's turn, so that copying takes place in its time; at the higher of both
//! priorities, or whoever computes between the two would hold the higher one.
//! The other is Transferring until it is over. When a page is missing, both wait: whose it is calls its pager.
//!
//! What must hold: two threads in a transfer name each other, and exactly one drives. Lists are not changed, and
//! nothing else is read from either program's memory than the strings. Words and items move last. However it
//! ends, both are out of it and out of whatever their faults had put them into, and each has a status, is on its
//! way to receive again, or belongs to whoever took it out.

use freehold_abi::fault::{ACCESS_WRITE, PAGE_FAULT};
use freehold_abi::info::State;
use freehold_abi::layout::{FOREVER, TICK_MS, UNIT_BYTES, UNITS, utcb};
use freehold_abi::{Call, Error, fault};
use freehold_captree::Link;
use freehold_user_pagetables::Budget;

use crate::copy::{Fault, Way};
use crate::items::Named;
use crate::kernel::Kernel;
use crate::syscall::Outcome;
use crate::thread::{Errand, FaultMessage, ThreadRef, Until, reg};
use crate::units::{self, Units};
use crate::{arch, ipc, items, pager};

/// Most bytes between two checks for interrupts.
const PIECE: u32 = UNITS * UNIT_BYTES;
/// Units of a piece beside its bytes, if there are so many: the window takes a load of CR3.
const PIECE_UNITS: u32 = 3;

/// What the message is that the strings belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// One that nobody answers, through the endpoint that lives there.
    Send(Link),
    /// One whose sender then waits for the answer.
    Call(Link),
    /// An answer.
    Reply,
}

/// A thread's part in a transfer.
#[derive(Clone, Copy)]
pub struct Role {
    partner: ThreadRef,
    exchange: Exchange,
    /// What the receiver is told. The thread's own word for it is its fault's, while it calls its pager.
    badge: u32,
    sends: bool,
    drives: bool,
    /// The thread's own priority.
    priority: u8,
}

/// Where a transfer is; the driver's.
#[derive(Clone, Copy, Default)]
pub struct Progress {
    done: u32,
    /// Tick of the first fault.
    clock: Option<u32>,
    /// Address of the last.
    address: u32,
}

/// Carries the strings of `from`'s message, which comes with `badge`, to `to`, from byte `done` on. `driver` is one of
/// them and Ready; the other waits. What is short is there when this returns, and the words too: true. Else false: the
/// transfer has begun, and the other may be in no queue.
///
/// # Errors
/// NoRoom; what items lack. Nothing has begun then.
pub fn begin(
    k: &mut Kernel,
    (from, to): (ThreadRef, ThreadRef),
    exchange: Exchange,
    badge: u32,
    driver: ThreadRef,
    done: u32,
) -> Result<bool, Error> {
    if from.strings.bytes() > to.buffers.bytes() {
        return Err(Error::NoRoom);
    }
    from.strings.start_at(done);
    to.buffers.start_at(done);
    let sends = from == driver;
    let passive = if sends { to } else { from };
    let mut progress = Progress { done, ..Progress::default() };
    if from.tag().items() != 0 {
        let named = Named::read(from, to);
        items::check(k, from, to, &named)?;
        from.named.set(named);
    } else if let Copied::All = copy(k, (driver, passive), sends, &mut progress, Units::afford) {
        deliver(from, to, badge);
        return Ok(true);
    }
    // A page that is missing is found missing once more.
    let role = |t: ThreadRef, partner, sends| {
        let priority = t.priority.get();
        t.role.set(Some(Role { partner, exchange, badge, sends, drives: t == driver, priority }));
    };
    role(from, to, true);
    role(to, from, false);
    driver.progress.set(progress);
    driver.errand.set(Errand::Transfer);
    passive.state.set(State::Transferring);
    k.scheduler.set_priority(driver, driver.priority.get().max(passive.priority.get()));
    Ok(false)
}

/// The driver's errand: copies until all is there, a page is missing, or an interrupt is pending.
pub fn go_on(k: &mut Kernel, driver: ThreadRef) {
    let role = driver.role.get().expect("a driver has a role");
    let mut progress = driver.progress.get();
    let copied = copy(k, (driver, role.partner), role.sends, &mut progress, Units::spend);
    driver.progress.set(progress);
    match copied {
        Copied::Some => {}
        Copied::Until(fault) => {
            // The piece may have had all units, and to ask a pager takes a while.
            arch::interrupt_window();
            k.units.begin();
            let faulted = if fault.error == Error::FaultMine { driver } else { role.partner };
            page_missing(k, driver, faulted, fault.address, fault.access);
        }
        // Each item can be derived, refused and taken back.
        Copied::All => {
            if k.units.spend(1 + units::ITEM * order(driver, role).0.tag().items()) {
                complete(k, driver, role);
            }
        }
    }
}

/// How far a copy has come.
enum Copied {
    /// All is there.
    All,
    /// Not all, for want of units.
    Some,
    /// A page is missing.
    Until(Fault),
}

/// Copies what is left of the strings, `driver`'s if it `sends`, as far as units are to be had from `spend`.
#[inline]
fn copy(
    k: &mut Kernel,
    (driver, partner): (ThreadRef, ThreadRef),
    sends: bool,
    progress: &mut Progress,
    spend: impl Fn(&mut Units, u32) -> bool,
) -> Copied {
    let (from, to) = if sends { (driver, partner) } else { (partner, driver) };
    let mut way = Way::open(k, driver, partner, sends);
    let copied = loop {
        if progress.done == from.strings.bytes() {
            break Copied::All;
        }
        let (source, destination) = (from.strings.here(), to.buffers.here());
        let bytes = source.bytes.min(destination.bytes).min(PIECE);
        if !spend(&mut k.units, (bytes.div_ceil(UNIT_BYTES) + PIECE_UNITS).min(UNITS)) {
            break Copied::Some;
        }
        let (own, theirs) = if sends { (source, destination) } else { (destination, source) };
        let (done, fault) = way.piece(k, own.address, theirs.address, bytes);
        from.strings.advance(done);
        to.buffers.advance(done);
        progress.done += done;
        if let Some(fault) = fault {
            break Copied::Until(fault);
        }
    };
    way.close(k);
    copied
}

/// A thread in a transfer whose pager has answered with `label` (for RESUME_AT: EIP and ESP) goes on.
pub fn pager_answered(k: &mut Kernel, t: ThreadRef, label: u16, place: (u32, u32)) {
    t.clear_fault();
    t.state.set(State::Transferring);
    let driver = driver(t);
    match label {
        fault::STOP => {
            stop(k, driver, t);
            k.halt(t);
        }
        fault::RESUME_AT => {
            stop(k, driver, t);
            t.resume_at(place.0, place.1);
        }
        _ => {
            k.wheel.cancel(driver);
            k.scheduler.make_ready(driver);
        }
    }
}

/// A thread in a transfer, in no queue any more, will not hear from its pager.
pub fn pager_lost(k: &mut Kernel, t: ThreadRef) {
    t.clear_fault();
    t.state.set(State::Transferring);
    stop(k, driver(t), t);
}

/// A time limit of a thread in a transfer has passed: the driver's is for the fault that is waited for, its
/// partner's the one that ran when the transfer began.
pub fn time_out(k: &mut Kernel, t: ThreadRef) {
    let role = t.role.get().expect("in a transfer");
    if role.drives {
        let faulted = if t.has_faulted() { t } else { role.partner };
        stop(k, t, faulted);
    } else {
        leave(k, t);
        ipc::end_wait(k, t, Error::Timeout);
    }
}

/// Takes `t` out of its transfer, which thereby ends. Unless it was Ready, it is in no queue then.
pub fn leave(k: &mut Kernel, t: ThreadRef) {
    let (role, other) = roles(t);
    part(k, t, role);
    end_or_receive(k, role.partner, other, |_| Error::PeerGone);
}

/// The page at `address` of `faulted`, one of the two, is missing.
fn page_missing(k: &mut Kernel, driver: ThreadRef, faulted: ThreadRef, address: u32, access: u32) {
    let role = driver.role.get().expect("a driver has a role");
    let mut progress = driver.progress.get();
    let now = units::ticks();
    let began = *progress.clock.get_or_insert(now);
    progress.address = address;
    driver.progress.set(progress);
    k.scheduler.withdraw(driver);
    driver.state.set(State::Transferring);
    let left = match limit(driver, role, faulted) {
        FOREVER => FOREVER,
        limit => limit.div_ceil(TICK_MS).saturating_sub(now.wrapping_sub(began)),
    };
    if left == 0 {
        return stop(k, driver, faulted);
    }
    let words = [address, access & (ACCESS_WRITE | fault::ACCESS_PRESENT), faulted.place().0, 0, 0];
    match pager::ask(k, faulted, FaultMessage { label: PAGE_FAULT, count: 3, words }) {
        // The copy finds the page missing once more.
        Ok(Outcome::Again) => {
            faulted.clear_fault();
            k.scheduler.make_ready(driver);
        }
        Ok(_) if left == FOREVER => {}
        Ok(_) => k.wheel.arm(driver, left),
        Err(_) => pager_lost(k, faulted),
    }
}

/// Milliseconds on the transfer's clock until which a fault of `faulted` is waited for: the stricter of what it
/// says for itself and what its partner says for it.
fn limit(driver: ThreadRef, role: Role, faulted: ThreadRef) -> u32 {
    let (from, to) = order(driver, role);
    let (sender, receiver) = (from.strings.limits(), to.buffers.limits());
    if faulted == from { sender.0.min(receiver.1) } else { receiver.0.min(sender.1) }
}

/// All bytes are there: the rest of the message follows.
fn complete(k: &mut Kernel, driver: ThreadRef, role: Role) {
    let (from, to) = order(driver, role);
    let (_, receiving) = roles(from);
    part(k, driver, role);
    if from.tag().items() != 0
        && let Err(error) = items::transfer(k, from, to, &from.named.get())
    {
        end(k, from, error);
        return end_or_receive(k, to, receiving, |_| Error::PeerGone);
    }
    deliver(from, to, role.badge);
    k.wheel.cancel(to);
    match role.exchange {
        Exchange::Call(_) => {
            k.scheduler.rest(from);
            k.wheel.cancel(from);
            ipc::await_reply(k, from, to);
        }
        Exchange::Reply if Call::from_word(from.get(reg::EAX)) == Some(Call::ReplyReceive) => {
            ipc::replied(from);
            from.errand.set(Errand::FreshReceive);
        }
        _ => {
            k.wheel.cancel(from);
            from.finish(Ok(()));
            wake(k, from);
        }
    }
    wake(k, to);
}

/// What is left of the message when bytes and items are there.
fn deliver(from: ThreadRef, to: ThreadRef, badge: u32) {
    ipc::deliver_words(from, to, badge);
    to.set_utcb_word(utcb::ARRIVED, from.strings.bytes());
}

/// A page fault of `faulted`, one of the two, ends the transfer.
fn stop(k: &mut Kernel, driver: ThreadRef, faulted: ThreadRef) {
    let Progress { done, address, .. } = driver.progress.get();
    let (role, other) = roles(faulted);
    part(k, faulted, role);
    let tell = |t: ThreadRef, error| {
        t.set(reg::EDI, done);
        t.set(reg::EBP, address);
        error
    };
    end(k, faulted, tell(faulted, Error::FaultMine));
    end_or_receive(k, role.partner, other, |t| tell(t, Error::FaultTheirs));
}

/// The transfer that `t` and its partner are in is over: neither waits for a pager or hangs on the clock, and the
/// one that drove is back at its own priority.
fn part(k: &mut Kernel, t: ThreadRef, role: Role) {
    k.wheel.cancel(if role.drives { t } else { role.partner });
    for t in [t, role.partner] {
        if t.has_faulted() {
            match t.state.get() {
                State::Calling => k.dequeue(t.waits_on.get(), t),
                State::AwaitingReply => k.drop_reply(t),
                _ => {}
            }
            t.clear_fault();
            t.state.set(State::Transferring);
        }
        t.errand.set(Errand::None);
        if let Some(role) = t.role.take() {
            k.scheduler.set_priority(t, role.priority);
        }
    }
}

/// What becomes of `t`, which had `role`, if its partner is at fault: a receiver goes on receiving, any other
/// learns an error.
fn end_or_receive(k: &mut Kernel, t: ThreadRef, role: Role, error: impl FnOnce(ThreadRef) -> Error) {
    let door = match role.exchange {
        Exchange::Send(door) | Exchange::Call(door) if !role.sends => door,
        _ => {
            let error = error(t);
            return end(k, t, error);
        }
    };
    // What it has waited counts. Whoever drives has not waited since it began to receive, or went on to.
    if !role.drives {
        t.until.set(t.wheel.get().map_or(Until::Forever, |_| Until::Tick(t.deadline.get())));
        k.wheel.cancel(t);
    }
    t.waits_on.set(door);
    t.errand.set(Errand::Receive);
    wake(k, t);
}

fn end(k: &mut Kernel, t: ThreadRef, error: Error) {
    k.wheel.cancel(t);
    t.finish(Err(error));
    wake(k, t);
}

fn wake(k: &mut Kernel, t: ThreadRef) {
    if t.state.get() != State::Ready {
        k.scheduler.make_ready(t);
    }
}

/// The sender and the receiver.
fn order(t: ThreadRef, role: Role) -> (ThreadRef, ThreadRef) {
    if role.sends { (t, role.partner) } else { (role.partner, t) }
}

/// The role of `t`, which is in a transfer, and its partner's.
fn roles(t: ThreadRef) -> (Role, Role) {
    let role = t.role.get().expect("in a transfer");
    (role, role.partner.role.get().expect("the same transfer"))
}

fn driver(t: ThreadRef) -> ThreadRef {
    let role = t.role.get().expect("in a transfer");
    if role.drives { t } else { role.partner }
}
