//! What the tables show.

use freehold_abi::designs::Design;

use super::{LEGEND, MISSING, Table};
use crate::bench::transfer::cell::{CASES, Residency, Trust};
use crate::experiment::data::Data;
use crate::experiment::derived::{bytes_of, latencies};
use crate::experiment::figures::matrix::Cell;
use crate::experiment::figures::{Kind, matrix_of};
use crate::experiment::hypotheses::judged;
use crate::experiment::hypotheses::page::PAGE;
use crate::experiment::hypotheses::{STRAW, Verdict};
use crate::experiment::number::number;
use crate::experiment::stats::Summary;

/// Tables of rows that are measured under every design: file, caption, beginnings of the rows' names.
const GROUPS: [(&str, &str, &[&str]); 5] = [
    (
        "calls",
        "Calls, messages, faults and spaces, in instructions (median)",
        &[
            "call.",
            "ipc.",
            "notify.",
            "string.",
            "fault.",
            "space.create",
            "space.delete",
            "table.",
            "first-service",
        ],
    ),
    (
        "batches",
        "Pages mapped, given and taken back, in instructions of the whole batch (median)",
        &["map.", "unmap.", "protect.", "delegate.", "undelegate.", "share.", "unshare."],
    ),
    ("revoke", "Taking everything back by fan-out and depth, in instructions (median)", &["revoke."]),
    ("stalls", "Another client's wait beside K clients that stall (median)", &["stall."]),
    ("memory-growth", "Memory in use after N mappings, in bytes", &["kernel.bytes.", "space.bytes."]),
];

