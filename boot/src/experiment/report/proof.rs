//! The report of invented records.

use serde_json::json;

use super::*;
use crate::experiment::synthetic;
use crate::records::Record;

fn report(data: &Data) -> String {
    let (figures, empty) = figures::all(data);
    text(data, &figures, &empty, &tables::all(data))
}

fn is(record: &Record, field: &str, text: &str) -> bool {
    record.get(field).and_then(|value| value.as_str()).is_some_and(|value| value.starts_with(text))
}

#[test]
fn a_directory_with_records_gets_all_files_and_the_same_again() {
    let dir = tempfile::tempdir().expect("a directory");
    assert!(write(dir.path()).expect_err("no records").to_string().contains(data::FILE));
    fs::write(dir.path().join(data::FILE), synthetic::text(&synthetic::records())).expect("written");
    write(dir.path()).expect("a report");
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).expect(name);
    let first = [read(FILE), read("records.csv"), read("tables/main.tex"), read("figures/matrix.svg")];
    for name in
        ["figures/matrix.csv", "figures/kernel-memory.svg", "figures/revoke-time.csv", "tables/calls.tex"]
    {
        assert!(!read(name).is_empty());
    }
    write(dir.path()).expect("a report");
    assert_eq!(first, [read(FILE), read("records.csv"), read("tables/main.tex"), read("figures/matrix.svg")]);
    for (line, text) in (1..).zip(first[0].lines()) {
        if let Some((_, path)) = text.split_once("](").filter(|_| text.starts_with("![")) {
            assert!(dir.path().join(path.trim_end_matches(')')).exists(), "line {line}: {text}");
        }
    }
    fs::write(dir.path().join(data::FILE), "{\"a\":1}\nnoise\n").expect("written");
    assert!(write(dir.path()).expect_err("noise").to_string().contains("line 2"));
}

#[test]
fn the_report_says_on_what_it_stands() {
    let text = report(&synthetic::with(|_| {}));
    for part in [
        "commit: 0123456789ab",
        "emulator (QEMU): 0.0",
        "seed: 7",
        "repetitions: 2; boots: 2",
        "4 MiB, 16 MiB and 64 MiB",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let several = report(&synthetic::with(|record| {
        if record["rep"] == 1 {
            record.insert("commit".into(), "other".into());
        }
    }));
    assert!(several.contains("commit: **several**, 0123456789ab and other"));
    assert!(!text.contains("NaN") && !text.contains("inf "));
}

/// What a change of the records makes of sentences: the sentence before, and after.
#[test]
fn sentences_turn_with_the_records() {
    type Turn = fn(&mut Record);
    let turns: [(Turn, &str, &str); 11] = [
        (
            |record| {
                if is(record, "attack", "oversized-batch") && is(record, "design", "kernel-heap") {
                    record.insert("outcome".into(), "impossible".into());
                }
            },
            "- oversized-batch under kernel-heap: broken from 1 attacker on: oversized-batch by 1; the victim gets 0.025 of",
            "Could not be tried: oversized-batch under kernel-heap.",
        ),
        (
            |record| {
                if is(record, "bench", "revoke.16.63") && record.contains_key("phi") {
                    record.insert("phi".into(), json!(2016));
                }
            },
            "Φ was never more than what a revoke took off.",
            "at a fan-out of 16 and a depth of 63 it was 2 times the number of descendants",
        ),
        (
            |record| {
                if is(record, "bench", "heap.fault") {
                    record.extend(["min", "median", "p99", "max"].map(|field| (field.into(), json!(9999))));
                }
            },
            "whether kernel-heap is as good as its original is H27: confirmed.",
            "whether kernel-heap is as good as its original is H27: refuted.",
        ),
        (
            |record| {
                record.remove("control");
            },
            "Runs of controls among these records:",
            "No control is among these records",
        ),
        (
            |record| {
                record.insert("rep".into(), json!(0));
            },
            "Repetitions: 2.",
            "There is one repetition",
        ),
        (
            |record| {
                if is(record, "attack", "mapping-flood") || is(record, "attack", "page-table-bomb") {
                    record.insert("outcome".into(), "held".into());
                }
            },
            "Here: mapping-flood: successes 16,777,216",
            "In these records no attack exhausts kernel-heap.",
        ),
        (
            |record| {
                if is(record, "attack", "stale-tlb") && record["design"] == "user-tables" {
                    record.insert("outcome".into(), "broken".into());
                }
            },
            "Attacks that user-tables did not withstand: none.",
            "Attacks that user-tables did not withstand: stale-tlb.",
        ),
        (
            |record| {
                if is(record, "attack", "mapping-flood") && is(record, "design", "root-only") {
                    record.insert("outcome".into(), "degraded".into());
                }
            },
            "It does not withstand page-table-bomb (broken: page-table-bomb by 1).",
            "It does not withstand mapping-flood (degraded: mapping-flood by 1) and page-table-bomb",
        ),
        (
            |record| {
                if is(record, "bench", "ipc.inter.0") && is(record, "design", "redirector") {
                    record.extend(["min", "median", "p99", "max"].map(|field| (field.into(), json!(340))));
                }
            },
            "An empty round trip (ipc.inter.0) costs 1,170 instructions, 6.88 times the 170 under kernel-heap.",
            "An empty round trip (ipc.inter.0) costs 340 instructions, 2 times the 170 under kernel-heap.",
        ),
        (
            |record| {
                if is(record, "bench", "delegate.64") && record["design"] == "user-tables" {
                    record.extend(["min", "median", "p99", "max"].map(|field| (field.into(), json!(99_999))));
                }
            },
            "### H15. A page reaches its receiver with fewer instructions under user-tables: confirmed",
            "- `delegate.64`: 99,999 instructions, ",
        ),
        (
            |record| {
                if is(record, "bench", "call.null") && record["rep"] == 1 {
                    record.extend(["median", "p99", "max"].map(|field| (field.into(), json!(30))));
                }
            },
            "| call.null | 28 (=) |",
            "| call.null | 29 [28, 30] |",
        ),
    ];
    let usual = report(&synthetic::with(|_| {}));
    for (turn, before, after) in turns {
        let turned = report(&synthetic::with(turn));
        assert!(usual.contains(before) && !usual.contains(after), "{before} / {after}");
        assert!(turned.contains(after) && !turned.contains(before), "{after}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let mut records = synthetic::records();
    records.retain(|record| !is(record, "design", "root-only") && !is(record, "bench", "revoke."));
    records.retain(|record| !is(record, "attack", "timer-flood"));
    let text = report(&Data::of(records));
    let missing = text.split("## Not measured").nth(1).expect("the chapter");
    for line in
        ["- root-only: nothing at all\n", "- user-tables, attacks: timer-flood\n", "- figure revoke-time: "]
    {
        assert!(missing.contains(line), "{line}: {missing}");
    }
    assert!(text.contains("*No figure revoke-time: nothing was measured for it.*"));
}

#[test]
fn nothing_at_all_gives_a_report_that_says_so() {
    let text = report(&Data::of(Vec::new()));
    assert!(text.contains("- confirmed: 0 (none)\n- refuted: 0 (none)\n"));
    assert!(text.contains("commit: not said"));
    for design in freehold_abi::designs::Design::ALL {
        assert!(text.contains(&format!("- {}: nothing at all\n", design.name())));
    }
}
