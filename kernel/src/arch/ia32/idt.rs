//! The interrupt descriptor table.
//!
//! What must hold: every gate is an interrupt gate, so the kernel starts with interrupts off;
//! ring 3 may name only the breakpoint, the overflow trap and the call. Any other `int n` is a
//! general protection fault: its gate's privilege, its absence or the table's limit sees to it.

use core::cell::UnsafeCell;

use x86::Ring;
use x86::dtables::{DescriptorTablePointer, lidt};
use x86::segmentation::{
    BuildDescriptor, Descriptor, DescriptorBuilder, GateDescriptorBuilder, SegmentSelector,
    TaskGateDescriptorBuilder,
};

use super::entry;
use super::pic::LINES;
use super::regs::{VECTOR_INT_CALL, VECTOR_IRQ_BASE};
use super::segments::{DOUBLE_FAULT_TASK, KERNEL_CODE, NMI_TASK};

/// Up to the call's vector; beyond it the processor itself refuses.
const GATES: usize = VECTOR_INT_CALL as usize + 1;
/// Exceptions and interrupt lines; they have their stubs in one row.
const TRAPS: usize = (VECTOR_IRQ_BASE + LINES) as usize;

const NMI: usize = 2;
const BREAKPOINT: usize = 3;
const OVERFLOW: usize = 4;
const DOUBLE_FAULT: usize = 8;

#[repr(C, align(8))]
struct Idt(UnsafeCell<[Descriptor; GATES]>);

// SAFETY: written before the first program runs.
unsafe impl Sync for Idt {}

static IDT: Idt = Idt(UnsafeCell::new([Descriptor::NULL; GATES]));

fn interrupt(entry: u32, ring: Ring) -> Descriptor {
    <DescriptorBuilder as GateDescriptorBuilder<u32>>::interrupt_descriptor(
        SegmentSelector::from_raw(KERNEL_CODE),
        entry,
    )
    .present()
    .dpl(ring)
    .finish()
}

fn task(selector: u16) -> Descriptor {
    DescriptorBuilder::task_gate_descriptor(SegmentSelector::from_raw(selector)).present().finish()
}

/// Lets the interrupt for calls lead to `entry`. To be called before the first program runs.
#[cfg(feature = "designs")]
pub(super) fn lead_calls_to(entry: u32) {
    // SAFETY: no program runs yet that could use the gate, and this is the only reference.
    unsafe { (*IDT.0.get())[VECTOR_INT_CALL as usize] = interrupt(entry, Ring::Ring3) }
}

/// Fills in the table and loads it.
pub(super) fn init() {
    // SAFETY: called once, before the table is loaded, so this is the only reference.
    let gates = unsafe { &mut *IDT.0.get() };
    for (vector, gate) in gates[..TRAPS].iter_mut().enumerate() {
        *gate = match vector {
            NMI => task(NMI_TASK),
            DOUBLE_FAULT => task(DOUBLE_FAULT_TASK),
            BREAKPOINT | OVERFLOW => interrupt(entry::trap_stub(vector), Ring::Ring3),
            _ => interrupt(entry::trap_stub(vector), Ring::Ring0),
        };
    }
    gates[VECTOR_INT_CALL as usize] = interrupt(entry::call_stub(), Ring::Ring3);
    // SAFETY: the gates lead to the entry code through segments that are loaded.
    unsafe { lidt(&DescriptorTablePointer::new(&*IDT.0.get())) }
}
