//! What has been provoked, against what docs/calls.md lists.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::{Call, Error};
use freehold_guest_tests::scenario::Counts;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::CapName;
use freehold_rt::call::enter;
use freehold_rt::calls::{self, CapInfo};

const DOCUMENT: &str = include_str!("../../../../../docs/calls.md");

/// For each call, the errors that it has returned, a bit each. (Two words: an atomic of 64 bits takes the
/// FPU, which the first thread does not have.)
static SEEN: [[AtomicU32; 2]; Call::ALL.len()] =
    [const { [const { AtomicU32::new(0) }; 2] }; Call::ALL.len()];

/// Notes that `call` has returned `error`.
pub fn note(call: Call, error: Error) {
    let seen = &SEEN[call as usize][error as usize / 32];
    seen.store(seen.load(Ordering::Relaxed) | 1 << (error as u32 % 32), Ordering::Relaxed);
}

/// Whether it has been noted.
fn noted(call: Call, error: Error) -> bool {
    SEEN[call as usize][error as usize / 32].load(Ordering::Relaxed) & 1 << (error as u32 % 32) != 0
}

/// Makes a call that must fail with `error`, and change nothing. The registers may change where `but` has
/// a bit (EBX, ESI, EDI, EBP from bit 0 on).
pub fn fails_but(but: u32, call: Call, immediate: u32, registers: [u32; 4], error: Error) {
    let before = Counts::now();
    let watched = watch(registers);
    let (status, after) = enter(call as u32 | immediate << 8, registers);
    let what = (call.name(), immediate, registers);
    if check!(status == error as u32, "{what:x?}: {:?}, not {error:?}", Error::from_status(status)) {
        note(call, error);
    }
    let same = (0..4).all(|index| after[index] == registers[index] || but & 1 << index != 0);
    check!(same, "{what:x?} left {after:x?}");
    check_eq!(Counts::now(), before, "{what:x?}");
    check_eq!(watch(registers), watched, "{what:x?}");
}

/// The same, with all registers as they were.
pub fn fails(call: Call, immediate: u32, registers: [u32; 4], error: Error) {
    fails_but(0, call, immediate, registers, error);
}

/// The slots that the registers could name.
fn watch(registers: [u32; 4]) -> [Option<CapInfo>; 4] {
    let info = |word| calls::cap_info(freehold_rt::SlotRef::own(CapName::from_word(word))).ok();
    registers.map(info)
}

/// The rows of the list: the call's name and its errors.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let list = DOCUMENT.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or("");
    list.lines().filter_map(|line| line.split_once(':'))
}

/// Each row has been claimed, and nothing beside.
pub fn complete() {
    check_eq!(rows().count(), Call::ALL.len());
    for (&call, (name, errors)) in Call::ALL.iter().zip(rows()) {
        check_eq!(name, call.name());
        let mut listed = 0_u64;
        for error in errors.split(',').map(str::trim).filter(|error| !error.is_empty()) {
            let known = Error::ALL.iter().find(|known| known.name() == error);
            check!(known.is_some(), "{name}: {error} is no error");
            if let Some(&known) = known {
                listed |= 1 << known as u32;
                check!(noted(call, known), "{name} has not returned {error}");
            }
        }
        for &error in Error::ALL {
            let unlisted = noted(call, error) && listed & 1 << error as u32 == 0;
            check!(!unlisted, "{name} returned {} but the list does not say so", error.name());
        }
    }
}
