//! The calls: one `match`, from number to handler.
//!
//! What must hold: a handler reads its arguments from the caller's registers, checks them all before
//! it changes anything, and either finishes, leaves the caller waiting, or leaves its registers so
//! that the same call goes on where it stopped (docs/invariants.md, 20).

use freehold_abi::info::State;
use freehold_abi::{Call, Error};
use freehold_user_pagetables::Flush;

use crate::kernel::Kernel;
use crate::strings::Part;
use crate::thread::ThreadRef;
use crate::{arch, copy, derive, destroy, device, info, ipc, make, mapping, notification, threads};

/// How a call ended without error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The caller waits, or is gone; its status is set by what ends the wait.
    Waits,
    /// An interrupt is pending: the call starts again with the registers as they now are.
    Again,
}

/// What a handler returns; the error becomes the caller's status.
pub type CallResult = Result<Outcome, Error>;

/// Entry point: a call of the current thread.
#[unsafe(no_mangle)]
extern "C" fn kernel_syscall() {
    let (k, thread) = Kernel::enter();
    let result = dispatch(k, thread);
    conclude(k, thread, result);
}

/// Entry point: a Call or ReplyReceive of the current thread with one string, at `address`, of whose `bytes` the short
/// path has copied the first `copied`. All that is checked before that is as it must be.
#[unsafe(no_mangle)]
extern "C" fn kernel_string_begun(address: u32, bytes: u32, copied: u32) {
    // The last piece may have had all units.
    arch::interrupt_window();
    let (k, thread) = Kernel::enter();
    // What was seen through the copy window.
    k.owe(Flush::All);
    let result = ipc::string_begun(k, thread, Part { address, bytes }, copied);
    conclude(k, thread, result);
}

#[inline(always)]
fn conclude(k: &mut Kernel, thread: ThreadRef, result: CallResult) {
    k.ordinary_calls = k.ordinary_calls.wrapping_add(1);
    match result {
        Ok(Outcome::Done) => thread.finish(Ok(())),
        Ok(Outcome::Waits) => {}
        Ok(Outcome::Again) => thread.restart(),
        Err(error) => thread.finish(Err(error)),
    }
    k.leave();
}

/// Entry point: the current thread waits for a notification, by a short path that cannot go on to whoever is next.
#[unsafe(no_mangle)]
extern "C" fn kernel_wait() {
    let (k, thread) = Kernel::enter();
    thread.state.set(State::Waiting);
    k.scheduler.vacate();
    k.leave();
}

/// Carries out the call in `t`'s registers.
#[inline]
fn dispatch(k: &mut Kernel, t: ThreadRef) -> CallResult {
    match Call::from_word(t.get(crate::thread::reg::EAX)).ok_or(Error::UnknownCall)? {
        Call::Null => Ok(Outcome::Done),

        Call::Call => ipc::call(k, t),
        Call::Send => ipc::send(k, t),
        Call::Receive => ipc::receive(k, t),
        Call::ReplyReceive => ipc::reply_receive(k, t),
        Call::Reply => ipc::reply(k, t),
        Call::Notify => notification::notify(k, t),
        Call::SaveReply => ipc::save_reply(k, t),
        Call::Copy => copy::copy(k, t),

        Call::Derive => derive::derive(k, t),
        Call::Move => derive::relocate(k, t),
        Call::Delete => destroy::delete(k, t),
        Call::Revoke => destroy::revoke(k, t),

        Call::MakeEndpoint => make::endpoint(k, t),
        Call::MakeNotification => make::notification(k, t),
        Call::MakeCapNode => make::cap_node(k, t),
        Call::MakeSpace => make::space(k, t),
        Call::MakeTable => make::table(k, t),
        Call::MakeThread => make::thread(k, t),

        Call::Hook => mapping::hook(k, t),
        Call::Unhook => mapping::unhook(k, t),
        Call::Update => mapping::update(k, t),
        Call::Validate => mapping::validate(k, t),
        Call::Unmap => mapping::unmap(k, t),
        Call::RevokeRange => mapping::revoke_range(k, t),
        Call::Withdraw => mapping::withdraw(k, t),
        Call::Reclaim => destroy::reclaim(k, t),

        Call::StartThread => threads::start(k, t),
        Call::StopThread => threads::stop(k, t),
        Call::ThreadInfo => threads::info(k, t),

        Call::SpaceInfo => info::space(k, t),
        Call::CapInfo => info::capability(k, t),
        Call::KernelInfo => info::kernel(k, t),

        Call::IrqBind => device::bind(k, t),
        Call::IrqAck => device::acknowledge(k, t),
        Call::PortIn => device::port_in(k, t),
        Call::PortOut => device::port_out(k, t),
        Call::PortWrite => device::port_write(k, t),
    }
}
