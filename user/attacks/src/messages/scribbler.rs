//! A thread whose UTCB another one of the program overwrites in the middle of its calls: at each fault in transit, by the
//! pager that deals with the fault, and all the time by a third one.
//!
//! What must hold: the ground is five pages: one whose end is used, one that is missing when a call begins and appears at the
//! fault, one that is there, and a decoy of two, to which whoever reads a list once more is led.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_rt::abi::fault::{PAGE_FAULT, RESUME, STOP};
use freehold_rt::abi::info::State;
use freehold_rt::abi::layout::{FRAME, utcb};
use freehold_rt::calls;
use freehold_rt::memory::{self, MapError};
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::thread::{self, Options, Thread};
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Message, Rights, serve, time};

use super::abyss::priority;

/// Where the ground lies.
const AT: u32 = 0x6400_0000;
/// Bytes of the first page that are used.
const HEAD: u32 = 64;
/// Bytes of both parts.
pub const BYTES: u32 = HEAD + 2 * FRAME;
/// The decoy's address.
pub const DECOY: u32 = AT + 3 * FRAME;
/// Its bytes.
const DECOY_BYTES: u32 = 2 * FRAME;
/// What the decoy is filled with.
pub const DECOY_BYTE: u8 = 0xDD;
/// Kernel memory, as seen from the kernel: what lies there is nobody's to read.
pub const KERNEL: u32 = 0xC010_0000;

/// The two parts that a list of the victim thread's names: together [`BYTES`].
pub const PARTS: [Part; 2] = [
    Part { address: AT + FRAME - HEAD, bytes: HEAD + FRAME },
    Part { address: AT + 2 * FRAME, bytes: FRAME },
];

/// Container, index of the page that comes and goes; the UTCB that is overwritten; what with; scribbles so far; whether the
/// third thread scribbles; faults dealt with; the thread whose UTCB it is;
/// faults where nothing was named.
static GROUND: [AtomicU32; 9] = [const { AtomicU32::new(0) }; 9];
const CONTAINER: usize = 0;
const INDEX: usize = 1;
const UTCB: usize = 2;
const LEAD: usize = 3;
const SCRIBBLES: usize = 4;
const FLURRY: usize = 5;
const FAULTS: usize = 6;
const THREAD: usize = 7;
const STRAY: usize = 8;

fn get(what: usize) -> u32 {
    GROUND[what].load(Ordering::Relaxed)
}

fn set(what: usize, value: u32) {
    GROUND[what].store(value, Ordering::Relaxed);
}

/// Byte `index` of what is sent.
pub const fn byte(index: u32) -> u8 {
    (index.wrapping_mul(0x9E37_79B1) >> 25) as u8
}

/// The ground, and those who deal with it.
pub struct Scribbler {
    faults: Slot,
    _pager: Thread,
    _flurry: Thread,
}

impl Scribbler {
    /// Makes the ground; the page in the middle is missing.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn new() -> Result<Scribbler, MapError> {
        for page in [0, 2, 3, 4] {
            memory::map_new(AT + page * FRAME, 1)?;
        }
        fill(DECOY, DECOY_BYTES, |_| DECOY_BYTE);
        let page = memory::take(1, 1).ok_or(MapError::OutOfMemory)?;
        set(CONTAINER, page.container.0);
        set(INDEX, page.first);
        let faults = Slot::take().ok_or(MapError::OutOfSlots)?;
        calls::make_endpoint(faults.reference())?;
        let pager = thread::spawn(serve_faults, faults.name().0, Options::new(priority()))?;
        let flurry = thread::spawn(flurry, 0, Options::new(priority()))?;
        Ok(Scribbler { faults, _pager: pager, _flurry: flurry })
    }

    /// Starts the thread whose lists are overwritten.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn victim(&self, main: fn(u32)) -> Result<Thread, MapError> {
        let options = Options { pager: self.faults.name(), ..Options::new(priority()) };
        // It waits for its UTCB to be named, so that no call of its goes undisturbed.
        let thread = thread::spawn(main, 0, options)?;
        set(THREAD, thread.name().0);
        set(UTCB, thread.utcb());
        Ok(thread)
    }

    /// How often something was overwritten, faults in transit that were dealt with, and faults where nothing was named.
    pub fn counts(&self) -> (u32, u32, u32) {
        (get(SCRIBBLES), get(FAULTS), get(STRAY))
    }
}

/// Waits until it is known whose UTCB is overwritten.
pub fn ready() {
    while get(UTCB) == 0 {
        time::sleep(1);
    }
}

/// Where whoever reads an address once more is led from now on.
pub fn lead(address: u32) {
    set(LEAD, address);
}

