//! Memory: what is mapped can be read and written as far as its rights go, by nobody else, and not a
//! moment longer.

#![no_std]
#![no_main]

extern crate alloc;

mod area;
mod credits;
mod lending;
mod mappings;
mod model;
mod revoking;
mod sharing;
mod single;
mod validating;
mod walk;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    scenario::run(
        "s40-memory",
        &[
            ("frames come, change and go", mappings::replaced),
            ("rights of mappings", mappings::rights),
            ("batches", mappings::batches),
            ("mappings in another space", mappings::elsewhere),
            ("unmapping tells how mappings were used", mappings::used),
            ("memory comes back clear", mappings::cleared),
            ("one page mapped, by both ways", single::mapped),
            ("rights of one page, by both ways", single::rights),
            ("a source whose revoke is unfinished, by both ways", single::unfinished),
            ("one of several mappings taken back", single::siblings),
            ("a walk at random, by both ways", walk::at_random),
            ("a Table shared by a hook", sharing::hooks),
            ("every way to take a hook back", sharing::taken_back),
            ("a container shared a part at a time", sharing::parts),
            ("a boot container hooked whole", sharing::boot_container),
            ("the bound, 1024 × (T − 1)", area::bound),
            ("the page-table area shows what is mapped", area::views),
            ("an area out of sight", area::hidden),
            ("Tables leave the area", area::withdrawn),
            ("depth 63 and no deeper", credits::depth),
            ("credits of mappings", credits::mappings),
            ("credits of capabilities", credits::capabilities),
            ("lent memory keeps its bound", lending::bounds),
            ("lent again", lending::again),
            ("validated words", validating::words),
            ("words that are wrong", validating::wrong),
            ("a revoke reaches every space at once", revoking::everywhere),
            ("long revokes under the timer", revoking::under_the_timer),
            ("one frame mapped a thousand times", revoking::thousand),
        ],
    )
}
