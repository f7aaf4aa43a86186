//! A test program: parts, each of which must leave the machine as it found it.

use freehold_abi::info::{self, Kernel, place};
use freehold_abi::layout::{BLOCK, UNITS};
use freehold_rt::records::{self, Closing};
use freehold_rt::{calls, machine, memory, println, slots};
use serde::Serialize;

use crate::home::Home;
use crate::{check, check_eq, pages};

/// A part: its name and what it does.
pub type Part = (&'static str, fn());

/// Milliseconds after which the first thread takes a wait for hopeless.
const PATIENCE: u32 = 3000;

/// Bytes of the kernel's stack that no test may make it use.
const STACK_SPARE: u32 = 4096;

/// Bytes of a table of the pool's (docs/designs.md).
const POOL_TABLE: u32 = 8192;

/// Types of frames that `KernelInfo` counts (docs/calls.md).
pub const FRAME_TYPES: u32 = info::FRAME_TYPES.len() as u32;

/// What must be the same after each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Frames of each type.
    pub types: [u32; FRAME_TYPES as usize],
    /// Free frames in the program's books.
    pub free: u32,
    /// Capability slots in use, by its books.
    pub slots: u32,
    /// Tables and threads of the program's space.
    pub tables: u32,
    /// Threads of it.
    pub threads: u32,
    /// Bytes of the kernel's pool that are in use (designs with a pool), but for the tables of the program's own space,
    /// which stay with it.
    pub pool: u32,
}

impl Counts {
    /// What they are now.
    ///
    /// # Panics
    /// If the kernel does not know a question that it must know.
    pub fn now() -> Counts {
        let types = core::array::from_fn(|kind| calls::frames_of_type(kind as u32).expect("a type"));
        let space = calls::space_summary(freehold_rt::CapName::NONE).expect("the own space");
        Counts {
            types,
            free: memory::free_frames(),
            slots: slots::used().0,
            tables: space.tables,
            threads: space.threads,
            pool: calls::kernel_info(Kernel::PoolUsed).expect("a number") - own_pool_tables(),
        }
    }
}

/// Bytes of the tables of the pool's in this program's space. A design without a pool knows no account.
fn own_pool_tables() -> u32 {
    calls::account(freehold_rt::CapName::NONE).map_or(0, |account| account.tables * POOL_TABLE)
}

/// How the kernel deals with calls that a short path could deal with.
#[derive(Debug, Serialize)]
struct Ways {
    /// How many of ten such calls went the ordinary way.
    ordinary_of_ten: u32,
}

/// How a part went: what must be the same whichever way calls go, and how many went the ordinary one.
#[derive(Debug, Serialize)]
struct PartRecord<'a> {
    part: &'a str,
    checks: u32,
    failed: u32,
    course: u32,
    ordinary: u32,
}

fn ordinary_calls() -> u32 {
    calls::kernel_info(Kernel::OrdinaryCalls).unwrap_or(0)
}

fn ordinary_of_ten() -> u32 {
    let before = ordinary_calls();
    for _ in 0..10 {
        let _ = calls::null();
    }
    // The question is a call, too.
    ordinary_calls().wrapping_sub(before) - 1
}

/// Runs the parts and ends the machine. `name` is the program's.
pub fn run(name: &str, parts: &[Part]) -> ! {
    // A wait that nothing ends is a failure, not a hang.
    freehold_rt::Utcb::current().set_limits((PATIENCE, PATIENCE));
    warm_up();
    let _ = records::write(&Ways { ordinary_of_ten: ordinary_of_ten() });
    for (part, work) in parts {
        let before = Counts::now();
        let (made, failed) = check::counts();
        let ordinary = ordinary_calls();
        work();
        let ordinary = ordinary_calls().wrapping_sub(ordinary);
        check_eq!(Counts::now(), before, "after {part}");
        check_eq!(calls::kernel_info(Kernel::AllocatedBytes), Ok(0), "after {part}");
        let now = check::counts();
        let verdict = if now.1 == failed { "ok" } else { "FAILED" };
        println!("{name}: {part}: {verdict} ({} checks)", now.0 - made);
        let (checks, failed) = (now.0 - made, now.1 - failed);
        let _ = records::write(&PartRecord { part, checks, failed, course: check::course(), ordinary });
    }
    let unused = calls::kernel_info(Kernel::StackUnused);
    check!(unused.is_ok_and(|bytes| bytes >= STACK_SPARE), "{unused:?} bytes of the kernel's stack");
    let units = calls::kernel_info(Kernel::MaxUnits);
    check!(units.is_ok_and(|most| most <= UNITS), "{units:?}");
    let (checks, failed) = check::counts();
    println!("{name}: {checks} checks, {failed} failed");
    let written = records::write(&Closing { closing: name, checks, failed });
    machine::leave(if written.is_ok() { machine::SUCCESS } else { machine::FAILURE })
}

/// Whether the kernel's command line asks for the tests that take long.
pub fn is_long() -> bool {
    says("long")
}

/// Whether the kernel's command line says `word`.
pub fn says(word: &str) -> bool {
    let Some(boot) = freehold_rt::start::boot_info() else { return false };
    let line = &boot.text[..boot.command_len as usize];
    line.split(|&byte| byte == b' ').any(|said| said == word.as_bytes())
}

/// Makes what the runtime makes once and keeps, so that it does not count as lost: the heap's first
/// pages, the Tables that tests map in.
fn warm_up() {
    core::hint::black_box(alloc::vec![1u8; 48 << 10]);
    Home::prepare_own();
    pages::prepare();
    // The kernel holds this for the first program's own Table; the runtime's books do not know it.
    let image = calls::cap_info(freehold_rt::SlotRef::own(crate::home::IMAGE_TABLE)).map(|info| info.kind);
    check_eq!(image, Ok(freehold_abi::info::Kind::Container), "the image's Table");
    check!(place::IMAGE.is_multiple_of(BLOCK));
}