/// Whether the ranges are overwritten every millisecond from now on.
pub fn flurry_of_ranges(on: bool) {
    set(FLURRY, on.into());
}

/// The page in the middle goes.
pub fn hide() {
    // It is not there before the first fault.
    let _ = memory::unmap(AT + FRAME, 1);
}

/// Fills memory of the ground.
pub fn fill(address: u32, bytes: u32, value: impl Fn(u32) -> u8) {
    for index in 0..bytes {
        // SAFETY: the ground is mapped, and Rust knows nothing of it.
        unsafe { ((address + index) as *mut u8).write_volatile(value(index)) };
    }
}

/// Fills both parts with what is sent; the page in the middle is there meanwhile.
///
/// # Errors
/// [`MapError`].
pub fn fill_parts(value: impl Fn(u32) -> u8) -> Result<(), MapError> {
    show()?;
    fill(PARTS[0].address, PARTS[0].bytes, &value);
    fill(PARTS[1].address, PARTS[1].bytes, |index| value(PARTS[0].bytes + index));
    Ok(())
}

/// How many bytes of both parts are not what was sent, and of the decoy not what it was filled with.
pub fn differing() -> (u32, u32) {
    // SAFETY: as above.
    let at = |address: u32| unsafe { (address as *const u8).read_volatile() };
    let parts = PARTS.iter().flat_map(|part| part.address..part.address + part.bytes);
    let wrong = (0..).zip(parts).filter(|&(index, address)| at(address) != byte(index)).count();
    let decoy = (DECOY..DECOY + DECOY_BYTES).filter(|&address| at(address) != DECOY_BYTE).count();
    (wrong as u32, decoy as u32)
}

/// The page in the middle is there.
fn show() -> Result<(), MapError> {
    let page = Extent { container: CapName(get(CONTAINER)), first: get(INDEX), count: 1 };
    match memory::map(page, AT + FRAME, Rights::WRITE) {
        Err(MapError::Kernel(freehold_rt::Error::Occupied)) => Ok(()),
        other => other,
    }
}

/// Deals with the victim thread's faults: overwrites all that its call has named, then lets it go on.
fn serve_faults(endpoint: u32) {
    serve::serve(CapName(endpoint), |received| {
        let message = received.ok()?.message;
        if message.label() != PAGE_FAULT || message.word(0) & !(FRAME - 1) != AT + FRAME {
            set(STRAY, get(STRAY) + 1);
            return Some(Message::new(STOP));
        }
        set(FAULTS, get(FAULTS) + 1);
        scribble();
        Some(Message::new(if show().is_ok() { RESUME } else { STOP }))
    });
}

/// Words of the victim thread's UTCB that name memory, slots, items and times.
fn scribble() {
    let lead = get(LEAD);
    // Addresses lead elsewhere, their counts stay; everything else becomes what no check would let through.
    for list in [utcb::STRINGS, utcb::BUFFERS] {
        for index in 0..utcb::STRINGS_MAX {
            poke(list + 2 * index, lead);
        }
    }
    for count in [utcb::STRINGS_COUNT, utcb::BUFFERS_COUNT, utcb::SLOTS_FIRST, utcb::SLOTS_COUNT] {
        poke(count, u32::MAX);
    }
    let faults = [utcb::SEND_FAULT_MINE, utcb::SEND_FAULT_OTHER];
    for limit in faults.into_iter().chain([utcb::RECEIVE_FAULT_MINE, utcb::RECEIVE_FAULT_OTHER]) {
        poke(limit, 0);
    }
    // The item of a message of three words.
    poke(utcb::MESSAGE + 4, freehold_rt::start::SLEEP.0 | 7 << 16);
    ranges(lead);
    set(SCRIBBLES, get(SCRIBBLES) + 1);
}

fn ranges(lead: u32) {
    for index in 0..utcb::RANGES_MAX {
        poke(utcb::RANGES + 2 * index, lead);
        poke(utcb::RANGES + 2 * index + 1, 0x3FFF_FFFF | utcb::RANGE_WRITABLE);
    }
}

fn poke(word: usize, value: u32) {
    // SAFETY: a UTCB of this program's, into which no references are held.
    unsafe { ((get(UTCB) + 4 * word as u32) as *mut u32).write_volatile(value) };
}

/// Overwrites the ranges, as long as that is wanted.
fn flurry(_: u32) {
    loop {
        time::sleep(1);
        // Not before the kernel has read them: then they would be what the call says.
        let state = calls::thread_info(CapName(get(THREAD))).map(|info| info.state);
        if get(FLURRY) != 0 && state == Ok(State::AwaitingReply) {
            ranges(get(LEAD));
            set(SCRIBBLES, get(SCRIBBLES) + 1);
        }
    }
}
