//! The figures as tables: for a terminal, and for docs/performance.md.

use std::collections::BTreeMap;

use super::figures::{Figures, Results};
use super::path;
use super::rows::{FURTHER, PEERS, Peer, Row, SIZES};
use super::verdict::{growth, is_behind, misses};
use crate::bench::machine::Machine;
use crate::bench::text::{grouped, table};

/// The document, below the workspace.
pub const DOCUMENT: &str = "docs/performance.md";
/// The names of its generated parts.
pub const PARTS: [&str; 8] = ["machine", "rows", "misses", "further", "growth", "bytes", "path", "paths"];

/// What the document is made from.
pub struct Kept {
    /// On what the figures were taken.
    pub machine: Machine,
    /// The figures.
    pub results: Results,
    /// Where the instructions go, by measurement.
    pub paths: BTreeMap<String, path::Kept>,
    /// The listing of [`path::SHOWN`].
    pub shown: String,
}

/// A part of the document.
pub fn part(name: &str, kept: &Kept) -> Option<String> {
    let results = &kept.results;
    match name {
        "machine" => Some(machine_sentence(&kept.machine)),
        "rows" => Some(document_table(&ROW_HEADS, rows(results, noted))),
        "misses" => Some(missed(results)),
        "further" => Some(document_table(&FURTHER_HEADS, further(results))),
        "growth" => Some(grown(results)),
        "bytes" => Some(table(&["what", "bytes"], sizes(results))),
        "path" => Some(format!("```text\n{}```", kept.shown)),
        "paths" => Some(gone(&kept.paths)),
        _ => None,
    }
}

/// All that was found, for a terminal.
pub fn tables(results: &Results) -> String {
    let parts = [
        aligned(&ROW_HEADS, rows(results, bare)) + &notes(results),
        aligned(&FURTHER_HEADS, further(results)),
        grown(results),
        aligned(&["what", "bytes"], sizes(results)),
    ];
    let parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// A table for the document, in which a measurement's name and the operation are one column.
fn document_table(heads: &[&str], rows: Vec<Vec<String>>) -> String {
    let join = |row: Vec<String>| {
        let first = format!("`{}` {}", row[0], row[1]);
        std::iter::once(first).chain(row.into_iter().skip(2)).collect()
    };
    table(&heads[1..], rows.into_iter().map(join))
}

fn machine_sentence(machine: &Machine) -> String {
    format!("{machine}; design {}.\n\nThe other kernels: {}", machine.design, PEERS.source)
}

const ROW_HEADS: [&str; 14] = [
    "name",
    "operation",
    "here",
    "at most",
    "verdict",
    "Pistachio",
    "seL4",
    "first",
    "clearing",
    "crossings",
    "CR3",
    "invlpg",
    "code",
    "data",
];

/// What a round does beside executing instructions, from crossings to lines of data.
fn counts(figures: &Figures) -> impl Iterator<Item = String> {
    let counts =
        [figures.crossings, figures.switches, figures.invlpg, figures.code_lines, figures.data_lines];
    counts.into_iter().map(|count| count.map_or(String::new(), grouped))
}

/// The rows, with the peers' figures as `peer` writes them.
fn rows(results: &Results, peer: fn(&Peer) -> String) -> Vec<Vec<String>> {
    let row = |row: &Row| {
        let figures = results.get(&row.name)?;
        let verdict = match misses(row, figures) {
            _ if is_behind(row, figures) => "behind",
            Some(_) => "misses",
            None => "ok",
        };
        let mut cells = vec![
            row.name.clone(),
            row.what.clone(),
            tenths(figures.tenths(row.apart)),
            grouped(row.target),
            verdict.into(),
            row.pistachio.as_ref().map_or("–".into(), peer),
            row.sel4.as_ref().map_or("–".into(), peer),
            figures.first_tenths(row.apart).map_or(String::new(), tenths),
            figures.clearing.map_or(String::new(), grouped),
        ];
        cells.extend(counts(figures));
        Some(cells)
    };
    PEERS.rows.iter().filter_map(row).collect()
}

const FURTHER_HEADS: [&str; 10] =
    ["name", "operation", "instructions", "first", "clearing", "crossings", "CR3", "invlpg", "code", "data"];

fn further(results: &Results) -> Vec<Vec<String>> {
    let row = |(name, what): &(&str, &str)| {
        let figures = results.get(name)?;
        let mut cells = vec![
            (*name).into(),
            (*what).into(),
            tenths(figures.tenths(false)),
            figures.first_tenths(false).map_or(String::new(), tenths),
            figures.clearing.map_or(String::new(), grouped),
        ];
        cells.extend(counts(figures));
        Some(cells)
    };
    FURTHER.iter().filter_map(row).collect()
}

fn sizes(results: &Results) -> Vec<Vec<String>> {
    let row = |(name, what): &(&str, &str)| {
        results.get(name).map(|figures| vec![format!("{name}: {what}"), grouped(figures.rounds.median)])
    };
    SIZES.iter().filter_map(row).collect()
}

/// A line for each row that misses its target.
fn missed(results: &Results) -> String {
    let line = |row: &Row| {
        let figures = results.get(&row.name)?;
        let over = misses(row, figures)?;
        let (here, target) = (figures.tenths(row.apart), row.target * 10);
        let times = here * 10 / target;
        Some(format!(
            "- [`{}`](paths/{}.txt) takes {} instead of {}: {} too many, {}.{} times the target.\n",
            row.name,
            row.name,
            tenths(here),
            grouped(row.target),
            tenths(over),
            times / 10,
            times % 10
        ))
    };
    let lines: String = PEERS.rows.iter().filter_map(line).collect();
    if lines.is_empty() { "Every row meets its target.".into() } else { lines }
}

/// A line for each measurement that must stay flat.
fn grown(results: &Results) -> String {
    let line = |growth: super::verdict::Growth<'_>| {
        let points: Vec<String> = growth
            .points
            .iter()
            .map(|&(count, cost)| format!("{} at {}", grouped(cost), grouped(count.into())))
            .collect();
        format!(
            "- {}: {} ({}.{} %): {}.\n",
            growth.what,
            if growth.is_flat() { "FLAT" } else { "NOT flat" },
            growth.spread / 10,
            growth.spread % 10,
            points.join(", ")
        )
    };
    growth(results).into_iter().map(line).collect()
}

