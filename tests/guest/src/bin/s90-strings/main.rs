//! Strings in messages: docs/calls.md, section 2.1, cell by cell ([`cells`] has their labels).

#![no_std]
#![no_main]

extern crate alloc;

mod actor;
mod answers;
mod cells;
mod chains;
mod copying;
mod fetch;
mod items;
mod letter;
mod matrix;
mod memory;
mod middle;
mod order;
mod overlaps;
mod pagers;
mod resume;
mod scene;
mod servers;
mod short;
mod sizes;
mod speed;
mod storm;
mod torn;
mod walk;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    scenario::run(
        "s90-strings",
        &[
            ("all sizes and alignments", sizes::sizes),
            ("lists whose cuts do not agree", sizes::cuts),
            ("over the edges of Tables", sizes::edges),
            ("the same places of two Tables", sizes::tables),
            ("the last bytes below 3 GiB", sizes::end_of_space),
            ("four mebibytes", sizes::largest),
            ("the same memory on both sides", overlaps::both_sides),
            ("the same memory in several strings", overlaps::strings),
            ("without strings, without room", sizes::room),
            ("strings that go the short way", short::taken),
            ("one string and its first buffer", short::first_buffers),
            ("moved down through a tick and a fault", short::moved_down),
            ("over the list that names it", short::over_the_list),
            ("another Table behind a fault", short::hooked_anew),
            ("capabilities behind strings", items::carried),
            ("capabilities that cannot be sent", items::refused),
            ("capabilities spoiled during the copy", items::spoiled),
            ("policies against each other", matrix::policies),
            ("one clock for a transfer", pagers::clock),
            ("a pager that faults", pagers::pager_faults),
            ("nobody answers a fault", pagers::nobody),
            ("a pager that says stop", answers::stop),
            ("a pager that says where to go on", answers::resume_at),
            ("an answer that brings no page", answers::not_mapped),
            ("badges through faults", answers::badges),
            ("a limit passes in the middle", middle::limits),
            ("limits of receivers that go on", middle::limits_go_on),
            ("limits while the next sender is served", middle::limits_of_the_next),
            ("a stop in the middle", middle::stops),
            ("an end in the middle", middle::ends),
            ("an end before the beginning", middle::queued),
            ("the endpoint ends in the middle", middle::doors),
            ("stopped transfers go on", resume::at_done),
            ("a fault at every page", resume::every_page),
            ("lists that are changed", fetch::lists),
            ("lists that are changed before", fetch::before),
            ("items that are changed", fetch::items),
            ("limits that are changed", fetch::limits),
            ("memory that is changed", fetch::memory),
            ("no client holds a server that receives", servers::open_receive),
            ("no client holds a server that answers", servers::replies),
            ("a reply and the next message, both with strings", chains::reply_receive),
            ("strings there and back, beside ranges", chains::there_and_back),
            ("a reply by name", chains::named_reply),
            ("strings of a pager's answer", chains::pagers_answer),
            ("a walk against a model", walk::walk),
            ("whatever happens", storm::storm),
            ("preempted in the middle", copying::preempted),
            ("left in the middle", copying::left),
            ("the clock passes in the middle", copying::clock_passes),
            ("unmapped in the middle", copying::unmapped),
            ("changed in the middle", copying::scribbled),
            ("equals share with a copy", copying::equals),
            ("the speed of a copy", speed::copies),
            ("the cells are the document's", cells::documented),
            ("every cell is claimed", cells::all_claimed),
        ],
    )
}
