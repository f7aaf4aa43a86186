//! Invented records turn every verdict.

use serde_json::json;

use super::page::PAGE;
use super::*;
use crate::experiment::synthetic;
use crate::records::Record;

fn verdict(name: &str, data: &Data) -> Verdict {
    let all = judged(data);
    all.iter().find(|judged| judged.hypothesis.name == name).expect("a hypothesis").verdict()
}

fn is(record: &Record, field: &str, text: &str) -> bool {
    record
        .get(field)
        .and_then(|value| value.as_str())
        .is_some_and(|value| value.split(',').next() == Some(text))
}

/// Makes a row cost so many times as much.
fn times(record: &mut Record, by: u64) {
    for field in ["min", "median", "p99", "max"] {
        let value = record.get(field).and_then(|value| value.as_u64());
        if let Some(value) = value {
            record.insert(field.into(), (value * by).into());
        }
    }
}

type Turn = fn(&mut Record);

/// For each hypothesis a change of the records that refutes it.
const TURNS: [(&str, Turn); 28] = [
    ("H1", |record| {
        if is(record, "bench", "kernel.bytes.dense.1024") && is(record, "design", "user-tables") {
            record.extend([("max".into(), json!(1)), ("p99".into(), json!(1)), ("median".into(), json!(1))]);
        }
    }),
    ("H2", |record| {
        if is(record, "bench", "kernel.bytes.sparse.1024") && is(record, "design", "root-only") {
            times(record, 2);
        }
    }),
    ("H3", |record| {
        if is(record, "bench", "space.bytes.dense.1024") && is(record, "design", "user-tables") {
            times(record, 2);
        }
    }),
    ("H4", |record| {
        if is(record, "bench", "space.bytes.sparse.1024") && is(record, "design", "user-tables") {
            times(record, 2);
        }
    }),
    ("H5", |record| {
        if is(record, "attack", "self-map") && is(record, "design", "local-only") {
            record.insert("outcome".into(), "broken".into());
        }
    }),
    ("H6", |record| {
        if is(record, "attack", "mapping-flood") && record["design"] == "kernel-heap,pool=64M" {
            record.insert("successes".into(), json!(1 << 22));
        }
    }),
    ("H7", |record| {
        if is(record, "attack", "timer-flood") && is(record, "design", "user-tables") {
            record.insert("victim_ops_ratio".into(), json!(0.9));
        }
    }),
    ("H8", |record| {
        if is(record, "attack", "killed-parties") && is(record, "design", "redirector") {
            record.insert("frames_lost".into(), json!(1));
        }
    }),
    ("H9", |record| {
        if is(record, "attack", "stale-tlb") && record.contains_key("control") {
            record.insert("outcome".into(), "held".into());
        }
    }),
    ("H10", |record| {
        if record.contains_key("phi") {
            record.insert("phi".into(), json!(64));
        }
    }),
    ("H11", |record| {
        if is(record, "bench", "revoke.16.1") && is(record, "design", "kernel-quota") {
            times(record, 10);
        }
    }),
    ("H12", |record| {
        if is(record, "bench", "latency.revoke.256") && is(record, "design", "kernel-quota") {
            record.insert("max".into(), json!(5001));
        }
    }),
    ("H13", |record| {
        if is(record, "bench", "unmap.1") && record["design"] == "user-tables" {
            times(record, 2);
        }
    }),
    ("H14", |record| {
        if is(record, "bench", "revoke.1024.1") && record["design"] == "user-tables" {
            times(record, 10);
        }
    }),
    ("H15", |record| {
        if is(record, "bench", "delegate.64") && record["design"] == "user-tables" {
            times(record, 2);
        }
    }),
    ("H16", |record| {
        if is(record, "bench", "map.1024") && record["design"] == "user-tables" {
            times(record, 3);
        }
    }),
    ("H17", |record| {
        if is(record, "bench", "delegate.new.1") && is(record, "design", "kernel-heap") {
            times(record, 3);
        }
    }),
    ("H18", |record| {
        if is(record, "bench", "fault.pager") && record["design"] == "user-tables" {
            times(record, 3);
        }
    }),
    ("H19", |record| {
        if is(record, "bench", "space.delete") && is(record, "design", "root-only") {
            times(record, 2);
        }
    }),
    ("H20", |record| {
        if is(record, "bench", "ipc.inter.16") && is(record, "design", "local-only") {
            times(record, 2);
        }
    }),
    ("H21", |record| {
        if is(record, "bench", "ipc.inter.0") && is(record, "design", "redirector") {
            record.extend(["min", "median", "p99", "max"].map(|field| (field.into(), json!(300))));
        }
    }),
    ("H22", |record| {
        if is(record, "bench", "ipc.inter.62") && is(record, "design", "redirector") {
            times(record, 2);
        }
    }),
    ("H23", |record| {
        let name = record.get("bench").and_then(|name| name.as_str()).unwrap_or_default();
        if name.contains(".registers.resident.") && name != "transfer.null" {
            record.extend(["min", "median", "p99", "max"].map(|field| (field.into(), json!(1))));
        }
    }),
    ("H24", |record| {
        if is(record, "bench", "transfer.write-64.container.resident.trusting") {
            record.extend(["min", "median", "p99", "max"].map(|field| (field.into(), json!(600))));
        }
    }),
    ("H25", |record| {
        if is(record, "bench", "transfer.open-8.pull.resident.distrusting")
            && is(record, "design", "kernel-heap")
        {
            record.extend(["min", "median", "p99", "max"].map(|field| (field.into(), json!(1))));
        }
    }),
    ("H26", |record| {
        if is(record, "bench", "stall.16.two-sided") && is(record, "design", "kernel-quota") {
            times(record, 2);
        }
    }),
    ("H27", |record| {
        if is(record, "bench", "heap.unmap.child") {
            times(record, 2);
        }
    }),
    ("H28", |record| {
        if record.contains_key("bench") && record["rep"] == 1 {
            times(record, 3);
        }
    }),
];

