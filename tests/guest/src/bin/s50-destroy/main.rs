//! Ends: every object, in the middle of everything, by everyone entitled; what it stood on comes back.

#![no_std]
#![no_main]

mod abandoned;
mod leftovers;
mod lenders;
mod objects;
mod scene;
mod selves;
mod threads;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    scenario::run(
        "s50-destroy",
        &[
            ("threads in every state", threads::whole),
            ("UTCBs under threads in every state", threads::utcbs),
            ("spaces with threads in every state", threads::spaces),
            ("all at once, in any order", threads::crowd),
            ("Tables under running threads", objects::tables),
            ("the page-table area's own Table", objects::area),
            ("capability nodes", objects::nodes),
            ("bound interrupt lines", objects::lines),
            ("pagers", objects::pagers),
            ("a lender takes a space back", lenders::spaces),
            ("what lent memory became", lenders::objects),
            ("a thread ends itself", selves::threads),
            ("a space ends itself", selves::spaces),
            ("a space ends its own nodes and Tables", selves::parts),
            ("what Tables leave behind", leftovers::tables),
            ("what spaces leave behind", leftovers::spaces),
            ("what nodes leave behind", leftovers::nodes),
            ("what threads leave behind", leftovers::threads),
            ("destruction abandoned half-way", abandoned::tables),
            ("revokes abandoned half-way", abandoned::revokes),
        ],
    )
}
