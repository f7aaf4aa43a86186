//! Ways into the kernel, compiled in place: what a program pays that cares.

use freehold_abi::layout::utcb::MESSAGE;
use freehold_abi::update::{UPDATES_AT, Update};
use freehold_abi::{Call, CapName, Rights};
use freehold_rt::Utcb;
use freehold_rt::call::{Registers, enter};

/// Status of a call that succeeded.
pub const OK: u32 = 0;

/// Makes a call.
#[inline(always)]
pub fn call(number: Call, registers: Registers) -> (u32, Registers) {
    enter(number as u32, registers)
}

/// Makes a call; its status.
#[inline(always)]
pub fn status(number: Call, registers: Registers) -> u32 {
    enter(number as u32, registers).0
}

/// Makes a call with an immediate.
#[inline(always)]
pub fn immediate_call(number: Call, immediate: u32, registers: Registers) -> (u32, Registers) {
    enter(number as u32 | immediate << 8, registers)
}

/// Makes a call with an immediate; its status.
#[inline(always)]
pub fn immediate(number: Call, immediate: u32, registers: Registers) -> u32 {
    enter(number as u32 | immediate << 8, registers).0
}

/// Makes the mappings of one range; the status.
#[inline(always)]
pub fn update(update: [u32; 4]) -> u32 {
    let utcb = Utcb::current();
    utcb.set(MESSAGE + UPDATES_AT, update[0]);
    utcb.set(MESSAGE + UPDATES_AT + 1, update[1]);
    utcb.set(MESSAGE + UPDATES_AT + 2, update[2]);
    utcb.set(MESSAGE + UPDATES_AT + 3, update[3]);
    status(Call::Update, [1, 0, 0, 0])
}

/// The words of a range of mappings, writable ones, from which nothing can be derived if `total_code` is 0.
pub fn words(
    (source, first): (CapName, u32),
    count: u32,
    destination: CapName,
    page: u32,
    total_code: u32,
) -> [u32; 4] {
    Update { source, first, count, destination, page, rights: Rights::WRITE, total_code }.encode()
}
