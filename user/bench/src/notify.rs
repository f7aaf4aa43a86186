//! Notifications: set, waited for, to and fro.

use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_abi::{CapName, Rights};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::notification;
use freehold_guest_tests::worker::Worker;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::{Utcb, signal};

use crate::ipc::{BESIDE, ROUNDS};
use crate::measure::{Series, any_wanted, section, wanted};
use crate::stub;

/// What the partner waits for, and what it sets then, in its space.
const HEARS: CapName = CapName(8);
const TELLS: CapName = CapName(9);

/// `notify.signal`, `notify.wait`, `notify.roundtrip`.
pub fn run() {
    if any_wanted(&["notify.signal", "notify.wait"]) {
        alone();
    }
    if wanted("notify.roundtrip") {
        to_and_fro();
    }
}

fn alone() {
    let (mut signal, mut wait) = (Series::new("notify.signal"), Series::new("notify.wait"));
    let notification = notification();
    for round in 1..=ROUNDS + 1 {
        let (sample, status) = section(|| signal::notify(notification.name(), round));
        check_eq!(status, stub::OK);
        signal.add(sample);
        let (sample, heard) = section(|| signal::wait(notification.name()));
        check_eq!(heard, (stub::OK, round));
        wait.add(sample);
    }
    signal.finish();
    wait.finish();
}

fn to_and_fro() {
    let mut series = Series::new("notify.roundtrip");
    let (there, back) = (notification(), notification());
    let home = Home::new();
    home.give(HEARS, there.name(), Rights::RECEIVE, 0);
    home.give(TELLS, back.name(), Rights::SEND, 0);
    let worker = Worker::spawn(&home, BESIDE, echo, 0);
    check!(worker.reaches(State::Waiting));
    Utcb::current().within((FOREVER, FOREVER), || {
        for round in 1..=ROUNDS + 1 {
            let (sample, (told, heard)) = section(|| {
                let told = signal::notify(there.name(), round);
                (told, signal::wait(back.name()))
            });
            check_eq!((told, heard), (stub::OK, (stub::OK, round)));
            series.add(sample);
        }
    });
    series.finish();
    check_eq!(worker.state(), State::Waiting);
}

/// Sets the bits that it hears.
fn echo(_: u32) {
    loop {
        let (_, bits) = signal::wait(HEARS);
        signal::notify(TELLS, bits);
    }
}
