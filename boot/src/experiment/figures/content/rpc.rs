//! What a request costs by its payload, and where one way becomes cheaper than another: a figure for each of those for
//! whom it was measured.

use std::collections::BTreeMap;

use crate::bench::transfer::cell::{CASES, Residency, Trust, Way};
use crate::bench::transfer::crossover::Direction;
use crate::bench::transfer::figures::Results;
use crate::bench::transfer::verdicts::crossing::{Crossing, crossing};
use crate::experiment::data::Data;
use crate::experiment::figures::plot::{Panel, Plot, Point, Rule, Series};
use crate::experiment::figures::scale::Kind as Spread;
use crate::experiment::figures::{Figure, Kind, style};
use crate::experiment::number::number;

/// Which ways are looked at for where they meet.
const PAIRS: [(Way, Way); 3] =
    [(Way::Registers, Way::Touched), (Way::Touched, Way::Pull), (Way::Wired, Way::Container)];
/// Bytes of a word.
const WORD: f64 = 4.0;

/// The figures.
pub fn all(data: &Data) -> Vec<Figure> {
    let measured = data.subjects.iter().filter_map(|subject| Some((subject, data.transfers(subject)?)));
    let figures: Vec<Figure> = measured.map(|(subject, results)| figure(subject, results)).collect();
    if figures.is_empty() { vec![empty()] } else { figures }
}

/// What stands for them where there are none.
fn empty() -> Figure {
    let kind = Kind::Plot(Plot { panels: Vec::new(), notes: Vec::new() });
    let title = "Cost of a request against its payload".into();
    Figure { name: "rpc".into(), title, kind, missing: Vec::new() }
}

fn figure(subject: &str, results: &Results) -> Figure {
    let trusts = [Trust::Distrusting, Trust::Trusting];
    let panels =
        trusts.iter().flat_map(|&trust| Direction::ALL.map(|direction| panel(results, direction, trust)));
    let file: String =
        subject.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect();
    Figure {
        name: format!("rpc-{file}"),
        title: format!("Cost of a request against its payload: {subject}, memory resident"),
        kind: Kind::Plot(Plot {
            panels: panels.filter(|panel| !panel.series.is_empty()).collect(),
            notes: vec!["Where several cases have one size, their mean.".into()],
        }),
        missing: Vec::new(),
    }
}

/// What moving costs by payload, for each way: without the server's work, which is the same in every way and says nothing
/// about them. Where several cases have one size, their mean.
fn costs_by_size(results: &Results, direction: Direction, trust: Trust) -> BTreeMap<u64, [Option<f64>; 6]> {
    let mut cases: BTreeMap<u64, Vec<&'static str>> = BTreeMap::new();
    for case in CASES.into_iter().filter(|case| Direction::of(case) == direction) {
        if let Some(bytes) = results.size(case) {
            cases.entry(bytes).or_default().push(case);
        }
    }
    let cost = |case: &'static str, way: Way| {
        let whole = results.cost(case, way, Residency::Resident, trust)?;
        Some(whole.saturating_sub(results.work(case)?) as f64)
    };
    let mean = |cases: &[&'static str], way: Way| {
        let costs: Option<Vec<f64>> = cases.iter().map(|case| cost(case, way)).collect();
        Some(costs?.iter().sum::<f64>() / cases.len() as f64)
    };
    let costs = |cases: Vec<&'static str>| std::array::from_fn(|way| mean(&cases, Way::ALL[way]));
    cases.into_iter().map(|(bytes, cases)| (bytes, costs(cases))).collect()
}

fn panel(results: &Results, direction: Direction, trust: Trust) -> Panel {
    let costs = costs_by_size(results, direction, trust);
    let series = Way::ALL.iter().enumerate().map(|(at, way)| Series {
        label: way.name().into(),
        style: style::nth(at),
        points: costs
            .iter()
            .filter_map(|(bytes, costs)| Some(Point::new(*bytes as f64, costs[at]?)))
            .collect(),
        marked: true,
    });
    let rules = PAIRS.iter().filter_map(|&(early, late)| {
        let Some(Crossing::Between { meet, .. }) = crossing(results, direction, trust, early, late) else {
            return None;
        };
        let words = number((meet as f64 / WORD).round());
        Some(Rule { x: meet as f64, label: format!("{} < {}: {words} words", late.name(), early.name()) })
    });
    Panel {
        title: format!("{}, {} pair", direction.name(), trust.name()),
        x: "payload (bytes)".into(),
        x_kind: Spread::Log,
        y: "instructions, without the server's work".into(),
        y_kind: Spread::Log,
        series: series.filter(|series| !series.points.is_empty()).collect(),
        rules: rules.collect(),
    }
}
