//! What taking back costs, and how long interrupts wait for it.

use super::{lines, missing_note, without};
use crate::experiment::data::Data;
use crate::experiment::derived::{latencies, revokes};
use crate::experiment::figures::plot::{Panel, Plot, Point, Series};
use crate::experiment::figures::scale::Kind as Spread;
use crate::experiment::figures::{Figure, Kind, style};
use crate::experiment::hypotheses::page::PAGE;
use crate::experiment::number::number;

/// Instructions that were predicted for each step of Φ.
fn each() -> f64 {
    PAGE.get("H10").and_then(|one| one.limits.get("each.most").copied()).unwrap_or(1.0)
}

/// Revoke time against descendants, with Φ drawn in.
pub fn time(data: &Data) -> Figure {
    let points = |subject: &str| -> Vec<Point> {
        revokes(data, subject).iter().map(|revoke| Point::of(revoke.descendants, revoke.time)).collect()
    };
    let mut series = lines(data, points);
    let mut notes = Vec::new();
    for subject in &data.subjects {
        let bounded = revokes(data, subject);
        let bound: Vec<Point> = bounded
            .iter()
            .filter_map(|revoke| Some(Point::new(revoke.descendants, revoke.phi? * each())))
            .filter(|point| point.y > 0.0)
            .collect();
        if !bound.is_empty() {
            let label = format!("Φ of {subject}, at {} instructions a step", number(each()));
            series.push(Series { label, style: style::BOUND, points: bound, marked: false });
        }
    }
    let steps = steps(data);
    if !steps.is_empty() {
        notes.push("On the right: nodes taken off, and Φ as it could be read before.".into());
    }
    let time = Panel {
        title: "time".into(),
        x: "descendants".into(),
        x_kind: Spread::Log,
        y: "instructions of a revoke".into(),
        y_kind: Spread::Log,
        series,
        rules: Vec::new(),
    };
    let bound = Panel {
        title: "steps, and the bound".into(),
        x: "descendants".into(),
        x_kind: Spread::Log,
        y: "steps".into(),
        y_kind: Spread::Log,
        series: steps,
        rules: Vec::new(),
    };
    let panels: Vec<Panel> = [time, bound].into_iter().filter(|panel| !panel.series.is_empty()).collect();
    let missing = without(data, |subject| !points(subject).is_empty());
    notes.extend(missing_note("revoke", &missing));
    let kind = Kind::Plot(Plot { panels, notes });
    Figure { name: "revoke-time".into(), title: "Revoke time against descendants".into(), kind, missing }
}

/// Nodes taken off and Φ, for those who have one.
fn steps(data: &Data) -> Vec<Series> {
    let taken = |subject: &str| -> Vec<Point> {
        let bounded = revokes(data, subject).into_iter().filter(|revoke| revoke.phi.is_some());
        bounded.map(|revoke| Point::new(revoke.descendants, revoke.descendants)).collect()
    };
    let mut series = lines(data, taken);
    for one in &mut series {
        one.label = format!("{}: taken off", one.label);
    }
    for subject in &data.subjects {
        let points: Vec<Point> = revokes(data, subject)
            .iter()
            .filter_map(|revoke| Some(Point::new(revoke.descendants, revoke.phi?)))
            .collect();
        if !points.is_empty() {
            let label = format!("{subject}: Φ");
            series.push(Series { label, style: style::BOUND, points, marked: true });
        }
    }
    series
}

/// How late a thread of high priority comes, against descendants.
pub fn latency(data: &Data) -> Figure {
    let points = |subject: &str| -> Vec<Point> {
        let all = latencies(data, subject);
        all.into_iter().map(|(count, most)| Point::of(count as f64, most)).collect()
    };
    let mut series = lines(data, points);
    let limit = PAGE.get("H12").and_then(|one| one.limits.get("short.most").copied());
    let ends = || series.iter().flat_map(|one| &one.points).map(|point| point.x);
    let (least, most) = (ends().fold(f64::INFINITY, f64::min), ends().fold(0.0, f64::max));
    if let (Some(limit), true) = (limit, least <= most) {
        let points = vec![Point::new(least, limit), Point::new(most, limit)];
        let label = format!("predicted limit: {}", number(limit));
        series.push(Series { label, style: style::BOUND, points, marked: false });
    }
    let panel = Panel {
        title: "a thread of high priority, while another revokes".into(),
        x: "descendants".into(),
        x_kind: Spread::Log,
        y: "late by at most (instructions)".into(),
        y_kind: Spread::Log,
        series,
        rules: Vec::new(),
    };
    let missing = without(data, |subject| !points(subject).is_empty());
    let kind = Kind::Plot(Plot { panels: vec![panel], notes: missing_note("interrupt latency", &missing) });
    Figure {
        name: "interrupt-latency".into(),
        title: "Interrupt latency against descendants".into(),
        kind,
        missing,
    }
}
