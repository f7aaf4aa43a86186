//! The pager library: more pages than frames, by a pager thread and by upcall.

#![no_std]
#![no_main]

extern crate alloc;

mod bounds;
mod crowds;
mod errors;
mod evictions;
mod interrupted;
mod pins;
mod scene;
mod strings;
mod walk;

use freehold_guest_tests::scenario;
use freehold_rt::pager::{Mode, Region};

use scene::{BY_THREAD, Paged, Scene, page};

freehold_rt::entry!(main);

fn main() {
    warm_up();
    scenario::run(
        "s91-pager",
        &[
            ("before it starts, and twice", errors::service),
            ("configurations", errors::configurations),
            ("regions", errors::regions),
            ("ranges", errors::ranges),
            ("a random walk, thread", || walk::walk(BY_THREAD)),
            ("a random walk, upcall", || walk::walk(Mode::Upcall)),
            ("pages are zero at first", evictions::zero),
            ("what is clean is not written", evictions::clean),
            ("what was used stays longer", evictions::second_chance),
            ("a page unmapped behind the pager's back", evictions::behind),
            ("the store is full, thread", || bounds::store_full(BY_THREAD)),
            ("the store is full, upcall", || bounds::store_full(Mode::Upcall)),
            ("a range larger than the frames", bounds::too_large),
            ("an instruction that needs every frame, thread", || bounds::fewest(BY_THREAD)),
            ("an instruction that needs every frame, upcall", || bounds::fewest(Mode::Upcall)),
            ("pins count", pins::counted),
            ("pins have a bound", pins::bounded),
            ("a pin that fails pins nothing", pins::failed),
            ("a pin outlives its region, and its pager", pins::orphan),
            ("pinned pages stay under pressure, thread", || pins::pressure(BY_THREAD)),
            ("pinned pages stay under pressure, upcall", || pins::pressure(Mode::Upcall)),
            ("threads that fault at once, thread", || crowds::crowd(BY_THREAD)),
            ("threads that fault at once, low pager", || crowds::crowd(Mode::Thread { priority: 10 })),
            ("threads that fault at once, upcall", || crowds::crowd(Mode::Upcall)),
            ("a fault under a lock, thread", || crowds::under_lock(BY_THREAD)),
            ("a fault under a lock, upcall", || crowds::under_lock(Mode::Upcall)),
            ("registers and flags, thread", || interrupted::registers(BY_THREAD)),
            ("registers and flags, upcall", || interrupted::registers(Mode::Upcall)),
            ("a message half written, thread", || interrupted::message(BY_THREAD)),
            ("a message half written, upcall", || interrupted::message(Mode::Upcall)),
            ("the upcall's stack", interrupted::stack),
            ("faults that are not the pager's, thread", || interrupted::foreign(BY_THREAD)),
            ("faults that are not the pager's, upcall", || interrupted::foreign(Mode::Upcall)),
            ("strings wait for the pager thread", strings::waits),
            ("strings abort, are touched and sent again", strings::touched),
            ("strings from and to pinned memory", strings::wired),
            // From here on the first thread can start others with at most its own priority.
            ("the first thread is adopted, thread", || interrupted::adopted(Mode::Thread { priority: 15 })),
            ("the first thread is adopted, upcall", || interrupted::adopted(Mode::Upcall)),
        ],
    )
}

/// Makes what the runtime keeps once it is made: Tables for threads, for the pager, for regions; the heap's pages.
fn warm_up() {
    core::hint::black_box(alloc::vec![1u8; 512 << 10]);
    let scene = Scene::new(BY_THREAD, 40, 200, 0);
    let region = Region::new(scene::AT, 600).expect("a region");
    assert!(Paged::spawn(|_| freehold_guest_tests::pages::poke(page(599), 1), 0).ends());
    drop(region);
    drop(scene);
}
