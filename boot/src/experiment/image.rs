//! Other kernels: any image that boots and writes records as docs/join.md says.
//!
//! What must hold: what an image writes is looked at before it is kept, and whoever made it is told what is wrong with it
//! and in which record.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::workloads;
use crate::args::DEFAULT_CPU;
use crate::attack::row::Row;
use crate::qemu::{Boot, Clock, Console, Machine, Medium};
use crate::records::{self, Record};

/// MiB of memory of another kernel's machine.
pub const MEMORY_MIB: u32 = 256;
/// Wall-clock time after which it counts as hung.
const TIME_LIMIT: Duration = Duration::from_secs(600);
/// Bytes of a file in which a multiboot header must begin and end.
const HEADER_IN: usize = 8192;
const MULTIBOOT: u32 = 0x1BAD_B002;
/// Where a disc says that it is one.
const DISC_AT: usize = 0x8001;
const DISC: &[u8] = b"CD001";

/// From where an image boots, by its content.
///
/// # Errors
/// It cannot be read, or nothing of it boots.
pub fn medium(path: &Path) -> Result<Medium> {
    let mut bytes = Vec::new();
    let beginning = (DISC_AT + DISC.len()) as u64;
    File::open(path)
        .and_then(|file| file.take(beginning).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.display();
    if has_multiboot_header(&bytes) {
        let elf64 = bytes.starts_with(b"\x7FELF") && bytes.get(4) == Some(&2);
        ensure!(
            !elf64,
            "{name} is a 64-bit ELF file; QEMU loads 32-bit multiboot kernels (objcopy -O elf32-i386)"
        );
        return Ok(Medium::Kernel);
    }
    if bytes.get(DISC_AT..) == Some(DISC) {
        return Ok(Medium::Disc);
    }
    if bytes.starts_with(b"\x7FELF") {
        bail!("{name} is an ELF file without a multiboot header (version 1) in its first {HEADER_IN} bytes");
    }
    if bytes.get(510..512) == Some(&[0x55, 0xAA]) {
        return Ok(Medium::Disk);
    }
    bail!(
        "{name} does not boot: it has no multiboot header, is no disc (ISO 9660) and no disk (55 AA at byte 510)"
    )
}

fn has_multiboot_header(bytes: &[u8]) -> bool {
    let beginning = &bytes[..bytes.len().min(HEADER_IN)];
    let words: Vec<u32> =
        beginning.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().expect("four"))).collect();
    words
        .windows(3)
        .any(|word| word[0] == MULTIBOOT && word[0].wrapping_add(word[1]).wrapping_add(word[2]) == 0)
}

/// An image's machine.
///
/// # Errors
/// As for [`medium`].
pub fn machine(image: &Path, words: &str, seed: u32) -> Result<Machine> {
    Ok(Machine {
        medium: medium(image)?,
        kernel: image.into(),
        modules: Vec::new(),
        append: format!("{words} seed={seed}").trim_start().into(),
        cpu: DEFAULT_CPU.into(),
        memory_mib: MEMORY_MIB,
        clock: Clock::Instructions,
        console: Console::Quiet,
        time_limit: Some(TIME_LIMIT),
        plugin: None,
    })
}

/// The records of a boot that is over.
///
/// # Errors
/// It did not end as it must, or a record is not as it must be.
pub fn records(boot: &Boot) -> Result<Vec<Record>> {
    if !boot.outcome.passed() {
        bail!("{} {}", boot.outcome, boot.qemu.trim());
    }
    let mut records = records::parse(&boot.records)?;
    let mut names = BTreeSet::new();
    for (at, record) in records.iter_mut().enumerate() {
        let name = check(record).with_context(|| format!("record {}", at + 1))?;
        if let Some(name) = name {
            ensure!(names.insert(name.clone()), "record {}: {name} came already", at + 1);
        }
    }
    ensure!(
        !names.is_empty(),
        "it measured nothing: there is neither a record with bench nor one with attack"
    );
    Ok(records)
}

/// The names of an image's rows that are compared with nothing.
pub fn strange(records: &[Record]) -> Vec<String> {
    let names = records.iter().filter_map(|record| record.get("bench").and_then(Value::as_str));
    names.filter(|name| workloads::unit(name).is_none()).map(String::from).collect()
}

