//! The Freehold kernel: address spaces that stand on page-table memory of their own.
//!
//! An event handler on one kernel stack. Something happens in user mode ([`syscall`], [`trap`]), the
//! kernel deals with it from beginning to end, and [`kernel::Kernel::leave`] loads whoever runs next.
//!
//! Reading order: kernel, syscall, thread, ipc, caps, container, mapping, make, destroy, copy; then
//! arch. ARCHITECTURE.md has the map.

#![no_std]
#![no_main]

mod arch;
mod caps;
mod container;
mod copy;
mod derive;
#[cfg(feature = "designs")]
mod designs;
#[cfg(not(feature = "designs"))]
#[path = "designs/none.rs"]
mod designs;
mod destroy;
mod device;
mod errors;
mod first;
mod hooks;
mod info;
mod ipc;
mod items;
mod kernel;
mod make;
mod mapping;
mod multiboot;
mod notification;
mod pager;
mod panic;
mod physical;
mod queue;
mod reply;
mod scheduler;
mod strings;
mod syscall;
mod thread;
mod threads;
mod timer;
mod transfer;
mod trap;
mod units;
mod upcall;

use arch::{cpu, fastpath, paging, pic, pit};

/// Entry point: the boot loader's, through the boot code.
#[unsafe(no_mangle)]
extern "C" fn kernel_main(magic: u32, info_phys: u32) -> ! {
    arch::init();
    let mut loaded = multiboot::LOADED.lock();
    loaded.read(magic, info_phys);
    paging::kernel_half(loaded.ram_end);
    println!("freehold: {} MiB RAM, processor has {}", loaded.ram_end >> 20, cpu::features());
    if loaded.unreachable_frames != 0 {
        println!("freehold: {} MiB above 1008 MiB stay unused", loaded.unreachable_frames >> 8);
    }
    if loaded.says("fastpath=off") {
        fastpath::switch_off();
        println!("freehold: every call goes the ordinary way");
    }
    let k = first::boot(&loaded, designs::choose(&loaded));
    let image = paging::kernel_image();
    println!(
        "freehold: kernel image {} KiB, frame table and boot containers {} KiB, {}nothing else, ever",
        (image.end - image.start) >> 10,
        freehold_user_pagetables::Tables::<physical::Physical>::boot_bytes(k.tables.blocks()) >> 10,
        if k.designs.pool_bytes() == 0 { "" } else { "the pool, " },
    );
    pit::start(1000 / freehold_abi::layout::TICK_MS);
    pic::unmask(pit::LINE);
    drop(loaded);
    k.leave();
    arch::enter_user()
}
