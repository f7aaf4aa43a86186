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

/// Revoke time against descendants, with Φ drawn in: side by side, one below the other, and how much larger than the
/// number of descendants Φ is.
pub fn time(data: &Data) -> Figure {
    let all = || data.subjects.iter().flat_map(|subject| revokes(data, subject));
    let deepest = all().map(|revoke| revoke.depth).max().unwrap_or(1);
    let mut panels = vec![panel(data, 1, "side by side (depth 1)".into())];
    if deepest > 1 {
        panels.push(panel(data, deepest, format!("one below the other (depth {deepest})")));
    }
    panels.push(looseness(data));
    panels.retain(|panel| !panel.series.is_empty());
    let missing = without(data, |subject| !revokes(data, subject).is_empty());
    let mut notes = missing_note("revoke", &missing);
    let others = all().any(|revoke| revoke.depth > 1 && revoke.depth < deepest);
    notes.extend(others.then(|| "Depths between these: the table of revokes.".to_string()));
    let kind = Kind::Plot(Plot { panels, notes });
    Figure { name: "revoke-time".into(), title: "Revoke time against descendants".into(), kind, missing }
}

/// Time at one depth, and the bound.
fn panel(data: &Data, depth: u64, title: String) -> Panel {
    let of = |subject: &str| revokes(data, subject).into_iter().filter(move |revoke| revoke.depth == depth);
    let mut series =
        lines(data, |subject| of(subject).map(|revoke| Point::of(revoke.descendants, revoke.time)).collect());
    for subject in &data.subjects {
        let bound = of(subject).filter_map(|revoke| Some((revoke.descendants, revoke.phi?)));
        let points: Vec<Point> = bound.map(|(x, phi)| Point::new(x, phi * each())).collect();
        if !points.is_empty() {
            let label = format!("Φ of {subject}, at {} instructions a step", number(each()));
            series.push(Series { label, style: style::BOUND, points, marked: false });
        }
    }
    Panel {
        title,
        x: "descendants".into(),
        x_kind: Spread::Log,
        y: "instructions of a revoke".into(),
        y_kind: Spread::Log,
        series,
        rules: Vec::new(),
    }
}

/// Φ for each descendant, by depth: the most over all fan-outs.
fn looseness(data: &Data) -> Panel {
    let points = |subject: &str| {
        let mut points: Vec<Point> = Vec::new();
        for revoke in revokes(data, subject) {
            let Some(phi) = revoke.phi.filter(|_| revoke.descendants > 0.0) else { continue };
            let point = Point::new(revoke.depth as f64, phi / revoke.descendants);
            match points.iter_mut().find(|known| known.x == point.x) {
                Some(known) if known.y >= point.y => {}
                Some(known) => *known = point,
                None => points.push(point),
            }
        }
        points.sort_by(|one, other| one.x.total_cmp(&other.x));
        points
    };
    Panel {
        title: "how loose the bound is".into(),
        x: "depth".into(),
        x_kind: Spread::Log,
        y: "Φ for each descendant (steps)".into(),
        y_kind: Spread::Log,
        series: lines(data, points),
        rules: Vec::new(),
    }
}

/// How long interrupts wait, and a thread of high priority, against descendants.
pub fn latency(data: &Data) -> Figure {
    let stretches = |subject: &str| -> Vec<Point> {
        let all = revokes(data, subject);
        all.iter().filter_map(|revoke| Some(Point::of(revoke.descendants, revoke.stretch?))).collect()
    };
    let late = |subject: &str| -> Vec<Point> {
        let all = latencies(data, subject);
        all.into_iter().map(|(count, most)| Point::of(count as f64, most)).collect()
    };
    let panel = |title: &str, y: &str, series: Vec<Series>| Panel {
        title: title.into(),
        x: "descendants".into(),
        x_kind: Spread::Log,
        y: y.into(),
        y_kind: Spread::Log,
        series,
        rules: Vec::new(),
    };
    let panels = [
        panel(
            "interrupts off during a revoke",
            "longest stretch (instructions)",
            limited(lines(data, stretches)),
        ),
        panel(
            "a thread of high priority, while another revokes",
            "late by at most (instructions)",
            limited(lines(data, late)),
        ),
    ];
    let missing = without(data, |subject| !stretches(subject).is_empty() && !late(subject).is_empty());
    let panels = panels.into_iter().filter(|panel| !panel.series.is_empty()).collect();
    let kind = Kind::Plot(Plot { panels, notes: missing_note("interrupt latency", &missing) });
    Figure {
        name: "interrupt-latency".into(),
        title: "Interrupt latency against descendants".into(),
        kind,
        missing,
    }
}

/// With the limit that was predicted, as far as the points reach.
fn limited(mut series: Vec<Series>) -> Vec<Series> {
    let limit = PAGE.get("H12").and_then(|one| one.limits.get("short.most").copied());
    let ends = || series.iter().flat_map(|one| &one.points).map(|point| point.x);
    let (least, most) = (ends().fold(f64::INFINITY, f64::min), ends().fold(0.0, f64::max));
    if let (Some(limit), true) = (limit, least <= most) {
        let points = vec![Point::new(least, limit), Point::new(most, limit)];
        let label = format!("predicted limit: {}", number(limit));
        series.push(Series { label, style: style::BOUND, points, marked: false });
    }
    series
}
