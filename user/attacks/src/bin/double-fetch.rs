//! Descriptors that change between two looks: the attacker's thread sends strings and a capability to the accomplice, whose
//! thread receives them; a page of each side is missing in the middle, and each side's pager, before it brings the page,
//! overwrites all that the call has named: strings, buffers, counts, policies, the capability, the slot. Ranges that a blocked
//! caller has declared for `copy` are overwritten every millisecond. Addresses then name the kernel's own memory, or a decoy.
//!
//! Success would mean that the kernel read a descriptor again behind its check: bytes arrive that were not sent (the kernel's
//! memory, or the decoy's), a byte is written outside the buffers, another capability arrives, or a copy reaches beyond the
//! range. (L4Ka::Pistachio reads descriptors again after each fault.) What stops it: each is read once, into the Thread
//! (invariant 18).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_attacks::messages::scribbler::{self, BYTES, KERNEL, PARTS, Scribbler, byte};
use freehold_attacks::rt::abi::info::Kind;
use freehold_attacks::rt::abi::layout::{FOREVER, FRAME};
use freehold_attacks::rt::abi::message::Item;
use freehold_attacks::rt::utcb::Range;
use freehold_attacks::rt::{CapName, Error, Message, Rights, SlotRef, Utcb, calls, slots, time};
use freehold_attacks::{Evidence, Kit, attack, format};

/// A message with strings and an item; one with a range.
const STRINGS: u16 = 1;
const RANGES: u16 = 2;
/// Bytes of the range.
const RANGE: u32 = 256;
/// Badge of the capability that is sent.
const BADGE: u32 = 5;
/// Answer: nothing was wrong; else a bit for each thing that was.
const BYTES_WRONG: u32 = 1;
const DECOY_WRITTEN: u32 = 2;
const OTHER_CAPABILITY: u32 = 4;
const RANGE_WRONG: u32 = 8;
const RANGE_PASSED: u32 = 16;

/// The endpoint; calls, what was wrong all together, how often; transfers, ranges.
static SAW: [AtomicU32; 6] = [const { AtomicU32::new(0) }; 6];
const WAY: usize = 0;
const TRIES: usize = 1;
const WRONG: usize = 2;
const SUCCESSES: usize = 3;
const TRANSFERS: usize = 4;
const ERROR: usize = 5;

attack!("double-fetch", send, receive);

fn get(what: usize) -> u32 {
    SAW[what].load(Ordering::Relaxed)
}

fn run(kit: &mut Kit, way: CapName, main: fn(u32), fill: fn(u32) -> u8) -> Evidence {
    SAW[WAY].store(way.0, Ordering::Relaxed);
    let Ok(scribbler) = Scribbler::new() else { return kit.untried("no memory for the ground") };
    if scribbler::fill_parts(fill).is_err() || scribbler.victim(main).is_err() {
        return kit.untried("no memory for threads");
    }
    while !kit.pause(20) {}
    let (scribbles, faults, stray) = scribbler.counts();
    (kit.tries, kit.successes) = (get(TRIES), get(SUCCESSES) + stray);
    let detail = format!(
        "{} transfers whole, {faults} faults in transit, overwritten {scribbles} times, wrong {:#x}, {stray} faults elsewhere, last error {}",
        get(TRANSFERS),
        get(WRONG),
        get(ERROR)
    );
    match kit.successes {
        0 if faults == 0 => kit.untried(format!("no fault in transit: {detail}")),
        0 => kit.held(detail),
        _ => kit.broken(detail),
    }
}

fn send(kit: &mut Kit) -> Evidence {
    run(kit, kit.peer, sender, byte)
}

fn receive(kit: &mut Kit) -> Evidence {
    run(kit, kit.own, receiver, |_| 0)
}

/// Notes what one call came to.
fn note(wrong: Result<u32, Error>) {
    SAW[TRIES].fetch_add(wrong.is_ok().into(), Ordering::Relaxed);
    match wrong {
        Ok(0) => {}
        Ok(wrong) => {
            SAW[WRONG].fetch_or(wrong, Ordering::Relaxed);
            SAW[SUCCESSES].fetch_add(1, Ordering::Relaxed);
        }
        Err(error) => SAW[ERROR].store(error as u32, Ordering::Relaxed),
    }
}

