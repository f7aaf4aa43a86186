//! The ways into the kernel under designs that do not trust every space: they ask first who calls.
//!
//! What must hold: they take the places of the ordinary entries, so that without such a design nothing is asked. A trusted
//! thread goes on as behind the ordinary entry, and so does an untrusted one, unless it makes one of the calls that are
//! watched: with these it comes to `kernel_watched_call`.

use core::arch::global_asm;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::Call;

use super::entry::{KERNEL_STACK, STACK_BYTES};
use super::paging::KERNEL_BASE;
use super::regs::{EFLAGS_USER, Regs, VECTOR_INT_CALL, VECTOR_SYSENTER};
use super::segments::{ESP0, TASK, USER_DATA};
use super::{entry, idt};
use crate::arch::kernel_watched_call;
use crate::designs::trust::TRUST;
use crate::thread::Thread;

/// The calls of untrusted threads that are watched, a bit each. All have numbers below 32.
static WATCHED: AtomicU32 = AtomicU32::new(0);

global_asm!(
    r#"
    .pushsection .text

    .balign 16
watched_sysenter_entry:
    mov     esp, ss:[{task} + {esp0}]
    sub     esp, 24
    push    {vector_sysenter}
    pushad
    mov     ecx, [esp + {directory}]
    cmp     dword ptr ss:[ecx + {trust}], 0
    jne     3f
2:  mov     ecx, [esp + {regs_ecx}]
    jmp     saved_call
3:  cmp     al, 31
    ja      2b
    mov     ecx, ss:[{watched}]
    bt      ecx, eax                            // by its low five bits
    jnc     2b
watched_call:
    mov     eax, {user_data}
    mov     ds, eax
    mov     es, eax
    mov     esp, offset {stack} + {stack_bytes}
    push    2
    popfd
    call    {kernel_watched_call}
    jmp     resume

    .balign 16
watched_int_call_entry:
    mov     [esp], edx                          // as behind the ordinary gate
    mov     dword ptr [esp + 8], {eflags}
    mov     [esp + 12], ecx
    sub     esp, 4
    push    {vector_int_call}
    pushad
    jmp     watched_call

    .popsection
    "#,
    task = sym TASK,
    esp0 = const ESP0,
    vector_sysenter = const VECTOR_SYSENTER,
    vector_int_call = const VECTOR_INT_CALL,
    directory = const offset_of!(Thread, directory),
    regs_ecx = const offset_of!(Regs, ecx),
    trust = const KERNEL_BASE + TRUST,
    watched = sym WATCHED,
    user_data = const USER_DATA,
    stack = sym KERNEL_STACK,
    stack_bytes = const STACK_BYTES,
    eflags = const EFLAGS_USER,
    kernel_watched_call = sym kernel_watched_call,
);

unsafe extern "C" {
    fn watched_sysenter_entry();
    fn watched_int_call_entry();
}

/// Lets every call come in here from now on, and watches `calls` of untrusted threads. To be called before the first
/// program runs.
pub fn watch(calls: &[Call]) {
    let bits = calls.iter().fold(0, |bits, &call| bits | 1 << call as u32);
    WATCHED.store(bits, Ordering::Relaxed);
    entry::lead_sysenter_to(watched_sysenter_entry);
    idt::lead_calls_to(watched_int_call_entry as *const () as u32);
}
