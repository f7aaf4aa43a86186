//! From the boot loader to `kernel_main`: multiboot 1 header, processor check, paging.
//!
//! What must hold: `.boot` runs at its physical address without paging and touches nothing of the
//! rest of the image except by physical address. What the check lets pass has everything that the
//! kernel uses without asking again; what else there is, `cpu::features` says.
//! Sources: Multiboot Specification 0.6.96, 3.1 to 3.3; SDM vol. 3, 4.1.2 and 4.3.

use core::arch::global_asm;

use super::entry::{KERNEL_STACK, STACK_BYTES};
use super::exit::{DEBUG_EXIT_PORT, UNFIT_MACHINE_CODE};
use super::paging::{BOOT_DIRECTORY, DIRECT_MAP_TABLES, KERNEL_BASE, KERNEL_FIRST_TABLE, entry_bits};
use crate::arch::kernel_main;

const HEADER_MAGIC: u32 = 0x1BAD_B002;
const LOADER_MAGIC: u32 = 0x2BAD_B002;
/// Modules on page boundaries, and a memory map.
const HEADER_FLAGS: u32 = 0b11;

const EFLAGS_ID: u32 = 1 << 21;
/// CPUID leaf 1, EDX.
const CPUID_FPU: u32 = 1 << 0;
const CPUID_PSE: u32 = 1 << 3;
const CPUID_TSC: u32 = 1 << 4;
const CPUID_CX8: u32 = 1 << 8;
const CPUID_PGE: u32 = 1 << 13;

const CR4_PSE: u32 = 1 << 4;
const CR4_PGE: u32 = 1 << 7;
/// PG, WP, NE, MP, PE. NE: floating-point errors are exception 16. MP is for FWAIT with TS set.
const CR0_ON: u32 = 1 << 31 | 1 << 16 | 1 << 5 | 1 << 1 | 1 << 0;
/// CD, NW (caches off), AM (EFLAGS.AC has no effect, and no thread can be made to trap by one that
/// it inherits), TS, EM.
const CR0_OFF: u32 = 1 << 30 | 1 << 29 | 1 << 18 | 1 << 3 | 1 << 2;

