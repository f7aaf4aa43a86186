//! From the figures to the table by which `rt::buffer` chooses a way.
//!
//! The rule. For each measured size the ways are ranked by their median. The cheapest stands first; behind it
//! stand the next ones, until one that every client can go ([`needs_nothing`]), for clients that lack
//! what the others need. Sizes between two measured ones go with the larger, sizes above the largest with that.

use std::collections::BTreeMap;

use super::cell::{CASES, Residency, Trust, Way, scenario};
use super::figures::Results;
use super::file::Machine;

/// Where the table is, below the workspace.
pub const PATH: &str = "user/rt/src/buffer/crossover.rs";

/// Where the bytes go, with the names of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the client to the server.
    Send,
    /// From the server to the client.
    Receive,
}

impl Direction {
    /// Both.
    pub const ALL: [Direction; 2] = [Direction::Send, Direction::Receive];

    /// The direction of a case's bytes.
    pub fn of(case: &str) -> Direction {
        match scenario(case) {
            "read" | "readdir" => Direction::Receive,
            _ => Direction::Send,
        }
    }

    /// What the bytes are.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Send => "request",
            Direction::Receive => "reply",
        }
    }
}

/// Whether a client can go this way without having prepared for it: without a Table that it shares, a session with
/// the transfer service, or a pager of its own that can pin.
pub fn needs_nothing(way: Way) -> bool {
    matches!(way, Way::Registers | Way::Touched | Way::Pull)
}

/// For one direction, kind of pair and residency of the client's memory: up to how many bytes to choose what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossover {
    /// Where the bytes go.
    pub direction: Direction,
    /// The kind of pair.
    pub trust: Trust,
    /// Whether the client's memory is present.
    pub resident: bool,
    /// Sizes up to this one take the first of these ways that can be gone. The last has no upper bound:
    /// `u32::MAX`.
    pub steps: Vec<(u32, Vec<Way>)>,
}

/// The table that the figures make.
pub fn table(results: &Results) -> Vec<Crossover> {
    let mut table = Vec::new();
    for direction in Direction::ALL {
        for &trust in Trust::ALL {
            for resident in [true, false] {
                let steps = steps(results, direction, trust, resident);
                table.push(Crossover { direction, trust, resident, steps });
            }
        }
    }
    table
}

/// What each way costs, in the order of [`Way::ALL`].
pub type Costs = [Option<u64>; Way::ALL.len()];

/// What each measured size costs. Where several cases have one size, it is their mean, and a way that one of
/// them cannot go is none.
pub fn costs_by_size(
    results: &Results,
    direction: Direction,
    residency: Residency,
    trust: Trust,
) -> BTreeMap<u64, Costs> {
    let mut cases: BTreeMap<u64, Vec<&'static str>> = BTreeMap::new();
    for case in CASES.into_iter().filter(|case| Direction::of(case) == direction) {
        if let Some(bytes) = results.size(case) {
            cases.entry(bytes).or_default().push(case);
        }
    }
    let mean = |cases: &[&'static str], way| {
        let costs = cases.iter().map(|case| results.cost(case, way, residency, trust));
        Some(costs.sum::<Option<u64>>()? / cases.len() as u64)
    };
    let costs = |cases: Vec<_>| std::array::from_fn(|way| mean(&cases, Way::ALL[way]));
    cases.into_iter().map(|(bytes, cases)| (bytes, costs(cases))).collect()
}

fn steps(results: &Results, direction: Direction, trust: Trust, resident: bool) -> Vec<(u32, Vec<Way>)> {
    let residency = if resident { Residency::Resident } else { Residency::ClientFaults };
    let mut steps: Vec<(u32, Vec<Way>)> = Vec::new();
    for (bytes, costs) in costs_by_size(results, direction, residency, trust) {
        let possible = Way::ALL.iter().zip(costs).filter_map(|(&way, cost)| Some((cost?, way)));
        let mut ranked: Vec<(u64, Way)> = possible.collect();
        ranked.sort();
        let last = ranked.iter().position(|(_, way)| needs_nothing(*way)).map_or(ranked.len(), |at| at + 1);
        let ways: Vec<Way> = ranked[..last].iter().map(|(_, way)| *way).collect();
        let up_to = u32::try_from(bytes).unwrap_or(u32::MAX);
        match steps.last_mut() {
            Some((last, same)) if *same == ways => *last = up_to,
            _ => steps.push((up_to, ways)),
        }
    }
    if let Some((last, _)) = steps.last_mut() {
        *last = u32::MAX;
    }
    steps
}

