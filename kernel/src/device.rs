//! Interrupt lines and I/O ports, as capabilities.
//!
//! What must hold: a line is open only while it is bound to a notification; when either ends, the
//! line is closed. A port is touched only within the range of the capability that names it.

use freehold_abi::info::Kind;
use freehold_abi::layout::UNITS;
use freehold_abi::layout::utcb::MESSAGE;
use freehold_abi::{CapName, Error, Rights};
use freehold_captree::Link;
use freehold_user_pagetables::Budget;

use crate::arch::{io, pic, pit};
use crate::hooks;
use crate::kernel::Kernel;
use crate::notification;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{ThreadRef, reg};
use crate::units;

/// Bytes that one PortWrite takes from the message registers behind the first three. Each is a unit of
/// work: a port can be slow.
const WRITE_MAX: u32 = UNITS;

/// The notification that each line is bound to.
pub struct Irqs([Link; pic::LINES as usize]);

impl Irqs {
    /// No line is bound.
    pub const fn new() -> Irqs {
        Irqs([Link::NONE; pic::LINES as usize])
    }
}

/// `line` has interrupted; it is masked.
pub fn raise(k: &mut Kernel, line: u32) {
    let bound = k.irqs.0[line as usize];
    if !(bound.is_none() || k.units.spend(units::THREAD) && notification::signal(k, bound, 1 << line)) {
        units::note_again(line);
    }
}

/// IrqBind: to a notification, or to nothing.
pub fn bind(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [irq, notification, ..] = t.args();
    let line = line(k, t, irq)?;
    if line == pit::LINE {
        return Err(Error::BadBinding);
    }
    let notification = CapName::from_word(notification);
    if notification.0 == 0 {
        pic::mask(line);
        k.irqs.0[line as usize] = Link::NONE;
        return Ok(Outcome::Done);
    }
    let cap = k.cap(t, notification)?;
    let origin = k.origin(cap, Kind::Notification, Rights::SEND)?;
    if !k.irqs.0[line as usize].is_none() {
        return Err(Error::BadBinding);
    }
    k.irqs.0[line as usize] = origin;
    pic::unmask(line);
    Ok(Outcome::Done)
}

/// IrqAck: the driver has dealt with the device.
pub fn acknowledge(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let line = line(k, t, t.args()[0])?;
    if k.irqs.0[line as usize].is_none() {
        return Err(Error::BadBinding);
    }
    pic::unmask(line);
    Ok(Outcome::Done)
}

/// The endpoint, notification or line that lives in `slot` ends.
pub fn forget(k: &mut Kernel, slot: Link) {
    let cap = k.read(slot);
    if !matches!(cap.kind, Kind::Notification | Kind::Irq) {
        return hooks::endpoint_ends(k, slot);
    }
    for line in 0..pic::LINES {
        let is_line = cap.kind == Kind::Irq && cap.badge == line;
        if k.irqs.0[line as usize] == slot || is_line {
            if line != pit::LINE {
                pic::mask(line);
            }
            k.irqs.0[line as usize] = Link::NONE;
        }
    }
}

fn line(k: &Kernel, t: ThreadRef, name: u32) -> Result<u32, Error> {
    let cap = k.cap(t, CapName::from_word(name))?;
    k.origin(cap, Kind::Irq, Rights::USE)?;
    Ok(cap.badge)
}

/// Checks that `width` ports from `port` on are the capability's.
fn check_ports(k: &Kernel, t: ThreadRef, name: u32, port: u32, width: u32) -> Result<u16, Error> {
    let cap = k.cap(t, CapName::from_word(name))?;
    k.origin(cap, Kind::IoPorts, Rights::USE)?;
    let (first, last) = (cap.badge & 0xFFFF, cap.badge >> 16);
    if !matches!(width, 1 | 2 | 4) || port < first || port > last || port + width - 1 > last {
        return Err(Error::OutOfRange);
    }
    Ok(port as u16)
}

/// PortIn: one byte, word or doubleword.
pub fn port_in(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [ports, port, width, _] = t.args();
    let port = check_ports(k, t, ports, port, width)?;
    // SAFETY: the capability gives its holder these ports; none of the kernel's own devices can
    // reach memory, and whoever may touch them is trusted with the machine.
    let value = unsafe {
        match width {
            1 => io::inb(port).into(),
            2 => io::inw(port).into(),
            _ => io::inl(port),
        }
    };
    t.set(reg::EDI, value);
    Ok(Outcome::Done)
}

/// PortOut: one byte, word or doubleword.
pub fn port_out(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [ports, port, value, width] = t.args();
    let port = check_ports(k, t, ports, port, width)?;
    // SAFETY: as in `port_in`.
    unsafe {
        match width {
            1 => io::outb(port, value as u8),
            2 => io::outw(port, value as u16),
            _ => io::outl(port, value),
        }
    }
    Ok(Outcome::Done)
}

/// PortWrite: bytes from the message registers, one after the other to one port.
pub fn port_write(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [ports, port, bytes, _] = t.args();
    let port = check_ports(k, t, ports, port, 1)?;
    if bytes > WRITE_MAX {
        return Err(Error::OutOfRange);
    }
    if !k.units.spend(bytes) {
        return Ok(Outcome::Again);
    }
    for index in 0..bytes as usize {
        let word = t.utcb_word(MESSAGE + 3 + index / 4);
        // SAFETY: as in `port_in`.
        unsafe { io::outb(port, (word >> (8 * (index % 4))) as u8) }
    }
    Ok(Outcome::Done)
}
