//! The ways into the kernel and out of it.
//!
//! What must hold: at every entry from ring 3 only CS, SS, ESP (by SYSENTER or the TSS) and IF are
//! the kernel's. DF, NT, TF and AC, the other segment registers and all general registers are
//! whatever a hostile program made them. The registers go into the current thread's
//! [`Regs`](super::Regs) through SS; before anything else runs DS and ES are loaded, then ESP, and
//! EFLAGS is set to 2: there is one kernel stack, and it is empty whenever ring 3 runs. The short
//! paths do without all that; see [`super::fastpath`].
//!
//! The only thing that a program can make happen inside the kernel's first instructions is the
//! single-step trap behind SYSENTER, which does not clear TF. It comes before the first of them,
//! while ESP is still what SYSENTER made it; see [`super::kernel_trap`].
//! SDM vol. 2, SYSENTER, SYSEXIT, INT n, IRET; vol. 3, 5.8.7.

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;

use freehold_abi::Call;
use freehold_abi::message::ACCEPT;
use x86::msr::{IA32_SYSENTER_CS, IA32_SYSENTER_EIP, IA32_SYSENTER_ESP, rdmsr, wrmsr};

use super::fpu::REACHABLE;
use super::kernel_trap::on_kernel_trap;
use super::regs::{EFLAGS_USER, REGS_BYTES, VECTOR_INT_CALL, VECTOR_PAGE_FAULT, VECTOR_SYSENTER};
use super::segments::{ESP0, KERNEL_CODE, TASK, USER_DATA};
use super::{cpu, fastpath};
use crate::arch::{kernel_syscall, kernel_trap, kernel_wait};

/// Bytes of the kernel stack.
pub(super) const STACK_BYTES: usize = 16 << 10;

/// The kernel stack.
#[repr(C, align(4096))]
pub(super) struct Stack(UnsafeCell<[u8; STACK_BYTES]>);

// SAFETY: used through ESP only.
unsafe impl Sync for Stack {}

pub(super) static KERNEL_STACK: Stack = Stack(UnsafeCell::new([0; STACK_BYTES]));

/// Device not available: the FPU is used while CR0.TS is set.
const FPU_VECTOR: usize = 7;
const PAGE_FAULT_VECTOR: usize = VECTOR_PAGE_FAULT as usize;

/// Bytes of the kernel stack that nothing has used so far: it began as zeros, and there is no guard
/// page below it, so what is left must be watched. One instruction for each word looks.
pub fn stack_unused() -> u32 {
    let behind: u32;
    // SAFETY: reads within the stack, and no further than to its deepest use: whoever calls this uses it.
    unsafe {
        asm!(
            "repe scasd",
            in("eax") 0,
            inout("edi") KERNEL_STACK.0.get() => behind,
            inout("ecx") STACK_BYTES / 4 => _,
            options(nostack, readonly),
        );
    }
    behind - 4 - KERNEL_STACK.0.get() as u32
}

/// Bytes from one trap stub to the next.
const STUB_BYTES: usize = 16;

global_asm!(
    r#"
    .pushsection .text

    // DS, ES, ESP, EFLAGS for Rust code, once the registers are in the thread. EAX is free by then.
    .macro kernel_environment
    mov     eax, {user_data}
    mov     ds, eax
    mov     es, eax
    mov     esp, offset {stack} + {stack_bytes}
    push    2
    popfd
    .endm

    // SYSENTER: ESP is the top of the kernel stack, the user's ESP is in ECX, its EIP in EDX; so it is in Regs too.
    .balign 16
sysenter_entry:
    mov     esp, ss:[{task} + {esp0}]
    sub     esp, 24
    push    {vector_sysenter}
    pushad
    .globl  saved_call                          // for whoever looks at the caller first
saved_call:
    cmp     eax, {numbers}
    jae     1f
    jmp     ss:[{short_paths} + eax*4]
1:  cmp     eax, {number_reply_receive} + {accept}
    jne     2f
    jmp     ss:[{short_paths} + {numbers} * 4]
2:  cmp     eax, {number_call} + {accept}
    jne     ordinary_call
    jmp     ss:[{short_paths} + {numbers} * 4 + 4]

    .balign 16
    .globl  ordinary_call                       // for the short paths, as is resume
ordinary_call:
    kernel_environment
    call    {kernel_syscall}

    // The way out for whatever thread is current by now. No alignment: a call falls through to
    // here, and padding would be executed.
    .globl  resume
resume:
    mov     esp, [{task} + {esp0}]
    cmp     dword ptr [esp - 28], {vector_sysenter}
    lea     esp, [esp - {regs_bytes}]
    jne     1f
    popad
    sti                                         // takes effect behind the next instruction
    sysexit
1:  popad
    add     esp, 8                              // vector, error
    iretd

    // The current thread has begun to wait, by a short path.
    .globl  ordinary_wait
ordinary_wait:
    kernel_environment
    call    {kernel_wait}
    jmp     resume

    // int 0x80: the same convention; ESP is where the processor put EIP, in Regs.
    .balign 16
int_call_entry:
    mov     [esp], edx                          // Regs.eip
    mov     dword ptr [esp + 8], {eflags}
    mov     [esp + 12], ecx                     // Regs.esp
    sub     esp, 4
    push    {vector_int_call}
    pushad
    kernel_environment
    call    {kernel_syscall}
    jmp     resume

    // A stub for each exception and interrupt line. Those for which the processor pushes an error
    // code are 8, 10 to 14, 17, 21, 29, 30 (SDM vol. 3, table 6-1; AMD's manual for the last two).
    .balign {stub_bytes}
trap_stubs:
    .set    vector, 0
    .rept   48
    .balign {stub_bytes}
    .if     ((1 << vector) & 0x60227D00) == 0 || vector >= 32
    push    0
    .endif
    push    vector
    jmp     trap
    .set    vector, vector + 1
    .endr

    // The FPU is refused (exception 7) although it is within reach: the task switches of an NMI
    // have set CR0.TS. Undone here, wherever it happens, by touching no register.
    .balign 16
fpu_stub:
    cmp     byte ptr ss:[{fpu_reachable}], 0
    je      trap_stubs + {fpu_vector} * {stub_bytes}
    clts
    iretd

    // A page fault, which has a short path in user mode.
    .balign 16
page_fault_stub:
    test    byte ptr [esp + 8], 3               // CS.RPL
    jz      trap_stubs + {page_fault_vector} * {stub_bytes}
    push    {page_fault_vector}
    pushad
    jmp     ss:[{short_paths} + {page_fault_path} * 4]

    .balign 16
trap:
    test    byte ptr [esp + 12], 3              // CS.RPL
    jz      2f
    pushad
    .globl  ordinary_trap
ordinary_trap:
    kernel_environment
    call    {kernel_trap}
    jmp     resume

    // The kernel was interrupted: everything stays on its stack. Behind SYSENTER it may not have
    // come to loading DS and ES; then it will do that again.
2:  pushad
    cld
    mov     eax, {user_data}
    mov     ds, eax
    mov     es, eax
    push    esp
    call    {on_kernel_trap}
    add     esp, 4
    popad
    add     esp, 8
    iretd

    .popsection
    "#,
    user_data = const USER_DATA,
    stack = sym KERNEL_STACK,
    stack_bytes = const STACK_BYTES,
    task = sym TASK,
    esp0 = const ESP0,
    eflags = const EFLAGS_USER,
    regs_bytes = const REGS_BYTES,
    accept = const ACCEPT << 8,
    number_call = const Call::Call as u32,
    number_reply_receive = const Call::ReplyReceive as u32,
    numbers = const Call::ALL.len(),
    short_paths = sym fastpath::PATHS,
    vector_sysenter = const VECTOR_SYSENTER,
    vector_int_call = const VECTOR_INT_CALL,
    stub_bytes = const STUB_BYTES,
    fpu_vector = const FPU_VECTOR,
    page_fault_vector = const PAGE_FAULT_VECTOR,
    page_fault_path = const fastpath::PAGE_FAULT_PATH,
    fpu_reachable = sym REACHABLE,
    kernel_syscall = sym kernel_syscall,
    kernel_wait = sym kernel_wait,
    kernel_trap = sym kernel_trap,
    on_kernel_trap = sym on_kernel_trap,
);

