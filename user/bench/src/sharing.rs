//! 4 MiB shared with another space by one hook, and taken back.

use freehold_abi::layout::{ENTRIES, FRAME};
use freehold_abi::{Call, CapName, Rights};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{self, Frames, poke};
use freehold_rt::calls::unmap;

use crate::measure::{Series, any_wanted, section};
use crate::reader::Reader;
use crate::stub;

const ROUNDS: u32 = 100;

/// `share.1024`, `unshare.1024`.
pub fn run() {
    if !any_wanted(&["share.1024", "unshare.1024"]) {
        return;
    }
    let (mut share, mut unshare) = (Series::new("share.1024"), Series::new("unshare.1024"));
    let frames = Frames::take(ENTRIES, 1);
    check_eq!(pages::map(&frames, pages::AT, Rights::WRITE, 0), Ok(()));
    let home = Home::new();
    let reader = Reader::start(&home);
    for round in 0..=ROUNDS {
        let (first, last) = (pages::address(0), pages::address(ENTRIES - 1));
        poke(first, round);
        poke(last, round + 7);
        let hook = [pages::table().0, home.space().0, pages::INDEX, 0];
        let (sample, status) = section(|| stub::immediate(Call::Hook, Rights::NONE.bits(), hook));
        check_eq!(status, stub::OK);
        share.add(sample);
        reader.must_read([first, last], [round, round + 7]);
        let (sample, status) = section(|| stub::status(Call::Unhook, [home.space().0, pages::INDEX, 0, 0]));
        check_eq!(status, stub::OK);
        unshare.add(sample);
    }
    share.finish();
    unshare.finish();
    check_eq!(unmap(CapName::NONE, pages::AT / FRAME, ENTRIES), Ok(()));
}
