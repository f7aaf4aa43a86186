//! The hypotheses of docs/hypotheses.md, and what the records say about each.
//!
//! What must hold: every hypothesis has one judge; a judge takes its limits from the page; what was not measured is
//! undecided; for each there are records that would have refuted it.

mod attacks;
mod fairness;
mod giving;
mod moving;
pub mod page;
mod payment;
mod restricting;
mod taking;

#[cfg(test)]
mod proof;

use freehold_abi::designs::Design;

pub use fairness::STRAW;
pub use moving::TWO_SIDED;

use super::data::Data;
use super::estimate::{Bound, Estimate};
use page::{Hypothesis, PAGE};

/// How a hypothesis came out, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As was predicted.
    Confirmed,
    /// Otherwise.
    Refuted,
    /// Nobody knows.
    Undecided,
}

impl Verdict {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Confirmed => "confirmed",
            Verdict::Refuted => "refuted",
            Verdict::Undecided => "undecided",
        }
    }
}

/// One comparison of what was measured with what was predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// How it came out.
    pub verdict: Verdict,
    /// What was compared, with its figures.
    pub text: String,
}

/// A hypothesis, and what was found.
pub struct Judged {
    /// What was predicted.
    pub hypothesis: &'static Hypothesis,
    /// What it falls apart into.
    pub clauses: Vec<Clause>,
}

impl Judged {
    /// Refuted by one clause; else undecided for one, or for want of any.
    pub fn verdict(&self) -> Verdict {
        let any = |verdict| self.clauses.iter().any(|clause| clause.verdict == verdict);
        if any(Verdict::Refuted) {
            Verdict::Refuted
        } else if any(Verdict::Undecided) || self.clauses.is_empty() {
            Verdict::Undecided
        } else {
            Verdict::Confirmed
        }
    }
}

/// What a judge looks at.
struct View<'a> {
    data: &'a Data,
    hypothesis: &'static Hypothesis,
}

/// Says what the records make of a hypothesis.
type Judge = fn(&View) -> Vec<Clause>;

/// All of them.
const JUDGES: [(&str, Judge); 28] = [
    ("H1", payment::kernel_does_not_grow),
    ("H2", payment::pooled_mapping),
    ("H3", payment::dense),
    ("H4", payment::sparse),
    ("H5", attacks::matrix),
    ("H6", attacks::pool_sizes),
    ("H7", attacks::throughput),
    ("H8", attacks::frames),
    ("H9", attacks::controls),
    ("H10", taking::credits_bound),
    ("H11", taking::nothing_bounds),
    ("H12", taking::latency),
    ("H13", taking::credits_cost),
    ("H14", taking::per_descendant),
    ("H15", giving::delegation),
    ("H16", giving::batch),
    ("H17", giving::new_place),
    ("H18", giving::fault),
    ("H19", giving::spaces),
    ("H20", restricting::one_path),
    ("H21", restricting::redirector),
    ("H22", restricting::long_messages),
    ("H23", moving::forty_words),
    ("H24", moving::containers),
    ("H25", moving::same_way),
    ("H26", moving::stalls),
    ("H27", fairness::straw_man),
    ("H28", fairness::same_numbers),
];

/// Judges all hypotheses.
pub fn judged(data: &Data) -> Vec<Judged> {
    let judge = |hypothesis: &'static Hypothesis| {
        let judge = JUDGES.iter().find(|(name, _)| *name == hypothesis.name);
        let clauses = judge.map_or(Vec::new(), |(_, judge)| judge(&View { data, hypothesis }));
        Judged { hypothesis, clauses }
    };
    PAGE.hypotheses.iter().map(judge).collect()
}

impl View<'_> {
    /// A limit of the hypothesis.
    fn limit(&self, name: &str) -> f64 {
        *self.hypothesis.limits.get(name).expect("a judge asks for limits that stand on the page")
    }

    /// A row's median, for one operation.
    fn row(&self, design: Design, name: &str) -> Option<Estimate> {
        Some(self.data.row(design.name(), name)?.each()?.into())
    }

    /// What is said of all attacks on a design waits for those that were not made.
    fn not_made(&self, design: Design) -> Option<Clause> {
        let not_made = |(attack, _): &&(String, _)| self.data.worst(design.name(), attack).is_none();
        let count = PAGE.matrix.iter().filter(not_made).count();
        (count > 0).then(|| missing(format!("{}: attacks, {count} of {}", design.name(), PAGE.matrix.len())))
    }

    /// Whether a repetition of an attack was made on a design.
    fn attacked(&self, design: Design) -> bool {
        self.data.attacks.iter().any(|attack| attack.subject == design.name())
    }
}

/// Compares; `unit` follows the value.
fn compare(what: impl Into<String>, found: Option<Estimate>, unit: &str, bound: Bound) -> Clause {
    let what = what.into();
    let Some(found) = found else { return missing(what) };
    let (verdict, remark) = match found.is(bound) {
        Some(true) => (Verdict::Confirmed, ""),
        Some(false) => (Verdict::Refuted, ""),
        None => (Verdict::Undecided, "; the interval reaches across the limit"),
    };
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    Clause { verdict, text: format!("{what}: {}{unit} (predicted: {}{remark})", found.told(), bound.told()) }
}

/// Something holds or does not.
fn clause(holds: bool, text: String) -> Clause {
    Clause { verdict: if holds { Verdict::Confirmed } else { Verdict::Refuted }, text }
}

/// Nobody knows.
fn missing(what: impl std::fmt::Display) -> Clause {
    Clause { verdict: Verdict::Undecided, text: format!("{what}: not measured") }
}

/// The designs with a pool.
fn pooled() -> impl Iterator<Item = Design> {
    Design::ALL.into_iter().filter(|design| design.has_pool())
}

/// The designs without.
fn unpooled() -> impl Iterator<Item = Design> {
    Design::ALL.into_iter().filter(|design| !design.has_pool())
}
