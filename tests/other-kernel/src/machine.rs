//! The machine: from the boot loader to a program in ring 3, and what the kernel needs of it.
//!
//! What must hold: interrupts stay off. The first 4 MiB are mapped where they are, and the window behind them by one
//! table, in which the kernel alone writes. An exception finds no gate, so the machine resets, which counts as a failure.

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::panic::PanicInfo;

use crate::kernel::dispatch;
use crate::line::Line;
use crate::program;

/// First serial port: lines for people.
const CONSOLE: u16 = 0x3F8;
/// Second serial port: records.
pub const RECORDS: u16 = 0x2F8;
/// QEMU's `isa-debug-exit`: writing `v` ends QEMU with status `2 v + 1`.
const DEBUG_EXIT: u16 = 0xF4;
/// All is well: status 33.
const SUCCESS: u32 = 0x10;
/// Something did not hold: status 35.
const FAILURE: u32 = 0x11;
/// The kernel panicked: status 65.
const PANIC: u32 = 0x20;

/// Pages of the window.
pub const WINDOW_PAGES: u32 = 1024;
/// Where it is.
const WINDOW: u32 = 0x40_0000;
/// Frames that can be mapped there.
pub const FRAMES: u32 = 2;
/// An entry: present, writable, a program's.
const USABLE: u32 = 7;
/// A directory's entry: 4 MiB at once.
const LARGE: u32 = 1 << 7;

const KERNEL_CODE: u32 = 0x08;
const KERNEL_DATA: u32 = 0x10;
const USER_CODE: u32 = 0x18 | 3;
const USER_DATA: u32 = 0x20 | 3;
const TASK: u32 = 0x28;

/// Memory that is written where a static is not, or that the processor reads too.
#[repr(C, align(4096))]
struct Shared<T>(UnsafeCell<T>);

// SAFETY: there is one processor, and nothing interrupts it.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    const fn new(value: T) -> Shared<T> {
        Shared(UnsafeCell::new(value))
    }

    fn address(&self) -> u32 {
        self.0.get() as u32
    }

    fn set(&self, value: T) {
        // SAFETY: nobody holds a reference into it; there is one processor, and nothing interrupts it.
        unsafe { self.0.get().write_volatile(value) };
    }
}

static SEGMENTS: Shared<[u64; 6]> = Shared::new([0; 6]);
static GATES: Shared<[u64; 0x81]> = Shared::new([0; 0x81]);
static STATE: Shared<[u32; 26]> = Shared::new([0; 26]);
static DIRECTORY: Shared<[u32; 1024]> = Shared::new([0; 1024]);
static TABLE: Shared<[u32; 1024]> = Shared::new([0; 1024]);
static MEMORY: Shared<[[u32; 1024]; FRAMES as usize]> = Shared::new([[0; 1024]; FRAMES as usize]);
static STACK: Shared<[u32; 8192]> = Shared::new([0; 8192]);
static TOLD: Shared<Line> = Shared::new(Line(&[]));

// Multiboot 1 header (magic, flags, checksum); the entry: a stack, and on to Rust with what the loader says; the gate,
// behind which all registers but EAX are as they were. A program's data segments serve the kernel as well.
global_asm!(
    ".pushsection .multiboot, \"a\"",
    ".balign 4",
    ".long 0x1BADB002, 0, -0x1BADB002",
    ".popsection",
    ".pushsection .bss",
    ".balign 16",
    ".skip 16384",
    "kernel_stack:",
    ".popsection",
    ".pushsection .text",
    ".globl _start",
    "_start:",
    "mov esp, offset kernel_stack",
    "push ebx",
    "call {boot}",
    "ud2",
    "call_gate:",
    "push ecx",
    "push edx",
    "push ebx",
    "push eax",
    "cld",
    "call {dispatch}",
    "add esp, 8",
    "pop edx",
    "pop ecx",
    "iretd",
    ".popsection",
    boot = sym boot,
    dispatch = sym dispatch,
);

unsafe extern "C" {
    static kernel_stack: u8;
    static call_gate: u8;
}

/// What the loader leaves in memory; of interest is only its command line.
#[repr(C)]
struct Loaded {
    flags: u32,
    others: [u32; 3],
    line: *const i8,
}

/// Where the entry leads.
extern "C" fn boot(loaded: &Loaded) -> ! {
    if loaded.flags & 1 << 2 != 0 {
        // SAFETY: with this flag set it is the address of a text that ends with a zero, which nothing writes over: QEMU
        // puts it behind the image.
        TOLD.set(Line(unsafe { CStr::from_ptr(loaded.line) }.to_bytes()));
    }
    set_up_segments();
    set_up_pages();
    let stack = STACK.address() + 4 * 8192 - 16;
    // SAFETY: IRET goes on in `begin`, in ring 3, on a stack that nothing else uses, with interrupts off.
    unsafe {
        asm!(
            "mov ds, {data:x}", "mov es, {data:x}",
            "push {data}", "push {stack}", "push 2", "push {code}", "push {begin}", "iretd",
            data = in(reg) USER_DATA, stack = in(reg) stack, code = const USER_CODE, begin = in(reg) begin as *const (),
            options(noreturn),
        )
    }
}

