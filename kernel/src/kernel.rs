//! The kernel's state, how an event gets hold of it, and the way back to user mode.
//!
//! What must hold: one processor, one kernel stack, interrupts off except in the window between
//! units of work: an event has the whole kernel to itself from entry to exit, and what an interrupt
//! in the window may touch are the atomics of [`units`] alone.

use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::sync::atomic::{AtomicBool, Ordering};

use freehold_abi::info::State;
use freehold_user_pagetables::{Budget, Flush, Settled, Tables, Tlb};

use crate::arch::fpu::{self, FpuArea};
use crate::arch::{self, cpu, paging, pic, pit};
use crate::device::Irqs;
use crate::physical::Physical;
use crate::scheduler::Scheduler;
use crate::syscall::Outcome;
use crate::thread::{Errand, ThreadRef, special};
use crate::timer::Wheel;
use crate::units::{self, Units};
use crate::{designs, device, ipc, transfer};

/// Everything that changes after boot, beside the objects themselves.
pub struct Kernel {
    /// Frames, tables, directories, capability nodes.
    pub tables: Tables<Physical>,
    /// Translations that may be stale.
    pub tlb: Tlb,
    /// Who runs.
    pub scheduler: Scheduler,
    /// Time limits.
    pub wheel: Wheel,
    /// What may be done before the next check for interrupts.
    pub units: Units,
    /// Interrupt lines.
    pub irqs: Irqs,
    /// Loads of CR3, modulo 2³².
    pub space_switches: u32,
    /// Calls that no short path dealt with, modulo 2³².
    pub ordinary_calls: u32,
    /// Bytes of the kernel's own frames at the end of boot; 0 while booting.
    pub boot_kernel_bytes: u32,
    /// Whether the design has a pool for tables and mappings.
    pub has_pool: bool,
    /// What the design under comparison has of its own.
    pub designs: designs::State,
    /// The thread whose registers and space are in the processor.
    loaded: Option<ThreadRef>,
    /// The thread whose FPU state is in the processor.
    fpu_owner: Option<ThreadRef>,
    /// What the FPU holds for threads that must not see another's state.
    clean_fpu: FpuArea,
}

/// Where fields lie that the shortest path changes.
pub mod offsets {
    #![allow(missing_docs, reason = "the names are the fields'")]
    use super::{Kernel, Physical, Scheduler, Tables, Units, offset_of};

    pub const READY: usize = offset_of!(Kernel, scheduler) + Scheduler::READY;
    pub const QUEUES: usize = offset_of!(Kernel, scheduler) + Scheduler::QUEUES;
    pub const FRAME_TABLE: usize = offset_of!(Kernel, tables) + Tables::<Physical>::FRAME_TABLE;
    pub const SPACE_SWITCHES: usize = offset_of!(Kernel, space_switches);
    #[cfg(feature = "designs")]
    pub const DOORS: usize = offset_of!(Kernel, designs) + crate::designs::State::DOORS;
    pub const UNITS_LEFT: usize = offset_of!(Kernel, units) + Units::LEFT;
}

/// The one Kernel.
pub struct Cell(UnsafeCell<Kernel>);

// SAFETY: there is one processor; `enter` hands the contents to one event at a time.
unsafe impl Sync for Cell {}

/// The kernel's state; only [`Kernel::enter`] and the shortest path reach into it.
pub static KERNEL: Cell = Cell(UnsafeCell::new(Kernel::new()));
static FOUNDED: AtomicBool = AtomicBool::new(false);

impl Kernel {
    const fn new() -> Kernel {
        Kernel {
            tables: Tables::nowhere(Physical),
            tlb: Tlb::new(),
            scheduler: Scheduler::new(),
            wheel: Wheel::new(),
            units: Units::new(),
            irqs: Irqs::new(),
            space_switches: 0,
            ordinary_calls: 0,
            boot_kernel_bytes: 0,
            has_pool: false,
            designs: designs::State::new(),
            loaded: None,
            fpu_owner: None,
            clean_fpu: FpuArea::zeroed(),
        }
    }