/// All tables.
pub fn all(data: &Data) -> Vec<Table> {
    let mut tables = vec![hypotheses(data), matrix(data)];
    tables.extend(GROUPS.map(|(name, caption, prefixes)| rows(data, name, caption, prefixes)));
    tables.extend([events(data), latency(data), memory(data), straw(data), ways(data), others(data)]);
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// Designs first, measured or not, then who else was measured.
fn columns(data: &Data) -> Vec<String> {
    let designs = Design::ALL.map(|design| design.name().to_string());
    let others = data.subjects.iter().filter(|subject| !designs.contains(subject)).cloned();
    designs.iter().cloned().chain(others).collect()
}

fn heads(first: &str, data: &Data) -> Vec<String> {
    std::iter::once(first.to_string()).chain(columns(data)).collect()
}

fn or_missing(summary: Option<Summary>) -> String {
    summary.map_or(MISSING.into(), |summary| summary.marked())
}

/// Names of rows, so that numbers in them are in their order.
fn by_numbers(name: &str) -> Vec<(String, u64)> {
    name.split('.')
        .map(|part| (part.parse::<u64>().map_or(part.into(), |_| String::new()), part.parse().unwrap_or(0)))
        .collect()
}

/// Names of all rows that anybody has.
fn names(data: &Data, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let all = data.subjects.iter().flat_map(|subject| data.rows(subject)).map(|(name, _)| name.to_string());
    let mut names: Vec<String> = all.filter(|name| wanted(name)).collect();
    names.sort_by_key(|name| by_numbers(name));
    names.dedup();
    names
}

fn cells(data: &Data, name: &str) -> Vec<String> {
    let cell = |subject: &String| match data.row(subject, name) {
        None => MISSING.into(),
        Some(row) => match (row.summary(), row.timeouts()) {
            (Some(summary), 0.0) => summary.marked(),
            (Some(summary), times) => format!("{}; {} timeouts", summary.marked(), number(times)),
            (None, _) => "none".into(),
        },
    };
    columns(data).iter().map(cell).collect()
}

fn rows(data: &Data, name: &str, caption: &str, prefixes: &[&str]) -> Table {
    let mut rows = Vec::new();
    for prefix in prefixes {
        for row in names(data, |name| name.starts_with(prefix)) {
            rows.push(std::iter::once(row.clone()).chain(cells(data, &row)).collect());
        }
    }
    Table { name: name.into(), caption: caption.into(), heads: heads("row", data), rows, note: LEGEND.into() }
}

/// What no other table has.
fn others(data: &Data) -> Table {
    let known = GROUPS.iter().flat_map(|(_, _, prefixes)| *prefixes);
    let known: Vec<&str> = known.copied().chain(["transfer", "heap.", "latency."]).collect();
    let names = names(data, |name| !known.iter().any(|prefix| name.starts_with(prefix)));
    let rows = names.iter().map(|name| std::iter::once(name.clone()).chain(cells(data, name)).collect());
    Table {
        name: "others".into(),
        caption: "Further rows".into(),
        heads: heads("row", data),
        rows: rows.collect(),
        note: LEGEND.into(),
    }
}

fn hypotheses(data: &Data) -> Table {
    let row = |judged: crate::experiment::hypotheses::Judged| {
        let count =
            |verdict| judged.clauses.iter().filter(|clause| clause.verdict == verdict).count().to_string();
        vec![
            format!("{} {}", judged.hypothesis.name, judged.hypothesis.title),
            judged.verdict().word().into(),
            count(Verdict::Confirmed),
            count(Verdict::Refuted),
            count(Verdict::Undecided),
        ]
    };
    let heads = ["hypothesis", "verdict", "clauses confirmed", "refuted", "undecided"].map(String::from);
    Table {
        name: "hypotheses".into(),
        caption: "The hypotheses and their verdicts".into(),
        heads: heads.into(),
        rows: judged(data).into_iter().map(row).collect(),
        note: String::new(),
    }
}

fn matrix(data: &Data) -> Table {
    let Kind::Matrix(matrix) = matrix_of(data).kind else { unreachable!("it is a matrix") };
    let cell = |cell: &Option<Cell>| match cell {
        None => MISSING.to_string(),
        Some(cell) => {
            let surprise = if cell.predicted == Some(false) { " !" } else { "" };
            format!("{}{surprise}", cell.outcome.name())
        }
    };
    let rows = matrix.rows.iter().map(|(name, cells)| {
        std::iter::once(name.clone()).chain(cells.iter().map(cell)).collect::<Vec<String>>()
    });
    Table {
        name: "matrix".into(),
        caption: "The worst outcome of each attack over all numbers of attackers".into(),
        heads: std::iter::once("attack".to_string()).chain(matrix.columns.iter().cloned()).collect(),
        rows: rows.collect(),
        note: "!: otherwise than was predicted. n.m.: not measured.".into(),
    }
}

/// What a round does beside executing instructions.
fn events(data: &Data) -> Table {
    const ROWS: [&str; 13] = [
        "call.null",
        "ipc.inter.0",
        "ipc.inter.62",
        "string.4096",
        "map.1",
        "unmap.1",
        "protect.1",
        "delegate.1",
        "delegate.1024",
        "undelegate.1",
        "fault.pager",
        "space.create",
        "space.delete",
    ];
    const FIELDS: [&str; 3] = ["crossings", "cr3", "invlpg"];
    let cell = |subject: &String, name: &str| {
        let row = data.row(subject, name)?;
        let counts: Option<Vec<String>> =
            FIELDS.iter().map(|field| Some(number(row.field(field)?.median))).collect();
        Some(counts?.join(" / "))
    };
    let columns = columns(data);
    let wanted = |name: &&str| columns.iter().any(|subject| cell(subject, name).is_some());
    let row = |name: &str| {
        let cells = columns.iter().map(|subject| cell(subject, name).unwrap_or(MISSING.into()));
        std::iter::once(name.to_string()).chain(cells).collect()
    };
    Table {
        name: "events".into(),
        caption: "Privilege crossings / loads of CR3 / INVLPGs in the round of the median".into(),
        heads: heads("row", data),
        rows: ROWS.into_iter().filter(wanted).map(row).collect(),
        note: "n.m.: not measured.".into(),
    }
}

fn latency(data: &Data) -> Table {
    let all: Vec<(String, Vec<(u64, Summary)>)> =
        columns(data).into_iter().map(|subject| (subject.clone(), latencies(data, &subject))).collect();
    let mut counts: Vec<u64> =
        all.iter().flat_map(|(_, late)| late.iter().map(|(count, _)| *count)).collect();
    counts.sort_unstable();
    counts.dedup();
    let row = |count: u64| {
        let cells = all.iter().map(|(_, late)| {
            or_missing(late.iter().find(|(own, _)| *own == count).map(|(_, summary)| *summary))
        });
        std::iter::once(number(count as f64)).chain(cells).collect()
    };
    Table {
        name: "latency".into(),
        caption: "By how many instructions a thread of high priority comes late at most, by the descendants that another \
                  one takes back"
            .into(),
        heads: heads("descendants", data),
        rows: counts.into_iter().map(row).collect(),
        note: LEGEND.into(),
    }
}

fn memory(data: &Data) -> Table {
    let row = |subject: String| {
        let mut cells = vec![subject.clone()];
        for layout in ["dense", "sparse"] {
            match bytes_of(data, &subject, layout) {
                Some(bytes) => {
                    cells.extend([bytes.own, bytes.charged, bytes.unpaid, bytes.sum()].map(number));
                }
                None => cells.extend([MISSING; 4].map(String::from)),
            }
        }
        cells
    };
    let measured = columns(data).iter().any(|subject| bytes_of(data, subject, "dense").is_some());
    let heads =
        ["design", "dense: own", "charged", "unpaid", "all", "sparse: own", "charged", "unpaid", "all"];
    Table {
        name: "memory".into(),
        caption: "Bytes for each further mapping, dense and 4 MiB apart: of the space's own memory, of the kernel's and \
                  charged to the space, of the kernel's and charged to nobody"
            .into(),
        heads: heads.map(String::from).into(),
        rows: if measured { columns(data).into_iter().map(row).collect() } else { Vec::new() },
        note: "n.m.: not measured.".into(),
    }
}

fn straw(data: &Data) -> Table {
    let limits = PAGE.get("H27").map(|one| &one.limits);
    let heap = Design::KernelHeap.name();
    let row = |name: &str| {
        let original = limits.and_then(|limits| limits.get(name).copied());
        let here = data.row(heap, name).and_then(|row| row.each());
        let share = here.zip(original).map(|(here, original)| format!("{:.2}", here.median / original));
        vec![
            name.into(),
            or_missing(here),
            original.map_or(MISSING.into(), number),
            share.unwrap_or(MISSING.into()),
        ]
    };
    Table {
        name: "straw-man".into(),
        caption: "kernel-heap beside L4Ka::Pistachio on the same emulator, in instructions: of one operation, of each \
                  further child, of each page of a large flexpage"
            .into(),
        heads: ["row", "kernel-heap", "the original", "ratio"].map(String::from).into(),
        rows: STRAW.map(row).into(),
        note: LEGEND.into(),
    }
}

fn ways(data: &Data) -> Table {
    let measured: Vec<_> = data
        .subjects
        .iter()
        .filter_map(|subject| Some((subject.clone(), data.transfers(subject)?)))
        .collect();
    let columns = [Trust::Distrusting, Trust::Trusting]
        .into_iter()
        .flat_map(|trust| measured.iter().map(move |(subject, results)| (trust, subject, results)));
    let columns: Vec<_> = columns.collect();
    let row = |case: &'static str| {
        let cells = columns.iter().map(|(trust, _, results)| {
            let cheapest = results.cheapest(case, Residency::Resident, *trust);
            cheapest.map_or(MISSING.into(), |(way, cost)| format!("{} {}", way.name(), number(cost as f64)))
        });
        std::iter::once(case.to_string()).chain(cells).collect()
    };
    let heads = columns.iter().map(|(trust, subject, _)| format!("{subject}, {}", trust.name()));
    Table {
        name: "ways".into(),
        caption: "The cheapest way to move each buffer, memory resident, and what it costs in instructions"
            .into(),
        heads: std::iter::once("case".to_string()).chain(heads).collect(),
        rows: if columns.is_empty() { Vec::new() } else { CASES.map(row).into() },
        note: "n.m.: not measured.".into(),
    }
}
