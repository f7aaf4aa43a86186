//! The generated parts of docs/transfer-scenarios.md.

use super::cell::{CASES, Cell, Residency, SCENARIOS, Trust, Way, cases_of};
use super::crossover;
use super::figures::{Figures, Found, Results, grouped};
use super::file::Machine;
use super::verdicts;
use crate::bench::text::table;

/// Where the document is, below the workspace.
pub const PATH: &str = "docs/transfer-scenarios.md";

/// The case of each scenario for which the document shows what faults cost.
const FAULTS_SHOWN: [&str; SCENARIOS.len()] =
    ["open-255", "read-65536", "write-65536", "readdir-1000", "exec-16k", "control-32"];

/// The names of all parts; the document holds each of them once.
pub fn names() -> Vec<String> {
    let fixed = ["machine", "cheapest", "traffic", "refused", "crossover"].map(String::from);
    let of_scenarios =
        SCENARIOS.iter().flat_map(|name| ["right", "cost", "faults"].map(|what| format!("{what} {name}")));
    let verdicts = verdicts::names().map(|name| format!("verdict {name}"));
    fixed.into_iter().chain(of_scenarios).chain(verdicts).collect()
}

/// A part by its name.
pub fn part(name: &str, machine: &Machine, results: &Results) -> Option<String> {
    let (what, of) = name.split_once(' ').unwrap_or((name, ""));
    match what {
        "machine" => Some(machine_sentence(machine, results)),
        "cheapest" => Some(cheapest(results)),
        "traffic" => Some(traffic(results)),
        "refused" => Some(refused(results)),
        "crossover" => Some(crossovers(results)),
        "right" => SCENARIOS.contains(&of).then(|| right(results, of)),
        "cost" => SCENARIOS.contains(&of).then(|| costs(results, of)),
        "faults" => {
            let scenario = SCENARIOS.iter().position(|scenario| *scenario == of)?;
            Some(faults(results, FAULTS_SHOWN[scenario]))
        }
        "verdict" => verdicts::verdict(of, results),
        _ => None,
    }
}

fn machine_sentence(machine: &Machine, results: &Results) -> String {
    let measured: Vec<&Figures> = Cell::all().filter_map(|cell| results.figures(cell)).collect();
    let rounds = measured.iter().map(|figures| figures.rounds.n).min().unwrap_or(0);
    let null = results.null(Trust::Trusting);
    format!(
        "{machine}; design {}. {} cells were measured, {} refused; at least {rounds} rounds each. Figures are medians, \
         in {}. An empty call by registers takes {}.",
        machine.design,
        grouped(measured.len() as u64),
        grouped(Cell::all().count() as u64 - measured.len() as u64),
        machine.unit,
        null.map_or("–".into(), grouped),
    )
}

/// A cell's figure: the cheapest of its kind bold, a dash where there is none.
fn figure(cost: Option<u64>, cheapest: Option<u64>) -> String {
    match cost {
        None => "–".into(),
        Some(cost) if Some(cost) == cheapest => format!("**{}**", grouped(cost)),
        Some(cost) => grouped(cost),
    }
}

/// The figures of all ways, for one row.
fn row(
    results: &Results,
    head: String,
    case: &'static str,
    residency: Residency,
    trust: Trust,
) -> Vec<String> {
    let cheapest = results.cheapest(case, residency, trust).map(|(_, cost)| cost);
    let figures = Way::ALL.iter().map(|&way| figure(results.cost(case, way, residency, trust), cheapest));
    std::iter::once(head).chain(figures).collect()
}

fn heads(first: &str) -> Vec<&str> {
    std::iter::once(first).chain(Way::ALL.iter().map(|way| way.name())).collect()
}

