//! The 8254 interval timer: channel 0 ticks on interrupt line 0. (Intel 8254 data sheet, order
//! 231164.)

use x86::io::outb;

/// The interrupt line of the tick.
pub const LINE: u32 = 0;
/// What the counters count, per second.
const INPUT_HZ: u32 = 1_193_182;
const CHANNEL_0: u16 = 0x40;
const CONTROL: u16 = 0x43;
/// Channel 0, low byte then high byte, mode 2 (rate generator), binary.
const RATE_GENERATOR: u8 = 0x34;

/// Starts the tick, `hz` times a second (19 and more), rounded to what the divisor can express:
/// 1000 Hz becomes 1000.15 Hz. The line has still to be unmasked.
pub fn start(hz: u32) {
    let divisor = (INPUT_HZ + hz / 2) / hz;
    assert!((2..0x1_0000).contains(&divisor), "the timer cannot tick {hz} times a second");
    let [low, high, ..] = divisor.to_le_bytes();
    // SAFETY: the timer's own ports, in the order that the control word announces.
    unsafe {
        outb(CONTROL, RATE_GENERATOR);
        outb(CHANNEL_0, low);
        outb(CHANNEL_0, high);
    }
}
