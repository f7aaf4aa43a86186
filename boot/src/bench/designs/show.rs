//! The figures as tables, a column for each design: for a terminal, and for docs/designs.md.

use super::figures::{Figures, Results};
use super::rows::{self, FAMILIES};
use crate::bench::machine::Machine;
use crate::bench::micro::rows::PEERS;
use crate::bench::text::{grouped, table};
use freehold_abi::designs::Design;

/// The document, below the workspace.
pub const DOCUMENT: &str = "docs/designs.md";

/// Of the revokes, the fan-outs that the document shows.
const SHOWN: [&str; 3] = ["revoke.1.", "revoke.1024.", "revoke.16384."];

/// A part of the document.
pub fn part(name: &str, machine: &Machine, results: &Results) -> Option<String> {
    match name {
        "designs-machine" => Some(format!("{machine}.")),
        "designs-originals" => Some(originals(results)),
        "designs-rows" => Some(rows_table(results)),
        "designs-events" => Some(events_table(results)),
        "designs-revokes" => Some(revokes_table(results)),
        _ => None,
    }
}

/// All that was found, for a terminal.
pub fn tables(results: &Results, selected: impl Fn(&str) -> bool) -> String {
    let names = FAMILIES.iter().flat_map(rows::Family::names).chain(rows::revokes());
    let heads = std::iter::once("row".to_string()).chain(results.0.iter().map(|(design, _)| design.clone()));
    let mut lines: Vec<Vec<String>> = vec![heads.collect()];
    for name in names.filter(|name| selected(name)) {
        let cells: Vec<String> = cells(results, &name, figure);
        if cells.iter().any(|cell| cell != NONE) {
            lines.push(std::iter::once(name).chain(cells).collect());
        }
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Where there is no figure.
const NONE: &str = "–";

fn cells(results: &Results, name: &str, cell: impl Fn(&Figures) -> String) -> Vec<String> {
    let of = |(design, _): &(String, _)| results.get(design, name).map_or(NONE.into(), &cell);
    results.0.iter().map(of).collect()
}

/// What one operation takes; that some were given up.
fn figure(figures: &Figures) -> String {
    let given_up = match figures.timeouts {
        Some(timeouts) if timeouts > 0 => " (no answer)",
        _ => "",
    };
    tenths(figures.tenths()) + given_up
}

/// The most that a round took, where that is what matters.
fn figure_or_most(name: &str, figures: &Figures) -> String {
    if name.starts_with("latency.") { grouped(figures.rounds.max) } else { figure(figures) }
}

/// Tenths as people read them: without a point if there is nothing behind it.
pub fn tenths(tenths: u64) -> String {
    match tenths % 10 {
        0 => grouped(tenths / 10),
        rest => format!("{}.{rest}", grouped(tenths / 10)),
    }
}

/// The operations of the original beside its figures.
fn originals(results: &Results) -> String {
    let design = Design::KernelHeap.name();
    let row = |original: &crate::bench::micro::rows::Original| {
        let figures = results.get(design, &original.name)?;
        let (here, there) = (figures.tenths(), original.pistachio.least);
        Some(vec![
            format!("`{}` {}", original.name, original.what),
            tenths(here),
            grouped(there),
            format!("{} %", (here * 10 + there / 2) / there),
        ])
    };
    table(&["operation", design, "Pistachio", "of it"], PEERS.originals.iter().filter_map(row))
}

/// Heads of a table with a column for each design.
fn heads(results: &Results, first: &'static str) -> Vec<String> {
    std::iter::once(first.into())
        .chain(results.0.iter().map(|(design, _)| design.replace(',', ", ")))
        .collect()
}

fn table_of(heads: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    table(&heads.iter().map(String::as_str).collect::<Vec<_>>(), rows)
}

fn rows_table(results: &Results) -> String {
    let mut lines = Vec::new();
    for family in FAMILIES {
        for (index, name) in family.names().into_iter().enumerate() {
            let what = if index == 0 { format!(" {}", family.what) } else { String::new() };
            let cells = cells(results, &name, |figures| figure_or_most(&name, figures));
            lines.push(std::iter::once(format!("`{name}`{what}")).chain(cells).collect());
        }
    }
    table_of(&heads(results, "row"), lines)
}

/// Crossings, loads of CR3, INVLPGs of the rows at which the plugin looked.
fn events_table(results: &Results) -> String {
    let names = ["ipc.inter.0", "string.4096", "fault.pager", "delegate.1", "delegate.1024", "undelegate.1"];
    let others = ["undelegate.1024", "map.1", "unmap.1", "unmap.1024"];
    let events = |figures: &Figures| {
        let [crossings, switches, invlpg] =
            [figures.crossings, figures.switches, figures.invlpg].map(|count| match count {
                Some(count) => grouped(count),
                None => NONE.into(),
            });
        format!("{crossings} / {switches} / {invlpg}")
    };
    let row = |name: &str| {
        let cells = cells(results, name, events);
        std::iter::once(format!("`{name}`")).chain(cells).collect()
    };
    table_of(&heads(results, "crossings / CR3 / invlpg"), names.into_iter().chain(others).map(row))
}

/// What revokes take, and what was allowed them.
fn revokes_table(results: &Results) -> String {
    let shown = |name: &String| SHOWN.iter().any(|prefix| name.starts_with(prefix));
    let row = |name: String| {
        let phi = results.get(Design::UserTables.name(), &name).and_then(|figures| figures.phi);
        let any = results.0.iter().find_map(|(_, figures)| figures.get(&name)?.descendants);
        let mut cells =
            vec![format!("`{name}`"), any.map_or(NONE.into(), grouped), phi.map_or(NONE.into(), grouped)];
        cells.extend(self::cells(results, &name, figure));
        cells
    };
    let mut heads = heads(results, "row");
    heads.splice(1..1, ["descendants".into(), "Φ".into()]);
    table_of(&heads, rows::revokes().filter(shown).map(row))
}
