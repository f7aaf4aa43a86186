//! Who breaks, and how.

use freehold_abi::designs::Design;

use super::page::PAGE;
use super::{Clause, Verdict, View, clause, compare, missing};
use crate::experiment::data::Outcome;
use crate::experiment::derived::least_ratio;
use crate::experiment::estimate::{Bound, Estimate};
use crate::experiment::number::{bytes, listed, number};

/// The attack that does nothing, by which the referee itself is tried.
const IDLE: &str = "idle";

/// H5: each cell of the matrix.
pub fn matrix(view: &View) -> Vec<Clause> {
    let (mut fitting, mut clauses, mut unknown) = (0u32, Vec::new(), Vec::new());
    for (attack, cells) in &PAGE.matrix {
        for (design, prediction) in cells {
            let tried = view.data.worst(design, attack).filter(|outcome| *outcome != Outcome::Untried);
            let Some(outcome) = tried else {
                unknown.push(format!("{attack} under {design}"));
                continue;
            };
            match prediction.fits(outcome) {
                Some(true) => fitting += 1,
                Some(false) => clauses.push(clause(
                    false,
                    format!("{attack} under {design}: {} (predicted: {})", outcome.name(), prediction.name()),
                )),
                None => {}
            }
        }
    }
    if fitting > 0 {
        let others = clauses.len();
        clauses.insert(
            0,
            clause(true, format!("cells that came out as predicted: {fitting}; that did not: {others}")),
        );
    }
    if !unknown.is_empty() {
        let what = match unknown.len() {
            few @ ..=12 => format!("{few} cells ({})", listed(&unknown)),
            many => format!("{} cells", number(many as f64)),
        };
        clauses.push(missing(what));
    }
    clauses
}

/// H6: the pool's size is no cause.
pub fn pool_sizes(view: &View) -> Vec<Clause> {
    let flood = |attackers: u64| {
        let all = view.data.attacks.iter();
        all.filter(move |one| {
            (one.attack.as_str(), one.subject.as_str(), one.attackers)
                == ("mapping-flood", Design::KernelHeap.name(), attackers)
        })
    };
    let mut pools: Vec<u64> = flood(1).filter_map(|one| one.pool).collect();
    pools.sort_unstable();
    pools.dedup();
    if pools.len() < 2 {
        let few = listed(&pools.iter().map(|pool| bytes(*pool)).collect::<Vec<_>>());
        return vec![missing(format!(
            "mapping-flood under kernel-heap with pools of several sizes (there were: {few})"
        ))];
    }
    let (mut clauses, mut shares) = (Vec::new(), Vec::new());
    for pool in pools {
        let made: Vec<_> = flood(1).filter(|one| one.pool == Some(pool)).collect();
        let broken = made.iter().all(|one| one.outcome == Outcome::Broken);
        let most = made.iter().filter_map(|one| one.successes).reduce(f64::max);
        let told = most.map_or("not said".into(), number);
        let used = made.iter().filter_map(|one| one.kernel_bytes).reduce(f64::max);
        clauses.push(clause(
            broken,
            format!(
                "with a pool of {} the flood {}; bytes of it in use: {}; mappings that it got: {told} ({})",
                bytes(pool),
                if broken { "breaks it" } else { "does not break it" },
                used.map_or("not said".into(), number),
                made.first().map_or("", |one| one.detail.trim_end_matches('.'))
            ),
        ));
        shares.extend(most.map(|most| most / pool as f64));
    }
    let (least, most) = (shares.iter().copied().reduce(f64::min), shares.iter().copied().reduce(f64::max));
    let spread = least.zip(most).filter(|(least, _)| *least > 0.0).map(|(least, most)| most / least - 1.0);
    let what = "mappings, of which some take a table and some a node, for each byte of the pool: the most is more than \
                the least by";
    let bound = Bound::AtMost(view.limit("spread.most"));
    clauses.push(compare(what, spread.map(Estimate::from), "of it", bound));
    clauses
}

/// H7: the victim.
pub fn throughput(view: &View) -> Vec<Clause> {
    let least = |design: Design| least_ratio(view.data.all_attacks_on(design.name()));
    let clause = |design: Design, bound| {
        let found = least(design);
        let by = found.map_or(String::new(), |(attack, _)| {
            format!(" ({} by {})", attack.attack, number(attack.attackers as f64))
        });
        let what = format!("{}: the least of its work that a victim gets done{by}", design.name());
        compare(what, found.map(|(_, ratio)| ratio.into()), "", bound)
    };
    let mut clauses = vec![clause(Design::UserTables, Bound::AtLeast(view.limit("held.least")))];
    clauses.extend(view.not_made(Design::UserTables));
    // One attack is enough, so that those that were not made count where none of the others was it.
    let broken = clause(Design::KernelHeap, Bound::Below(view.limit("broken.most")));
    clauses.push(match view.not_made(Design::KernelHeap) {
        Some(unknown) if broken.verdict == Verdict::Refuted => unknown,
        _ => broken,
    });
    clauses
}

/// H8: nothing is lost.
pub fn frames(view: &View) -> Vec<Clause> {
    let bound = Bound::AtMost(view.limit("lost.most"));
    let clause = |design: Design| {
        let attacks = view.data.attacks.iter().filter(|attack| attack.subject == design.name());
        let lost = attacks.filter_map(|attack| attack.frames_lost).reduce(f64::max);
        let what = format!("{}: most frames that an attack cost", design.name());
        compare(what, lost.map(Estimate::from), "", bound)
    };
    let unknown = Design::ALL.into_iter().filter_map(|design| view.not_made(design));
    Design::ALL.into_iter().map(clause).chain(unknown).collect()
}

/// H9: controls.
pub fn controls(view: &View) -> Vec<Clause> {
    let data = view.data;
    let survived = |name: &&str| {
        data.attacks.iter().filter(|attack| attack.attack == *name).all(|attack| !attack.outcome.succeeded())
    };
    let mut clauses = Vec::new();
    let mut without = Vec::new();
    for name in data.attack_names().into_iter().filter(|name| *name != IDLE).filter(survived) {
        let made: Vec<_> = data.controls.iter().filter(|control| control.attack == name).collect();
        if made.is_empty() {
            without.push(name);
            continue;
        }
        let builds: Vec<&str> = made.iter().filter_map(|control| control.control.as_deref()).collect();
        let mut builds: Vec<&str> = builds.into_iter().collect();
        builds.dedup();
        let succeeds = made.iter().any(|control| control.outcome.succeeded());
        let told = if succeeds { "succeeds" } else { "does not succeed" };
        clauses.push(clause(succeeds, format!("{name} {told} without the defence ({})", listed(&builds))));
    }
    if !without.is_empty() {
        clauses.push(missing(format!("controls of {}", listed(&without))));
    }
    if clauses.is_empty() && !view.attacked(Design::UserTables) {
        clauses.push(Clause { verdict: Verdict::Undecided, text: "attacks: not measured".into() });
    }
    clauses
}