    /// Gives the kernel its tables, early in boot.
    ///
    /// # Panics
    /// If that was done before.
    pub fn found(tables: Tables<Physical>) -> &'static mut Kernel {
        assert!(!FOUNDED.swap(true, Ordering::Relaxed));
        // SAFETY: boot is the only event so far, and this is its only reference.
        let kernel = unsafe { &mut *KERNEL.0.get() };
        kernel.tables = tables;
        fpu::init_area(&mut kernel.clean_fpu);
        kernel
    }

    /// What the entry points begin with: the kernel, and the thread that ran. While programs run, the task
    /// segment alone says which thread and which directory that are, so that the short paths have nothing else to
    /// change; here everything else that says so catches up.
    #[inline(always)]
    pub fn enter() -> (&'static mut Kernel, ThreadRef) {
        // SAFETY: user mode runs only after boot has left its reference behind; each entry calls this
        // once, and its reference is dead when the exit code runs.
        let kernel = unsafe { &mut *KERNEL.0.get() };
        // SAFETY: a thread was loaded, or no program could have run; it is Ready, so it has not ended.
        let thread = unsafe { ThreadRef::of_regs(arch::current_regs()) };
        thread.state.set(State::Ready);
        kernel.scheduler.found_running(thread);
        kernel.loaded = Some(thread);
        kernel.tables.current = arch::current_directory();
        kernel.units.begin();
        (kernel, thread)
    }

    /// Takes note of a flush. A single page is flushed at once.
    #[inline]
    pub fn owe(&mut self, flush: Flush) {
        self.tlb.owe(flush, cpu::invlpg);
    }

    /// Flushes what is due, before a frame is cleared or changes its type.
    pub fn settle(&mut self) -> Settled {
        let Kernel { tlb, space_switches, .. } = self;
        tlb.settle(|| {
            *space_switches = space_switches.wrapping_add(1);
            // SAFETY: the current directory stays current.
            unsafe { cpu::load_cr3(cpu::cr3()) }
        })
    }

    /// The last thing that an event does: deals with what interrupted meanwhile, and loads the thread
    /// that is to run.
    #[inline(always)]
    pub fn leave(&mut self) {
        if units::noted() || self.wheel.is_behind() || self.tlb.is_due() {
            return self.leave_after_work();
        }
        match self.scheduler.current() {
            Some(thread) if self.loaded == Some(thread) && thread.errand.get() == Errand::None => {}
            _ => self.leave_after_work(),
        }
    }

    /// The same where there is something to be done before.
    fn leave_after_work(&mut self) {
        loop {
            if units::noted() || self.wheel.is_behind() {
                self.deal_with_interrupts();
            }
            match self.scheduler.pick() {
                Some(thread) if thread.errand.get() != Errand::None => self.run_errand(thread),
                Some(thread) => {
                    if self.loaded != Some(thread) {
                        self.load(thread);
                    }
                    if self.tlb.is_due() {
                        let _settled = self.settle();
                    }
                    debug_assert!(!thread.is(!special::FPU), "what waits has nothing special once it runs");
                    return;
                }
                None if units::noted() || self.wheel.is_behind() => {}
                // What stays loaded meanwhile is valid: destroying it unloads it.
                None => arch::idle(),
            }
        }
    }

    #[cold]
    fn deal_with_interrupts(&mut self) {
        // The event may have used up its units.
        arch::interrupt_window();
        self.units.begin();
        let lines = units::take_noted();
        if lines & 1 << pit::LINE != 0 {
            self.scheduler.tick();
        }
        for line in (0..pic::LINES).filter(|&line| line != pit::LINE && lines & 1 << line != 0) {
            device::raise(self, line);
        }
        // What the lines' waiters have left over. The wheel stays behind if that is too little.
        let budget = self.units.left();
        let mut left = budget;
        while let Some(thread) = self.wheel.expire(&mut left) {
            ipc::time_out(self, thread);
        }
        let spent = self.units.spend(budget - left);
        debug_assert!(spent, "it was left");
    }

    /// Does what is to be done before `thread`, which is current, runs.
    #[cold]
    fn run_errand(&mut self, thread: ThreadRef) {
        let errand = thread.errand.get();
        if errand == Errand::Transfer {
            return transfer::go_on(self, thread);
        }
        // Any number of threads can have gone on to receive, and whoever finds nobody there meets no other check.
        if !self.units.spend(units::THREAD) {
            return;
        }
        thread.errand.set(Errand::None);
        let result = match errand {
            Errand::None | Errand::Transfer => return,
            Errand::Receive => ipc::receive_again(self, thread),
            Errand::FreshReceive => ipc::receive_on(self, thread),
        };
        match result {
            Ok(Outcome::Done) => thread.finish(Ok(())),
            Ok(Outcome::Waits) => {}
            Ok(Outcome::Again) => thread.errand.set(errand),
            Err(error) => thread.finish(Err(error)),
        }
    }

    /// Makes `directory` the current one, for a copy, whoever is loaded.
    pub fn stand_on(&mut self, directory: u32) {
        if directory != self.tables.current {
            self.enter_directory(directory);
            self.loaded = None;
        }
    }

    /// Makes `thread` the one in the processor.
    #[inline]
    fn load(&mut self, thread: ThreadRef) {
        self.load_fpu(thread);
        cpu::clear_fs_gs();
        // SAFETY: the registers lie in the thread's frame; if that is to change its type,
        // `unload` comes first, and no exit happens before the next `load`.
        unsafe { arch::set_current_regs(thread.regs_pointer()) };
        let directory = thread.directory.get();
        if directory != self.tables.current {
            self.enter_directory(directory);
        }
        self.loaded = Some(thread);
    }

    fn enter_directory(&mut self, directory: u32) {
        // SAFETY: a Directory's kernel half is copied before any thread gets it.
        unsafe { cpu::load_cr3(directory) };
        self.space_switches = self.space_switches.wrapping_add(1);
        self.tables.current = directory;
        let _settled = self.tlb.reloaded();
    }

    /// Eager: the state is saved when its thread is left, and nothing of it stays in the processor.
    fn load_fpu(&mut self, thread: ThreadRef) {
        let owner = thread.is(special::FPU).then_some(thread);
        if self.fpu_owner == owner {
            return;
        }
        fpu::enable();
        if let Some(before) = self.fpu_owner {
            before.with_fpu_area(fpu::save);
        }
        match owner {
            Some(thread) => thread.with_fpu_area(|area| fpu::restore(area)),
            None => {
                fpu::restore(&self.clean_fpu);
                fpu::disable();
            }
        }
        self.fpu_owner = owner;
    }

    /// Forgets a thread that is being destroyed.
    pub fn unload(&mut self, thread: ThreadRef) {
        if self.loaded == Some(thread) {
            self.loaded = None;
        }
        if self.fpu_owner == Some(thread) {
            fpu::restore(&self.clean_fpu);
            fpu::disable();
            self.fpu_owner = None;
        }
    }

    /// Leaves a Directory that is being destroyed: the kernel stands on its own until the next
    /// thread is loaded.
    pub fn leave_directory(&mut self, directory: u32) {
        if self.tables.current == directory {
            self.enter_directory(paging::boot_directory());
            self.loaded = None;
        }
    }
}
