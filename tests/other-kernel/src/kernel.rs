//! The kernel's calls. EAX: which; EBX: its argument; the answer is in EAX.

use crate::machine;

/// What a program can ask for.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Call {
    /// Nothing.
    Null = 0,
    /// Page of the window in the upper half, frame in the lower: maps the frame there.
    Map = 1,
    /// Takes what is mapped at this page.
    Unmap = 2,
    /// A byte for the second serial port.
    Write = 3,
    /// Ends the machine; not 0: something did not hold.
    Leave = 4,
}

/// It was done.
pub const DONE: u32 = 0;
/// Nothing is mapped there.
pub const NOTHING_THERE: u32 = 1;
/// Something is.
const OCCUPIED: u32 = 2;
/// There is no such call, page or frame.
const UNKNOWN: u32 = 3;

/// What the interrupt gate leads to.
pub extern "C" fn dispatch(call: u32, argument: u32) -> u32 {
    const NULL: u32 = Call::Null as u32;
    const MAP: u32 = Call::Map as u32;
    const UNMAP: u32 = Call::Unmap as u32;
    const WRITE: u32 = Call::Write as u32;
    const LEAVE: u32 = Call::Leave as u32;
    match call {
        NULL => DONE,
        MAP => map(argument >> 16, argument & 0xFFFF),
        UNMAP => unmap(argument),
        WRITE => {
            machine::write_byte(machine::RECORDS, argument as u8);
            DONE
        }
        LEAVE => machine::leave(argument == 0),
        _ => UNKNOWN,
    }
}

fn map(page: u32, frame: u32) -> u32 {
    if page >= machine::WINDOW_PAGES || frame >= machine::FRAMES {
        return UNKNOWN;
    }
    if machine::entry(page) != 0 {
        return OCCUPIED;
    }
    machine::set_entry(page, machine::frame_entry(frame));
    DONE
}

fn unmap(page: u32) -> u32 {
    if page >= machine::WINDOW_PAGES {
        return UNKNOWN;
    }
    if machine::entry(page) == 0 {
        return NOTHING_THERE;
    }
    machine::set_entry(page, 0);
    machine::forget(page);
    DONE
}
