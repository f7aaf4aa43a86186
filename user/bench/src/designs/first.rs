//! When the machine does its first work: `first-service`, from reset to the first answer of a server in another space, to
//! what was asked. What the board's firmware takes is in it, the same under every design.

use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_rt::time;

use super::partner::{self, Partner};
use crate::ipc::{BESIDE, SERVED};
use crate::measure::{plain, wanted};

const NAME: &str = "first-service";

/// `first-service`.
pub fn run() {
    if !wanted(NAME) {
        return;
    }
    let home = Home::new();
    let server = Partner::start(&home, BESIDE, SERVED, serve);
    let answer = server.tell(7, [3, 5]);
    let time = time::cycles();
    check_eq!(answer, [8, 7]);
    let time = u32::try_from(time).expect("fewer instructions");
    plain(NAME, "instructions", &mut [time], None);
}

fn serve(served: u32) {
    partner::serve(served, |label, [first, second]| [first + second, label.into()]);
}
