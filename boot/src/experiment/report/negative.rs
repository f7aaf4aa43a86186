//! What speaks against it: where the main design is dearer, what may be wrong with the comparison, what is missing.

use freehold_abi::designs::Design;

use crate::experiment::data::{Data, Outcome};
use crate::experiment::derived::revokes;
use crate::experiment::hypotheses::page::PAGE;
use crate::experiment::hypotheses::{Verdict, judged};
use crate::experiment::number::{listed, number, percent};

/// What is dearer by less than this part is not told.
const DEARER: f64 = 0.01;
/// Rows of one comparison that are told, at most; the others are counted.
const TOLD: usize = 40;

/// Where the main design loses.
pub fn negative(data: &Data) -> String {
    let main = Design::UserTables.name();
    let mut lost: Vec<(f64, String)> = Vec::new();
    let (mut compared, mut cheaper, mut equal) = (0u32, 0u32, 0u32);
    for (name, row) in data.rows(main) {
        let Some(here) = row.each() else { continue };
        let others = Design::ALL.iter().map(|design| design.name()).filter(|design| *design != main);
        let others: Vec<(&str, f64)> = others
            .filter_map(|design| Some((design, data.row(design, name)?.each()?.median)))
            .filter(|(_, cost)| *cost > 0.0)
            .collect();
        let Some((design, least)) = others.iter().min_by(|one, other| one.1.total_cmp(&other.1)) else {
            continue;
        };
        compared += 1;
        let ratio = here.median / least;
        cheaper += u32::from(ratio < 1.0);
        equal += u32::from(ratio == 1.0);
        if ratio > 1.0 + DEARER {
            let told = format!(
                "- `{name}`: {} {}, {} times the {} under {design}\n",
                number(here.median),
                row.unit(),
                number(ratio),
                number(*least)
            );
            lost.push((ratio, told));
        }
    }
    lost.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    let more = lost.len().saturating_sub(TOLD);
    let more = if more > 0 { format!("- and {more} further rows, in records.csv\n") } else { String::new() };
    let lines: String = lost.iter().take(TOLD).map(|(_, told)| told.as_str()).collect();
    let refuted: Vec<String> = judged(data)
        .iter()
        .filter(|judged| judged.verdict() == Verdict::Refuted)
        .map(|judged| format!("{} ({})", judged.hypothesis.name, judged.hypothesis.title))
        .collect();
    let fell: Vec<&str> = data
        .attack_names()
        .into_iter()
        .filter(|name| data.worst(main, name).is_some_and(Outcome::succeeded))
        .collect();
    let rows = match (compared, lost.len()) {
        (0, _) => "No row was measured under user-tables and another design.\n".to_string(),
        (_, 0) => format!(
            "Of {compared} rows that user-tables shares with another design none is dearer by more than {} than the \
             cheapest of them.\n",
            percent(DEARER)
        ),
        (_, count) => format!(
            "Of {compared} rows that user-tables shares with other designs it is the cheapest in {cheaper}, as cheap as the \
             cheapest other in {equal} (user-tables,credits=off is another), and dearer by more than {} than that in \
             {count}. Of rows of several pages or descendants these are the figures for each:\n\n{lines}{more}",
            percent(DEARER)
        ),
    };
    let loose = loose(data);
    format!(
        "## Negative results\n\n{rows}\n{loose}Attacks that user-tables did not withstand: {}. Hypotheses that were refuted: {}.\n",
        listed(&fell),
        listed(&refuted)
    )
}

/// How far above what a revoke took off its bound was.
fn loose(data: &Data) -> String {
    let all = revokes(data, Design::UserTables.name());
    let ratios = all.iter().filter_map(|one| Some((one, one.phi? / one.descendants.max(1.0))));
    match ratios.max_by(|one, other| one.1.total_cmp(&other.1)) {
        None => String::new(),
        Some((_, ratio)) if ratio <= 1.0 => "Φ was never more than what a revoke took off.\n\n".into(),
        Some((one, ratio)) => format!(
            "Φ is a bound, not an estimate: at a fan-out of {} and a depth of {} it was {} times the number of descendants, \
             though each deriver allowed no more than the next one needed.\n\n",
            number(one.fanout as f64),
            number(one.depth as f64),
            number(ratio)
        ),
    }
}

