//! A scenario once more with every call going the ordinary way through the kernel: its outcome must be the same as
//! with the short paths.
//!
//! Compared are the records that say what was checked: of each part its name, how many checks it made, which and in
//! which order and how they ended (a digest), and the closing record. That the short paths were taken in the one
//! boot and in the other were not, the kernel's count of ordinary calls shows.

use anyhow::{Result, ensure};
use freehold_boot::records::{self, Record};

/// What the kernel says whose short paths are switched off.
pub const SAID: &str = "freehold: every call goes the ordinary way";

/// The key of a record that says how many of ten calls for a short path went the ordinary way.
const OF_TEN: &str = "ordinary_of_ten";
/// The key of a part's record, and that of its ordinary calls, which differ.
const PART: &str = "part";
const ORDINARY: &str = "ordinary";
const CLOSING: &str = "closing";
/// How the names of parts begin that are random walks.
const RANDOM: &str = "random";

/// Compares the records of two boots, the first with the short paths, which at least so many calls must have taken.
/// Returns what there is to say about it.
///
/// # Errors
/// The outcomes differ, or the short paths were not taken where they had to be, or were in the other boot.
pub fn compare(short: &str, ordinary: &str, least: u64) -> Result<String> {
    let read = |text| records::parse(text).map_err(|bad| anyhow::anyhow!("{bad}"));
    let (short, ordinary) = (read(short)?, read(ordinary)?);
    let outcomes = [&short, &ordinary].map(|records| outcome(records));
    ensure!(outcomes[0].len() == outcomes[1].len(), "with short paths there are more or fewer parts");
    for (short, ordinary) in outcomes[0].iter().zip(&outcomes[1]) {
        ensure!(short == ordinary, "with short paths: {short:?}; the ordinary way: {ordinary:?}");
    }
    let Some(of_ten) = number(&short, OF_TEN) else {
        ensure!(least == 0, "nothing says how many calls took short paths");
        return Ok(format!("same outcome by both ways, {} records", outcomes[0].len()));
    };
    ensure!(of_ten == 0, "{of_ten} of ten calls went the ordinary way, with the short paths");
    ensure!(number(&ordinary, OF_TEN) == Some(10), "short paths were taken although switched off");
    for (part, short, ordinary) in parts(&short, &ordinary) {
        let random = part.starts_with(RANDOM);
        ensure!(!random || short < ordinary, "{part}: no call took a short path");
    }
    let (short, ordinary) = (calls(&short), calls(&ordinary));
    // What a tick interrupts can be another call in each boot, so a few more or fewer are made.
    let taken = ordinary.saturating_sub(short);
    ensure!(taken >= least, "only {taken} calls took short paths");
    Ok(format!("same outcome by both ways, {taken} of {ordinary} calls by short paths"))
}

/// Each part's name and its ordinary calls in both boots.
fn parts<'a>(short: &'a [Record], ordinary: &'a [Record]) -> impl Iterator<Item = (&'a str, u64, u64)> {
    short.iter().zip(ordinary).filter_map(|(short, ordinary)| {
        let calls = |record: &Record| record.get(ORDINARY)?.as_u64();
        Some((short.get(PART)?.as_str()?, calls(short)?, calls(ordinary)?))
    })
}

/// The records that must be the same, without what need not.
fn outcome(records: &[Record]) -> Vec<Record> {
    let says_it = |record: &&Record| record.contains_key(PART) || record.contains_key(CLOSING);
    let mut records: Vec<_> = records.iter().filter(says_it).cloned().collect();
    for record in &mut records {
        record.remove(ORDINARY);
    }
    records
}

fn number(records: &[Record], key: &str) -> Option<u64> {
    records.iter().find_map(|record| record.get(key)?.as_u64())
}

/// All ordinary calls of all parts.
fn calls(records: &[Record]) -> u64 {
    records.iter().filter_map(|record| record.get(ORDINARY)?.as_u64()).sum()
}
