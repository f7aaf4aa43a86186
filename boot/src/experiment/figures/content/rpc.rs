//! What a request costs by its payload, and where one way becomes cheaper than another: a figure for each of those for
//! whom it was measured.

use crate::bench::transfer::cell::{Residency, Trust, Way};
use crate::bench::transfer::crossover::{Direction, costs_by_size};
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

fn panel(results: &Results, direction: Direction, trust: Trust) -> Panel {
    let costs = costs_by_size(results, direction, Residency::Resident, trust);
    let series = Way::ALL.iter().enumerate().map(|(at, way)| Series {
        label: way.name().into(),
        style: style::nth(at),
        points: costs
            .iter()
            .filter_map(|(bytes, costs)| Some(Point::new(*bytes as f64, costs[at]? as f64)))
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
        y: "instructions of a request".into(),
        y_kind: Spread::Log,
        series: series.filter(|series| !series.points.is_empty()).collect(),
        rules: rules.collect(),
    }
}
