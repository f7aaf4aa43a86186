//! GDT and the task state segment that finds the current thread's registers.
//!
//! What must hold: all segments are flat. The order of the first four descriptors is what
//! SYSENTER and SYSEXIT compute from one base. The kernel's DS and ES are the user's data segment,
//! so the way out need not load them; FS and GS it never uses.

use core::cell::UnsafeCell;
use core::mem::offset_of;

use x86::Ring;
use x86::bits32::task::TaskStateSegment;
use x86::dtables::{DescriptorTablePointer, lgdt, load_ldtr};
use x86::segmentation::{
    BuildDescriptor, CodeSegmentType, DataSegmentType, Descriptor, DescriptorBuilder, GateDescriptorBuilder,
    SegmentDescriptorBuilder, SegmentSelector, load_ds, load_es, load_ss,
};

use super::cpu;
use super::regs::{REGS_BYTES, Regs};
use super::tasks;

/// Selector of the kernel's code. Also SYSENTER's base (SDM vol. 2, SYSENTER, SYSEXIT).
pub const KERNEL_CODE: u16 = 0x08;
/// Selector of the kernel's stack.
pub const KERNEL_DATA: u16 = 0x10;
/// Selector of all user code.
pub const USER_CODE: u16 = 0x18 | 3;
/// Selector of all user data and stacks, and of the kernel's data.
pub const USER_DATA: u16 = 0x20 | 3;
const CURRENT_TASK: u16 = 0x28;
/// Selector of the task that takes NMIs.
pub const NMI_TASK: u16 = 0x30;
/// Selector of the task that takes double faults.
pub const DOUBLE_FAULT_TASK: u16 = 0x38;

const DESCRIPTORS: usize = 8;

/// A task state segment. The alignment keeps it within one page, as the processor wants it
/// (SDM vol. 3, 7.2.1).
#[repr(C, align(128))]
pub struct Task(UnsafeCell<TaskStateSegment>);

// SAFETY: one processor; what the kernel changes after boot is changed with interrupts off, by
// word-sized stores through raw pointers.
unsafe impl Sync for Task {}

impl Task {
    /// A task that was never switched to.
    pub const fn new() -> Self {
        Self(UnsafeCell::new(TaskStateSegment::new()))
    }

    /// Where it is.
    pub const fn get(&self) -> *mut TaskStateSegment {
        self.0.get()
    }

    fn descriptor(&self) -> Descriptor {
        let limit = size_of::<TaskStateSegment>() as u64 - 1;
        <DescriptorBuilder as GateDescriptorBuilder<u32>>::tss_descriptor(self.get() as u64, limit, true)
            .present()
            .finish()
    }
}

/// The task in which everything runs. Its `esp0` is the end of the current thread's [`Regs`]: the
/// processor and the stubs push straight into the thread. Its I/O bitmap is empty (offset = limit
/// + 1) and IOPL is 0, so no port is open to ring 3.
pub static TASK: Task = Task::new();

/// Where the entry code finds `esp0` in [`TASK`].
pub const ESP0: usize = offset_of!(TaskStateSegment, esp0);
/// Where it keeps what CR3 holds.
pub const DIRECTORY: usize = offset_of!(TaskStateSegment, cr3);

struct Gdt(UnsafeCell<[Descriptor; DESCRIPTORS]>);

// SAFETY: written once, in `init`; afterwards only the processor writes it (busy bits of tasks).
unsafe impl Sync for Gdt {}

static GDT: Gdt = Gdt(UnsafeCell::new([Descriptor::NULL; DESCRIPTORS]));

fn code(ring: Ring) -> Descriptor {
    let builder: DescriptorBuilder =
        SegmentDescriptorBuilder::<u32>::code_descriptor(0, 0xF_FFFF, CodeSegmentType::ExecuteReadAccessed);
    builder.present().dpl(ring).limit_granularity_4kb().db().finish()
}

fn data(ring: Ring) -> Descriptor {
    let builder: DescriptorBuilder =
        SegmentDescriptorBuilder::<u32>::data_descriptor(0, 0xF_FFFF, DataSegmentType::ReadWriteAccessed);
    builder.present().dpl(ring).limit_granularity_4kb().db().finish()
}

/// Makes `regs` the place where the next entry from user mode stores registers, and from where the
/// next exit takes them.
///
/// # Safety
/// `regs` stays valid, in the direct map, until another call of this function.
#[inline]
pub unsafe fn set_current_regs(regs: *mut Regs) {
    let end = (regs as u32).wrapping_add(REGS_BYTES as u32);
    // SAFETY: TASK is a static; the store is one aligned word (offset 4 of a 128-aligned object),
    // and with interrupts off nothing else looks at it.
    unsafe { TASK.get().cast::<u32>().byte_add(ESP0).write_volatile(end) }
}

/// The registers that [`set_current_regs`], or a short path, named last.
#[inline(always)]
pub fn current_regs() -> *mut Regs {
    // SAFETY: as above.
    let end = unsafe { TASK.get().cast::<u32>().byte_add(ESP0).read_volatile() };
    end.wrapping_sub(REGS_BYTES as u32) as *mut Regs
}

/// The directory that CR3 holds, as it was noted.
#[inline(always)]
pub fn current_directory() -> u32 {
    // SAFETY: as above.
    unsafe { TASK.get().cast::<u32>().byte_add(DIRECTORY).read_volatile() }
}

/// Notes the directory that CR3 holds: a task switch does not save it, but loads it on the way
/// back.
#[inline]
pub(super) fn note_directory(physical: u32) {
    // SAFETY: as in `set_current_regs`.
    unsafe { TASK.get().cast::<u32>().byte_add(DIRECTORY).write_volatile(physical) }
}

/// Loads the GDT, all segment registers, the task register, and an LDT that is none.
pub(super) fn init() {
    tasks::init();
    let selector = SegmentSelector::from_raw;
    // SAFETY: nothing uses TASK and GDT yet: this is the first descriptor table that is loaded.
    // The new descriptors of the running code and stack are as flat as the loader's.
    unsafe {
        (*TASK.get()).ss0 = KERNEL_DATA;
        note_directory(cpu::cr3());
        *GDT.0.get() = [
            Descriptor::NULL,
            code(Ring::Ring0),
            data(Ring::Ring0),
            code(Ring::Ring3),
            data(Ring::Ring3),
            TASK.descriptor(),
            tasks::NMI.descriptor(),
            tasks::DOUBLE_FAULT.descriptor(),
        ];
        lgdt(&DescriptorTablePointer::new(&*GDT.0.get()));
        x86::bits32::segmentation::load_cs(selector(KERNEL_CODE));
        load_ss(selector(KERNEL_DATA));
        load_ds(selector(USER_DATA));
        load_es(selector(USER_DATA));
        cpu::clear_fs_gs();
        x86::task::load_tr(selector(CURRENT_TASK));
        // After reset the LDT lies at linear address 0 and is 64 KiB long (SDM vol. 3, table 9-1), where a
        // program could map descriptors of its own: a call gate, for one.
        load_ldtr(selector(0));
    }
}
