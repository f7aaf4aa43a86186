//! Faults: whatever a program does is its own affair. Its pager hears of it, nobody else notices.
//!
//! A stack-segment fault proper (#SS) is not among them: all segments are flat and present, and QEMU's TCG
//! does not check segment limits, so a program can meet only its relatives: a stack that is not mapped
//! (page fault), and a wrong selector for SS (general protection).

#![no_std]
#![no_main]

mod answers;
mod cases;
mod descriptors;
mod entries;
mod flags;
mod handler;
mod pagers;
mod run;
mod state;
mod upcalls;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    scenario::run(
        "s20-faults",
        &[
            ("every case, in the own space", cases::own_space),
            ("every case, in another space", cases::other_space),
            ("every vector by INT", cases::vectors),
            ("descriptors of one's own", descriptors::local),
            ("flags at a fault", flags::at_faults),
            ("flags under the timer", flags::under_the_timer),
            ("single steps", flags::single_steps),
            ("flags at the fault of a thread beside its pager", flags::for_a_pager_beside),
            ("calls with hostile flags", entries::flags),
            ("calls with hostile addresses", entries::addresses),
            ("calls with empty segment registers", entries::segments),
            ("SYSENTER without its leave", entries::sysenter),
            ("registers survive", state::registers),
            ("floating-point errors", state::floating_point),
            ("a fault without a pager", state::without_pager),
            ("a pager's name that is none", state::wrong_pager),
            ("pagers keep all registers", pagers::registers),
            ("what pagers answer", pagers::answers),
            ("who runs at a fault and behind its answer", answers::order),
            ("three faults at one pager", answers::crowd),
            ("a pager that faults", answers::chain),
            ("pagers that are lost", answers::lost),
            ("pagers with a time limit", answers::limited),
            ("pagers of transfers", answers::transfers),
            ("upcalls keep all registers", upcalls::registers),
            ("upcalls and single steps", upcalls::single_steps),
            ("upcalls behind calls", upcalls::behind_calls),
            ("faults in an upcall", upcalls::faults_inside),
            ("upcalls to hostile places", upcalls::hostile_places),
            ("an upcall stopped and destroyed", upcalls::in_between),
            ("upcalls in another space", upcalls::other_space),
            ("upcalls and transfers", upcalls::transfers),
        ],
    )
}
