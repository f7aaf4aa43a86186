//! Pages that a program maps for itself, unmaps, and makes read-only.
//!
//! `user-tables`: Update and Unmap. No call takes a right from a mapping: `protect` unmaps and maps again. With a pool: a
//! program asks whoever it has its memory from, and the answer brings the pages; it unmaps by itself.

use alloc::format;

use freehold_abi::layout::{ENTRIES, FRAME};
use freehold_abi::{Call, CapName, Rights};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{self, Frames, poke};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls;

use super::client::Client;
use super::pool;
use crate::mappings::{live, pair};
use crate::measure::{Series, section, wanted};
use crate::stub;

/// `map.*`, `unmap.*`, `protect.*`.
pub fn run() {
    let rows =
        super::COUNTS.map(|count| (["map", "unmap", "protect"].map(|name| format!("{name}.{count}")), count));
    if !rows.iter().any(|(names, _)| names.iter().any(|name| wanted(name))) {
        return;
    }
    if pool::is_there() {
        let client = Client::start(ENTRIES);
        for ([map, unmap, protect], count) in &rows {
            client.map([map, unmap], *count);
            client.protect(protect, *count);
        }
        return;
    }
    for ([map, unmap, protect], count) in rows {
        if wanted(&map) || wanted(&unmap) {
            pair(&map, &unmap, count, super::rounds(count));
        }
        if wanted(&protect) {
            make_read_only(&protect, count);
        }
    }
}

fn make_read_only(name: &str, count: u32) {
    let mut series = Series::new(name).per(count);
    let (frames, page) = (Frames::take(count, 1), pages::AT / FRAME);
    let probe = Probe::new(&Home::own(), 0);
    let words = stub::words((frames.container(), frames.at(0)), count, CapName::NONE, page, 0);
    let read_only = [words[0], words[1], words[2], words[3] & !Rights::WRITE.bits()];
    for round in 0..=super::rounds(count) {
        check_eq!(stub::update(words), stub::OK);
        for page in [0, count - 1] {
            poke(pages::address(page), round);
        }
        let (sample, (status, mapped)) = section(|| {
            let (status, _) = stub::call(Call::Unmap, [CapName::NONE.0, page, count, 0]);
            (status, stub::update(read_only))
        });
        check_eq!((status, mapped, live()), (stub::OK, stub::OK, count));
        for page in [0, count - 1] {
            check_eq!(probe.read(pages::address(page)), Ok(round), "page {page}");
            check!(probe.write(pages::address(page), !round).is_err(), "page {page} can be written");
        }
        series.add(sample);
        check_eq!(calls::unmap(CapName::NONE, page, count), Ok(()));
    }
    series.finish();
}
