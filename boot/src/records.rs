//! What a guest writes to its second serial port: JSON objects, one a line.
//!
//! The last one is the closing record, `{"closing":NAME,"checks":N,"failed":N}`, and there is no other.

use std::fmt;

use serde_json::{Map, Value};

/// One line.
pub type Record = Map<String, Value>;

/// A line that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Counted from 1.
    pub number: usize,
    /// The line itself.
    pub text: String,
    /// What is wrong with it.
    pub cause: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "line {} of the records {}: {}", self.number, self.cause, self.text)
    }
}

impl std::error::Error for BadLine {}

/// Reads all records.
///
/// # Errors
/// The first line that is no JSON object, or the last one if it was cut off before its end of line.
pub fn parse(text: &str) -> Result<Vec<Record>, BadLine> {
    text.split_inclusive('\n')
        .enumerate()
        .map(|(index, line)| {
            let bad = |cause: String| BadLine { number: index + 1, text: line.trim_end().into(), cause };
            if !line.ends_with('\n') {
                return Err(bad("is cut off".into()));
            }
            serde_json::from_str(line).map_err(|error| bad(format!("is no JSON object ({error})")))
        })
        .collect()
}

/// The closing record's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// What was run.
    pub name: String,
    /// How many checks it made.
    pub checks: u64,
    /// How many of them failed.
    pub failed: u64,
}

impl Closing {
    /// Reads a closing record; `None` if `record` is another one.
    ///
    /// # Errors
    /// It calls itself a closing record, but its contents are not as they must be.
    pub fn read(record: &Record) -> Option<Result<Closing, String>> {
        let name = record.get("closing")?;
        let read = || {
            Some(Closing {
                name: name.as_str()?.into(),
                checks: record.get("checks")?.as_u64()?,
                failed: record.get("failed")?.as_u64()?,
            })
        };
        Some(read().ok_or_else(|| format!("a closing record without name, checks and failed: {record:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_a_line() {
        let records = parse("{\"a\":1}\n{\"b\":\"x\"}\r\n").expect("two records");
        assert_eq!(records.len(), 2);
        assert_eq!(records[1]["b"], "x");
        assert_eq!(parse("").expect("none"), Vec::<Record>::new());
    }

    #[test]
    fn what_is_no_object_is_refused_by_its_number() {
        for (text, number) in [("{\"a\":1}\nnoise\n", 2), ("7\n", 1), ("{\"a\":1}\n\n", 2), ("{\"a\":1}", 1)]
        {
            assert_eq!(parse(text).expect_err(text).number, number, "{text:?}");
        }
    }

    #[test]
    fn closing_records_are_told_from_others_and_from_broken_ones() {
        let read = |text: &str| Closing::read(&parse(&format!("{text}\n")).expect("a record")[0]);
        assert!(read(r#"{"bench":"x"}"#).is_none());
        let closing = read(r#"{"closing":"tour","checks":3,"failed":1}"#).expect("closing").expect("whole");
        assert_eq!(closing, Closing { name: "tour".into(), checks: 3, failed: 1 });
        for broken in [
            r#"{"closing":"x","checks":3}"#,
            r#"{"closing":1,"checks":3,"failed":0}"#,
            r#"{"closing":"x","checks":-1,"failed":0}"#,
        ] {
            assert!(read(broken).expect("closing").is_err(), "{broken}");
        }
    }
}
