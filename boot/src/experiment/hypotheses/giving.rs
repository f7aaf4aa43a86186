//! What giving costs.

use freehold_abi::designs::Design;

use super::{Clause, View, compare, missing};
use crate::experiment::estimate::{Bound, Estimate};

use Design::{KernelHeap, UserTables};

/// The sizes of batches.
const BATCHES: [u32; 6] = [1, 4, 16, 64, 256, 1024];

fn ratio(view: &View, name: &str, one: Design, other: Design) -> Option<Estimate> {
    view.row(one, name)?.over(view.row(other, name)?)
}

/// H15: pages delegated.
pub fn delegation(view: &View) -> Vec<Clause> {
    let clause = |count: u32| {
        let name = format!("delegate.{count}");
        let bound = Bound::AtLeast(view.limit("ratio.least"));
        let what = format!("{name} under kernel-heap, of what it costs under user-tables");
        compare(what, ratio(view, &name, KernelHeap, UserTables), "times", bound)
    };
    BATCHES.map(clause).into()
}

/// H16: a batch.
pub fn batch(view: &View) -> Vec<Clause> {
    let clause = |design: Design, prefix: &str, limit: &str| {
        // Rows of whole batches: what a page costs is a part of them, however many operations the row calls one.
        let of = |count: u32| {
            let row = view.data.row(design.name(), &format!("{prefix}.{count}"))?;
            Some(Estimate::from(row.summary()?.per(count.into())))
        };
        let share = of(1024).zip(of(1)).and_then(|(many, one)| many.over(one));
        let what = format!("{}: a page of {prefix}.1024, of what {prefix}.1 costs", design.name());
        compare(what, share, "times", Bound::AtMost(view.limit(limit)))
    };
    vec![clause(UserTables, "map", "user.most"), clause(KernelHeap, "delegate", "heap.most")]
}

/// H17: where there was no table.
pub fn new_place(view: &View) -> Vec<Clause> {
    let name = "delegate.new.1";
    let bound = Bound::AtLeast(view.limit("ratio.least"));
    let what = format!("{name} under user-tables, of what it costs under kernel-heap");
    vec![compare(what, ratio(view, name, UserTables, KernelHeap), "times", bound)]
}

/// H18: a page fault.
pub fn fault(view: &View) -> Vec<Clause> {
    let [user, heap] = [view.row(UserTables, "fault.pager"), view.row(KernelHeap, "heap.fault")];
    let share = user.zip(heap).and_then(|(user, heap)| user.over(heap));
    let what = "fault.pager under user-tables, of heap.fault under kernel-heap";
    vec![compare(what, share, "times", Bound::AtMost(view.limit("share.most")))]
}

/// H19: spaces.
pub fn spaces(view: &View) -> Vec<Clause> {
    let clause = |name: &str| {
        let costs: Vec<Estimate> = Design::ALL.iter().filter_map(|&design| view.row(design, name)).collect();
        if costs.len() < Design::ALL.len() {
            return missing(format!("{name} under every design"));
        }
        let by_value = |one: &&Estimate, other: &&Estimate| one.value.total_cmp(&other.value);
        let ends = costs.iter().min_by(by_value).zip(costs.iter().max_by(by_value));
        let ratio = ends.and_then(|(least, most)| most.over(*least));
        let what = format!("{name}: the dearest design, of what the cheapest needs");
        compare(what, ratio, "times", Bound::AtMost(1.0 + view.limit("spread.most")))
    };
    ["space.create", "space.delete"].map(clause).into()
}
