//! For tests: invented records of a whole experiment, in which every hypothesis is confirmed. Nothing made from them is
//! kept.

use std::sync::LazyLock;

use freehold_abi::designs::Design;
use serde_json::{Value, json};

use super::data::Data;
use super::hypotheses::page::{PAGE, Prediction};
use crate::bench::transfer::{figures::Found, synthetic as transfers};
use crate::records::Record;

/// Repetitions of everything.
const REPETITIONS: u64 = 2;

/// All records.
pub fn records() -> Vec<Record> {
    static RECORDS: LazyLock<Vec<Record>> = LazyLock::new(made);
    RECORDS.clone()
}

fn made() -> Vec<Record> {
    let mut records = Vec::new();
    for repetition in 0..REPETITIONS {
        for design in Design::ALL {
            let of_design = [rows(design), attacks(design), moved(design)].concat();
            records.extend(of_design.into_iter().map(|record| stamped(record, repetition)));
        }
        records.extend(controls().into_iter().map(|record| stamped(record, repetition)));
    }
    for pool in ["4M", "64M"] {
        let bytes = if pool == "4M" { 4u64 } else { 64 } << 20;
        let flood = attack("mapping-flood", &format!("kernel-heap,pool={pool}"), 1, "broken", 0.1, bytes);
        records.push(stamped(flood, 0));
    }
    records
}

/// All records, some of them changed.
pub fn with(change: impl Fn(&mut Record)) -> Data {
    let mut records = records();
    records.iter_mut().for_each(change);
    Data::of(records)
}

/// As text, as the file has them.
pub fn text(records: &[Record]) -> String {
    records.iter().map(|record| serde_json::to_string(record).expect("plain values") + "\n").collect()
}

fn object(value: Value) -> Record {
    value.as_object().expect("an object").clone()
}

fn stamped(mut record: Record, repetition: u64) -> Record {
    let stamps = json!({"commit": "0123456789ab", "qemu": "0.0", "seed": 7, "boot": format!("b{repetition}"),
                        "rep": repetition});
    record.extend(object(stamps));
    record
}

/// A row, whose value is the same in all rounds.
pub fn row(design: Design, name: &str, unit: &str, value: u64) -> Record {
    let name_of_design = match design.has_pool() {
        true => format!("{},pool=16M", design.name()),
        false => design.name().into(),
    };
    object(
        json!({"bench": name, "design": name_of_design, "unit": unit, "n": 10, "min": value, "median": value,
                  "p99": value, "max": value}),
    )
}

fn rows(design: Design) -> Vec<Record> {
    let pooled = design.has_pool();
    let slow: u64 = if pooled { 3 } else { 1 };
    let instructions = |name: &str, value| row(design, name, "instructions", value);
    let mut rows = vec![
        instructions("call.null", 28),
        instructions("space.create", 5000),
        instructions("space.delete", 1000),
        instructions("fault.pager", 335 * slow),
        instructions("delegate.new.1", if pooled { 3000 } else { 6000 }),
    ];
    let detour = if design == Design::Redirector { 1000 } else { 0 };
    rows.extend(
        [0, 4, 16, 62].map(|words| instructions(&format!("ipc.inter.{words}"), 170 + words + detour)),
    );
    for count in [1, 4, 16, 64, 256, 1024] {
        rows.push(instructions(&format!("delegate.{count}"), slow * (200 + 40 * count)));
        rows.push(instructions(&format!("undelegate.{count}"), slow * (100 + 30 * count)));
        rows.push(instructions(&format!("map.{count}"), 110 + 38 * count));
        rows.push(instructions(&format!("unmap.{count}"), 60 + 34 * count));
        let (dense, sparse) = if pooled { (20 * count, 8204 * count) } else { (0, 0) };
        let charged = design == Design::KernelQuota;
        let own = |pool: u64, own: u64| if charged { pool } else { own };
        let (own_dense, own_sparse) = if pooled { (0, 0) } else { (16 * count, 16384 * count) };
        for (name, value) in [
            ("kernel.bytes.dense", dense),
            ("kernel.bytes.sparse", sparse),
            ("space.bytes.dense", own(dense, own_dense)),
            ("space.bytes.sparse", own(sparse, own_sparse)),
        ] {
            rows.push(row(design, &format!("{name}.{count}"), "bytes", value));
        }
    }
    for fanout in [1u64, 16, 256, 1024, 16384] {
        for depth in [1, 4, 63].into_iter().filter(|depth| fanout * depth <= 1 << 17) {
            rows.push(revoke(design, fanout, depth));
        }
    }
    for count in [1u64, 256, 65536] {
        let late = if design == Design::KernelHeap { 100 + 200 * count } else { 3000 };
        rows.push(instructions(&format!("latency.revoke.{count}"), late));
    }
    for clients in [0, 1, 4, 16] {
        for (policy, each) in [("two-sided", 1), ("one-timeout", 10_000), ("wait", 100_000)] {
            rows.push(instructions(&format!("stall.{clients}.{policy}"), 2000 + each * clients));
        }
    }
    if design == Design::KernelHeap {
        for (name, value) in [
            ("heap.map.1", 1000),
            ("heap.fault", 1300),
            ("heap.unmap.1", 700),
            ("heap.unmap.child", 200),
            ("heap.map.large", 400),
        ] {
            rows.push(instructions(name, value));
        }
    }
    rows
}

