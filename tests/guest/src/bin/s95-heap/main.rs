//! The designs with a pool: pages mapped, mapped onward and granted in messages, and every way in which they are taken
//! back; what all that costs the kernel's pool, and what becomes of it when the pool is used up.

#![no_std]
#![no_main]

extern crate alloc;

mod basic;
mod edges;
mod fpages;
mod full;
mod fuzz;
mod gift;
mod halves;
mod mixed;
mod party;
mod quota;
mod speed;
mod walk;

use freehold_guest_tests::scenario;

freehold_rt::entry!(main);

fn main() {
    // The table of the own space that gifts are mapped in stays until the space ends.
    drop(gift::Gift::new(1));
    scenario::run(
        "s95-heap",
        &[
            ("a page mapped, mapped onward, taken back", basic::mapped),
            ("rights of pages", basic::rights),
            ("pages granted", basic::grants),
            ("onto what is there already", basic::replaced),
            ("chains as long as depths are", basic::chains),
            ("on what the same message brings", basic::chained),
            ("unmaps", basic::unmaps),
            ("fpages of all sizes", fpages::sizes),
            ("hot spots", fpages::hot_spots),
            ("fpages with holes", fpages::holes),
            ("where no window is", fpages::windows),
            ("pages beside capabilities", mixed::capabilities),
            ("pages beside strings", mixed::strings),
            ("pages in a pager's answer", mixed::answers),
            ("a walk at random", walk::at_random),
            ("taking back, stopped in the middle", halves::unmap),
            ("frames given", edges::gifts),
            ("frames given by others", edges::foreign_gifts),
            ("frames that are given are no data", edges::donated),
            ("beside Tables", edges::tables),
            ("spaces and frames end", edges::ends),
            ("the pool used up", full::pool),
            ("quotas", full::quotas),
            ("quotas given on, and spaces that end", quota::chains),
            ("whose quota it is", quota::givers),
            ("what hangs on a quota that goes back", quota::charged),
            ("a thousand spaces from one quota", quota::many),
            ("calls and items at random", fuzz::at_random),
            ("what messages with pages cost", speed::messages),
            ("what a fault costs", speed::faults),
        ],
    )
}
