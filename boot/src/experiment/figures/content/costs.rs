//! What operations cost: pages given and taken back in batches, and a server beside clients that stall.

use super::{lines, missing_note, without};
use crate::experiment::data::Data;
use crate::experiment::derived::{self, per_page, policies};
use crate::experiment::figures::plot::{Panel, Plot, Point};
use crate::experiment::figures::scale::Kind as Spread;
use crate::experiment::figures::{Figure, Kind};
use crate::experiment::number::listed;

/// The rows of the batches, and what they are.
const BATCHES: [(&str, &str); 3] = [
    ("delegate", "given to another space, until it can use them"),
    ("undelegate", "taken back from it"),
    ("map", "mapped in the own space"),
];

/// Cost for each page against the size of the batch.
pub fn batches(data: &Data) -> Figure {
    let points = |subject: &str, prefix: &str| -> Vec<Point> {
        per_page(data, subject, prefix).into_iter().map(|(count, cost)| Point::of(count, cost)).collect()
    };
    let panel = |(prefix, title): (&str, &str)| Panel {
        title: format!("{prefix}: {title}"),
        x: "pages in a batch".into(),
        x_kind: Spread::Log,
        y: "instructions for each page".into(),
        y_kind: Spread::Log,
        series: lines(data, |subject| points(subject, prefix)),
        rules: Vec::new(),
    };
    let panels: Vec<Panel> =
        BATCHES.map(panel).into_iter().filter(|panel| !panel.series.is_empty()).collect();
    let notes: Vec<String> = BATCHES
        .iter()
        .flat_map(|(prefix, _)| {
            missing_note(prefix, &without(data, |subject| !points(subject, prefix).is_empty()))
        })
        .collect();
    let missing = without(data, |subject| {
        BATCHES.iter().all(|(prefix, _)| !per_page(data, subject, prefix).is_empty())
    });
    let kind = Kind::Plot(Plot { panels, notes });
    Figure { name: "batches".into(), title: "Cost of a page against the batch".into(), kind, missing }
}

/// How long a client waits for a server that others try to hold up.
fn stalls_of(data: &Data, subject: &str, policy: &str) -> Vec<Point> {
    let stalls = derived::stalls(data, subject).into_iter().filter(|stall| stall.policy == policy);
    stalls.filter_map(|stall| Some(Point::of(stall.clients as f64, stall.latency?))).collect()
}

/// Server latency against clients that stall.
pub fn stalls(data: &Data) -> Figure {
    let panel = |policy: &String| {
        let unit = data.subjects.iter().find_map(|subject| {
            let mut rows = data.rows(subject).filter(|(name, _)| name.ends_with(&format!(".{policy}")));
            rows.find(|(name, _)| name.starts_with("stall.")).map(|(_, row)| row.unit().to_string())
        });
        Panel {
            title: format!("policy: {policy}"),
            x: "clients that stall".into(),
            x_kind: Spread::Linear,
            y: format!("another client's wait ({})", unit.unwrap_or_else(|| "instructions".into())),
            y_kind: Spread::Log,
            series: lines(data, |subject| stalls_of(data, subject, policy)),
            rules: Vec::new(),
        }
    };
    let panels: Vec<Panel> =
        policies(data).iter().map(panel).filter(|panel| !panel.series.is_empty()).collect();
    let silent = silent(data);
    let missing = without(data, |subject| !derived::stalls(data, subject).is_empty());
    let mut notes = missing_note("stalling clients", &missing);
    if !silent.is_empty() {
        notes.insert(
            0,
            format!("No answer before the time limit, which is the point shown: {}.", silent.join("; ")),
        );
    }
    let kind = Kind::Plot(Plot { panels, notes });
    Figure {
        name: "stalling-clients".into(),
        title: "Server latency beside clients that stall".into(),
        kind,
        missing,
    }
}

/// Where there was no answer in time: for each policy and number of clients, under whom.
fn silent(data: &Data) -> Vec<String> {
    let mut found: Vec<(String, u64, Vec<String>)> = Vec::new();
    for subject in &data.subjects {
        let all = derived::stalls(data, subject).into_iter();
        for stall in all.filter(|stall| stall.latency.is_none() || stall.timeouts > 0.0) {
            match found
                .iter_mut()
                .find(|(policy, clients, _)| (policy, *clients) == (&stall.policy, stall.clients))
            {
                Some((.., subjects)) => subjects.push(subject.clone()),
                None => found.push((stall.policy, stall.clients, vec![subject.clone()])),
            }
        }
    }
    let measured = data.subjects.iter().filter(|subject| !derived::stalls(data, subject).is_empty()).count();
    let whose = |subjects: &[String]| match subjects.len() {
        all if all == measured => "everybody".into(),
        _ => listed(subjects),
    };
    let told = found
        .iter()
        .map(|(policy, clients, subjects)| format!("{policy} with {clients}, {}", whose(subjects)));
    told.collect()
}
