//! The path of one section as text: where its instructions are, by file and by function, and the instructions.
//!
//! What must hold: each of the three adds up to the same number. [`Kept::read`] reads it back, so that a document can
//! show a part of it and a test can add up.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::fold::fold;
use super::symbols::Symbols;
use super::{Path, Step};
use crate::bench::text::grouped;

/// Where the kernel begins in every space.
const KERNEL: u32 = 0xC000_0000;
/// What the program is called among the files, and the kernel's code of which nothing is known.
const PROGRAM: &str = "the program";
const UNKNOWN: &str = "unknown";
/// Bytes within which a function's first line is looked for.
const NEAR: u32 = 64;
/// What stands behind the number of times of a loop.
const TIMES_OVER: &str = "times over:";
/// A listing that is longer is one by address.
const LONGEST: usize = 2500;

const BY_FILE: &str = "By file:";
const BY_FUNCTION: &str = "By function:";
const IN_ORDER: &str = "Instructions in the order in which they are executed, each with how often:";
const BY_ADDRESS: &str = "Instructions by address, each with how often it is executed:";

/// The files that instructions come from.
pub struct Names {
    /// Of the kernel.
    pub kernel: Symbols,
    /// Of the program.
    pub program: Symbols,
    /// The labels of the kernel's assembly code, and the file of each.
    pub labels: BTreeMap<String, String>,
}

impl Names {
    fn symbols(&self, address: u32) -> &Symbols {
        if address >= KERNEL { &self.kernel } else { &self.program }
    }

    fn symbol(&self, address: u32) -> (&str, u32) {
        self.symbols(address).symbol(address).unwrap_or(("?", address))
    }

    /// The file and the function that an instruction counts for.
    fn place(&self, address: u32) -> (String, String) {
        match self.symbols(address).source(address) {
            Some(source) => (source.file, source.function),
            None if address < KERNEL => (PROGRAM.into(), self.symbol(address).0.into()),
            None => {
                let symbol = self.symbol(address).0;
                let file = self.labels.get(symbol).cloned().or_else(|| self.file_behind(address));
                (file.unwrap_or_else(|| UNKNOWN.into()), symbol.into())
            }
        }
    }

    /// The file that the code behind an address comes from, within its symbol: a function's first instructions, which
    /// save registers, are of no line.
    fn file_behind(&self, address: u32) -> Option<String> {
        let (symbol, symbols) = (self.symbol(address).0, self.symbols(address));
        let behind = (address + 1..address + NEAR).take_while(|&behind| self.symbol(behind).0 == symbol);
        behind.filter_map(|behind| symbols.source(behind)).map(|source| source.file).next()
    }
}

/// The path as text, with the instructions themselves or without.
pub fn write(path: &Path, names: &Names, whole: bool) -> String {
    let counts = counts(&path.steps);
    let total: u64 = counts.values().map(|(_, times)| times).sum();
    let (mut files, mut functions) = (BTreeMap::new(), BTreeMap::new());
    for (address, (_, times)) in &counts {
        let (file, function) = names.place(*address);
        *files.entry(file.clone()).or_insert(0) += times;
        *functions.entry(format!("{function}  ({file})")).or_insert(0) += times;
    }
    let mut text = format!(
        "{}: {}\n\n{} instructions, {} of which are what the measurement itself costs.\n",
        path.name,
        path.what,
        grouped(total),
        path.own
    );
    text += &format!("\n{BY_FILE}\n{}", most_first(&files));
    text += &format!("\n{BY_FUNCTION}\n{}", most_first(&functions));
    if whole {
        let in_order = in_order(&path.steps, names);
        text += &match in_order.lines().count() > LONGEST {
            true => format!("\n{BY_ADDRESS}\n{}", by_address(&counts, names)),
            false => format!("\n{IN_ORDER}\n{in_order}"),
        };
    }
    text
}

/// By address: an instruction, and how often it is executed.
type Counts<'a> = BTreeMap<u32, (&'a Step, u64)>;

fn counts(steps: &[Step]) -> Counts<'_> {
    let mut counts = Counts::new();
    for step in steps {
        counts.entry(step.address).or_insert((step, 0)).1 += step.times;
    }
    counts
}

fn most_first(counts: &BTreeMap<String, u64>) -> String {
    let mut counts: Vec<(&String, &u64)> = counts.iter().collect();
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    counts.iter().map(|(name, count)| format!("{:>9}  {name}\n", grouped(**count))).collect()
}

fn in_order(steps: &[Step], names: &Names) -> String {
    let mut lines = Lines::new(names);
    let places: Vec<(u32, u64)> = steps.iter().map(|step| (step.address, step.times)).collect();
    for stretch in fold(&places) {
        lines.bar = if stretch.times > 1 { '|' } else { ' ' };
        if stretch.times > 1 {
            lines.text += &format!("  {} {TIMES_OVER}\n", grouped(stretch.times as u64));
        }
        for step in &steps[stretch.start..][..stretch.length] {
            lines.add(step, step.times * stretch.times as u64);
        }
        if stretch.times > 1 {
            // What follows begins with its symbol, so that the end of the loop is seen.
            lines.symbol.clear();
        }
    }
    lines.text
}

