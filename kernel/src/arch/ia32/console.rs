//! The console: COM1, 115200 8N1, for people.
//!
//! What must hold: printing waits for the transmitter, never for a lock: one processor, and what
//! interrupts the kernel prints only if the console is free or the kernel is at its end.

use core::fmt::{self, Write};

use spin::Mutex;
use uart_16550::backend::PioBackend;
use uart_16550::spec::registers::LSR;
use uart_16550::{BaudRate, Config, Uart16550};

const COM1: u16 = 0x3F8;

struct Console {
    uart: Uart16550<PioBackend>,
    /// Whether a UART answered; without one, printing is lost.
    present: bool,
}

static CONSOLE: Mutex<Console> = Mutex::new(Console {
    // SAFETY: COM1's eight ports belong to this driver alone.
    uart: match unsafe { Uart16550::new_port(COM1) } {
        Ok(uart) => uart,
        Err(_) => panic!("COM1 lies within the port space"),
    },
    present: false,
});

impl Write for Console {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        if self.present {
            for line in s.split_inclusive('\n') {
                if let Some(line) = line.strip_suffix('\n') {
                    self.uart.send_bytes_exact(line.as_bytes());
                    self.uart.send_bytes_exact(b"\r\n");
                } else {
                    self.uart.send_bytes_exact(line.as_bytes());
                }
            }
        }
        Ok(())
    }
}

/// Programs the UART.
pub(super) fn init() {
    let mut console = CONSOLE.lock();
    let config = Config { baud_rate: BaudRate::Baud115200, ..Config::DEFAULT };
    console.present = console.uart.init(config).is_ok();
}

/// Prints; what [`print!`](crate::print) and [`println!`](crate::println) call.
pub fn print(arguments: fmt::Arguments<'_>) {
    // `write_str` above never fails.
    let _ = CONSOLE.lock().write_fmt(arguments);
}

/// Prints unless that would cut into another line.
pub(super) fn print_if_free(arguments: fmt::Arguments<'_>) {
    if let Some(mut console) = CONSOLE.try_lock() {
        let _ = console.write_fmt(arguments);
    }
}

/// Prints, whoever holds the console: for the end of the kernel.
pub fn print_forced(arguments: fmt::Arguments<'_>) {
    if CONSOLE.is_locked() {
        // SAFETY: whoever holds the lock was interrupted for ever: the caller does not return.
        unsafe { CONSOLE.force_unlock() }
    }
    print(arguments);
}

/// Waits until the last bit has left.
pub fn flush() {
    let Some(mut console) = CONSOLE.try_lock() else { return };
    while console.present && !console.uart.lsr().contains(LSR::TRANSMITTER_EMPTY) {
        core::hint::spin_loop();
    }
}

/// Prints to the console.
#[macro_export]
macro_rules! print {
    ($($argument:tt)*) => { $crate::arch::console::print(format_args!($($argument)*)) };
}

/// Prints a line to the console.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($argument:tt)*) => {
        $crate::arch::console::print(format_args!("{}\n", format_args!($($argument)*)))
    };
}
