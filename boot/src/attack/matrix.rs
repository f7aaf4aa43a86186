//! What was found, as people read it: a matrix of attacks and designs, and below it how each was broken.
//!
//! What must hold: no line has more than `WIDTH` characters; a cell shows the worst over all numbers of attackers.

use std::fmt::Write;

use super::controls::ControlOutcome;
use super::row::{Row, Verdict};
use crate::design::Variant;

/// Characters in a line, at most.
const WIDTH: usize = 100;
/// Characters of a design's column.
const COLUMN: usize = 11;

/// What became of one boot.
#[derive(Debug)]
pub struct Found {
    /// A program of `freehold-attacks`.
    pub attack: String,
    /// On which kernel.
    pub variant: Variant,
    /// A row for each number of attackers, or why there is none.
    pub rows: Result<Vec<Row>, String>,
}

impl Found {
    /// The worst row.
    fn worst(&self) -> Option<&Row> {
        self.rows.as_ref().ok()?.iter().max_by_key(|row| row.badness())
    }

    /// Whether it held, or could not even be tried, with any number of attackers.
    pub fn held(&self) -> bool {
        self.worst().is_some_and(|row| row.outcome <= Verdict::Held)
    }
}

/// The matrix, a line of sums for each design, and the details.
pub fn shown(found: &[Found]) -> String {
    let mut attacks: Vec<&str> = found.iter().map(|found| found.attack.as_str()).collect();
    attacks.sort_unstable();
    attacks.dedup();
    let mut variants: Vec<&Variant> = Vec::new();
    for of in found {
        if !variants.contains(&&of.variant) {
            variants.push(&of.variant);
        }
    }
    let names = attacks.iter().map(|attack| attack.len()).max().unwrap_or(0) + 1;
    let mut text = heads(&variants, names);
    let mut details = String::new();
    let mut notes = 0;
    for attack in &attacks {
        let mut line = format!("{attack:<names$}");
        for variant in &variants {
            let of = found.iter().find(|found| found.attack == *attack && found.variant == **variant);
            let cell = of.map_or(String::new(), |of| {
                let note =
                    (!matches!(of.worst(), Some(row) if !matches!(row.outcome, Verdict::Untried | Verdict::Broken)))
                        .then_some(notes + 1);
                notes = note.unwrap_or(notes);
                details += &detail(of, note);
                cell(of, note)
            });
            let _ = write!(line, "{cell:<COLUMN$}");
        }
        text += &format!("{}\n", line.trim_end());
    }
    text +=
        "\nheld: nobody but the attackers noticed; degr. 0.62: the victim got 0.62 of what it gets alone.\n";
    text += "held -: there is no way to try it; untried: nobody did, so nothing is known.\n";
    text += "Shown is the worst over all numbers of attackers; what was not held is told below, for each number.\n\n";
    for variant in &variants {
        text += &sums(found, variant);
    }
    if !details.is_empty() {
        text += &format!("\n{details}");
    }
    text
}

/// What the controls came to: of each the defence that it lacks, and what became of the attack.
pub fn controls(outcomes: &[ControlOutcome]) -> String {
    let shown = |outcome: &ControlOutcome| {
        let succeeded = if outcome.succeeded { "succeeds" } else { "DOES NOT SUCCEED" };
        let control = &outcome.control;
        format!("{} {succeeded} ({} under {})\n", control.name, control.attack, control.variant)
            + &wrapped(&control.takes_out, "    without: ", 13)
            + &wrapped(&outcome.row.detail, &format!("    {}: ", outcome.row), 13)
    };
    outcomes.iter().map(shown).collect()
}

/// The designs' names, in lines, each ending at a hyphen or comma.
fn heads(variants: &[&Variant], names: usize) -> String {
    let parts = |variant: &Variant| -> Vec<String> {
        let name =
            if *variant == Variant::of(variant.design) { variant.name().into() } else { variant.to_string() };
        name.split_inclusive(['-', ',']).map(String::from).collect()
    };
    let columns: Vec<Vec<String>> = variants.iter().map(|variant| parts(variant)).collect();
    let lines = columns.iter().map(Vec::len).max().unwrap_or(0);
    let line = |at: usize| {
        let parts = columns.iter().map(|parts| parts.get(at).map_or("", String::as_str));
        let line: String = parts.map(|part| format!("{part:<COLUMN$}")).collect();
        format!("{:names$}{line}", "").trim_end().to_string() + "\n"
    };
    (0..lines).map(line).collect()
}

fn cell(found: &Found, note: Option<usize>) -> String {
    let note = note.map_or(String::new(), |note| format!(" [{note}]"));
    let Some(worst) = found.worst() else { return format!("?{note}") };
    match (worst.outcome, worst.victim_ops_ratio) {
        (Verdict::Impossible, _) => "held -".into(),
        (Verdict::Held, _) => "held".into(),
        (Verdict::Untried, _) => format!("untried{note}"),
        (Verdict::Degraded, Some(ratio)) => format!("degr. {ratio:.2}"),
        (Verdict::Degraded, None) => "degraded".into(),
        (Verdict::Broken, _) => format!("broken{note}"),
    }
}

