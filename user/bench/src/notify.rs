//! Notifications: set, waited for, to and fro.

use freehold_abi::info::State;
use freehold_abi::layout::FOREVER;
use freehold_abi::{Call, CapName, Rights};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::notification;
use freehold_guest_tests::worker::Worker;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::Utcb;

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
        let (sample, status) = section(|| stub::status(Call::Notify, [notification.name().0, round, 0, 0]));
        check_eq!(status, stub::OK);
        signal.add(sample);
        let (sample, (status, registers)) =
            section(|| stub::call(Call::Receive, [notification.name().0, 0, 0, 0]));
        check_eq!((status, registers[2]), (stub::OK, round));
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
            let (sample, (told, (status, registers))) = section(|| {
                let told = stub::status(Call::Notify, [there.name().0, round, 0, 0]);
                (told, stub::call(Call::Receive, [back.name().0, 0, 0, 0]))
            });
            check_eq!((told, status, registers[2]), (stub::OK, stub::OK, round));
            series.add(sample);
        }
    });
    series.finish();
    check_eq!(worker.state(), State::Waiting);
}

/// Sets the bits that it hears.
fn echo(_: u32) {
    loop {
        let (_, [_, _, bits, _]) = stub::call(Call::Receive, [HEARS.0, 0, 0, 0]);
        stub::status(Call::Notify, [TELLS.0, bits, 0, 0]);
    }
}
