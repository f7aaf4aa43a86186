//! A boot of an attack under a design: its machine, and what its records come to.
//!
//! What must hold: every number of attackers that was asked for has one row. An attack that the machine does not survive
//! has an outcome too: it is broken, and the row says how the machine ended.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::row::{MACHINE, Row, Verdict};
use crate::args::{DEFAULT_CPU, DEFAULT_MEMORY};
use crate::design::Variant;
use crate::guest::{self, Guests};
use crate::outcome::Outcome;
use crate::qemu::{Boot, Clock, Console, Machine, Medium, Plugin};
use crate::records::{self, Record};

/// Services that an attack can be on, or that a design needs.
const SERVICES: [&str; 2] = ["transfer", guest::REDIRECTOR];
/// The name in the referee's closing record.
pub const CLOSING: &str = "attack";
/// Wall-clock time after which the machine counts as hung.
pub const TIME_LIMIT: Duration = Duration::from_secs(300);

/// What is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// A program of `freehold-attacks`.
    pub attack: String,
    /// On which kernel.
    pub variant: Variant,
    /// How many attackers, one number after the other.
    pub attackers: Vec<u32>,
    /// Ticks for which the victim is watched, alone and beside the attackers; none: as the referee holds right.
    pub window: Option<u32>,
    /// What the attackers' choices follow from.
    pub seed: u32,
}

/// Packages that make the programs of all cells.
pub fn packages() -> Vec<String> {
    let others = guest::ARENA.iter().copied().chain(SERVICES).map(guest::package_of);
    std::iter::once(guest::KERNEL.into()).chain([guest::ATTACKS.into()]).chain(others).collect()
}

impl Cell {
    /// The kernel's command line.
    pub fn words(&self) -> String {
        let attackers: Vec<String> = self.attackers.iter().map(u32::to_string).collect();
        let window = self.window.map_or(String::new(), |ticks| format!(" window={ticks}"));
        let attackers = attackers.join(",");
        format!(
            "design={} attack={} attackers={attackers}{window} seed={}",
            self.variant, self.attack, self.seed
        )
    }

    /// Its machine.
    ///
    /// # Errors
    /// A program has not been built.
    pub fn machine(&self, guests: &Guests, plugin: Option<Plugin>) -> Result<Machine> {
        let names = guest::ARENA.iter().copied().chain([self.attack.as_str()]).chain(SERVICES);
        // To look at every instruction takes several times as long.
        let slower = if plugin.is_some() { 5 } else { 1 };
        Ok(Machine {
            medium: Medium::Kernel,
            kernel: guests.program("kernel")?,
            modules: names.map(|name| guests.module(name)).collect::<Result<_>>()?,
            append: self.words(),
            cpu: DEFAULT_CPU.into(),
            memory_mib: DEFAULT_MEMORY,
            clock: Clock::Instructions,
            console: Console::Quiet,
            time_limit: Some(TIME_LIMIT * slower),
            plugin,
        })
    }

    /// Boots it in `directory`.
    ///
    /// # Errors
    /// As for [`Cell::machine`] and [`Cell::judge`]; or QEMU cannot be started.
    pub fn boot(
        &self,
        guests: &Guests,
        plugin: Option<Plugin>,
        directory: &Path,
    ) -> Result<(Boot, Vec<Row>)> {
        let boot = self.machine(guests, plugin)?.boot(directory, Some(CLOSING))?;
        let rows = self.judge(&boot).with_context(|| format!("{} under {}", self.attack, self.variant))?;
        Ok((boot, rows))
    }

    /// A row for each number of attackers, in their order.
    ///
    /// # Errors
    /// The emulator could not run the machine, or a record is of something else than what was asked for: that says
    /// nothing about the attack.
    pub fn judge(&self, boot: &Boot) -> Result<Vec<Row>> {
        let outcome = &boot.outcome;
        if matches!(outcome, Outcome::OtherStatus(_) | Outcome::Killed(_) | Outcome::Unsupported(_)) {
            bail!("{outcome} {}", boot.qemu.trim());
        }
        let found = self.rows(&whole_records(&boot.records))?;
        let ended = match outcome {
            Outcome::Passed { .. } => "it ended without a record".to_string(),
            Outcome::ClaimsFailed { .. } => {
                format!("the referee could not watch: {}", failed_claims(&boot.console))
            }
            outcome => outcome.to_string(),
        };
        let row = |&attackers: &u32| {
            let found = found.iter().find(|row| row.attackers == attackers);
            let lost = || format!("{MACHINE}{ended}");
            found
                .cloned()
                .unwrap_or_else(|| Row::of_machine(&self.attack, self.variant.name(), attackers, lost()))
        };
        let mut rows: Vec<Row> = self.attackers.iter().map(row).collect();
        // All records are there, but the machine went down behind them: the last row cannot be believed. What the referee
        // could not watch it says, and goes on.
        if !matches!(outcome, Outcome::Passed { .. } | Outcome::ClaimsFailed { .. })
            && let Some(last) = rows.last_mut()
            && last.outcome != Verdict::Broken
        {
            *last = Row { outcome: Verdict::Broken, detail: format!("{MACHINE}{ended}"), ..last.clone() };
        }
        Ok(rows)
    }

