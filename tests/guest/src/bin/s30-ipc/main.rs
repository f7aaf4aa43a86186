//! Messages: every way to send, receive and answer one, every way in which a wait can end, and who runs
//! when.

#![no_std]
#![no_main]

extern crate alloc;

mod crossing;
mod items;
mod limits;
mod messages;
mod remnants;
mod replies;
mod resumed;
mod schedule;
mod short;
mod signals;
mod stops;
mod transfers;
mod turns;
mod unfinished;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    scenario::run(
        "s30-ipc",
        &[
            ("words of all lengths, to the own space", messages::own_space),
            ("words of all lengths, to another space", messages::other_space),
            ("words of all lengths, from a server that accepts strings", messages::accepting),
            ("one-way messages, in order", messages::one_way),
            ("badges", messages::badges),
            ("notifications", messages::notifications),
            ("which messages take a short path", short::messages),
            ("which signals take a short path", short::signals),
            ("which signals there and back take a short path", short::answers),
            ("what an earlier call left", remnants::of_calls),
            ("what a pager's receive left", remnants::of_receives),
            ("flags and segment registers stay in their space", crossing::flags_and_segments),
            ("a pager's flags are not those of the thread that it resumes", resumed::behind_answers),
            ("nor a waiting thread's those of the thread that starts", resumed::behind_waits),
            ("a pager's answer in a transfer is for the transfer", resumed::in_transfers),
            ("a wait beside a transfer that was interrupted", unfinished::transfers),
            ("a wait on what is being deleted", unfinished::deletions),
            ("who is notified runs in turn", signals::order),
            ("who was notified together is notified alone", turns::rounds),
            ("several wait for one notification", signals::several),
            ("who is entitled to bits", signals::entitled),
            ("interrupted, and gone on by a wait above", signals::interrupted),
            ("a client above its server", messages::client_above),
            ("time limits of sends", limits::sends),
            ("time limits of receives", limits::receives),
            ("time limits of replies", limits::replies),
            ("deadlines on every level of the wheel", limits::wheel),
            ("five hundred deadlines in one tick", limits::crowd),
            ("a reply capability works once", replies::once),
            ("a saved reply capability", replies::saved),
            ("a reply capability moves", replies::moves),
            ("a caller that was dropped", replies::dropped),
            ("a reply that cannot be", replies::refused),
            ("ranges die with their call", replies::ranges),
            ("items copied", items::copied),
            ("items moved", items::moved),
            ("items without slots", items::without_slots),
            ("items that fail take the others back", items::rollback),
            ("items in replies", items::in_replies),
            ("a stop ends every wait", stops::threads),
            ("an endpoint's end ends every wait", stops::endpoints),
            ("a revoke ends waits, in their turn", stops::revoked),
            ("an endpoint ends with five hundred waiters", stops::crowd),
            ("badges of transfers", transfers::badges),
            ("a transfer outlives its endpoint", transfers::lost_endpoint),
            ("a partner that is the pager", transfers::partner_is_pager),
            ("strings in the last block", transfers::last_block),
            ("a long copy gives way", transfers::give_way),
            ("a copy takes the higher priority", transfers::priorities),
            ("a spinning thread is preempted", schedule::preemption),
            ("who wakes above runs at once", schedule::above),
            ("equals share", schedule::round_robin),
        ],
    )
}
