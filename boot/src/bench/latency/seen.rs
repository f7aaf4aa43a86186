//! What the plugin saw of a boot, with names in place of addresses.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bench::micro::path::symbols::Symbols;

/// Functions that a stretch is described by.
const SHOWN: usize = 4;
/// Symbols with which a stretch begins that comes from a program.
const ENTRIES: [(&str, &str); 4] = [
    ("sysenter_entry", "a call"),
    ("int_call_entry", "a call by INT"),
    ("trap_stubs", "an interrupt or exception"),
    ("fpu_stub", "an interrupt or exception"),
];
/// How any other begins.
const WINDOW: &str = "the last check";

/// A stretch with interrupts off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// Its instructions.
    pub length: u64,
    /// With what it began.
    pub from: String,
    /// The functions that most of its instructions belong to, most first, and how many each.
    pub within: Vec<(String, u64)>,
}

/// What was seen of a boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Stretches.
    pub count: u64,
    /// The longest first, then the longest of other kinds.
    pub stretches: Vec<Stretch>,
}

#[derive(Deserialize)]
struct Sum {
    stretches: u64,
}

#[derive(Deserialize)]
struct Line {
    length: u64,
    first: u32,
    executed: Vec<(u32, u64)>,
}

/// The length of the longest stretch.
///
/// # Errors
/// There was none, or the text is not the plugin's.
pub fn longest(text: &str) -> Result<u64> {
    let lengths = text.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        line["length"].as_u64()
    });
    lengths.max().context("the plugin saw no stretch with interrupts off")
}

impl Seen {
    /// Reads what the plugin wrote.
    ///
    /// # Errors
    /// It is something else, or no stretch was seen.
    pub fn read(text: &str, symbols: &Symbols) -> Result<Seen> {
        let mut lines = text.lines();
        let sum: Sum = serde_json::from_str(lines.next().context("the plugin wrote nothing")?)?;
        let mut by_kind: BTreeMap<String, Stretch> = BTreeMap::new();
        for line in lines {
            let stretch = Stretch::named(&serde_json::from_str(line)?, symbols);
            let kept = by_kind.entry(stretch.kind().into()).or_insert_with(|| stretch.clone());
            if stretch.length > kept.length {
                *kept = stretch;
            }
        }
        ensure!(!by_kind.is_empty(), "no stretch with interrupts off was seen");
        let mut stretches: Vec<Stretch> = by_kind.into_values().collect();
        stretches.sort_by_key(|stretch| std::cmp::Reverse(stretch.length));
        Ok(Seen { count: sum.stretches, stretches })
    }
}

impl Stretch {
    fn named(line: &Line, symbols: &Symbols) -> Stretch {
        let mut functions: BTreeMap<String, u64> = BTreeMap::new();
        for &(address, times) in &line.executed {
            *functions.entry(place(address, symbols)).or_default() += times;
        }
        let mut within: Vec<(String, u64)> = functions.into_iter().collect();
        within.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        within.truncate(SHOWN);
        let first = symbols.symbol(line.first).map_or("", |(name, _)| name);
        let from = ENTRIES.iter().find(|(symbol, _)| *symbol == first).map_or(WINDOW, |(_, from)| from);
        Stretch { length: line.length, from: from.into(), within }
    }

    /// What it is known by: the function that most of its instructions belong to.
    pub fn kind(&self) -> &str {
        self.within.first().map_or("", |(function, _)| function)
    }
}

/// The function that an instruction belongs to, as FILE::FUNCTION; a label of assembly code as it is.
fn place(address: u32, symbols: &Symbols) -> String {
    match symbols.source(address) {
        Some(source) => {
            let file = source.file.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
            format!("{file}::{}", last_name(&source.function))
        }
        None => last_name(symbols.symbol(address).map_or("?", |(name, _)| name)).into(),
    }
}

/// The last name of a path that is no closure's, without what stands in angle brackets behind it.
fn last_name(path: &str) -> &str {
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    let mut before = ' ';
    for (at, character) in path.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            ':' if depth == 0 => {
                names.push(&path[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        before = character;
    }
    names.push(&path[start..]);
    let plain = names.iter().map(|name| name.split('<').next().unwrap_or_default());
    let names: Vec<&str> = plain.filter(|name| !name.is_empty()).collect();
    let named = names.iter().rev().find(|name| !name.starts_with('{'));
    named.or(names.last()).copied().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_last_of_their_paths() {
        assert_eq!(last_name("memset"), "memset");
        assert_eq!(last_name("freehold_kernel::mapping::unmap"), "unmap");
        assert_eq!(last_name("a::map::<impl a::tables::Tables<M>>::map_run"), "map_run");
        assert_eq!(last_name("<a::Units as b::Budget>::spend"), "spend");
        assert_eq!(last_name("a::transfer::begin::{{closure}}"), "begin");
        assert_eq!(last_name("a::map::run::<k::Physical>"), "run");
        assert_eq!(last_name("run<k::Physical>"), "run");
        assert_eq!(last_name("once<fn(&mut k::Kernel) -> r::Result<o::Outcome, e::Error>>"), "once");
        assert_eq!(last_name("{closure#0}<k::Physical>"), "{closure#0}");
    }

    #[test]
    fn the_longest_is_found_wherever_it_stands() {
        let line = |length| format!("{{\"length\":{length},\"first\":1,\"executed\":[[1,{length}]]}}\n");
        let text = format!("{{\"stretches\":9}}\n{}{}", line(70), line(300));
        assert_eq!(longest(&text).expect("two"), 300);
        assert!(longest("{\"stretches\":0}\n").is_err());
        assert!(longest("").is_err());
    }
}
