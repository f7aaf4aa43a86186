//! What taking back costs.

use freehold_abi::designs::Design;

use super::{Clause, View, compare, missing};
use crate::experiment::derived::{Revoke, latencies, revokes};
use crate::experiment::estimate::{Bound, Estimate};
use crate::experiment::number::number;

/// Bounds below this many steps say nothing about what a step costs.
const STEPS: f64 = 64.0;
/// The fan-out from which growth is looked at.
const FROM: u64 = 16;

/// H10: Φ is a bound.
pub fn credits_bound(view: &View) -> Vec<Clause> {
    let all = revokes(view.data, Design::UserTables.name());
    let bounded = || {
        let bounded = all.iter().filter_map(|one| Some((one, one.phi?)));
        bounded.filter(|(_, phi)| *phi >= STEPS)
    };
    let most = |of: &dyn Fn(&Revoke) -> f64| bounded().map(|(one, phi)| of(one) / phi).reduce(f64::max);
    let taken = most(&|one| one.descendants);
    let cost = most(&|one| one.time.high);
    vec![
        compare(
            "most descendants taken off for each unit of Φ",
            taken.map(Estimate::from),
            "",
            Bound::AtMost(1.0),
        ),
        compare(
            "most instructions for each unit of Φ",
            cost.map(Estimate::from),
            "",
            Bound::AtMost(view.limit("each.most")),
        ),
    ]
}

/// H11: time grows with what others made.
pub fn nothing_bounds(view: &View) -> Vec<Clause> {
    let clause = |design: Design| {
        let all = revokes(view.data, design.name());
        let flat: Vec<&Revoke> = all.iter().filter(|one| one.depth == 1 && one.fanout >= FROM).collect();
        let (Some(first), Some(last)) = (flat.first(), flat.last()) else {
            return missing(format!("{}: revoke by fan-out", design.name()));
        };
        if first.fanout == last.fanout {
            return missing(format!("{}: revoke at several fan-outs", design.name()));
        }
        let grown = Estimate::from(last.time).over(first.time.into());
        let share = grown.and_then(|grown| grown.over((last.descendants / first.descendants).into()));
        let what = format!(
            "{}: from {} to {} descendants the time grows, of what their number does",
            design.name(),
            number(first.descendants),
            number(last.descendants)
        );
        compare(what, share, "times", Bound::AtLeast(view.limit("share.least")))
    };
    [Design::CreditsOff, Design::KernelHeap, Design::KernelQuota].map(clause).into()
}

/// H12: interrupts.
pub fn latency(view: &View) -> Vec<Clause> {
    let clauses = |design: Design| {
        let (late, all) = (latencies(view.data, design.name()), revokes(view.data, design.name()));
        let late: Vec<(f64, f64)> = late.iter().map(|(count, most)| (*count as f64, most.max)).collect();
        let stretches = all.iter().filter_map(|one| Some((one.descendants, one.stretch?.max)));
        [
            ("a thread above comes late by at most", late),
            ("longest stretch with interrupts off", stretches.collect()),
        ]
        .map(|(what, found)| waiting(view, design, what, &found))
    };
    Design::ALL.into_iter().flat_map(clauses).collect()
}

/// How long something waits, by descendants: bounded, or under kernel-heap in proportion to them.
fn waiting(view: &View, design: Design, what: &str, found: &[(f64, f64)]) -> Clause {
    let what = format!("{}: {what}", design.name());
    if design != Design::KernelHeap {
        let most = found.iter().map(|(_, wait)| *wait).reduce(f64::max).map(Estimate::from);
        return compare(what, most, "instructions", Bound::AtMost(view.limit("short.most")));
    }
    let last = found.iter().max_by(|one, other| one.0.total_cmp(&other.0));
    let each = last.and_then(|(descendants, wait)| Estimate::from(*wait).over((*descendants).into()));
    let at = last.map_or(String::new(), |(descendants, wait)| {
        format!(" {} instructions at {} descendants, for each of them", number(*wait), number(*descendants))
    });
    compare(format!("{what}{at}"), each, "instructions", Bound::AtLeast(view.limit("each.least")))
}

/// H13: what credits cost.
pub fn credits_cost(view: &View) -> Vec<Clause> {
    let clause = |name: &str| {
        let [with, without] = [Design::UserTables, Design::CreditsOff].map(|design| view.row(design, name));
        let ratio = with.zip(without).and_then(|(with, without)| with.over(without));
        let what = format!("{name} with credits, of what it costs without");
        compare(what, ratio, "times", Bound::AtMost(1.0 + view.limit("more.most")))
    };
    ["map.1", "map.1024", "unmap.1", "unmap.1024"].map(clause).into()
}

/// H14: each descendant.
pub fn per_descendant(view: &View) -> Vec<Clause> {
    let of = |design| view.row(design, "revoke.1024.1");
    let ratio = of(Design::KernelHeap).zip(of(Design::UserTables)).and_then(|(heap, user)| heap.over(user));
    let what = "revoke of 1,024 descendants under kernel-heap, of what it costs under user-tables";
    vec![compare(what, ratio, "times", Bound::AtLeast(view.limit("ratio.least")))]
}
