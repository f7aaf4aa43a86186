//! Two hardware tasks, for what can arrive at any instruction: NMI and double fault.
//!
//! What must hold: on the way in and out of the kernel ESP points into a thread object, right
//! above memory of others. Faults cannot happen there and interrupts are off, but an NMI can
//! come; so it gets a stack of its own the only way ia32 has: a task gate. The double fault needs
//! one because its cause may be the stack. (SDM vol. 3, 6.12.2, 7.3.)
//!
//! A task switch, there or back, loads CR3 and sets CR0.TS. What was in CR3 comes back through
//! [`note_directory`](super::segments::note_directory); TS is cleared when it first shows, by the
//! stub for exception 7 in [`entry`](super::entry).

use core::arch::global_asm;
use core::cell::UnsafeCell;

use x86::bits32::task::TaskStateSegment;

use super::segments::{KERNEL_CODE, KERNEL_DATA, TASK, Task, USER_DATA};
use super::{console, cpu, paging};

/// Takes NMIs.
pub(super) static NMI: Task = Task::new();
/// Takes double faults.
pub(super) static DOUBLE_FAULT: Task = Task::new();

const STACK_BYTES: usize = 4096;

#[repr(C, align(16))]
struct Stack(UnsafeCell<[u8; STACK_BYTES]>);

// SAFETY: only the processor and the one task that stands on it use it.
unsafe impl Sync for Stack {}

static NMI_STACK: Stack = Stack(UnsafeCell::new([0; STACK_BYTES]));
static DOUBLE_FAULT_STACK: Stack = Stack(UnsafeCell::new([0; STACK_BYTES]));

global_asm!(
    r#"
    // IRET with NT set switches back and leaves the task ready to go on behind it.
nmi_task:
    cld
    call    {nmi}
    iretd
    jmp     nmi_task

    // The processor has pushed an error code, which is always 0.
double_fault_task:
    cld
    call    {double_fault}
    "#,
    nmi = sym on_nmi,
    double_fault = sym on_double_fault,
);

unsafe extern "C" {
    fn nmi_task();
    fn double_fault_task();
}

/// Fills in both tasks. The segments they name need not be loaded yet.
pub(super) fn init() {
    prepare(&NMI, nmi_task, &NMI_STACK);
    prepare(&DOUBLE_FAULT, double_fault_task, &DOUBLE_FAULT_STACK);
}

fn prepare(task: &Task, entry: unsafe extern "C" fn(), stack: &Stack) {
    let mut state = TaskStateSegment::new();
    state.cr3 = paging::boot_directory();
    state.eip = entry as usize as u32;
    state.eflags = 2;
    state.esp = stack.0.get() as u32 + STACK_BYTES as u32;
    state.cs = KERNEL_CODE;
    state.ss = KERNEL_DATA;
    state.ds = USER_DATA;
    state.es = USER_DATA;
    // SAFETY: the task is not in any descriptor table yet.
    unsafe { *task.get() = state }
}

/// SYSEXIT; in the kernel always behind STI, a byte long, whose effect it awaits.
const SYSEXIT: [u8; 2] = [0x0F, 0x35];
const INTERRUPTS_ON: u32 = 1 << 9;

/// An NMI has no source that the kernel knows: it is reported and ignored.
extern "C" fn on_nmi() {
    // SAFETY: the switch to this task stored the state of the one that was interrupted; nothing else uses it.
    let state = unsafe { &mut *TASK.get() };
    // STI lets the next instruction come first, but a task that is switched back to has no such grace: before SYSEXIT
    // an interrupt would come in, with ESP in a thread's registers. So STI is to be executed again.
    // SAFETY: the kernel's code, which this task's directory maps as well, is there to be read.
    if state.cs == KERNEL_CODE && unsafe { (state.eip as *const [u8; 2]).read() } == SYSEXIT {
        state.eip -= 1;
        state.eflags &= !INTERRUPTS_ON;
    }
    console::print_if_free(format_args!("freehold: NMI ignored\n"));
}

extern "C" fn on_double_fault() -> ! {
    // SAFETY: the switch to this task stored the state of the one that faulted, and nothing
    // changes it any more.
    let (eip, esp) = unsafe { ((*TASK.get()).eip, (*TASK.get()).esp) };
    panic!("double fault at EIP {eip:#010x}, ESP {esp:#010x}, CR2 {:#010x}", cpu::cr2());
}