/// The table as the source that `rt` compiles.
pub fn source(machine: &Machine, results: &Results) -> String {
    let table = table(results);
    let mut used: Vec<String> = table
        .iter()
        .flat_map(|row| &row.steps)
        .flat_map(|(_, ways)| ways)
        .map(|way| format!("{way:?}"))
        .collect();
    used.sort();
    used.dedup();
    let used = if let [one] = &used[..] { one.clone() } else { format!("{{{}}}", used.join(", ")) };
    let mut rows = String::new();
    for Crossover { direction, trust, resident, steps } in &table {
        for (up_to, way) in steps.iter().flat_map(|(up_to, ways)| ways.iter().map(move |way| (*up_to, way))) {
            let up_to = if up_to == u32::MAX { "u32::MAX".into() } else { up_to.to_string() };
            rows += &format!(
                "    Row {{ direction: {direction:?}, trust: {trust:?}, resident: {resident}, up_to: {up_to}, way: \
                 {way:?} }},\n"
            );
        }
    }
    format!(
        "//! Up to which size which way costs least. Generated by `./x bench transfer` from bench/transfer.json, which it
//! writes too; do not edit it: a test compares the two.
//!
//! For each size that was measured the ways stand ranked by the median of their cost, until one that every client
//! can go. Sizes between two measured ones go with the larger. Where several cases have one size, their mean
//! counts. Absent memory (`resident: false`) is the client's; where the server's is, the client cannot know.
//!
//! Measured in {unit} on QEMU {qemu}, processor {cpu}, {profile} build by rustc {rustc}.

use super::Trust::{{Distrusting, Trusting}};
use super::Way::{used};
use super::choose::Direction::{{Receive, Send}};
use super::choose::Row;

/// The rows.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
{rows}];
",
        unit = machine.unit,
        qemu = machine.qemu,
        cpu = machine.cpu,
        profile = machine.profile,
        rustc = machine.rustc,
    )
}

#[cfg(test)]
mod tests {
    use super::super::synthetic;
    use super::*;

    use Way::{Container, Pull, Registers, Touched};

    fn find(table: &[Crossover], direction: Direction, trust: Trust, resident: bool) -> &[(u32, Vec<Way>)] {
        let same =
            |row: &&Crossover| (row.direction, row.trust, row.resident) == (direction, trust, resident);
        &table.iter().find(same).expect("every row is there").steps
    }

    #[test]
    fn the_cheapest_way_changes_at_measured_sizes() {
        let table = table(&synthetic::results());
        assert_eq!(table.len(), 8);
        // Registers cost 500 + 4000 a KiB, touched 1000 + 300: they meet at 138 bytes, between 64 and 255.
        // Pull costs 1200 + 280 a KiB: it meets touched at 10 KiB, between 4 and 16. A container costs 10,000 + 10
        // a KiB: it meets pull at 33 KiB, between 16 and 64. Who has none falls back on pull.
        let small = [(64, vec![Registers]), (4096, vec![Touched])];
        let large = [(16384, vec![Pull]), (u32::MAX, vec![Container, Pull])];
        assert_eq!(find(&table, Direction::Send, Trust::Trusting, true), [small.clone(), large].concat());
        // Where no memory is lent, pull it stays.
        let expected = [small.as_slice(), &[(u32::MAX, vec![Pull])]].concat();
        assert_eq!(find(&table, Direction::Send, Trust::Distrusting, true), expected);
    }

    #[test]
    fn cases_of_equal_size_are_one_measurement() {
        // open-64 alone makes strings the cheapest at 64 bytes; write-64 outweighs it.
        let one = synthetic::with(|cell, figures| match (cell.case, cell.way) {
            ("open-64", Way::Touched) => figures.rounds.median = 400,
            ("write-64", Way::Touched) => figures.rounds.median = 2000,
            _ => {}
        });
        let table = table(&one);
        assert_eq!(find(&table, Direction::Send, Trust::Trusting, true)[0], (64, vec![Registers]));
    }

    #[test]
    fn every_size_has_a_way_that_everybody_can_go() {
        for row in table(&synthetic::results()) {
            assert_eq!(row.steps.last().map(|(up_to, _)| *up_to), Some(u32::MAX));
            assert!(row.steps.is_sorted_by_key(|(up_to, _)| *up_to));
            for (_, ways) in row.steps {
                assert!(ways.last().is_some_and(|way| needs_nothing(*way)), "{ways:?}");
            }
        }
    }

    #[test]
    fn the_source_is_as_it_was() {
        let source = source(&synthetic::machine(), &synthetic::results());
        assert!(source.contains("on QEMU 0.0, processor none, release build by rustc 0.0.0.\n"));
        assert!(source.contains("\nuse super::Way::{Container, Pull, Registers, Touched};\n"));
        let rows: Vec<&str> = source.lines().filter(|line| line.contains("Row {")).take(5).collect();
        assert_eq!(
            rows,
            [
                "    Row { direction: Send, trust: Trusting, resident: true, up_to: 64, way: Registers },",
                "    Row { direction: Send, trust: Trusting, resident: true, up_to: 4096, way: Touched },",
                "    Row { direction: Send, trust: Trusting, resident: true, up_to: 16384, way: Pull },",
                "    Row { direction: Send, trust: Trusting, resident: true, up_to: u32::MAX, way: Container },",
                "    Row { direction: Send, trust: Trusting, resident: true, up_to: u32::MAX, way: Pull },",
            ]
        );
    }
}
