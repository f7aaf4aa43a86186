//! What attacks did: to the victim's throughput, and in all.

use super::{lines, missing_note, without};
use crate::experiment::data::{Attack, Data, Outcome};
use crate::experiment::derived::least_ratio;
use crate::experiment::figures::matrix::{Cell, Matrix};
use crate::experiment::figures::plot::{Panel, Plot, Point};
use crate::experiment::figures::scale::Kind as Spread;
use crate::experiment::figures::{Figure, Kind};
use crate::experiment::hypotheses::page::PAGE;
use crate::experiment::number::{listed, number};
use crate::experiment::stats::Summary;

/// Panels for single attacks, at most.
const SINGLE: usize = 5;
/// A victim that does less than this beside an attack is worth a panel.
const TOUCHED: f64 = 0.99;

/// The victim's throughput against the number of attackers.
pub fn throughput(data: &Data) -> Figure {
    let mut touched: Vec<(&str, f64)> = data
        .attack_names()
        .into_iter()
        .filter_map(|name| {
            let attacks = data.subjects.iter().flat_map(|subject| data.attacks_on(subject, name));
            least_ratio(attacks).map(|(_, least)| (name, least))
        })
        .filter(|(_, least)| *least < TOUCHED)
        .collect();
    touched.sort_by(|one, other| one.1.total_cmp(&other.1).then(one.0.cmp(other.0)));
    let rest = touched.split_off(touched.len().min(SINGLE));
    let worst =
        panel(data, "the worst of all attacks".into(), |subject| worst_points(data.all_attacks_on(subject)));
    let single = touched.iter().map(|(name, _)| {
        panel(data, (*name).into(), |subject| median_points(data.attacks_on(subject, name)))
    });
    let panels: Vec<Panel> =
        std::iter::once(worst).chain(single).filter(|panel| !panel.series.is_empty()).collect();
    let missing = without(data, |subject| data.attacks.iter().any(|attack| attack.subject == subject));
    let mut notes = missing_note("attacks", &missing);
    if !rest.is_empty() {
        let names: Vec<&str> = rest.iter().map(|(name, _)| *name).collect();
        notes.push(format!(
            "Further attacks that cost somebody throughput, in records.csv: {}.",
            listed(&names)
        ));
    }
    notes.push(format!(
        "Single attacks are shown if they leave anybody's victim less than {} of its work.",
        number(TOUCHED)
    ));
    let kind = Kind::Plot(Plot { panels, notes });
    Figure {
        name: "victim-throughput".into(),
        title: "The victim's work beside attackers".into(),
        kind,
        missing,
    }
}

fn panel(data: &Data, title: String, points: impl Fn(&str) -> Vec<Point>) -> Panel {
    Panel {
        title,
        x: "attackers".into(),
        x_kind: Spread::Log,
        y: "victim's work, as a part of its work alone".into(),
        y_kind: Spread::Linear,
        series: lines(data, points),
        rules: Vec::new(),
    }
}

/// The least ratio at each number of attackers.
fn worst_points<'a>(attacks: impl Iterator<Item = &'a Attack>) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for attack in attacks {
        let Some(ratio) = attack.ratio else { continue };
        let x = attack.attackers as f64;
        match points.iter_mut().find(|point| point.x == x) {
            Some(point) if point.y <= ratio => {}
            Some(point) => *point = Point::new(x, ratio),
            None => points.push(Point::new(x, ratio)),
        }
    }
    points.sort_by(|one, other| one.x.total_cmp(&other.x));
    points
}

/// The median of the repetitions at each number of attackers.
fn median_points<'a>(attacks: impl Iterator<Item = &'a Attack>) -> Vec<Point> {
    let mut ratios: Vec<(u64, Vec<f64>)> = Vec::new();
    for attack in attacks {
        let Some(ratio) = attack.ratio else { continue };
        match ratios.iter_mut().find(|(attackers, _)| *attackers == attack.attackers) {
            Some((_, values)) => values.push(ratio),
            None => ratios.push((attack.attackers, vec![ratio])),
        }
    }
    ratios.sort_by_key(|(attackers, _)| *attackers);
    let point =
        |(attackers, values): (u64, Vec<f64>)| Some(Point::of(attackers as f64, Summary::of(&values)?));
    ratios.into_iter().filter_map(point).collect()
}

/// Attacks by designs.
pub fn matrix(data: &Data) -> Figure {
    let columns: Vec<String> = data
        .subjects
        .iter()
        .filter(|subject| data.attacks.iter().any(|attack| attack.subject == **subject))
        .cloned()
        .collect();
    let known: Vec<&str> = PAGE.matrix.iter().map(|(name, _)| name.as_str()).collect();
    let made = data.attack_names();
    let unforeseen = made.iter().copied().filter(|name| !known.contains(name));
    let names: Vec<&str> =
        known.iter().copied().filter(|name| made.contains(name)).chain(unforeseen).collect();
    let row = |name: &&str| {
        let cells = columns.iter().map(|subject| cell(data, subject, name)).collect();
        ((*name).to_string(), cells)
    };
    let missing = without(data, |subject| columns.iter().any(|column| column == subject));
    let mut notes = vec![
        "The worst over all numbers of attackers and repetitions; victim: the least of its work that was left to it; \
         from N: with N attackers or more; ! : otherwise than was predicted."
            .into(),
    ];
    let left_out: Vec<&str> = known.into_iter().filter(|name| !made.contains(name)).collect();
    if !left_out.is_empty() {
        notes.push(format!("Not measured: {}.", listed(&left_out)));
    }
    notes.extend(missing_note("attacks", &missing));
    let kind =
        Kind::Matrix(Matrix { columns: columns.clone(), rows: names.iter().map(row).collect(), notes });
    Figure {
        name: "matrix".into(),
        title: "What each attack came to under each design".into(),
        kind,
        missing,
    }
}

/// The worst of an attack on somebody.
pub fn cell(data: &Data, subject: &str, attack: &str) -> Option<Cell> {
    let outcome = data.worst(subject, attack)?;
    let with = data.attacks_on(subject, attack).filter(|one| one.outcome == outcome);
    let least = with.map(|one| one.attackers).min()?;
    let ratio =
        least_ratio(data.attacks_on(subject, attack)).map(|(_, ratio)| format!("victim {}", number(ratio)));
    let detail = match (outcome, ratio) {
        (Outcome::Degraded | Outcome::Broken, Some(ratio)) => format!("from {least}; {ratio}"),
        (Outcome::Degraded | Outcome::Broken, None) => format!("from {least}"),
        (_, ratio) => ratio.unwrap_or_default(),
    };
    Some(Cell { outcome, detail, predicted: PAGE.predicted(attack, subject).fits(outcome) })
}
