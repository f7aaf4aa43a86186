//! What became of a victim beside so many attackers: one row of what `./x attack` found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::records::Record;

/// What the detail begins with where the machine did not survive.
pub const MACHINE: &str = "the machine: ";

/// What an attack came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The design has no way in to try it by.
    Impossible,
    /// Nobody but the attackers noticed.
    Held,
    /// No attacker tried anything, for a reason that is no merit of the design's.
    Untried,
    /// The victim got on more slowly, or paid for others.
    Degraded,
    /// Somebody got what is not theirs, the victim stood still, or the machine did not survive.
    Broken,
}

/// A record of an attack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub attack: String,
    /// The design's name.
    pub design: String,
    /// How many attackers there were.
    pub attackers: u32,
    /// What it came to.
    pub outcome: Verdict,
    /// How.
    pub detail: String,
    /// What the victim got done beside the attackers; none if the machine ended before it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub victim_ops: Option<u64>,
    /// What it gets done alone in the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub victim_ops_alone: Option<u64>,
    /// The one in parts of the other, to three places: made here, where there are fractions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub victim_ops_ratio: Option<f64>,
    /// Whatever else the record says.
    #[serde(flatten)]
    pub further: Record,
}

impl Row {
    /// Reads a record, and adds the ratio; `None`: it is no attack's.
    ///
    /// # Errors
    /// It is one, but not as it must be.
    pub fn read(record: &Record) -> Option<Result<Row, String>> {
        let name = record.get("attack")?;
        let read = || {
            let row = serde_json::from_value(serde_json::Value::Object(record.clone()));
            let row: Row = row.map_err(|error| format!("the record of attack {name}: {error}"))?;
            let (Some(ops), Some(alone)) = (row.victim_ops, row.victim_ops_alone) else {
                return Err(format!("the record of attack {name} does not say what the victim got done"));
            };
            if alone == 0 {
                return Err(format!("the record of attack {name}: alone the victim got nothing done either"));
            }
            let ratio = (ops as f64 / alone as f64 * 1000.0).round() / 1000.0;
            Ok(Row { victim_ops_ratio: Some(ratio), ..row })
        };
        Some(read())
    }

    /// Whether it was the machine itself that ended.
    pub fn is_of_machine(&self) -> bool {
        self.detail.starts_with(MACHINE)
    }

    /// It as a record again.
    pub fn record(&self) -> Record {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(record)) => record,
            other => unreachable!("a row is an object of plain values, not {other:?}"),
        }
    }

    /// The row of an attack that the machine did not survive.
    pub fn of_machine(attack: &str, design: &str, attackers: u32, detail: String) -> Row {
        Row {
            attack: attack.into(),
            design: design.into(),
            attackers,
            outcome: Verdict::Broken,
            detail,
            victim_ops: None,
            victim_ops_alone: None,
            victim_ops_ratio: None,
            further: Record::new(),
        }
    }

    /// How bad it is: the verdict, then what the victim lost.
    pub fn badness(&self) -> (Verdict, u64) {
        let lost = 1.0 - self.victim_ops_ratio.unwrap_or(0.0);
        (self.outcome, (lost.max(0.0) * 1000.0) as u64)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.outcome {
            Verdict::Impossible => f.write_str("impossible"),
            Verdict::Held => f.write_str("held"),
            Verdict::Untried => f.write_str("untried"),
            Verdict::Degraded => f.write_str("degraded"),
            Verdict::Broken => f.write_str("broken"),
        }?;
        match self.victim_ops_ratio {
            Some(ratio) => write!(f, " {ratio:.2}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records;

    fn read(record: &str) -> Option<Result<Row, String>> {
        Row::read(&records::parse(&format!("{record}\n")).expect("a record")[0])
    }

    #[test]
    fn the_ratio_is_made_from_what_was_counted_and_all_else_is_kept() {
        let row = read(
            r#"{"attack":"a","design":"d","attackers":4,"outcome":"degraded","detail":"x","victim_ops":617,
               "victim_ops_alone":1000,"pool_bytes":7}"#
                .replace('\n', "")
                .as_str(),
        );
        let row = row.expect("an attack's").expect("whole");
        assert_eq!((row.victim_ops_ratio, row.outcome), (Some(0.617), Verdict::Degraded));
        assert_eq!(row.to_string(), "degraded 0.62");
        let line = serde_json::to_string(&row).expect("plain values");
        assert!(line.contains("\"pool_bytes\":7") && line.contains("\"victim_ops_ratio\":0.617"), "{line}");
        assert_eq!(serde_json::from_str::<Row>(&line).expect("it was written so"), row);
    }

    #[test]
    fn a_record_that_lacks_something_is_refused_and_another_is_none() {
        assert!(read(r#"{"bench":"x"}"#).is_none());
        for (record, hint) in [
            (r#"{"attack":"a"}"#, "missing field"),
            (r#"{"attack":"a","design":"d","attackers":1,"outcome":"survived","detail":""}"#, "survived"),
            (r#"{"attack":"a","design":"d","attackers":1,"outcome":"held","detail":""}"#, "the victim got"),
            (
                r#"{"attack":"a","design":"d","attackers":1,"outcome":"held","detail":"","victim_ops":0,"victim_ops_alone":0}"#,
                "alone",
            ),
        ] {
            let error = read(record).expect("an attack's").expect_err(record);
            assert!(error.contains(hint), "{error}");
        }
    }
}