fn revoke(design: Design, fanout: u64, depth: u64) -> Record {
    let descendants = fanout * depth;
    let each = if design.has_pool() { 200 } else { 33 };
    let mut record =
        row(design, &format!("revoke.{fanout}.{depth}"), "instructions", 100 + each * descendants);
    let stretch = if design == Design::KernelHeap { 100 + each * descendants } else { 3000 };
    record.extend(object(json!({"descendants": descendants, "stretch": stretch})));
    if design == Design::UserTables {
        record.insert("phi".into(), descendants.into());
    }
    record
}

/// One attack.
pub fn attack(name: &str, design: &str, attackers: u64, outcome: &str, ratio: f64, successes: u64) -> Record {
    let kernel = if outcome == "broken" { 1 << 24 } else { 0 };
    object(json!({"attack": name, "design": design, "attackers": attackers, "outcome": outcome,
                  "detail": format!("{name} by {attackers}"), "kernel_bytes": kernel, 
                  "charged_bytes": 0, "victim_ops": 900, "victim_ops_alone": 1000, "victim_ops_ratio": ratio,
                  "tries": successes + 1, "successes": successes, "first_service": 3, "frames_lost": 0}))
}

fn attacks(design: Design) -> Vec<Record> {
    let mut records = Vec::new();
    for (name, cells) in &PAGE.matrix {
        let (_, predicted) = cells.iter().find(|(own, _)| own == design.name()).expect("every design");
        for attackers in [1u64, 4, 16] {
            let (outcome, ratio) = match predicted {
                Prediction::Broken => ("broken", 0.4 / attackers as f64),
                Prediction::NotHeld => ("degraded", 0.9 - 0.02 * attackers as f64),
                Prediction::Held | Prediction::None => ("held", 0.999),
            };
            let named =
                if design.has_pool() { format!("{},pool=16M", design.name()) } else { design.name().into() };
            records.push(attack(name, &named, attackers, outcome, ratio, 16 << 20));
        }
    }
    records
}

/// A control for each attack that all are predicted to survive.
fn controls() -> Vec<Record> {
    let all_hold = |cells: &[(String, Prediction)]| {
        cells.iter().all(|(_, prediction)| matches!(prediction, Prediction::Held | Prediction::None))
    };
    let rows = PAGE.matrix.iter().filter(|(_, cells)| all_hold(cells));
    rows.map(|(name, _)| {
        let mut record = attack(name, "user-tables", 1, "broken", 0.5, 1);
        record.insert("control".into(), format!("no-{name}").into());
        record
    })
    .collect()
}

/// Requests. Under `root-only` nobody but the root lends memory.
fn moved(design: Design) -> Vec<Record> {
    let results = transfers::results();
    let record = |(name, found): (&str, &Found)| {
        let mut record = match found {
            Found::Measured(_) if design == Design::RootOnly && name.contains(".container.") => {
                object(json!({"outcome": "refused", "detail": "nobody but the root maps"}))
            }
            Found::Measured(figures) => object(serde_json::to_value(figures).expect("plain values")),
            Found::Refused(detail) => object(json!({"outcome": "refused", "detail": detail})),
        };
        record.extend(object(json!({"bench": name, "design": design.name(), "unit": "instructions"})));
        record
    };
    results.iter().map(record).collect()
}
