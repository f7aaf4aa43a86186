//! What the restrictions cost.

use freehold_abi::designs::Design;

use super::{Clause, Verdict, View, compare, missing};
use crate::experiment::estimate::{Bound, Estimate};

use Design::{KernelHeap, Redirector};

/// The rows of calls and messages.
const ROWS: [&str; 5] = ["call.null", "ipc.inter.0", "ipc.inter.4", "ipc.inter.16", "ipc.inter.62"];

/// H20: the same path.
pub fn one_path(view: &View) -> Vec<Clause> {
    let clause = |name: &str| {
        let others = || Design::ALL.into_iter().filter(|design| *design != Redirector || name == "call.null");
        let costs: Vec<(Design, Estimate)> =
            others().filter_map(|design| Some((design, view.row(design, name)?))).collect();
        if costs.len() < others().count() {
            return missing(format!("{name} under every design"));
        }
        let most = costs.iter().max_by(|one, other| one.1.high.total_cmp(&other.1.high));
        let least = costs.iter().min_by(|one, other| one.1.low.total_cmp(&other.1.low));
        let spread = most.zip(least).map(|((dear, most), (cheap, least))| {
            let what = format!("{name}: instructions that {} needs more than {}", dear.name(), cheap.name());
            (what, Estimate::from(most.high - least.low))
        });
        let (what, spread) = spread.expect("every design");
        compare(what, Some(spread), "", Bound::AtMost(view.limit("spread.most")))
    };
    ROWS.map(clause).into()
}

/// H21: a round trip through the redirector.
pub fn redirector(view: &View) -> Vec<Clause> {
    let of = |design| view.row(design, "ipc.inter.0");
    let ratio = of(Redirector).zip(of(KernelHeap)).and_then(|(through, direct)| through.over(direct));
    let bound = Bound::Within(view.limit("ratio.least"), view.limit("ratio.most"));
    let what = "a round trip through the redirector, of what one without costs";
    let mut judged = compare(what, ratio, "times", bound);
    let fast = view.limit("fast.most");
    if judged.verdict == Verdict::Refuted && ratio.is_some_and(|ratio| ratio.high <= fast) {
        judged.text += "; the mail's “could be pretty fast” is right";
    }
    vec![judged]
}

/// H22: long messages through the redirector.
pub fn long_messages(view: &View) -> Vec<Clause> {
    let added = |name: &str| -> Option<Estimate> {
        Some(view.row(Redirector, name)?.minus(view.row(KernelHeap, name)?))
    };
    let ratio = added("ipc.inter.62").zip(added("ipc.inter.0")).and_then(|(long, short)| long.over(short));
    let what = "what the redirector adds to 62 words, of what it adds to none";
    vec![compare(what, ratio, "times", Bound::AtMost(view.limit("ratio.most")))]
}