/// Looks at a record, and adds the ratio to an attack's; by what it is told from the others.
fn check(record: &mut Record) -> Result<Option<String>> {
    if record.contains_key("closing") {
        return Ok(None);
    }
    if let Some(row) = Row::read(record) {
        let row = row.map_err(anyhow::Error::msg)?;
        let name = format!("attack {} with {} attackers", row.attack, row.attackers);
        *record = serde_json::from_value(serde_json::to_value(row)?)?;
        return Ok(Some(name));
    }
    let name = record.get("bench").context("it has neither bench, attack nor closing")?;
    let name = name.as_str().context("bench is no text")?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    ensure!(
        !name.is_empty() && name.chars().all(plain),
        "{name:?}: a name has small letters, digits, '.' and '-'"
    );
    if let Some(outcome) = record.get("outcome") {
        ensure!(outcome == "impossible", "{name}: its outcome can only be \"impossible\"");
        ensure!(
            record.get("detail").is_some_and(Value::is_string),
            "{name} has no detail: why it is impossible"
        );
        return Ok(Some(name.into()));
    }
    let unit = record.get("unit").and_then(Value::as_str).with_context(|| format!("{name} has no unit"))?;
    if let Some(expected) = workloads::unit(name) {
        ensure!(unit == expected, "{name} is measured in {expected}, not in {unit}");
    }
    let number = |field: &str| {
        let value = record.get(field).and_then(Value::as_u64);
        value.with_context(|| format!("{name}: {field} is no whole number"))
    };
    ensure!(number("n")? > 0, "{name}: n is 0");
    let sorted = [number("min")?, number("median")?, number("p99")?, number("max")?].is_sorted();
    ensure!(sorted, "{name}: min, median, p99 and max are not in order");
    Ok(Some(name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Ending, Outcome};

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("written");
        file
    }

    fn header(at: usize, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        for (index, word) in [MULTIBOOT, 3, 0u32.wrapping_sub(MULTIBOOT + 3)].iter().enumerate() {
            bytes[at + 4 * index..][..4].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn of(bytes: &[u8]) -> Result<Medium> {
        medium(file(bytes).path())
    }

    #[test]
    fn an_image_is_told_by_its_content() {
        assert_eq!(of(&header(0x1000, 0x3000)).expect("boots"), Medium::Kernel);
        let mut disk = vec![0; 1024];
        disk[510..512].copy_from_slice(&[0x55, 0xAA]);
        assert_eq!(of(&disk).expect("boots"), Medium::Disk);
        // A disc that can also be written to a stick.
        disk.resize(0x9000, 0);
        disk[DISC_AT..][..5].copy_from_slice(DISC);
        assert_eq!(of(&disk).expect("boots"), Medium::Disc);
    }

    #[test]
    fn what_does_not_boot_is_refused_with_the_reason() {
        let says = |bytes: &[u8], words: &str| {
            let error = of(bytes).expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        };
        says(b"", "does not boot");
        says(b"\x7FELF\x01 and so on", "without a multiboot header");
        says(&header(0x2002, 0x3000), "does not boot");
        let mut elf = header(0x100, 0x200);
        elf[..5].copy_from_slice(b"\x7FELF\x02");
        says(&elf, "64-bit");
        assert!(medium(Path::new("/absent")).is_err());
    }

    #[test]
    fn the_document_shows_the_command() {
        let text =
            std::fs::read_to_string(crate::workspace::root().join("docs/join.md")).expect("the document");
        let kernel = file(&header(0, 0x100));
        let machine = machine(kernel.path(), "rounds=50", 1).expect("boots");
        let line = machine.command_line();
        assert!(text.lines().any(|shown| shown == line), "docs/join.md does not show\n{line}");
    }

    const CLOSING: &str = "{\"closing\":\"x\",\"checks\":1,\"failed\":0}\n";

    fn read(records: &str) -> Result<Vec<Record>> {
        let text = format!("{records}{CLOSING}");
        super::records(&Boot {
            outcome: Outcome::judge(Ending::Status(33), "", &text, None),
            console: String::new(),
            records: text,
            qemu: String::new(),
            seen: String::new(),
            duration: Duration::ZERO,
        })
    }

    fn row(name: &str, unit: &str, min: u64) -> String {
        format!(
            "{{\"bench\":\"{name}\",\"unit\":\"{unit}\",\"n\":9,\"min\":{min},\"median\":5,\"p99\":6,\"max\":6}}\n"
        )
    }

    #[test]
    fn good_records_are_taken_and_unknown_names_are_told() {
        let attack = "{\"attack\":\"mapping-flood\",\"design\":\"x\",\"attackers\":1,\"outcome\":\"held\",\"detail\":\"\",\
                      \"victim_ops\":1,\"victim_ops_alone\":2}\n";
        let text = row("call.null", "instructions", 5) + &row("own.thing", "furlongs", 1) + attack;
        let records = read(&text).expect("good");
        read("{\"bench\":\"string.64\",\"outcome\":\"impossible\",\"detail\":\"no strings\"}\n")
            .expect("good, too");
        assert_eq!(records[2]["victim_ops_ratio"], 0.5);
        assert_eq!(strange(&records), ["own.thing"]);
    }

    #[test]
    fn a_wrong_record_is_refused_by_its_number_and_with_the_reason() {
        let good = row("call.null", "instructions", 5);
        for (text, words) in [
            (String::new(), "it measured nothing"),
            (good.clone() + &good, "record 2: call.null came already"),
            (good.clone() + "{\"row\":1}\n", "record 2: it has neither bench"),
            (row("Call", "instructions", 1), "small letters"),
            (row("call.null", "cycles", 1), "call.null is measured in instructions, not in cycles"),
            (row("call.null", "instructions", 6), "not in order"),
            (good.replace("\"n\":9", "\"n\":0"), "n is 0"),
            (good.replace("\"n\":9", "\"n\":1.5"), "n is no whole number"),
            (good.replace("\"unit\"", "\"of\""), "has no unit"),
            (good.replace("\"bench\":\"call.null\"", "\"bench\":7"), "bench is no text"),
            ("{\"bench\":\"map.1\",\"outcome\":\"slow\"}\n".into(), "can only be"),
            ("{\"bench\":\"map.1\",\"outcome\":\"impossible\"}\n".into(), "has no detail"),
            ("{\"attack\":\"a\"}\n".into(), "record 1: the record of attack"),
            ("nonsense\n".into(), "line 1 of the records is no JSON object"),
        ] {
            let error = format!("{:#}", read(&text).expect_err(words));
            assert!(error.contains(words), "{error}");
        }
    }
}