unsafe extern "C" {
    /// Where a call goes that no short path takes.
    pub(super) fn ordinary_call();
    /// Where a fault goes, from there on where its registers are saved.
    pub(super) fn ordinary_trap();
    fn sysenter_entry();
    fn int_call_entry();
    fn trap_stubs();
    fn fpu_stub();
    fn page_fault_stub();
}

/// Address of the entry for exception or interrupt `vector`, below 48.
pub(super) fn trap_stub(vector: usize) -> u32 {
    match vector {
        FPU_VECTOR => fpu_stub as *const () as u32,
        PAGE_FAULT_VECTOR => page_fault_stub as *const () as u32,
        _ => (trap_stubs as *const () as usize + vector * STUB_BYTES) as u32,
    }
}

/// Address of the entry for calls by `int 0x80`.
pub(super) fn call_stub() -> u32 {
    int_call_entry as *const () as u32
}

/// Whether a user's TF can still trap before the instruction at `eip`: the first behind SYSENTER.
pub(super) fn is_single_steppable(eip: u32) -> bool {
    // SAFETY: asked only behind a SYSENTER, so the register is there (SDM vol. 4, 2.2).
    u64::from(eip) == unsafe { rdmsr(IA32_SYSENTER_EIP) }
}

/// Tells the processor where SYSENTER leads, if it has that.
pub(super) fn init() {
    if !cpu::features().sep {
        return;
    }
    // ESP must be a stack by itself: the single-step trap comes before the entry has loaded another.
    let stack = KERNEL_STACK.0.get() as u64 + STACK_BYTES as u64;
    // SAFETY: SEP is there, so the three registers are (SDM vol. 4, 2.2).
    unsafe {
        wrmsr(IA32_SYSENTER_CS, KERNEL_CODE.into());
        wrmsr(IA32_SYSENTER_ESP, stack);
    }
    lead_sysenter_to(sysenter_entry);
}

/// Lets SYSENTER, if the processor has it, lead to `entry`.
pub(super) fn lead_sysenter_to(entry: unsafe extern "C" fn()) {
    if cpu::features().sep {
        // SAFETY: SEP is there, so the register is; the entries begin as one must.
        unsafe { wrmsr(IA32_SYSENTER_EIP, entry as *const () as u64) }
    }
}

/// Leaves the kernel for the thread whose registers were last named by
/// [`set_current_regs`](super::set_current_regs).
pub fn enter_user() -> ! {
    // SAFETY: the code there needs no stack and no register. That the current registers are valid
    // was promised to `set_current_regs`.
    unsafe { asm!("jmp resume", options(noreturn)) }
}

/// Waits, with interrupts open, until one has been noted (`kernel_note_irq`).
pub fn idle() {
    // SAFETY: STI takes effect behind HLT's start, so no interrupt slips in between and is slept
    // over. Interrupt handlers keep all registers.
    unsafe { asm!("sti", "hlt", "cli") }
}

/// Lets pending interrupts be noted (`kernel_note_irq`): the preemption check of long calls.
#[inline]
pub fn interrupt_window() {
    // SAFETY: as above. The NOP is the instruction at whose end interrupts come in.
    unsafe { asm!("sti", "nop", "cli") }
}
