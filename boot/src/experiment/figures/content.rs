//! What the figures show: one function each.

mod attacks;
mod costs;
mod memory;
mod revoke;
mod rpc;

pub use attacks::matrix as matrix_of;

use super::Figure;
use super::plot::{Point, Series};
use super::style;
use crate::experiment::data::Data;

/// All figures for which there is something to show, and the names of the others.
pub fn all(data: &Data) -> (Vec<Figure>, Vec<String>) {
    let mut figures = vec![
        memory::growth(data),
        memory::per_mapping(data),
        costs::batches(data),
        revoke::time(data),
        revoke::latency(data),
        attacks::throughput(data),
        costs::stalls(data),
        attacks::matrix(data),
    ];
    figures.extend(rpc::all(data));
    let (empty, shown): (Vec<Figure>, Vec<Figure>) = figures.into_iter().partition(Figure::is_empty);
    (shown, empty.into_iter().map(|figure| format!("{}: {}", figure.name, figure.title)).collect())
}

/// A line for each of those who have points.
fn lines(data: &Data, points: impl Fn(&str) -> Vec<Point>) -> Vec<Series> {
    let subjects = data.subjects.iter();
    let series = subjects.map(|subject| Series {
        label: subject.clone(),
        style: style::of(subject, &data.subjects),
        points: points(subject),
        marked: true,
    });
    series.filter(|series| !series.points.is_empty()).collect()
}

/// Those who have none.
fn without(data: &Data, has: impl Fn(&str) -> bool) -> Vec<String> {
    data.subjects.iter().filter(|subject| !has(subject)).cloned().collect()
}

/// A note about what was not measured.
fn missing_note(what: &str, whose: &[String]) -> Vec<String> {
    let names = crate::experiment::number::listed(whose);
    if whose.is_empty() { Vec::new() } else { vec![format!("Not measured ({what}): {names}.")] }
}
