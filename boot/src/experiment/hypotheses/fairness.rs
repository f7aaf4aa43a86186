//! Whether the comparison is fair.

use freehold_abi::designs::Design;

use super::{Clause, View, compare, missing};
use crate::experiment::estimate::{Bound, Estimate};
use crate::experiment::stats::Certainty;

/// What the original is compared by.
pub const STRAW: [&str; 5] =
    ["heap.map.1", "heap.fault", "heap.unmap.1", "heap.unmap.child", "heap.map.large"];

/// H27: as good as the original.
pub fn straw_man(view: &View) -> Vec<Clause> {
    let clause = |name: &str| {
        let original = view.limit(name);
        let ratio = view.row(Design::KernelHeap, name).and_then(|cost| cost.over(original.into()));
        compare(
            format!("{name}, of the original's"),
            ratio,
            "times",
            Bound::AtMost(1.0 + view.limit("more.most")),
        )
    };
    STRAW.map(clause).into()
}

/// H28: repetitions agree.
pub fn same_numbers(view: &View) -> Vec<Clause> {
    let rows = view.data.subjects.iter().flat_map(|subject| view.data.rows(subject));
    let certain = rows.filter_map(|(_, row)| Some(row.summary()?.certainty()));
    let (mut exact, mut all) = (0u32, 0u32);
    for certainty in certain.filter(|certainty| *certainty != Certainty::Once) {
        all += 1;
        exact += u32::from(certainty == Certainty::Exact);
    }
    if all == 0 {
        return vec![missing("rows that were measured more than once")];
    }
    let share = Estimate::from(f64::from(exact) / f64::from(all));
    let what = format!("rows in which all repetitions agree, of {all}");
    vec![compare(what, Some(share), "of them", Bound::AtLeast(view.limit("exact.least")))]
}