/// A file in which there is less than one of so many instructions is not named.
const FEW: u64 = 50;

/// A line for each measurement: where its instructions are.
fn gone(paths: &BTreeMap<String, path::Kept>) -> String {
    let line = |(name, _): (&str, &str)| {
        let kept = paths.get(name)?;
        let is_much = |count: u64| count * FEW >= kept.total;
        let mut places: Vec<String> = Vec::new();
        for (file, count) in kept.files.iter().filter(|(_, count)| is_much(*count)) {
            places.push(format!("{} {}", grouped(*count), file.replace("/src/", "/")));
        }
        let rest: u64 = kept.files.iter().map(|(_, count)| count).filter(|count| !is_much(**count)).sum();
        places.extend((rest > 0).then(|| format!("{} elsewhere", grouped(rest))));
        Some(format!("- [`{name}`](paths/{name}.txt) {}: {}.\n", grouped(kept.total), places.join(", ")))
    };
    path::measurements().filter_map(line).collect()
}

/// Tenths as people read them: without a point if there is nothing behind it.
fn tenths(tenths: u64) -> String {
    match tenths % 10 {
        0 => grouped(tenths / 10),
        rest => format!("{}.{rest}", grouped(tenths / 10)),
    }
}

/// A peer's figure.
fn bare(peer: &Peer) -> String {
    let most = peer.most.map_or(String::new(), |most| format!("–{}", grouped(most)));
    format!("{}{most}", grouped(peer.least))
}

/// The same with what must be known about it.
fn noted(peer: &Peer) -> String {
    let note = peer.note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
    bare(peer) + &note
}

/// What must be known about the peers' figures, a line each: in the columns of a terminal there is no room for it.
fn notes(results: &Results) -> String {
    let shown = PEERS.rows.iter().filter(|row| results.get(&row.name).is_some());
    let of = |row: &Row| [("Pistachio", row.pistachio.clone()), ("seL4", row.sel4.clone())];
    let line = |row: &Row, kernel: &str, peer: Peer| {
        let note = peer.note.as_ref()?;
        Some(format!("{}, {kernel}: {} ({note})\n", row.name, bare(&peer)))
    };
    shown.flat_map(|row| of(row).map(|(kernel, peer)| line(row, kernel, peer?))).flatten().collect()
}

/// A table for a terminal: columns as wide as they must be, the first two to the left.
fn aligned(heads: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads: Vec<String> = heads.iter().map(|head| (*head).into()).collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&heads]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let left = if heads.len() > 2 { 2 } else { 1 };
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column < left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    };
    [&heads].into_iter().chain(&rows).map(line).collect()
}