fn sender(_: u32) {
    scribbler::ready();
    let (way, utcb) = (CapName(get(WAY)), Utcb::current());
    let (bits, badged) = (slots::take(), slots::take());
    let (Some(bits), Some(badged)) = (bits, badged) else { return };
    let made = calls::make_notification(SlotRef::own(bits));
    let derived = calls::derive(bits, SlotRef::own(badged), Rights::ALL, BADGE, 1);
    if made.and(derived).is_err() {
        return;
    }
    for turn in 0_u32.. {
        scribbler::lead(if turn.is_multiple_of(2) { KERNEL } else { scribbler::DECOY });
        scribbler::hide();
        utcb.set_strings(&PARTS);
        utcb.set_send_faults(FOREVER, FOREVER);
        let mut message = Message::of(STRINGS, &[turn, 0, 0]).with_strings();
        message.push_item(Item { source: badged, moved: false, rights: Rights::SEND, total: 0 });
        note(
            calls::call_strings(way, &message, false)
                .map(|(answer, _)| answer.word(0))
                .map_err(|broken| broken.error),
        );
        // The range lies in the page that is always there.
        utcb.set_ranges(&[Range { address: PARTS[1].address, bytes: RANGE, writable: false }]);
        scribbler::flurry_of_ranges(true);
        note(calls::call(way, &Message::new(RANGES).with_ranges()).map(|answer| answer.word(0)));
        scribbler::flurry_of_ranges(false);
    }
}

fn receiver(_: u32) {
    scribbler::ready();
    scribbler::lead(scribbler::DECOY);
    let (way, utcb) = (CapName(get(WAY)), Utcb::current());
    let Some(slot) = slots::take() else { return };
    loop {
        if scribbler::fill_parts(|_| 0).is_err() {
            return;
        }
        scribbler::hide();
        // SAFETY: the ground is nobody else's.
        unsafe { utcb.set_buffers(&PARTS) };
        utcb.set_receive_faults(FOREVER, FOREVER);
        utcb.set_slots(slot, 1);
        let wrong = match calls::receive_strings(way) {
            Ok((received, bytes)) if received.message.label() == STRINGS => Ok(look_at_strings(bytes, slot)),
            Ok((received, _)) if received.message.label() == RANGES => Ok(look_at_range()),
            Ok(_) => continue,
            Err(broken) => Err(broken.error),
        };
        note(wrong);
        let _ = calls::reply(None, &Message::of(0, &[wrong.unwrap_or(0)]));
    }
}

/// What of a message with strings is not as it was sent, and checked.
fn look_at_strings(bytes: u32, slot: CapName) -> u32 {
    let (differing, decoy) = scribbler::differing();
    let came = calls::cap_info(SlotRef::own(slot));
    let right = came
        .is_ok_and(|info| (info.kind, info.badge, info.rights) == (Kind::Notification, BADGE, Rights::SEND));
    let _ = calls::delete(SlotRef::own(slot));
    SAW[TRANSFERS].fetch_add(1, Ordering::Relaxed);
    [(bytes != BYTES || differing != 0, BYTES_WRONG), (decoy != 0, DECOY_WRITTEN), (!right, OTHER_CAPABILITY)]
        .into_iter()
        .fold(0, |wrong, (is_wrong, bit)| if is_wrong { wrong | bit } else { wrong })
}

/// What of the range is not as it was declared.
fn look_at_range() -> u32 {
    // Long enough for it to be overwritten.
    time::sleep(3);
    let mut bytes = [0; RANGE as usize];
    // SAFETY: the bytes are this function's.
    let copied = unsafe { calls::copy_in(None, 0, 0, bytes.as_mut_ptr() as u32, RANGE) };
    let same = (PARTS[0].bytes..).zip(bytes).all(|(index, came)| came == byte(index));
    // SAFETY: as above; nothing is copied unless the range has grown.
    let beyond = unsafe { calls::copy_in(None, 0, RANGE, bytes.as_mut_ptr() as u32, 1) };
    let is_wrong = !same || copied.done != RANGE || copied.stop.is_some();
    let passed = beyond.done != 0 || beyond.stop.map(|(error, _)| error) != Some(Error::BadRange);
    (if is_wrong { RANGE_WRONG } else { 0 }) | (if passed { RANGE_PASSED } else { 0 })
}

const _: () = assert!(PARTS[1].bytes == FRAME && RANGE <= FRAME);