/// What the cases of a scenario cost with resident memory, and the server's work; for a trusting pair, and how far a
/// distrusting one is from that.
fn costs(results: &Results, scenario: &str) -> String {
    let rows = cases_of(scenario).map(|case| {
        let mut row = row(results, case.into(), case, Residency::Resident, Trust::Trusting);
        row.extend(
            [results.work(case), results.bytes(case)].map(|figure| figure.map_or("–".into(), grouped)),
        );
        row
    });
    let mut heads = heads("resident, trusting");
    heads.extend(["work", "bytes"]);
    let cells = cases_of(scenario).flat_map(|case| Way::ALL.iter().map(move |&way| (case, way)));
    let distances = cells.filter_map(|(case, way)| {
        let [one, other] = [Trust::Trusting, Trust::Distrusting]
            .map(|trust| results.cost(case, way, Residency::Resident, trust));
        // In thousandths.
        Some((one?.abs_diff(other?) * 1000).div_ceil(one?.max(1)))
    });
    let most = distances.max().map_or("–".into(), |most| format!("{}.{}", most / 10, most % 10));
    format!(
        "{}\nA distrusting pair differs by {most} % at most, in the ways that it can go.",
        table(&heads, rows)
    )
}

/// What one case costs, whosever pages are missing, for both kinds of pair.
fn faults(results: &Results, case: &'static str) -> String {
    let rows = Trust::ALL.iter().flat_map(|&trust| {
        Residency::ALL.iter().map(move |&residency| {
            row(results, format!("{}, {}", residency.name(), trust.name()), case, residency, trust)
        })
    });
    table(&heads(case), rows)
}

/// The cheapest ways of a scenario, for both kinds of pair: a line each.
fn right(results: &Results, scenario: &str) -> String {
    let mut text = String::new();
    for &trust in Trust::ALL {
        for residency in [Residency::Resident, Residency::ClientFaults] {
            // Neighbours that go the same way are told together: first, last, way.
            let mut runs: Vec<(&str, &str, Option<Way>)> = Vec::new();
            for case in cases_of(scenario) {
                let way = results.cheapest(case, residency, trust).map(|(way, _)| way);
                match runs.last_mut() {
                    Some((_, last, same)) if *same == way => *last = case,
                    _ => runs.push((case, case, way)),
                }
            }
            let told = runs.iter().map(|(first, last, way)| {
                let way = way.map_or("none", Way::name);
                if first == last { format!("{first} {way}") } else { format!("{first} to {last} {way}") }
            });
            let told: Vec<String> = told.collect();
            text += &format!("- cheapest, {}, {}: {}\n", trust.name(), residency.name(), told.join("; "));
        }
    }
    text
}

/// What happens in one request, beside instructions.
fn traffic(results: &Results) -> String {
    const CASE: &str = "write-65536";
    let rows = Way::ALL.iter().flat_map(|&way| {
        [Residency::Resident, Residency::BothFault].into_iter().map(move |residency| {
            let figures = results.figures(Cell { case: CASE, way, residency, trust: Trust::Trusting });
            let counts = figures.map(|figures| {
                [
                    figures.messages,
                    figures.switches,
                    figures.client_faults,
                    figures.client_pages,
                    figures.server_faults,
                    figures.server_pages,
                    figures.retries,
                ]
            });
            let counts = (0..7).map(|at| counts.map_or("–".into(), |counts| grouped(counts[at])));
            std::iter::once(format!("{}, {}", way.name(), residency.name())).chain(counts).collect()
        })
    });
    let head = format!("{CASE}, trusting");
    let heads = [
        &head,
        "client's calls",
        "space switches",
        "client's faults",
        "its pages",
        "server's faults",
        "its pages",
        "retries",
    ];
    table(&heads, rows)
}

/// The cheapest way of every case.
fn cheapest(results: &Results) -> String {
    let columns = [
        (Residency::Resident, Trust::Trusting),
        (Residency::Resident, Trust::Distrusting),
        (Residency::BothFault, Trust::Trusting),
        (Residency::BothFault, Trust::Distrusting),
    ];
    let names = columns.map(|(residency, trust)| format!("{}, {}", residency.name(), trust.name()));
    let heads: Vec<&str> = std::iter::once("case").chain(names.iter().map(String::as_str)).collect();
    let rows = CASES.into_iter().map(|case| {
        let ways = columns.map(|(residency, trust)| match results.cheapest(case, residency, trust) {
            Some((way, cost)) => format!("{} {}", way.name(), grouped(cost)),
            None => "–".into(),
        });
        std::iter::once(case.into()).chain(ways).collect()
    });
    table(&heads, rows)
}

