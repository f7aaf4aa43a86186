//! The first program's capabilities, and calls that there are not.

use freehold_abi::Call;
use freehold_abi::info::{Kind, place, start};
use freehold_abi::layout::{BLOCK, UNLIMITED};
use freehold_guest_tests::objects::info;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::call::enter;
use freehold_rt::{CapName, Error, Rights, calls, start as program};

pub fn given() {
    let kind = |name: u32| info(CapName(name)).kind;
    let space = info(start::SPACE);
    check_eq!((space.kind, space.rights), (Kind::Space, Rights::ALL));
    check_eq!(info(start::THREAD).kind, Kind::Thread);
    let ports = info(start::PORTS);
    check_eq!((ports.kind, ports.badge, ports.depth), (Kind::IoPorts, 0xFFFF << 16, 0));
    for line in 0..16 {
        let irq = info(CapName(start::IRQ.0 + line));
        check_eq!((irq.kind, irq.badge), (Kind::Irq, line));
    }
    let blocks = program::boot_info().map_or(0, |boot| boot.blocks);
    for block in 0..blocks {
        let container = info(CapName(start::BLOCKS.0 + block));
        check_eq!((container.kind, container.rights), (Kind::Container, Rights::ALL));
        check_eq!((container.depth, container.total, container.badge), (0, UNLIMITED, 1023 << 10));
    }
    // Between them is nothing that the runtime has not put there.
    check!((5..start::IRQ.0).all(|name| kind(name) == Kind::Empty));
    check_eq!(calls::cap_info(freehold_rt::SlotRef::own(CapName::NONE)), Err(Error::NoCapability));
    let beyond = CapName::new(31, 127);
    check_eq!(calls::cap_info(freehold_rt::SlotRef::own(beyond)), Err(Error::NoCapability));
    let summary = calls::space_summary(CapName::NONE);
    check_eq!(summary, calls::space_summary(start::SPACE));
    check_eq!(
        summary.map(|space| (space.area, space.area_pages, space.threads, space.nodes)),
        Ok((place::AREA, place::AREA_PAGES, 1, start::NODES))
    );
    let thread = calls::thread_info(start::THREAD);
    check_eq!(thread.map(|thread| (thread.state as u8, thread.priority)), Ok((1, 15)));
    check!(
        thread
            .is_ok_and(|thread| thread.eip / BLOCK == place::IMAGE / BLOCK && thread.esp < place::STACK_END)
    );
}

/// Every number that is no call, with any immediate, changes nothing but EAX.
pub fn unknown_calls() {
    let calls = Call::ALL.len() as u32;
    for number in calls..256 {
        for immediate in [0, 1, 0xFF_FFFF, 0xABCDEF] {
            let registers = [0x1111, 0x2222, 0x3333, 0x4444];
            let (status, after) = enter(number | immediate << 8, registers);
            check_eq!((status, after), (Error::UnknownCall as u32, registers), "{number}");
        }
    }
    check!((0..calls).all(|number| Call::from_word(number).is_some()));
}