    /// The attack's records.
    fn rows(&self, records: &[Record]) -> Result<Vec<Row>> {
        let mut rows: Vec<Row> = Vec::new();
        for row in records.iter().filter_map(Row::read) {
            let row = row.map_err(anyhow::Error::msg)?;
            let (attack, design, attackers) = (&row.attack, &row.design, row.attackers);
            let own = *attack == self.attack && design == self.variant.name();
            ensure!(own, "a record of {attack} under {design}");
            ensure!(self.attackers.contains(&attackers), "a record of {attackers} attackers, not asked for");
            ensure!(
                rows.iter().all(|row| row.attackers != attackers),
                "two records of {attackers} attackers"
            );
            let lost = row.further.get("frames_lost").and_then(serde_json::Value::as_u64).unwrap_or(0);
            ensure!(lost == 0 || row.outcome == Verdict::Broken, "{lost} frames are lost and yet it held");
            rows.push(row);
        }
        Ok(rows)
    }
}

/// What the referee said that did not hold.
fn failed_claims(console: &str) -> String {
    let lines: Vec<&str> = console.lines().map(str::trim).filter(|line| line.contains("FAILED")).collect();
    lines.join("; ")
}

/// The records up to the first line that is none: a machine that goes down can do so in the middle of one.
fn whole_records(text: &str) -> Vec<Record> {
    let lines = text.split_inclusive('\n').map(records::parse);
    lines.map_while(Result::ok).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Ending;

    fn cell() -> Cell {
        Cell {
            attack: "flood".into(),
            variant: Variant::of(freehold_abi::designs::Design::KernelHeap),
            attackers: vec![1, 4],
            window: None,
            seed: 7,
        }
    }

    fn record(attackers: u32, outcome: &str) -> String {
        format!(
            "{{\"attack\":\"flood\",\"design\":\"kernel-heap\",\"attackers\":{attackers},\"outcome\":\"{outcome}\",\
             \"detail\":\"so\",\"victim_ops\":90,\"victim_ops_alone\":100,\"frames_lost\":0}}\n"
        )
    }

    const CLOSED: &str = "{\"closing\":\"attack\",\"checks\":9,\"failed\":0}\n";

    fn judged(ending: Ending, records: &str) -> Result<Vec<Row>> {
        let console = "KERNEL PANIC: so it is\n";
        cell().judge(&Boot {
            outcome: Outcome::judge(ending, console, records, Some(CLOSING)),
            console: console.into(),
            records: records.into(),
            qemu: "no such machine".into(),
            seen: String::new(),
            duration: Duration::ZERO,
        })
    }

    fn outcomes(rows: &[Row]) -> Vec<(u32, Verdict, &str)> {
        rows.iter().map(|row| (row.attackers, row.outcome, row.detail.as_str())).collect()
    }

    #[test]
    fn the_kernel_is_told_everything() {
        assert_eq!(cell().words(), "design=kernel-heap,pool=16M attack=flood attackers=1,4 seed=7");
        let cell = Cell { window: Some(30), attackers: vec![16], ..cell() };
        assert_eq!(cell.words(), "design=kernel-heap,pool=16M attack=flood attackers=16 window=30 seed=7");
    }

    #[test]
    fn a_machine_that_survives_gives_a_row_for_each_number() {
        let text = record(4, "degraded") + &record(1, "held") + CLOSED;
        let rows = judged(Ending::Status(33), &text).expect("rows");
        assert_eq!(outcomes(&rows), [(1, Verdict::Held, "so"), (4, Verdict::Degraded, "so")]);
        assert_eq!(rows[0].victim_ops_ratio, Some(0.9));
    }

    #[test]
    fn a_machine_that_does_not_survive_is_an_outcome() {
        let limit = Duration::from_secs(300);
        for (ending, words) in [
            (Ending::Status(65), "the machine: the kernel panicked: KERNEL PANIC: so it is"),
            (Ending::Status(0), "the machine: the machine reset itself (triple fault)"),
            (Ending::Status(33), "the machine: the guest left without a closing record"),
            (Ending::TimeLimit(limit), "the machine: not over after 300 s"),
        ] {
            let rows = judged(ending, &(record(1, "held") + "{\"attack\":\"fl")).expect("rows");
            assert_eq!(outcomes(&rows)[0], (1, Verdict::Held, "so"), "what was over before");
            let (attackers, verdict, detail) = outcomes(&rows)[1];
            assert_eq!((attackers, verdict), (4, Verdict::Broken));
            let cut = detail.contains("is cut off") && ending == Ending::Status(33);
            assert!(detail == words || cut, "{detail}");
        }
        let rows = judged(Ending::Status(33), &(record(1, "held") + CLOSED)).expect("rows");
        assert_eq!(outcomes(&rows)[1], (4, Verdict::Broken, "the machine: it ended without a record"));
        let rows = judged(Ending::Status(65), &(record(1, "held") + &record(4, "held"))).expect("rows");
        assert_eq!(rows[1].outcome, Verdict::Broken, "it went down behind the last record");
    }

    #[test]
    fn what_says_nothing_about_the_attack_is_an_error() {
        let of =
            |text: String| judged(Ending::Status(33), &(text + CLOSED)).expect_err("an error").to_string();
        assert!(of(record(16, "held")).contains("16 attackers, not asked for"));
        assert!(of(record(4, "held") + &record(4, "held")).contains("two records of 4"));
        assert!(of(record(4, "held").replace("flood", "bomb")).contains("a record of bomb"));
        assert!(of(record(4, "held").replace("heap", "quota")).contains("under kernel-quota"));
        assert!(of(record(4, "held").replace("lost\":0", "lost\":3")).contains("3 frames are lost"));
        for ending in [Ending::Status(1), Ending::Signal(9), Ending::Status(67)] {
            assert!(judged(ending, "").is_err(), "{ending:?}");
        }
    }
}
