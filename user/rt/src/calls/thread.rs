//! Threads: started, stopped, looked at.

use freehold_abi::info::State;
use freehold_abi::{Call, CapName, Error};

use crate::call;

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadState {
    /// What it waits for.
    pub state: State,
    /// Where it is.
    pub eip: u32,
    /// Its stack pointer.
    pub esp: u32,
    /// 0 (lowest) to 31.
    pub priority: u32,
}

/// Lets a stopped thread run at `eip` with stack pointer `esp`. `pager` is the name, in the thread's own
/// space, of the endpoint that hears of its faults; [`CapName::NONE`]: a fault stops it.
///
/// # Errors
/// OutOfRange (a priority above the caller's own highest), BadState (not stopped), NoSpace.
pub fn start_thread(thread: CapName, eip: u32, esp: u32, pager: CapName, priority: u8) -> Result<(), Error> {
    call::simple(Call::StartThread, u32::from(priority) << 8, [thread.0, eip, esp, pager.0])
}

/// Lets a stopped thread go on where it is.
///
/// # Errors
/// As [`start_thread`].
pub fn continue_thread(thread: CapName, pager: CapName, priority: u8) -> Result<(), Error> {
    call::simple(Call::StartThread, 1 | u32::from(priority) << 8, [thread.0, 0, 0, pager.0])
}

/// Stops a thread; what it waits for ends with Canceled.
///
/// # Errors
/// Only the common ones.
pub fn stop_thread(thread: CapName) -> Result<(), Error> {
    call::simple(Call::StopThread, 0, [thread.0, 0, 0, 0])
}

/// What a thread is doing.
///
/// # Errors
/// Only the common ones.
pub fn thread_info(thread: CapName) -> Result<ThreadState, Error> {
    let [state, eip, esp, priority] = call::query(Call::ThreadInfo, 0, [thread.0, 0, 0, 0])?;
    Ok(ThreadState { state: State::from_bits(state), eip, esp, priority })
}
