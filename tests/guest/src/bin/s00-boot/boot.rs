//! Boot information, and what KernelInfo says.

use freehold_abi::info::{BOOT_MAGIC, CPU_SYSENTER, Kernel, RANGES_MAX, TEXT_MAX, place};
use freehold_abi::layout::{BLOCK, FRAME, TICK_MS};
use freehold_guest_tests::{check, check_eq};
use freehold_rt::{calls, start, time};

pub fn information() {
    let Some(boot) = start::boot_info() else {
        check!(false, "this is the first program");
        return;
    };
    check_eq!((boot as *const _ as u32, boot.magic), (place::BOOT_INFO, BOOT_MAGIC));
    check!(boot.blocks >= 8, "{} blocks", boot.blocks);
    check!(boot.free_count >= 1 && boot.free_count <= RANGES_MAX as u32);
    let free = &boot.free[..boot.free_count as usize];
    for range in free {
        check!(range.start < range.end && range.start % FRAME == 0 && range.end % FRAME == 0, "{range:?}");
        check!(range.end <= boot.blocks * BLOCK, "{range:?}");
    }
    let apart = free.windows(2).all(|pair| pair[0].end <= pair[1].start);
    check!(apart, "in order, and apart: {free:?}");
    check_eq!(boot.module_count, 0, "the first module is this program");
    check!(boot.command_len as usize <= TEXT_MAX);
    // More than 1,008 MiB are out of reach of the direct map: that much, and no less, is used.
    if boot.unreachable_frames != 0 {
        check_eq!(boot.blocks, 1008 / 4);
    }
}

pub fn kernel() {
    let ask = |question| calls::kernel_info(question).unwrap_or(u32::MAX);
    let image = ask(Kernel::ImageBytes);
    check!(image > 32 << 10 && image < 1 << 20 && image % FRAME == 0, "{image}");
    let blocks = start::boot_info().map_or(0, |boot| boot.blocks);
    // A Table of 16 KiB and 1,024 elements of 16 bytes for each block.
    check_eq!(ask(Kernel::BootBytes), blocks * (16 << 10) + blocks * (16 << 10));
    check_eq!(ask(Kernel::AllocatedBytes), 0);
    check!(ask(Kernel::Frames) <= blocks * 1024 && ask(Kernel::Frames) > (blocks - 1) * 1024 - 256);
    for of_other_designs in [Kernel::Design, Kernel::PoolBytes, Kernel::PoolUsed, Kernel::PoolPeak] {
        check_eq!(ask(of_other_designs), 0);
    }
    check_eq!(ask(Kernel::Sysenter), u32::from(start::cpu() & CPU_SYSENTER != 0));
    for unknown in [Kernel::PoolPeak as u32 + 1, 15, 16 + 12, 16 + 255, 1 << 31, u32::MAX] {
        let (result, registers) =
            freehold_rt::call::call(freehold_abi::Call::KernelInfo, 0, [7, unknown, 8, 9]);
        check_eq!(result, Err(freehold_rt::Error::OutOfRange), "{unknown}");
        check_eq!(registers, [7, unknown, 8, 9]);
    }
}

/// SYSENTER where the processor has it; INT works everywhere.
pub fn entry() {
    check_eq!(freehold_rt::call::by_sysenter(), start::cpu() & CPU_SYSENTER != 0);
    let (status, results): (u32, u32);
    // SAFETY: the call's own convention: ECX the stack pointer, EDX where to go on. EBP and ESI are not
    // changed by a call that has no results there.
    unsafe {
        core::arch::asm!(
            "push ebp", "push esi",
            "mov esi, 3",
            "mov ecx, esp", "lea edx, [77f]", "int 0x80",
            "77:", "pop esi", "pop ebp",
            inout("eax") freehold_abi::Call::KernelInfo as u32 => status,
            inout("ebx") 0 => results,
            out("ecx") _, out("edx") _, out("edi") _,
        );
    }
    check_eq!(status, 0);
    check!(results.abs_diff(time::ticks()) <= 2, "ticks by either way");
    check_eq!(calls::null(), Ok(()));
}

pub fn time() {
    let begin = time::ticks();
    time::sleep(20);
    let took = time::ticks().wrapping_sub(begin) * TICK_MS;
    check!((20..=22).contains(&took), "{took}");
    // Also without sleeping.
    let begin = time::ticks();
    let mut rounds = 0_u32;
    while time::ticks().wrapping_sub(begin) < 3 && rounds < 100_000_000 {
        rounds += 1;
    }
    check!(rounds < 100_000_000);
    check!(calls::kernel_info(Kernel::SpaceSwitches).is_ok_and(|switches| switches >= 1));
}
