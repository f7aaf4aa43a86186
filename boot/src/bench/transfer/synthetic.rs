//! For tests of the generators: invented figures for every cell, by a formula. Nothing made from them is kept.

use super::cell::{Cell, NULL, Residency, Trust, Way};
use super::figures::{Figures, Results};
use super::file::Machine;
use crate::bench::rounds::Rounds;
use crate::records::Record;

/// A machine that does not exist.
pub fn machine() -> Machine {
    Machine {
        qemu: "0.0".into(),
        rustc: "0.0.0".into(),
        profile: "release".into(),
        cpu: "none".into(),
        memory_mib: 1,
        design: "user-tables".into(),
        unit: "instructions".into(),
    }
}

/// What each cell costs: a fixed price and one a KiB; faults cost extra; distrusting pairs lend no memory.
pub fn results() -> Results {
    with(|_, _| {})
}

/// As [`results`], with some of the figures changed; all costs become the median.
pub fn with(change: impl Fn(Cell, &mut Figures)) -> Results {
    let cells = Cell::all().chain(Cell::nulls());
    let records: Vec<Record> = cells.map(|cell| record(cell, &change)).collect();
    Results::read(&records).expect("records of all cells")
}

/// The bytes of a case: its number, or what such a number of entries or KiB makes.
fn bytes(case: &str) -> u64 {
    let Some((scenario, size)) = case.split_once('-') else { return 0 };
    let number: u64 = size.trim_end_matches('k').parse().expect("a number");
    match scenario {
        "readdir" => number * 16,
        "exec" => number * 1024,
        _ => number,
    }
}

fn record(cell: Cell, change: &impl Fn(Cell, &mut Figures)) -> Record {
    let bench = cell.to_string();
    if cell.way == Way::Container && cell.trust == Trust::Distrusting {
        let detail = "memory of a client that is not trusted";
        let refused = serde_json::json!({"bench": bench, "outcome": "refused", "detail": detail});
        return refused.as_object().expect("an object").clone();
    }
    let (base, per_kib) = match cell.way {
        Way::Registers => (500, 4000),
        Way::Wired => (1500, 300),
        Way::Touched => (1000, 300),
        Way::Container => (10_000, 10),
        Way::Service => (4000, 320),
        Way::Pull => (1200, 280),
    };
    let bytes = bytes(cell.case);
    let pages = bytes.div_ceil(4096);
    let (client_faults, server_faults) = match cell.residency {
        Residency::Resident => (0, 0),
        Residency::ClientFaults => (pages, 0),
        Residency::ServerFaults => (0, pages),
        Residency::BothFault => (pages, pages),
    };
    let median = base + per_kib * bytes / 1024 + 700 * (client_faults + server_faults);
    let mut figures = Figures {
        rounds: Rounds { n: 8, min: 0, median, p99: 0, max: 0 },
        bytes,
        messages: if cell.way == Way::Registers { bytes.div_ceil(240).max(1) } else { 1 },
        switches: 2,
        client_faults,
        server_faults,
        retries: 0,
        client_pages: client_faults,
        server_pages: server_faults,
        work: 100,
    };
    if cell.case == NULL {
        (figures.rounds.median, figures.work) = (300, 0);
    }
    change(cell, &mut figures);
    let median = figures.rounds.median;
    figures.rounds = Rounds { min: median, p99: median, max: median, ..figures.rounds };
    let mut record: Record =
        serde_json::from_value(serde_json::to_value(figures).expect("plain values")).expect("an object");
    record.insert("bench".into(), bench.into());
    record
}