/// The program's first instructions.
extern "C" fn begin() -> ! {
    // SAFETY: it was written before the program began, and is not written any more.
    program(unsafe { TOLD.0.get().read() })
}

/// Flat segments for both rings, a task segment for the way into the kernel, and a gate that programs may use.
fn set_up_segments() {
    const CODE: u64 = 0x00CF_9A00_0000_FFFF;
    const DATA: u64 = 0x00CF_9200_0000_FFFF;
    const USER: u64 = 3 << 45;
    let state = STATE.address() as u64;
    let state_segment = 103 | (state & 0xFF_FFFF) << 16 | 0x89 << 40 | (state >> 24) << 56;
    SEGMENTS.set([0, CODE, DATA, CODE | USER, DATA | USER, state_segment]);
    let mut task = [0; 26];
    task[1] = &raw const kernel_stack as u32;
    task[2] = KERNEL_DATA;
    STATE.set(task);
    let entry = &raw const call_gate as u64;
    let mut gates = [0; 0x81];
    gates[0x80] = entry & 0xFFFF | (KERNEL_CODE as u64) << 16 | 0xEE00 << 32 | (entry >> 16) << 48;
    GATES.set(gates);
    let [segments, gates] = [(SEGMENTS.address(), 6 * 8), (GATES.address(), 0x81 * 8)]
        .map(|(base, bytes): (u32, u32)| [(bytes - 1) as u16, base as u16, (base >> 16) as u16]);
    // SAFETY: the tables are filled and stay where they are; the kernel's segments are as flat as the loader's.
    unsafe {
        asm!(
            "lgdt [{segments}]", "lidt [{gates}]", "ltr {task:x}",
            "push {code}", "lea {next}, [2f]", "push {next}", "retf", "2:", "mov ss, {data:x}",
            segments = in(reg) &raw const segments, gates = in(reg) &raw const gates, next = out(reg) _,
            task = in(reg) TASK, data = in(reg) KERNEL_DATA, code = const KERNEL_CODE,
        )
    };
}

/// The first 4 MiB where they are, the window behind them.
fn set_up_pages() {
    let mut directory = [0; 1024];
    directory[0] = USABLE | LARGE;
    directory[(WINDOW >> 22) as usize] = TABLE.address() | USABLE;
    DIRECTORY.set(directory);
    // SAFETY: all that is in use is mapped where it is; 4 MiB pages are switched on before they are used.
    unsafe {
        asm!(
            "mov {old}, cr4", "or {old}, 0x10", "mov cr4, {old}", "mov cr3, {directory}",
            "mov {old}, cr0", "or {old}, 0x80000000", "mov cr0, {old}",
            directory = in(reg) DIRECTORY.address(), old = out(reg) _,
        )
    };
}

/// The table's entry of a page of the window.
pub fn entry(page: u32) -> u32 {
    // SAFETY: the table has so many entries; nobody holds a reference into it.
    unsafe { TABLE.0.get().cast::<u32>().add((page % WINDOW_PAGES) as usize).read_volatile() }
}

/// Writes it.
pub fn set_entry(page: u32, entry: u32) {
    // SAFETY: as for `entry`. What it maps is one of the frames, or nothing.
    unsafe { TABLE.0.get().cast::<u32>().add((page % WINDOW_PAGES) as usize).write_volatile(entry) };
}

/// The entry that maps a frame.
pub fn frame_entry(frame: u32) -> u32 {
    (MEMORY.address() + (frame % FRAMES) * 4096) | USABLE
}

/// Lets the processor forget what was mapped at a page.
pub fn forget(page: u32) {
    // SAFETY: to forget is always allowed.
    unsafe { asm!("invlpg [{}]", in(reg) WINDOW + page * 4096) };
}

/// Writes into a frame, at its own address.
pub fn mark_frame(frame: u32, mark: u32) {
    // SAFETY: there are so many frames; nobody holds a reference into them.
    unsafe { MEMORY.0.get().cast::<u32>().add((frame % FRAMES) as usize * 1024).write_volatile(mark) };
}

/// Reads from a page of the window. If nothing is mapped there the machine resets.
pub fn read_window(page: u32) -> u32 {
    // SAFETY: what can be mapped there are frames, which are only read and written so.
    unsafe { ((WINDOW + page * 4096) as *const u32).read_volatile() }
}

/// Writes a byte to a serial port. QEMU's ports take one at any time.
pub fn write_byte(port: u16, byte: u8) {
    // SAFETY: a serial port's data register is no memory.
    unsafe { asm!("out dx, al", in("dx") port, in("al") byte, options(nomem, nostack)) };
}

/// Ends QEMU, well or not.
pub fn leave(well: bool) -> ! {
    exit(if well { SUCCESS } else { FAILURE })
}

fn exit(value: u32) -> ! {
    // SAFETY: the port ends the machine; no memory is involved.
    unsafe { asm!("out dx, eax", in("dx") DEBUG_EXIT, in("eax") value, options(nomem, nostack)) };
    loop {
        core::hint::spin_loop();
    }
}

/// In ring 3 neither port can be reached, so the machine resets: a failure as well.
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    b"PANIC\n".iter().for_each(|byte| write_byte(CONSOLE, *byte));
    exit(PANIC)
}
