//! The questions: hypotheses with their verdicts, the mail's ways out, its sentences.

use crate::bench::transfer::verdicts;
use crate::experiment::data::{Attack, Data, Outcome};
use crate::experiment::derived::least_ratio;
use crate::experiment::figures::Figure;
use crate::experiment::hypotheses::page::PAGE;
use crate::experiment::hypotheses::{Judged, Verdict, judged};
use crate::experiment::number::{bytes, listed, number};
use crate::experiment::options;
use crate::experiment::tables::Table;

use super::{picture, shown};

/// What belongs to a hypothesis: figures, then tables, by name.
const BESIDE: [(&str, &[&str], &[&str]); 10] = [
    ("H2", &["kernel-memory"], &[]),
    ("H4", &["bytes-per-mapping"], &["memory"]),
    ("H5", &["matrix"], &["matrix"]),
    ("H7", &["victim-throughput"], &[]),
    ("H10", &["revoke-time"], &[]),
    ("H12", &["interrupt-latency"], &["latency"]),
    ("H15", &["batches"], &["batches"]),
    ("H20", &[], &["calls", "events"]),
    ("H26", &["stalling-clients"], &["stalls"]),
    ("H27", &[], &["straw-man"]),
];

/// The hypothesis behind which is told how the designs broke.
const MATRIX: &str = "H5";

/// What came of all hypotheses.
pub fn summary(data: &Data) -> String {
    let all = judged(data);
    let of = |verdict: Verdict| -> Vec<&str> {
        let some = all.iter().filter(|judged| judged.verdict() == verdict);
        some.map(|judged| judged.hypothesis.name.as_str()).collect()
    };
    let line = |verdict: Verdict| {
        let names = of(verdict);
        format!("- {}: {} ({})\n", verdict.word(), names.len(), listed(&names))
    };
    let words = options::judged(data);
    let options: String =
        words.iter().map(|option| format!("- {}: {}\n", option.name, option.word.text())).collect();
    format!(
        "## Summary\n\nOf {} hypotheses are\n\n{}{}{}\nOf the ways out that the mail of 2004 lists:\n\n{options}\n{}",
        all.len(),
        line(Verdict::Confirmed),
        line(Verdict::Refuted),
        line(Verdict::Undecided),
        exhaustion(data)
    )
}

/// What the baseline does where its original hangs.
fn exhaustion(data: &Data) -> String {
    let limits = PAGE.get("H6").map(|one| &one.limits);
    let original =
        |name: &str| limits.and_then(|limits| limits.get(name)).map_or("?".into(), |limit| number(*limit));
    let pool =
        limits.and_then(|limits| limits.get("original.pool")).map_or("?".into(), |pool| bytes(*pool as u64));
    let of = |name: &'static str| {
        let broken = |one: &&Attack| one.outcome == Outcome::Broken;
        let all = data.attacks_on("kernel-heap", name);
        all.filter(broken).min_by_key(|one| one.attackers)
    };
    let here: Vec<String> = ["mapping-flood", "page-table-bomb"]
        .iter()
        .filter_map(|name| {
            let one = of(name)?;
            let got = one.successes.map_or("not said".into(), number);
            let taken = one.kernel_bytes.map_or("not said".into(), number);
            let detail = one.detail.trim_end_matches('.');
            Some(format!("{name}: successes {got}, bytes of the kernel's memory {taken} ({detail})"))
        })
        .collect();
    let here = match here.is_empty() {
        true => "In these records no attack exhausts kernel-heap.".to_string(),
        false => format!("Here: {}.", here.join("; ")),
    };
    format!(
        "**The baseline reports exhaustion where the original hangs.** L4Ka::Pistachio with {pool} of kernel memory stops, \
         in the kernel and with interrupts off, after {} messages and {} mappings that lie 4 MiB apart, or after {} dense \
         ones. kernel-heap, which spends as much, refuses instead, so that the run can go on and be measured. It is kinder than \
         what it stands for in two further respects: a derivation that is too deep is refused, where the original's depth \
         wraps, and images, stacks, UTCBs, threads and spaces stand on memory that was given for them, so that the pool \
         pays for less. {here}\n",
        original("original.messages"),
        original("original.sparse"),
        original("original.dense"),
    )
}

