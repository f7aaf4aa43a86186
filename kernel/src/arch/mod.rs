//! The machine: everything that knows the instruction set, the page-table format or a device of
//! the board, and all of the kernel's assembly.
//!
//! What must hold: the rest of the kernel names only what this module exports. In the other
//! direction it relies on six functions that the rest of the kernel defines (and, with designs, a seventh): [`kernel_main`],
//! [`kernel_syscall`], [`kernel_wait`], [`kernel_string_begun`], [`kernel_trap`] and [`kernel_note_irq`].

mod ia32;

pub use ia32::*;

unsafe extern "C" {
    /// Where the kernel begins: on the kernel stack, paging on, interrupts off.
    /// `magic` and `info_phys` are what the boot loader passed in EAX and EBX.
    pub safe fn kernel_main(magic: u32, info_phys: u32) -> !;
    /// A call from user mode; its registers are in the current [`Regs`].
    pub safe fn kernel_syscall();
    /// A call of a thread that may be untrusted; its registers are as above.
    #[cfg(feature = "designs")]
    pub safe fn kernel_watched_call();
    /// A Call or ReplyReceive with one string that the short path has begun to copy; the registers are as above.
    pub safe fn kernel_string_begun(address: u32, bytes: u32, copied: u32);
    /// An exception or an interrupt while in user mode; which one is in the current [`Regs`].
    pub safe fn kernel_trap();
    /// The current thread waits for a notification, by a short path.
    pub safe fn kernel_wait();
    /// Interrupt `line` (0–15) came in while the kernel had opened interrupts. The function may
    /// only acknowledge it and make a note: it runs in the middle of other kernel work.
    pub safe fn kernel_note_irq(line: u32);
}
