//! Makes others pay for kernel memory that they did not ask for: sends the victim's server pages that it has not asked for, into the
//! window that it keeps open for those that do ask, 4 KiB apart and by single pages, so that the server's space
//! needs a table and a mapping node for each.
//!
//! If it succeeded, what the server may have of the kernel's memory is used up by its clients. Expected to, as far as
//! the window goes, under kernel-quota, where the receiver pays for whatever comes through it; under kernel-heap nobody pays, and the
//! window bounds what one receiver can be made to cost; redirector and local-only keep untrusted map items from it, as
//! root-only does. Under user-tables only the receiver maps anything in its Tables.

#![no_std]
#![no_main]

use freehold_attacks::protocol::answer::DONE;
use freehold_attacks::protocol::attack::{ECHO, WINDOW_LOG2};
use freehold_attacks::rt::abi::layout::FRAME;
use freehold_attacks::rt::layout::OWN;
use freehold_attacks::rt::{Error, calls};
use freehold_attacks::world::{World, with_item};
use freehold_attacks::{Evidence, Kit, attack, format, idle};

attack!("split-charge", attacker, idle);

/// The page that is sent.
const PAGE: u32 = OWN;
fn attacker(kit: &mut Kit) -> Evidence {
    if let Err(why) = World::new(kit).and_then(|mut world| world.obtain(PAGE)) {
        return kit.untried(format!("not one page to be had: {}", why.name()));
    }
    let (mut taken, mut refused) = (0, None);
    while !kit.stopped() {
        for page in 0..1 << WINDOW_LOG2 {
            // An ordinary call, which the server answers without looking at what else came.
            let message = with_item(ECHO, PAGE, page * FRAME, 1);
            let answer = kit.within(50, || calls::call(kit.server, &message));
            match kit.try_(answer) {
                Ok(answer) => taken += u32::from(answer.label() == DONE),
                // It is there already.
                Err(Error::NoWindow) => {}
                Err(why) => refused = Some(why),
            }
            if page % 64 == 0 && kit.stopped() {
                break;
            }
        }
        if refused.is_some() {
            kit.pause(1);
        }
    }
    let refused = refused.map_or("nothing", Error::name);
    kit.held(format!("the server took {taken} pages that it had not asked for; refused with {refused}"))
}
