//! The ways out that the mail of 2004 lists, each with a verdict.
//!
//! What must hold: every word of a verdict is chosen by the records, and what was not measured is not judged.

mod messages;
mod ways_out;

use super::data::Data;

/// What became of a way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It does what it is for.
    Works,
    /// It does, and costs something.
    Priced,
    /// It does not.
    Fails,
    /// Nobody knows.
    Unjudged,
}

impl Word {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Word::Works => "It works.",
            Word::Priced => "It works, at a price.",
            Word::Fails => "It does not work.",
            Word::Unjudged => "Not judged.",
        }
    }
}

/// A way out.
pub struct WayOut {
    /// What it is.
    pub name: &'static str,
    /// What was said of it.
    pub quote: &'static str,
    /// What became of it.
    pub word: Word,
    /// Why, in sentences.
    pub reasons: Vec<String>,
}

/// Looks at the records and says what they make of a way out.
type Judge = fn(&Data) -> (Word, Vec<String>);

/// All of them: name, what was said, who judges.
const ALL: [(&str, &str, Judge); 10] = [
    (
        "Redirectors for all tasks",
        "using redirectors for all IPC operations is too much overhead",
        ways_out::redirector_for_all,
    ),
    (
        "Redirectors for untrusted tasks",
        "just for tasks from users you don't trust … could be pretty fast",
        ways_out::redirector_for_some,
    ),
    (
        "Map items from the root only",
        "make IPC of map items a privileged action … like cutting off the whole arm",
        ways_out::root_only,
    ),
    (
        "“Any local thread” as redirector: no map items between spaces",
        "sort of a built-in redirector",
        ways_out::local_only,
    ),
    (
        "Page tables in user space",
        "the holy grail … I also don't know the performance implications",
        ways_out::user_tables,
    ),
    ("A quota (not in the mail; what others do)", "–", ways_out::quota),
    (
        "String items, the client's memory wired",
        "you only need to wire down the memory areas involved … That's fast",
        messages::wired,
    ),
    (
        "String items, touched and tried again",
        "touch the pages before sending the message … you just do it again",
        messages::touched,
    ),
    ("Containers", "using containers is very expensive", messages::containers),
    (
        "A third task that holds a container with the server",
        "mutual trust with the server … this approach corrupts our self-paged model",
        messages::third_task,
    ),
];

/// Judges all.
pub fn judged(data: &Data) -> Vec<WayOut> {
    let judge = |(name, quote, judge): (&'static str, &'static str, Judge)| {
        let (word, reasons) = judge(data);
        WayOut { name, quote, word, reasons }
    };
    ALL.into_iter().map(judge).collect()
}

#[cfg(test)]
mod tests {
    use freehold_abi::designs::Design;
    use serde_json::json;

    use super::*;
    use crate::experiment::{synthetic, tables};
    use crate::records::Record;

    fn word(name: &str, data: &Data) -> Word {
        judged(data).iter().find(|option| option.name.starts_with(name)).expect(name).word
    }

    fn is(record: &Record, field: &str, text: &str) -> bool {
        record.get(field).and_then(|value| value.as_str()).is_some_and(|value| value.starts_with(text))
    }

    fn broken_under(design: &'static str) -> impl Fn(&mut Record) {
        move |record| {
            if is(record, "attack", "mapping-flood") && is(record, "design", design) {
                record.insert("outcome".into(), "broken".into());
            }
        }
    }

    fn held_under(design: &'static str) -> impl Fn(&mut Record) {
        move |record| {
            if record.contains_key("attack") && is(record, "design", design) {
                record.insert("outcome".into(), "held".into());
                record.insert("victim_ops_ratio".into(), json!(1));
            }
        }
    }

    #[test]
    fn nothing_is_judged_without_records() {
        for option in judged(&Data::of(Vec::new())) {
            assert_eq!(option.word, Word::Unjudged, "{}", option.name);
            assert!(!option.reasons.is_empty());
        }
    }

    #[test]
    fn outcomes_turn_every_way_out() {
        for (name, design) in [
            ("Redirectors for all", "redirector"),
            ("Redirectors for untrusted", "redirector"),
            ("Map items from the root", "root-only"),
            ("“Any local thread”", "local-only"),
            ("Page tables", "user-tables"),
            ("A quota", "kernel-quota"),
        ] {
            assert_eq!(word(name, &synthetic::with(broken_under(design))), Word::Fails, "{name}");
            let held = word(name, &synthetic::with(held_under(design)));
            assert!(matches!(held, Word::Works | Word::Priced), "{name}: {held:?}");
        }
    }

