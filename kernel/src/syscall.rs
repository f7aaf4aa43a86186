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
use crate::{arch, copy, derive, designs, destroy, device, info, ipc, make, mapping, notification, threads};

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

/// Leaves the kernel at the end of a call of `thread`, which came to `result`.
#[inline(always)]
pub fn conclude(k: &mut Kernel, thread: ThreadRef, result: CallResult) {
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
#[inline(always)]
pub fn dispatch(k: &mut Kernel, t: ThreadRef) -> CallResult {
    match Call::from_word(t.get(crate::thread::reg::EAX)).ok_or(Error::UnknownCall)? {
        Call::Null => Ok(Outcome::Done),

        Call::Call => apart(k, t, ipc::call),
        Call::Send => apart(k, t, ipc::send),
        Call::Receive => apart(k, t, ipc::receive),
        Call::ReplyReceive => apart(k, t, ipc::reply_receive),
        Call::Reply => apart(k, t, ipc::reply),
        Call::Notify => apart(k, t, notification::notify),
        Call::SaveReply => apart(k, t, ipc::save_reply),
        Call::Copy => apart(k, t, copy::copy),

        Call::Derive => apart(k, t, derive::derive),
        Call::Move => apart(k, t, derive::relocate),
        Call::Delete => apart(k, t, destroy::delete),
        Call::Revoke => apart(k, t, destroy::revoke),

        Call::MakeEndpoint => apart(k, t, make::endpoint),
        Call::MakeNotification => apart(k, t, make::notification),
        Call::MakeCapNode => apart(k, t, make::cap_node),
        Call::MakeSpace => apart(k, t, make::space),
        Call::MakeTable => apart(k, t, make::table),
        Call::MakeThread => apart(k, t, make::thread),

        Call::Hook => apart(k, t, mapping::hook),
        Call::Unhook => apart(k, t, mapping::unhook),
        Call::Update => apart(k, t, mapping::update),
        Call::Validate => apart(k, t, mapping::validate),
        Call::Unmap => apart(k, t, mapping::unmap),
        Call::RevokeRange => apart(k, t, mapping::revoke_range),
        Call::Withdraw => apart(k, t, mapping::withdraw),
        Call::Reclaim => apart(k, t, destroy::reclaim),

        Call::StartThread => apart(k, t, threads::start),
        Call::StopThread => apart(k, t, threads::stop),
        Call::ThreadInfo => apart(k, t, threads::info),

        Call::SpaceInfo => apart(k, t, info::space),
        Call::CapInfo => apart(k, t, info::capability),
        Call::KernelInfo => apart(k, t, info::kernel),

        Call::IrqBind => apart(k, t, device::bind),
        Call::IrqAck => apart(k, t, device::acknowledge),
        Call::PortIn => apart(k, t, device::port_in),
        Call::PortOut => apart(k, t, device::port_out),
        Call::PortWrite => apart(k, t, device::port_write),

        Call::Design => apart(k, t, designs::call),
    }
}

/// A handler with registers and a stack frame of its own: one that is merged with the others into `dispatch` shares
/// their frame, and every call pays for the largest.
#[inline(never)]
pub fn apart(
    k: &mut Kernel,
    t: ThreadRef,
    handler: impl Fn(&mut Kernel, ThreadRef) -> CallResult,
) -> CallResult {
    handler(k, t)
}