/// What may be wrong.
pub fn threats(data: &Data) -> String {
    let straw = judged(data).into_iter().find(|judged| judged.hypothesis.name == "H27");
    let straw = straw.map_or("undecided", |judged| judged.verdict().word());
    let controls = match data.controls.len() {
        0 => "No control is among these records: an attack that every design survives shows nothing yet."
            .to_string(),
        count => format!("Runs of controls among these records: {count}."),
    };
    let repetitions = match data.setup.repetitions.len() {
        0 | 1 => "There is one repetition: nothing is known about what varies.".to_string(),
        count => format!("Repetitions: {count}."),
    };
    format!(
        "## Threats to validity\n\n\
         - **Instructions are not time.** Each counts one, a load of CR3 and the misses behind it no more than that; caches \
           and the translation buffer do not exist in the figures. They flatter whoever switches spaces often.\n\
         - **One processor, one architecture, an emulator.** Nothing here is about several processors.\n\
         - **The baselines are ours.** They stand on the same kernel as the main design, share its messages and objects, and \
           differ in who pays for mappings; whether kernel-heap is as good as its original is H27: {straw}. Quota, \
           redirector, local-only and root-only have no original that could be measured beside them.\n\
         - **What is frequent under user-tables was written in assembly** (Update and Unmap of one page, besides messages and \
           faults, which all designs share); map items and their Unmap are compiled code under every design, as in the \
           original. So a part of the distance in single pages (`map.1`, `unmap.1`, `fault.pager`) is how it was written, not \
           what it does; with several pages there is no such difference.\n\
         - **`first-service` is mostly the clearing of memory at boot.** What is kept for a pool is not cleared then, but table \
           by table: the designs with one look quicker by that, and by nothing else.\n\
         - **The attacks are ours, too.** An attack that fails may be a bad attack. {controls}\n\
         - **Some predictions were easy.** The figures of user-tables were known when they were made \
           (docs/hypotheses.md says which).\n\
         - **Repetitions** differ by the seed's layout and order only. {repetitions}\n\
         - **The workloads are small programs**, not applications: what an application does most is not known from them.\n"
    )
}

/// What is missing.
pub fn missing(data: &Data, empty: &[String]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for design in Design::ALL {
        if !data.subjects.iter().any(|subject| subject == design.name()) {
            lines.push(format!("{}: nothing at all", design.name()));
        }
    }
    for subject in &data.subjects {
        let not_made: Vec<&str> = PAGE
            .matrix
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| data.worst(subject, name).is_none())
            .collect();
        if !not_made.is_empty() {
            let told =
                if not_made.len() == PAGE.matrix.len() { "all attacks".into() } else { listed(&not_made) };
            lines.push(format!("{subject}, attacks: {told}"));
        }
    }
    for judged in judged(data) {
        for clause in judged.clauses.iter().filter(|clause| clause.verdict == Verdict::Undecided) {
            lines.push(format!("{}: {}", judged.hypothesis.name, clause.text));
        }
    }
    lines.extend(empty.iter().map(|figure| format!("figure {figure}")));
    let refused: Vec<String> = data
        .subjects
        .iter()
        .flat_map(|subject| data.rows(subject).map(move |(name, row)| (subject, name, row)))
        .filter(|(_, name, _)| !name.starts_with("transfer"))
        .filter_map(|(subject, name, row)| Some(format!("{subject}, {name}: {}", row.refused()?)))
        .collect();
    lines.extend(refused);
    let lines: String = lines.iter().map(|line| format!("- {line}\n")).collect();
    let lines = if lines.is_empty() { "Nothing that a hypothesis asks for.\n".into() } else { lines };
    format!("## Not measured\n\n{lines}")
}
