//! The pair of 8259A interrupt controllers. (Intel 8259A data sheet, order 231468.)
//!
//! What must hold: lines 0–15 are vectors 0x20–0x2F; line 2 is the wire between the two, so it is
//! always open and never seen.

use core::sync::atomic::{AtomicU16, Ordering};

use x86::io::{inb, outb};

use super::regs::VECTOR_IRQ_BASE;

/// Interrupt lines of the pair.
pub const LINES: u32 = 16;

/// Command port, data port.
const MASTER: (u16, u16) = (0x20, 0x21);
const SLAVE: (u16, u16) = (0xA0, 0xA1);
/// The master's line to which the slave is wired.
const CASCADE: u32 = 2;

/// Initialise, edge triggered, cascaded, ICW4 follows.
const ICW1: u8 = 0x11;
/// 8086 mode, normal end of interrupt.
const ICW4: u8 = 0x01;
/// OCW2: end of the interrupt whose line is in the low bits.
const EOI: u8 = 0x60;
/// OCW3: the next read gives the in-service register.
const READ_IN_SERVICE: u8 = 0x0B;

/// A set bit is a masked line.
static MASKED: AtomicU16 = AtomicU16::new(!(1 << CASCADE));

/// Moves the lines to their vectors, all masked.
pub(super) fn init() {
    for ((command, data), base, wiring) in
        [(MASTER, VECTOR_IRQ_BASE as u8, 1 << CASCADE), (SLAVE, VECTOR_IRQ_BASE as u8 + 8, CASCADE as u8)]
    {
        // SAFETY: the controllers' own ports; interrupts are off.
        unsafe {
            outb(command, ICW1);
            outb(data, base);
            outb(data, wiring);
            outb(data, ICW4);
        }
    }
    write_masks(MASKED.load(Ordering::Relaxed));
}

fn write_masks(masked: u16) {
    MASKED.store(masked, Ordering::Relaxed);
    let [master, slave] = masked.to_le_bytes();
    // SAFETY: masks are the kernel's to set.
    unsafe {
        outb(MASTER.1, master);
        outb(SLAVE.1, slave);
    }
}

/// Closes `line` (0–15).
pub fn mask(line: u32) {
    if line != CASCADE {
        write_masks(MASKED.load(Ordering::Relaxed) | 1 << line);
    }
}

/// Opens `line` (0–15).
pub fn unmask(line: u32) {
    write_masks(MASKED.load(Ordering::Relaxed) & !(1 << line));
}

/// Ends the interrupt on `line` (0–15), so that it and those of lower rank can come again.
pub fn eoi(line: u32) {
    // SAFETY: the controllers' own ports.
    unsafe {
        if line >= 8 {
            outb(SLAVE.0, EOI | (line as u8 - 8));
            outb(MASTER.0, EOI | CASCADE as u8);
        } else {
            outb(MASTER.0, EOI | line as u8);
        }
    }
}

/// Whether the interrupt that came in on `line` is real. A controller whose request went away
/// before it was asked answers with its last line; that is no interrupt, needs no [`eoi`], and
/// what the master needs for the slave's is done here.
pub fn is_real(line: u32) -> bool {
    let (command, _) = match line {
        7 => MASTER,
        15 => SLAVE,
        _ => return true,
    };
    // SAFETY: the controllers' own ports.
    let in_service = unsafe {
        outb(command, READ_IN_SERVICE);
        inb(command)
    };
    if in_service & 0x80 != 0 {
        return true;
    }
    if line == 15 {
        // SAFETY: as above. The master did see an interrupt: the slave's.
        unsafe { outb(MASTER.0, EOI | CASCADE as u8) }
    }
    false
}