    #[test]
    fn a_way_out_against_which_an_attack_was_not_made_is_not_judged_unless_another_broke_it() {
        let without = |change: fn(&mut Record)| {
            let mut records = synthetic::records();
            records.retain(|record| !is(record, "attack", "page-table-bomb"));
            records.iter_mut().for_each(change);
            word("Page tables", &Data::of(records))
        };
        assert_eq!(without(|_| {}), Word::Unjudged);
        assert_eq!(without(|record| broken_under("user-tables")(record)), Word::Fails);
        let untried = synthetic::with(|record| {
            if is(record, "attack", "page-table-bomb") && is(record, "design", "user-tables") {
                record.insert("outcome".into(), "untried".into());
            }
        });
        assert_eq!(word("Page tables", &untried), Word::Unjudged);
    }

    #[test]
    fn a_redirector_that_costs_nothing_has_no_price() {
        let name = "Redirectors for all";
        assert_eq!(word(name, &synthetic::with(held_under("redirector"))), Word::Priced);
        let free = synthetic::with(|record| {
            held_under("redirector")(record);
            if is(record, "bench", "ipc.inter.") {
                record.extend(["min", "median", "p99", "max"].map(|field| (field.into(), json!(170))));
            }
        });
        assert_eq!(word(name, &free), Word::Works);
    }

    fn is_request(record: &Record) -> bool {
        is(record, "bench", "transfer")
    }

    /// What is said about moving buffers.
    fn about_buffers(data: &Data) -> Vec<(Word, Vec<String>)> {
        let ways = ["String items, the", "String items, touched", "Containers", "A third task"];
        let all =
            judged(data).into_iter().filter(|option| ways.iter().any(|way| option.name.starts_with(way)));
        all.map(|option| (option.word, option.reasons)).collect()
    }

    #[test]
    fn requests_under_another_design_change_nothing_of_the_main_one() {
        let main = Design::UserTables.name();
        let usual = synthetic::with(|_| {});
        let others = synthetic::with(|record| {
            if is_request(record) && record["design"] != main && record.contains_key("median") {
                record.extend(["min", "median", "p99", "max"].map(|field| (field.into(), json!(7))));
            }
        });
        assert_eq!(usual.transfers(main), others.transfers(main));
        assert_ne!(usual.transfers("redirector"), others.transfers("redirector"));
        assert_eq!(about_buffers(&usual), about_buffers(&others));
        let column = |data: &Data| -> Vec<String> {
            let ways = tables::all(data).into_iter().find(|table| table.name == "ways").expect("the table");
            let head = format!("{main}, distrusting");
            let at = ways.heads.iter().position(|name| *name == head).expect("the main design's column");
            ways.rows.iter().map(|row| row[at].clone()).collect()
        };
        assert_eq!(column(&usual), column(&others));
    }

    #[test]
    fn where_the_main_design_has_no_requests_another_ones_are_judged_and_named() {
        let mut records = synthetic::records();
        records.retain(|record| !is_request(record) || record["design"] == "redirector");
        let of_another = about_buffers(&Data::of(records.clone()));
        records.retain(|record| !is_request(record));
        assert!(about_buffers(&Data::of(records)).iter().all(|(word, _)| *word == Word::Unjudged));
        for ((word, reasons), (usual, _)) in of_another.iter().zip(about_buffers(&synthetic::with(|_| {}))) {
            assert_eq!(*word, usual);
            assert!(reasons.iter().any(|reason| reason.contains("(Under redirector.)")), "{reasons:?}");
        }
    }

    #[test]
    fn figures_turn_the_ways_to_move_a_buffer() {
        let usual = synthetic::with(|_| {});
        let costs = |way: &'static str, cost: u64| {
            move |record: &mut Record| {
                let name = record.get("bench").and_then(|name| name.as_str()).unwrap_or_default();
                if name.contains(way) && record.contains_key("median") {
                    record.extend(["min", "median", "p99", "max"].map(|field| (field.into(), json!(cost))));
                }
            }
        };
        for (name, way, cost) in [
            ("String items, the", ".wired.", 1),
            ("A third task", ".service.", 1 << 40),
            ("Containers", ".container.", 1),
        ] {
            assert_ne!(word(name, &usual), word(name, &synthetic::with(costs(way, cost))), "{name}");
        }
        // Touching is never enough, and no reply goes on after it has stopped.
        let retried = synthetic::with(|record| {
            let name = record.get("bench").and_then(|name| name.as_str()).unwrap_or_default();
            let retries = if name.contains(".touched.") { 3 } else { 0 };
            if record.contains_key("retries") {
                record.insert("retries".into(), json!(retries));
            }
        });
        assert_ne!(word("String items, touched", &usual), word("String items, touched", &retried));
    }
}