global_asm!(
    r#"
    .pushsection .boot.header, "a"
    .balign 4
    .long {header_magic}, {header_flags}, -({header_magic} + {header_flags})
    .popsection

    .pushsection .boot, "awx"
    .code32
    .global _start
_start:
    cli
    cld
    mov     esp, offset boot_stack_top
    push    2
    popfd
    // ESI and EDI keep the loader's words: CPUID takes the four others.
    mov     esi, eax
    mov     edi, ebx
    mov     ebp, offset not_multiboot
    cmp     eax, {loader_magic}
    jne     refuse

    // CPUID exists where EFLAGS.ID can be changed.
    mov     ebp, offset no_cpuid
    pushfd
    pop     eax
    mov     ecx, eax
    xor     eax, {id_flag}
    push    eax
    popfd
    pushfd
    pop     eax
    xor     eax, ecx
    test    eax, {id_flag}
    jz      refuse

    mov     eax, 1
    cpuid
    mov     ecx, offset required
1:  mov     ebp, [ecx + 4]
    test    edx, [ecx]
    jz      refuse
    add     ecx, 8
    cmp     ecx, offset required_end
    jb      1b

    // The direct map, and the first 4 MiB one to one for the moment when paging begins.
    mov     ebx, offset {directory} - {base}
    mov     eax, {large}
    test    edx, {pge}
    jz      2f
    or      eax, {global}
2:  xor     ecx, ecx
3:  mov     [ebx + ecx*4 + {first}*4], eax
    add     eax, 4 << 20
    inc     ecx
    cmp     ecx, {tables}
    jb      3b
    mov     dword ptr [ebx], {large}
    mov     cr3, ebx
    mov     eax, {cr4_pse}
    mov     cr4, eax
    mov     eax, cr0
    and     eax, ~{cr0_off}
    or      eax, {cr0_on}
    mov     cr0, eax
    mov     eax, offset boot_high
    jmp     eax

    // EBP: why. Says so on COM1 (115200 8N1) and stops.
refuse:
    mov     ebx, offset uart_setup
4:  movzx   edx, word ptr [ebx]
    mov     al, [ebx + 2]
    out     dx, al
    add     ebx, 3
    cmp     ebx, offset uart_setup_end
    jb      4b
    mov     esi, offset prefix
    call    print
    mov     esi, ebp
    call    print
    mov     esi, offset suffix
    call    print
    mov     dx, 0x3FD
5:  in      al, dx
    test    al, 0x40                    // the last bit has left
    jz      5b
    mov     edx, {exit_port}
    mov     al, {exit_code}
    out     dx, al
6:  hlt
    jmp     6b

    // Prints the string at ESI.
print:
    mov     dx, 0x3FD
7:  in      al, dx
    test    al, 0x20                    // room for a character
    jz      7b
    lodsb
    test    al, al
    jz      8f
    mov     dx, 0x3F8
    out     dx, al
    jmp     print
8:  ret

    .balign 4
required:
    .long   {fpu}, no_fpu, {pse}, no_pse, {tsc}, no_tsc, {cx8}, no_cx8
required_end:

uart_setup:                             // port, value
    .macro uart_byte port, value
    .short  \port
    .byte   \value
    .endm
    uart_byte 0x3F9, 0x00               // no interrupts
    uart_byte 0x3FB, 0x80               // divisor
    uart_byte 0x3F8, 0x01
    uart_byte 0x3F9, 0x00
    uart_byte 0x3FB, 0x03               // 8N1
    uart_byte 0x3FA, 0x07               // FIFOs on and empty
    uart_byte 0x3FC, 0x03               // DTR, RTS
uart_setup_end:

prefix: .asciz  "freehold: "
suffix: .asciz  "\r\n"
not_multiboot:
    .asciz  "not started by a multiboot 1 loader, whose information the kernel needs"
no_cpuid:
    .asciz  "this processor lacks CPUID, which the kernel needs"
no_fpu: .asciz  "this processor lacks FPU (floating point), which the kernel needs"
no_pse: .asciz  "this processor lacks PSE (4 MiB pages), which the kernel needs"
no_tsc: .asciz  "this processor lacks TSC (the time-stamp counter), which the kernel needs"
no_cx8: .asciz  "this processor lacks CX8 (CMPXCHG8B), which the kernel needs"

    .balign 16
    .space  64
boot_stack_top:
    .popsection

    .pushsection .text
boot_high:
    mov     dword ptr [{directory}], 0
    mov     eax, cr3
    mov     cr3, eax
    // Only now: with paging off, PGE must not be set (SDM vol. 3, 2.5).
    test    edx, {pge}
    jz      9f
    mov     eax, {cr4_pse} | {cr4_pge}
    mov     cr4, eax
9:  mov     esp, offset {stack} + {stack_bytes} - 8
    xor     ebp, ebp
    push    edi
    push    esi
    call    {kernel_main}
    .popsection
    "#,
    header_magic = const HEADER_MAGIC,
    header_flags = const HEADER_FLAGS,
    loader_magic = const LOADER_MAGIC,
    id_flag = const EFLAGS_ID,
    fpu = const CPUID_FPU,
    pse = const CPUID_PSE,
    tsc = const CPUID_TSC,
    cx8 = const CPUID_CX8,
    pge = const CPUID_PGE,
    large = const entry_bits::PRESENT | entry_bits::WRITE | entry_bits::LARGE,
    global = const entry_bits::GLOBAL,
    first = const KERNEL_FIRST_TABLE,
    tables = const DIRECT_MAP_TABLES,
    cr4_pse = const CR4_PSE,
    cr4_pge = const CR4_PGE,
    cr0_on = const CR0_ON,
    cr0_off = const CR0_OFF,
    exit_port = const DEBUG_EXIT_PORT,
    exit_code = const UNFIT_MACHINE_CODE,
    base = const KERNEL_BASE,
    directory = sym BOOT_DIRECTORY,
    stack = sym KERNEL_STACK,
    stack_bytes = const STACK_BYTES,
    kernel_main = sym kernel_main,
);