#[test]
fn every_hypothesis_has_a_judge_and_is_confirmed_by_records_that_are_as_predicted() {
    let all = judged(&synthetic::with(|_| {}));
    assert_eq!(
        JUDGES.map(|(name, _)| name).to_vec(),
        PAGE.hypotheses.iter().map(|one| &*one.name).collect::<Vec<_>>()
    );
    for judged in &all {
        let others: Vec<&Clause> =
            judged.clauses.iter().filter(|clause| clause.verdict != Verdict::Confirmed).collect();
        assert_eq!(judged.verdict(), Verdict::Confirmed, "{}: {others:#?}", judged.hypothesis.name);
    }
}

#[test]
fn nothing_is_decided_without_records() {
    for judged in judged(&Data::of(Vec::new())) {
        assert_eq!(judged.verdict(), Verdict::Undecided, "{}: {:?}", judged.hypothesis.name, judged.clauses);
    }
}

#[test]
fn records_refute_each_hypothesis() {
    for (name, turn) in TURNS {
        assert_eq!(verdict(name, &synthetic::with(turn)), Verdict::Refuted, "{name}");
    }
}

#[test]
fn a_row_that_was_not_measured_leaves_its_hypothesis_undecided() {
    let mut records = synthetic::records();
    records.retain(|record| !is(record, "bench", "heap.map.large"));
    let all = judged(&Data::of(records));
    let straw = all.iter().find(|judged| judged.hypothesis.name == "H27").expect("it is there");
    assert_eq!(straw.verdict(), Verdict::Undecided);
    assert!(
        straw.clauses.iter().any(|clause| clause.text == "heap.map.large, of the original's: not measured")
    );
}

#[test]
fn what_is_said_of_all_attacks_waits_for_those_that_were_not_made() {
    let mut records = synthetic::records();
    records.retain(|record| !is(record, "attack", "timer-flood"));
    let data = Data::of(records);
    for name in ["H1", "H5", "H7", "H8"] {
        assert_eq!(verdict(name, &data), Verdict::Undecided, "{name}");
    }
}

#[test]
fn repetitions_that_lie_on_both_sides_of_a_limit_decide_nothing() {
    let data = synthetic::with(|record| {
        if is(record, "bench", "heap.fault") && record["rep"] == 1 {
            times(record, 2);
        }
    });
    assert_eq!(verdict("H27", &data), Verdict::Undecided);
}

#[test]
fn what_nobody_tried_is_no_outcome_and_no_success_of_a_control() {
    let untried = |what: fn(&Record) -> bool| {
        synthetic::with(|record| {
            if is(record, "attack", "timer-flood") && what(record) {
                record.insert("outcome".into(), "untried".into());
            }
        })
    };
    let design = untried(|record| is(record, "design", "user-tables") && !record.contains_key("control"));
    assert_eq!(verdict("H5", &design), Verdict::Undecided);
    // It still needs its control, which succeeds.
    assert_eq!(verdict("H9", &design), Verdict::Confirmed);
    assert_eq!(verdict("H9", &untried(|record| record.contains_key("control"))), Verdict::Refuted);
}

#[test]
fn the_victim_is_looked_at_beside_the_pool_that_the_original_had() {
    let mut records = synthetic::records();
    for record in records.iter_mut().filter(|record| record.contains_key("attack")) {
        if is(record, "design", "kernel-heap") && record["design"] != "kernel-heap,pool=4M" {
            record.insert("victim_ops_ratio".into(), json!(0.9));
        }
    }
    assert_eq!(verdict("H7", &Data::of(records)), Verdict::Refuted);
}