fn by_address(counts: &Counts<'_>, names: &Names) -> String {
    let mut lines = Lines::new(names);
    counts.values().for_each(|(step, times)| lines.add(step, *times));
    lines.text
}

/// Lines of instructions, with a line for each symbol before those that belong to it.
struct Lines<'a> {
    names: &'a Names,
    text: String,
    symbol: String,
    bar: char,
}

impl<'a> Lines<'a> {
    fn new(names: &'a Names) -> Lines<'a> {
        Lines { names, text: String::new(), symbol: String::new(), bar: ' ' }
    }

    fn add(&mut self, step: &Step, times: u64) {
        let (symbol, offset) = self.names.symbol(step.address);
        if symbol != self.symbol {
            self.text += &format!("{symbol}:\n");
            self.symbol = symbol.into();
        }
        let source = self.names.symbols(step.address).source(step.address);
        let source = source.map_or(String::new(), |source| {
            format!("{}:{}", source.file.rsplit('/').next().unwrap_or_default(), source.line)
        });
        let operands = named_operands(&step.text, self.names);
        let line = format!(
            "{:>9} {} {:08x} {:<6} {source:<22} {}{operands}",
            grouped(times),
            self.bar,
            step.address,
            format!("+{offset:x}"),
            step.text
        );
        self.text += &format!("{}\n", line.trim_end());
    }
}

/// The names of the addresses of the kernel in an instruction.
fn named_operands(text: &str, names: &Names) -> String {
    let addresses = text.split("0x").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        u32::from_str_radix(&rest[..end], 16).ok().filter(|&address| address >= KERNEL)
    });
    // An offset from where all memory is mapped is no address of something.
    let named =
        addresses.filter_map(|address| names.kernel.symbol(address).filter(|(_, offset)| *offset < 4096));
    let named: Vec<String> = named
        .map(|(name, offset)| if offset == 0 { name.into() } else { format!("{name}+{offset:x}") })
        .collect();
    if named.is_empty() { String::new() } else { format!("  ; {}", named.join(", ")) }
}

/// What a kept listing says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Instructions.
    pub total: u64,
    /// What the measurement itself costs.
    pub own: u64,
    /// By file.
    pub files: Vec<(String, u64)>,
    /// Whether the instructions themselves follow.
    pub is_whole: bool,
}

impl Kept {
    /// Reads a listing.
    ///
    /// # Errors
    /// It is none, or does not add up.
    pub fn read(text: &str) -> Result<Kept> {
        let mut lines = text.lines().skip(2);
        let (total, rest) =
            lines.next().and_then(|line| line.split_once(" instructions, ")).context("no number")?;
        let own = rest.split(' ').next().and_then(|own| own.parse().ok()).context("no own number")?;
        let total = number(total).context("no total")?;
        let part = |heading: &'static str| {
            let lines = text.lines().skip_while(move |line| *line != heading).skip(1);
            let entries = lines.take_while(|line| !line.is_empty());
            entries.filter_map(|line| {
                let (count, name) = line.trim_start().split_once(' ')?;
                Some((name.trim_start().to_string(), number(count)?))
            })
        };
        let files: Vec<(String, u64)> = part(BY_FILE).collect();
        let has = |heading: &str| text.lines().any(|line| line == heading);
        let is_whole = has(IN_ORDER) || has(BY_ADDRESS);
        for heading in [BY_FILE, BY_FUNCTION, IN_ORDER, BY_ADDRESS] {
            let sum: u64 = part(heading).filter(|(name, _)| name != TIMES_OVER).map(|(_, count)| count).sum();
            let optional = heading == IN_ORDER || heading == BY_ADDRESS;
            ensure!(sum == total || optional && !has(heading), "{heading} {sum} instead of {total}");
        }
        Ok(Kept { total, own, files, is_whole })
    }
}

fn number(text: &str) -> Option<u64> {
    text.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "map.1: map a frame\n\n1,030 instructions, 2 of which are what the measurement itself costs.\n\n\
                        By file:\n    1,024  assembly\n        6  the program\n\n\
                        By function:\n    1,024  copy  (assembly)\n        6  main  (the program)\n\n\
                        Instructions in the order in which they are executed, each with how often:\nmain:\n  \
                        3 times over:\n        6 | 00400000 +0                            nop\n\
                        copy:\n    1,024   c0100000 +0                            rep movsd\n";

    #[test]
    fn what_adds_up_is_read() {
        let kept = Kept::read(TEXT).expect("it adds up");
        assert_eq!((kept.total, kept.own), (1030, 2));
        assert_eq!(kept.files, [("assembly".into(), 1024), ("the program".into(), 6)]);
        let summary = TEXT.split("\nInstructions").next().expect("a part");
        assert_eq!(Kept::read(summary).expect("it adds up"), Kept { is_whole: false, ..kept });
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        for (right, wrong) in
            [("1,030 ins", "1,031 ins"), ("1,024  ass", "1,023  ass"), ("6  main", "7  main"), ("6 |", "5 |")]
        {
            assert!(TEXT.contains(right));
            assert!(Kept::read(&TEXT.replace(right, wrong)).is_err(), "{wrong}");
        }
        assert!(Kept::read("").is_err());
    }
}
