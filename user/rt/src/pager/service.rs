//! The pager started and stopped; threads that come to it.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::CapName;
use freehold_abi::fault::UPCALL;
use freehold_abi::info::State;

use super::books::{self, Books};
use super::thread::Server;
use super::{Config, Error, Mode, upcall};
use crate::lock::Mutex;
use crate::thread::{self, Options};
use crate::{Utcb, calls, time};

/// What runs; the inner value is the pager thread, if the mode is to have one.
static SERVICE: Mutex<Option<Option<Server>>> = Mutex::new(None);

/// [`name`], as a word; 0: there is none.
static NAME: AtomicU32 = AtomicU32::new(0);

/// Starts the pager. Sets aside what `config` says: `resident` + `stored` frames, and Tables to map them. The space
/// must see its own entries (the loader makes no others), and its memory must be lent with a total of at least 3: a
/// frame is mapped for the pager, in a region, and for a moment once more. A pager thread belongs above the threads
/// that it serves, or beside them.
///
/// # Errors
/// Started, BadConfig, OutOfMemory, OutOfSlots, Kernel.
pub fn start(config: Config, mode: Mode) -> Result<(), Error> {
    let mut service = SERVICE.lock();
    if service.is_some() {
        return Err(Error::Started);
    }
    let books = Books::new(config)?;
    let server = match mode {
        Mode::Thread { priority } => Some(Server::start(priority)?),
        Mode::Upcall => None,
    };
    books::open(books);
    NAME.store(server.as_ref().map_or(UPCALL, |server| server.name().0), Ordering::Relaxed);
    *service = Some(server);
    Ok(())
}

/// Stops the pager and gives its frames back (but not the Tables that they were mapped by). Threads that were paged
/// have no pager then: a fault stops them.
///
/// # Errors
/// NotStarted; InUse if regions exist.
pub fn stop() -> Result<(), Error> {
    let mut service = SERVICE.lock();
    let closed = books::close(|| {
        NAME.store(0, Ordering::Relaxed);
        // It cannot hold the lock, which is held here.
        if let Some(server) = service.take().flatten() {
            server.end();
        }
    });
    closed.map(drop)
}

/// What a thread's options name as its pager, so that the library deals with its faults; [`CapName::NONE`] before the
/// pager has been started.
pub fn name() -> CapName {
    CapName(NAME.load(Ordering::Relaxed))
}

/// From now on the calling thread's faults are the pager's, whatever was done about them before. Only StartThread
/// names a pager, so the thread stops itself, and a helper, which ends then, lets it go on. Like any thread that
/// was started it can start others with at most its own priority then.
///
/// # Errors
/// NotStarted; UnknownThread for a thread that is neither the program's first nor made by [`thread::spawn`];
/// OutOfMemory, OutOfSlots, Kernel.
pub fn adopt_current() -> Result<(), Error> {
    let (pager, current) = (name(), thread::current());
    if pager == CapName::NONE {
        return Err(Error::NotStarted);
    }
    if current == CapName::NONE {
        return Err(Error::UnknownThread);
    }
    if pager.0 == UPCALL {
        upcall::prepare(Utcb::current().address());
    }
    let priority = calls::thread_info(current)?.priority as u8;
    let helper = thread::spawn(let_go_on, current.0, Options::new(priority))?;
    calls::stop_thread(current)?;
    // It has nothing left to do; frames that cannot be taken back stay out of the books.
    let _ = helper.destroy();
    Ok(())
}

/// What the helper does: as soon as `stopped` has stopped, it goes on, with the pager.
fn let_go_on(stopped: u32) {
    let thread = CapName(stopped);
    while let Ok(info) = calls::thread_info(thread) {
        if info.state == State::Stopped {
            // It can fail only if somebody else has started the thread meanwhile, or ended it.
            let _ = calls::continue_thread(thread, name(), info.priority as u8);
            return;
        }
        time::sleep(1);
    }
}