/// A chapter for each question.
pub fn hypotheses(data: &Data, figures: &[Figure], tables: &[Table]) -> String {
    let mut text = String::new();
    let mut chapter = "";
    for judged in judged(data) {
        let hypothesis = judged.hypothesis;
        if chapter != hypothesis.chapter {
            chapter = &hypothesis.chapter;
            text += &format!("## {chapter}\n\n");
        }
        text += &told(&judged);
        if let Some((_, pictures, beside)) = BESIDE.iter().find(|(name, ..)| *name == hypothesis.name) {
            text.extend(pictures.iter().map(|name| picture(figures, name)));
            text.extend(beside.iter().map(|name| shown(tables, name)));
        }
        if hypothesis.name == MATRIX {
            text += &how(data);
        }
    }
    for figure in figures.iter().filter(|figure| figure.name.starts_with("rpc")) {
        text += &picture(figures, &figure.name);
    }
    text += &shown(tables, "ways");
    text
}

fn told(judged: &Judged) -> String {
    let hypothesis = judged.hypothesis;
    let mut clauses: Vec<_> = judged.clauses.iter().collect();
    // What is not as predicted first.
    clauses.sort_by_key(|clause| match clause.verdict {
        Verdict::Refuted => 0,
        Verdict::Undecided => 1,
        Verdict::Confirmed => 2,
    });
    let clauses: String =
        clauses.iter().map(|clause| format!("- {}: {}\n", clause.verdict.word(), clause.text)).collect();
    format!(
        "### {}. {}: {}\n\n> {}\n\n{clauses}\n",
        hypothesis.name,
        hypothesis.title,
        judged.verdict().word(),
        hypothesis.prediction
    )
}

/// In what way each attack succeeded that did, and which could not be tried.
fn how(data: &Data) -> String {
    let (mut lines, mut impossible) = (String::new(), Vec::new());
    for attack in data.attack_names() {
        for subject in &data.subjects {
            let Some(outcome) = data.worst(subject, attack) else { continue };
            if outcome == Outcome::Impossible {
                impossible.push(format!("{attack} under {subject}"));
            }
            if outcome.stood() {
                continue;
            }
            let all = || data.attacks_on(subject, attack).filter(|one| one.outcome == outcome);
            let Some(first) = all().min_by_key(|one| one.attackers) else { continue };
            let work = match least_ratio(all()) {
                Some((_, ratio)) => format!("; the victim gets {} of its work done", number(ratio)),
                None => String::new(),
            };
            let taken = match first.kernel_bytes {
                Some(bytes) if bytes > 0.0 => format!("; bytes of the kernel's memory: {}", number(bytes)),
                _ => String::new(),
            };
            lines += &format!(
                "- {attack} under {subject}: {} from {} {} on: {}{work}{taken}\n",
                outcome.name(),
                first.attackers,
                if first.attackers == 1 { "attacker" } else { "attackers" },
                first.detail.trim_end_matches('.')
            );
        }
    }
    let lines = if lines.is_empty() { "No attack that was made succeeded.\n".into() } else { lines };
    let impossible = match impossible.is_empty() {
        true => String::new(),
        false => format!("\nCould not be tried: {}.\n", listed(&impossible)),
    };
    format!("**How.**\n\n{lines}{impossible}\n")
}

/// The mail's ways out.
pub fn options(data: &Data) -> String {
    let mut text = "## The ways out that the mail lists\n\n".to_string();
    for option in options::judged(data) {
        let quote =
            if option.quote == "–" { String::new() } else { format!("> “{}”\n\n", option.quote) };
        let reasons: String = option.reasons.iter().map(|reason| format!("- {reason}\n")).collect();
        text += &format!("### {}\n\n{quote}**{}**\n\n{reasons}\n", option.name, option.word.text());
    }
    text
}

/// The mail's sentences about messages, for each for whom requests were measured.
pub fn messages(data: &Data) -> String {
    let mut text = "## The mail's sentences about moving buffers\n\n".to_string();
    let measured: Vec<_> =
        data.subjects.iter().filter_map(|subject| Some((subject, data.transfers(subject)?))).collect();
    if measured.is_empty() {
        text += "Requests were not measured.\n";
    }
    for (subject, results) in measured {
        text += &format!("### {subject}\n\n");
        for name in verdicts::names() {
            let told = verdicts::verdict(name, results).unwrap_or_default();
            text += &format!("- *{name}*: {told}\n");
        }
        text.push('\n');
    }
    text
}
