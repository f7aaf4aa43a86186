//! The ways into the kernel under designs that do not trust every space: they ask first who calls.
//!
//! What must hold: they take the places of the ordinary entries, so that without such a design nothing is asked. A trusted
//! thread goes on as behind the ordinary entry, and so does an untrusted one, unless it makes one of the calls that are
//! watched: with these it comes to `kernel_watched_call`.

use core::arch::global_asm;
use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::Call;
use freehold_abi::designs::Operation;
use freehold_abi::message::ACCEPT;

use super::entry::{KERNEL_STACK, STACK_BYTES, ordinary_call};
use super::paging::KERNEL_BASE;
use super::regs::{EFLAGS_USER, Regs, VECTOR_INT_CALL, VECTOR_SYSENTER};
use super::segments::{ESP0, TASK, USER_DATA};
use super::{entry, fastpath, idt};
use crate::arch::kernel_watched_call;
use crate::designs::trust::TRUST;
use crate::thread::Thread;

/// The calls of untrusted threads that are watched, a bit each. All have numbers below 32.
static WATCHED: AtomicU32 = AtomicU32::new(0);

/// Where a Call and a ReplyReceive of an untrusted thread go, and a Propagate, if there is nothing special about them.
struct ShortPaths(UnsafeCell<[unsafe extern "C" fn(); 3]>);

// SAFETY: changed only before the first program runs.
unsafe impl Sync for ShortPaths {}

static SHORT_PATHS: ShortPaths =
    ShortPaths(UnsafeCell::new([redirected_call, redirected_reply_receive, fast_propagate]));

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
    cmp     eax, {propagate}
    jne     2f
    jmp     ss:[{short_paths} + 8]
2:  mov     ecx, [esp + {regs_ecx}]
    jmp     saved_call
3:  cmp     al, 31
    ja      2b
    mov     ecx, ss:[{watched}]
    bt      ecx, eax                            // by its low five bits
    jnc     2b
    mov     ecx, eax
    and     ecx, {but_accept}
    cmp     ecx, {number_call}
    jne     4f
    jmp     ss:[{short_paths}]
4:  cmp     ecx, {number_reply_receive}
    jne     watched_call
    jmp     ss:[{short_paths} + 4]
    .globl  watched_call                        // for the short paths
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
    short_paths = sym SHORT_PATHS,
    propagate = const Call::Design as u32 | (Operation::Propagate as u32) << 8,
    but_accept = const !(ACCEPT << 8) as i32,
    number_call = const Call::Call as u32,
    number_reply_receive = const Call::ReplyReceive as u32,
    user_data = const USER_DATA,
    stack = sym KERNEL_STACK,
    stack_bytes = const STACK_BYTES,
    eflags = const EFLAGS_USER,
    kernel_watched_call = sym kernel_watched_call,
);

unsafe extern "C" {
    fn watched_sysenter_entry();
    fn watched_int_call_entry();
    fn watched_call();
    fn redirected_call();
    fn redirected_reply_receive();
    fn fast_propagate();
}

/// Lets every call come in here from now on, and watches `calls` of untrusted threads. To be called before the first
/// program runs.
pub fn watch(calls: &[Call]) {
    let bits = calls.iter().fold(0, |bits, &call| bits | 1 << call as u32);
    WATCHED.store(bits, Ordering::Relaxed);
    if !fastpath::is_on() {
        // SAFETY: nothing else uses the table yet.
        unsafe { *SHORT_PATHS.0.get() = [watched_call, watched_call, ordinary_call] }
    }
    entry::lead_sysenter_to(watched_sysenter_entry);
    idt::lead_calls_to(watched_int_call_entry as *const () as u32);
}
