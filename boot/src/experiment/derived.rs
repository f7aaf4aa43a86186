//! Figures that are computed from several rows, in one place for pictures, tables and sentences.

use std::collections::BTreeSet;

use freehold_abi::designs::Design;

use super::data::{Attack, Data};
use super::stats::Summary;
use crate::bench::transfer::cell::Cell;
use crate::bench::transfer::figures::Results;
use crate::records::Record;

/// Bytes for each further mapping, by the rows `prefix.N`: what the largest N has more than the least. `None`: fewer
/// than two were measured.
pub fn per_mapping(data: &Data, subject: &str, prefix: &str) -> Option<f64> {
    let series = data.series(subject, prefix);
    let ((least, first), (most, last)) = (series.first()?, series.last()?);
    let more = last.summary()?.median - first.summary()?.median;
    (most > least).then(|| more / (most - least) as f64)
}

/// Whose memory a further mapping takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bytes {
    /// The space brought it.
    pub own: f64,
    /// The kernel's, and the space was charged for it.
    pub charged: f64,
    /// The kernel's, and nobody was.
    pub unpaid: f64,
}

impl Bytes {
    /// All of it.
    pub fn sum(&self) -> f64 {
        self.own + self.charged + self.unpaid
    }

    /// What is the kernel's.
    pub fn kernel(&self) -> f64 {
        self.charged + self.unpaid
    }
}

/// The memory for each further mapping; `layout` is `dense` or `sparse`. Where a pool pays, `space.bytes` is what spaces
/// are charged of it; elsewhere, what they brought.
pub fn bytes_of(data: &Data, subject: &str, layout: &str) -> Option<Bytes> {
    let kernel = per_mapping(data, subject, &format!("kernel.bytes.{layout}"))?;
    let space = per_mapping(data, subject, &format!("space.bytes.{layout}"))?;
    let pooled = Design::ALL.iter().any(|design| design.name() == subject && design.has_pool());
    Some(match pooled {
        true => Bytes { own: 0.0, charged: space.min(kernel), unpaid: kernel - space.min(kernel) },
        false => Bytes { own: space, charged: 0.0, unpaid: kernel },
    })
}

/// What one page costs in a batch of N, by the rows `prefix.N`.
pub fn per_page(data: &Data, subject: &str, prefix: &str) -> Vec<(f64, Summary)> {
    let of = |(count, row): (u64, &super::data::Row)| {
        Some((count as f64, row.summary()?.per(count.max(1) as f64)))
    };
    data.series(subject, prefix).into_iter().filter_map(of).collect()
}

/// One revoke that was measured.
pub struct Revoke {
    /// Derivations of the slot that is revoked.
    pub fanout: u64,
    /// How deep each goes.
    pub depth: u64,
    /// Nodes that are taken off.
    pub descendants: f64,
    /// What it takes.
    pub time: Summary,
    /// The bound that could be read before, in steps.
    pub phi: Option<f64>,
    /// The longest stretch with interrupts off meanwhile, in instructions.
    pub stretch: Option<Summary>,
}

/// All of somebody's revokes, by the number of descendants.
pub fn revokes(data: &Data, subject: &str) -> Vec<Revoke> {
    let revoke = |((fanout, depth), row): ((u64, u64), &super::data::Row)| {
        Some(Revoke {
            fanout,
            depth,
            descendants: row.field("descendants").map_or((fanout * depth) as f64, |field| field.median),
            time: row.summary()?,
            phi: row.field("phi").map(|phi| phi.median),
            stretch: row.field("stretch"),
        })
    };
    let mut all: Vec<Revoke> = data.grid(subject, "revoke").into_iter().filter_map(revoke).collect();
    all.sort_by(|one, other| one.descendants.total_cmp(&other.descendants).then(one.depth.cmp(&other.depth)));
    all
}

/// By how much a thread of high priority comes late at most, by the descendants of what another one revokes.
pub fn latencies(data: &Data, subject: &str) -> Vec<(u64, Summary)> {
    let of = |(count, row): (u64, &super::data::Row)| Some((count, row.most()?));
    data.series(subject, "latency.revoke").into_iter().filter_map(of).collect()
}

/// Server latency beside clients that stall.
pub struct Stall {
    /// How many stall.
    pub clients: u64,
    /// What the server says about the wait.
    pub policy: String,
    /// How long another client waits; `None`: it got no answer.
    pub latency: Option<Summary>,
    /// Times that it gave up waiting.
    pub timeouts: f64,
}

/// All of somebody's, by policy and number.
pub fn stalls(data: &Data, subject: &str) -> Vec<Stall> {
    let stall = |(name, row): (&str, &super::data::Row)| {
        let (clients, policy) = name.strip_prefix("stall.")?.split_once('.')?;
        Some(Stall {
            clients: clients.parse().ok()?,
            policy: policy.into(),
            latency: row.summary(),
            timeouts: row.timeouts(),
        })
    };
    let mut all: Vec<Stall> = data.rows(subject).filter_map(stall).collect();
    all.sort_by(|one, other| (&one.policy, one.clients).cmp(&(&other.policy, other.clients)));
    all
}

/// The policies that anybody was measured with.
pub fn policies(data: &Data) -> Vec<String> {
    let stalls = data.subjects.iter().flat_map(|subject| stalls(data, subject));
    stalls.map(|stall| stall.policy).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The attack with the least of the victim's throughput.
pub fn least_ratio<'a>(attacks: impl Iterator<Item = &'a Attack>) -> Option<(&'a Attack, f64)> {
    let ratios = attacks.filter_map(|attack| Some((attack, attack.ratio?)));
    ratios.min_by(|one, other| one.1.total_cmp(&other.1))
}

/// What was found about moving buffers, of repetitions the one in the middle.
pub fn transfers<'a>(rows: impl Iterator<Item = (&'a str, &'a super::data::Row)>) -> Option<Results> {
    let record = |(name, row): (&str, &super::data::Row)| {
        Cell::parse(name)?;
        let mut takes: Vec<_> = row.takes.iter().collect();
        takes.sort_by(|one, other| one.median.total_cmp(&other.median));
        let record: Record = takes.get(takes.len() / 2)?.record.clone();
        Results::read(std::slice::from_ref(&record)).ok()?;
        Some(record)
    };
    let records: Vec<Record> = rows.filter_map(record).collect();
    if records.is_empty() { None } else { Results::read(&records).ok() }
}
