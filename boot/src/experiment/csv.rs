//! CSV: all records in one file, and what each figure shows.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::data::Data;
use crate::records::Record;

/// Fields that come first, in this order; the others behind them, by name.
const FIRST: [&str; 8] = ["label", "design", "attack", "bench", "attackers", "outcome", "detail", "unit"];

/// Rows under heads.
///
/// # Errors
/// A row is longer or shorter than the heads.
pub fn text(heads: &[String], rows: &[Vec<String>]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(heads)?;
    for row in rows {
        writer.write_record(row)?;
    }
    let bytes = writer.into_inner().map_err(|error| anyhow::anyhow!("cannot write CSV: {error}"))?;
    String::from_utf8(bytes).context("CSV that is no text")
}

/// All records, a column for each field that any of them has.
///
/// # Errors
/// They cannot be written.
pub fn records(data: &Data) -> Result<String> {
    let names: BTreeSet<&str> =
        data.records.iter().flat_map(|record| record.keys()).map(String::as_str).collect();
    let first = FIRST.iter().copied().filter(|name| names.contains(name));
    let rest = names.iter().copied().filter(|name| !FIRST.contains(name));
    let heads: Vec<String> = first.chain(rest).map(String::from).collect();
    let row = |record: &Record| heads.iter().map(|head| value(record.get(head))).collect();
    text(&heads, &data.records.iter().map(row).collect::<Vec<_>>())
}

fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::synthetic;

    #[test]
    fn every_field_of_every_record_is_there() {
        let data = synthetic::with(|record| {
            if record.contains_key("attack") {
                record.insert("detail".into(), "a, \"b\"\nand c".into());
            }
        });
        let text = records(&data).expect("CSV");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let heads = reader.headers().expect("heads").clone();
        assert_eq!(heads.get(0), Some("design"));
        let mut count = 0;
        for (row, record) in reader.records().zip(&data.records) {
            let row = row.expect("a row");
            for (head, field) in heads.iter().zip(&row) {
                assert_eq!(field, value(record.get(head)), "{head}");
            }
            count += 1;
        }
        assert_eq!(count, data.records.len());
    }
}
