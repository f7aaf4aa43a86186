//! Moving a buffer.

use freehold_abi::designs::Design;

use super::{Clause, View, clause, compare, missing};
use crate::bench::transfer::cell::{CASES, Cell, Residency, Trust, Way};
use crate::bench::transfer::crossover::Direction;
use crate::bench::transfer::figures::{Found, Results};
use crate::bench::transfer::verdicts::crossing::{Crossing, crossing};
use crate::experiment::derived::{self, policies};
use crate::experiment::estimate::{Bound, Estimate};
use crate::experiment::number::{listed, number};

/// Bytes of a word.
const WORD: f64 = 4.0;
/// The policy by which a server waits for its own pages only; by all others it waits for its clients.
pub const TWO_SIDED: &str = "two-sided";
/// Clients that stall, at most.
const CLIENTS: u64 = 16;

/// Every design for which requests were measured.
fn measured<'a>(view: &View<'a>) -> Vec<(Design, &'a Results)> {
    Design::ALL.into_iter().filter_map(|design| Some((design, view.data.transfers(design.name())?))).collect()
}

/// H23: about 40 words.
pub fn forty_words(view: &View) -> Vec<Clause> {
    let bound = Bound::Within(view.limit("words.least"), view.limit("words.most"));
    let mut clauses = Vec::new();
    for (design, results) in measured(view) {
        for direction in Direction::ALL {
            let what = format!("{}, {}: registers and touched strings meet", design.name(), direction.name());
            clauses.push(match crossing(results, direction, Trust::Trusting, Way::Registers, Way::Touched) {
                None => missing(what),
                Some(Crossing::Between { meet, .. }) => {
                    compare(format!("{what} at"), Some((meet as f64 / WORD).into()), "words", bound)
                }
                Some(crossing) => {
                    clause(false, format!("{what} nowhere; strings are cheaper {}", crossing.told()))
                }
            });
        }
    }
    or_missing(clauses, "requests by registers and by strings")
}

/// What a way adds to an empty call, without the server's own work.
fn overhead(results: &Results, case: &'static str, way: Way) -> Option<f64> {
    let cost = results
        .figures(Cell { case, way, residency: Residency::Resident, trust: Trust::Trusting })?
        .rounds
        .median;
    let rest = results.work(case)? + results.null(Trust::Trusting)?;
    Some(cost.saturating_sub(rest) as f64)
}

/// H24: containers.
pub fn containers(view: &View) -> Vec<Clause> {
    let mut clauses = Vec::new();
    for (design, results) in measured(view) {
        for (case, bound) in [
            ("write-64", Bound::AtLeast(view.limit("small.least"))),
            ("write-1048576", Bound::Below(view.limit("large.most"))),
        ] {
            let (way, residency, trust) = (Way::Container, Residency::Resident, Trust::Trusting);
            // What a design forbids has no price.
            if let Some(Found::Refused(_)) = results.found(Cell { case, way, residency, trust }) {
                continue;
            }
            let of = |way| overhead(results, case, way).map(Estimate::from);
            let ratio = of(Way::Container).zip(of(Way::Wired)).and_then(|(one, other)| one.over(other));
            let what = format!("{}, {case}: a container, of what a wired string adds", design.name());
            clauses.push(compare(what, ratio, "times", bound));
        }
    }
    or_missing(clauses, "requests by containers and by wired strings")
}

/// H25: the same way everywhere.
pub fn same_way(view: &View) -> Vec<Clause> {
    let all = measured(view);
    let Some(((first, of_first), others)) = all.split_first().filter(|(_, others)| !others.is_empty()) else {
        return vec![missing("requests under more than one design")];
    };
    let cheapest = |results: &Results, case| {
        results.cheapest(case, Residency::Resident, Trust::Distrusting).map(|(way, _)| way.name())
    };
    let mut clauses = Vec::new();
    for (design, results) in others {
        let both: Vec<_> = CASES
            .into_iter()
            .filter_map(|case| Some((case, cheapest(of_first, case)?, cheapest(results, case)?)))
            .collect();
        let differ: Vec<String> = both
            .iter()
            .filter(|(_, one, other)| one != other)
            .map(|(case, one, other)| format!("{case} ({one} there, {other} here)"))
            .collect();
        let told = format!(
            "{}: cases with another cheapest way than under {}, of {}: {}",
            design.name(),
            first.name(),
            number(both.len() as f64),
            listed(&differ)
        );
        clauses.push(clause(differ.is_empty(), told));
    }
    clauses
}

/// H26: clients that stall.
pub fn stalls(view: &View) -> Vec<Clause> {
    let mut clauses = Vec::new();
    for design in Design::ALL {
        let all = derived::stalls(view.data, design.name());
        if all.is_empty() {
            clauses.push(missing(format!("{}: latency beside clients that stall", design.name())));
        }
        for policy in policies(view.data) {
            let own = || all.iter().filter(|stall| stall.policy == policy);
            let (Some(alone), Some(beside)) =
                (own().find(|stall| stall.clients == 0), own().rfind(|stall| stall.clients <= CLIENTS))
            else {
                continue;
            };
            let what = format!("{}, {policy}, {} that stall", design.name(), number(beside.clients as f64));
            let waits = policy != TWO_SIDED;
            if beside.timeouts > 0.0 || beside.latency.is_none() {
                clauses.push(clause(waits, format!("{what}: no answer before the time limit")));
                continue;
            }
            let ratio = beside.latency.zip(alone.latency);
            let ratio = ratio.and_then(|(beside, alone)| Estimate::from(beside).over(alone.into()));
            let bound = match waits {
                true => Bound::AtLeast(view.limit("wait.least")),
                false => Bound::AtMost(view.limit("bounded.most")),
            };
            clauses.push(compare(format!("{what}: latency, of that with none"), ratio, "times", bound));
        }
    }
    clauses
}

fn or_missing(clauses: Vec<Clause>, what: &str) -> Vec<Clause> {
    if clauses.is_empty() { vec![missing(what)] } else { clauses }
}