/// What there is to say about a boot, under its number if it has one; nothing if it held.
fn detail(found: &Found, note: Option<usize>) -> String {
    let note = note.map_or(String::new(), |note| format!("[{note}] "));
    let mut text = format!("{note}{} under {}\n", found.attack, found.variant);
    match &found.rows {
        Err(why) => text += &wrapped(why, "    no outcome: ", 16),
        Ok(_) if found.held() => text.clear(),
        Ok(rows) => {
            for row in rows {
                let first = format!("    {:>3}  {:<14}  ", row.attackers, row.to_string());
                text += &wrapped(&row.detail, &first, first.len());
            }
        }
    }
    text
}

/// How often a design came out how.
fn sums(found: &[Found], variant: &Variant) -> String {
    let own = found.iter().filter(|found| found.variant == *variant);
    let worst: Vec<Option<Verdict>> = own.map(|found| found.worst().map(|row| row.outcome)).collect();
    let count = |verdict| worst.iter().filter(|worst| **worst == Some(verdict)).count();
    let none = worst.iter().filter(|worst| worst.is_none()).count();
    let none = if none == 0 { String::new() } else { format!(", {none} without an outcome") };
    let [impossible, held, degraded, broken] =
        [Verdict::Impossible, Verdict::Held, Verdict::Degraded, Verdict::Broken].map(count);
    let held = held + impossible;
    let untried = match count(Verdict::Untried) {
        0 => String::new(),
        untried => format!(", {untried} untried"),
    };
    format!("{:<24} {held} held, {degraded} degraded, {broken} broken{untried}{none}\n", variant.to_string())
}

/// `text` behind `first`, in lines of which all others begin with `indent` blanks.
fn wrapped(text: &str, first: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut line = first.to_string();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines += &format!("{line}\n");
            line = " ".repeat(indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line += word;
        empty = false;
    }
    lines + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Record;

    fn row(attackers: u32, outcome: Verdict, ratio: f64) -> Row {
        Row {
            attack: "derive-during-revoke".into(),
            design: "kernel-heap".into(),
            attackers,
            outcome,
            detail: "the pool of the kernel is empty after so and so many mappings of one page ".repeat(3),
            victim_ops: Some(1),
            victim_ops_alone: Some(1),
            victim_ops_ratio: Some(ratio),
            further: Record::new(),
        }
    }

    /// Every design at once, with the longest names there are.
    fn found() -> Vec<Found> {
        let rows = |which: usize| match which {
            0 => Ok(vec![row(1, Verdict::Held, 1.0), row(4, Verdict::Held, 0.99)]),
            1 => Ok(vec![
                row(1, Verdict::Degraded, 0.8),
                row(4, Verdict::Degraded, 0.617),
                row(16, Verdict::Held, 1.0),
            ]),
            2 => Ok(vec![row(1, Verdict::Held, 1.0), row(16, Verdict::Broken, 0.2)]),
            _ => Err("QEMU ended with status 1".into()),
        };
        let attacks = ["derive-during-revoke", "transit-stall-receiver"];
        let all =
            attacks.into_iter().flat_map(|attack| Variant::all().into_iter().map(move |of| (attack, of)));
        let found = |(at, (attack, variant)): (usize, (&str, Variant))| Found {
            attack: attack.into(),
            variant,
            rows: rows(at % 4),
        };
        all.enumerate().map(found).collect()
    }

    #[test]
    fn all_designs_fit_into_a_line() {
        let text = shown(&found());
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{} characters: {line}", line.chars().count());
            assert_eq!(line, line.trim_end());
        }
    }

    #[test]
    fn a_cell_shows_the_worst_and_leads_to_its_details() {
        let text = shown(&found());
        let line = text.lines().find(|line| line.starts_with("derive")).expect("its line");
        let columns = line.as_bytes()[23..].chunks(COLUMN);
        let cells: Vec<&str> = columns.map(|cell| str::from_utf8(cell).expect("ASCII").trim()).collect();
        assert_eq!(cells, ["held", "degr. 0.62", "broken [1]", "? [2]", "held", "degr. 0.62", "broken [3]"]);
        assert!(
            text.contains("[1] derive-during-revoke under kernel-heap,pool=16M\n      1  held 1.00"),
            "{text}"
        );
        assert!(text.contains("\n     16  broken 0.20"), "{text}");
        assert!(text.contains("    no outcome: QEMU ended with status 1\n"));
        assert!(text.contains("kernel-heap,pool=16M     0 held, 1 degraded, 1 broken\n"), "{text}");
        assert!(
            text.contains("kernel-quota,pool=16M    0 held, 0 degraded, 1 broken, 1 without an outcome\n"),
            "{text}"
        );
    }

    #[test]
    fn only_what_held_with_every_number_of_attackers_held() {
        let held: Vec<bool> = found().iter().take(4).map(Found::held).collect();
        assert_eq!(held, [true, false, false, false]);
    }
}