/// Which cells are refused, and why: a line for each reason and way.
fn refused(results: &Results) -> String {
    let mut reasons: Vec<(String, u64)> = Vec::new();
    for cell in Cell::all() {
        let Some(Found::Refused(detail)) = results.found(cell) else { continue };
        let (way, residency, trust) = (cell.way.name(), cell.residency.name(), cell.trust.name());
        let reason = format!("{way}, {residency}, {trust}: {detail}");
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, cells)) => *cells += 1,
            None => reasons.push((reason, 1)),
        }
    }
    if reasons.is_empty() {
        return "None.".into();
    }
    table(
        &["what, and why", "cells"],
        reasons.into_iter().map(|(reason, cells)| vec![reason, grouped(cells)]),
    )
}

/// The table by which `rt::buffer` chooses, in words.
fn crossovers(results: &Results) -> String {
    let rows = crossover::table(results).into_iter().map(|row| {
        let memory = if row.resident { "present" } else { "absent" };
        let steps: Vec<String> = row
            .steps
            .iter()
            .map(|(up_to, ways)| {
                let ways: Vec<&str> = ways.iter().map(|way| way.name()).collect();
                let up_to = match *up_to {
                    u32::MAX if row.steps.len() == 1 => "every size".into(),
                    u32::MAX => "else".into(),
                    bytes => format!("≤ {}", grouped(bytes.into())),
                };
                format!("{up_to}: {}", ways.join(", "))
            })
            .collect();
        let head = format!("{}, {}, client's memory {memory}", row.direction.name(), row.trust.name());
        vec![head, steps.join("; ")]
    });
    let table = table(
        &["what, pair, memory", "by size in bytes: cheapest way, what else if it cannot be gone"],
        rows,
    );
    // Its second column is text as well.
    table.replacen("--:|", "---|", 1)
}

#[cfg(test)]
mod tests {
    use super::super::synthetic;
    use super::*;

    #[test]
    fn every_name_makes_a_part() {
        for name in names() {
            let part = part(&name, &synthetic::machine(), &synthetic::results()).expect(&name);
            assert!(!part.trim().is_empty(), "{name}");
        }
        for name in ["", "cost", "cost copy", "faults x", "verdict x"] {
            assert_eq!(part(name, &synthetic::machine(), &synthetic::results()), None, "{name}");
        }
    }

    #[test]
    fn the_cases_for_faults_are_cases_of_their_scenarios() {
        for (scenario, case) in SCENARIOS.into_iter().zip(FAULTS_SHOWN) {
            assert!(cases_of(scenario).any(|own| own == case), "{case}");
        }
    }

    #[test]
    fn tables_are_as_they_were() {
        let part = |name| part(name, &synthetic::machine(), &synthetic::results()).expect("a part");
        assert_eq!(
            part("cost control"),
            "| resident, trusting | registers | wired | touched | container | service | pull | work | bytes |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|--:|\n\
             | control-8 | **531** | 1,502 | 1,002 | 10,000 | 4,002 | 1,202 | 100 | 8 |\n\
             | control-32 | **625** | 1,509 | 1,009 | 10,000 | 4,010 | 1,208 | 100 | 32 |\n\
             \nA distrusting pair differs by 0.0 % at most, in the ways that it can go."
        );
        assert_eq!(
            part("right open").lines().next(),
            Some(
                "- cheapest, trusting, resident: open-8 to open-64 registers; open-255 to open-4096 touched"
            )
        );
        assert_eq!(
            part("traffic").lines().nth(3),
            Some("| registers, both-fault | 274 | 2 | 16 | 16 | 16 | 16 | 0 |")
        );
        assert_eq!(
            part("refused").lines().nth(2),
            Some("| container, resident, distrusting: memory of a client that is not trusted | 25 |")
        );
        assert_eq!(
            part("crossover").lines().nth(2),
            Some(
                "| request, trusting, client's memory present | ≤ 64: registers; ≤ 4,096: touched; ≤ 16,384: pull; else: \
                 container, pull |"
            )
        );
        assert!(part("machine").contains("1,100 cells were measured, 100 refused; at least 8 rounds each."));
    }
}
