//! A row: what was measured under one name, once or several times.

use super::{figure, text};
use crate::experiment::stats::Summary;
use crate::records::Record;

/// One record of a row.
#[derive(Debug, Clone)]
pub struct Take {
    /// In what it was measured.
    pub unit: String,
    /// Rounds.
    pub rounds: u64,
    /// The least of them.
    pub min: f64,
    /// The one in the middle.
    pub median: f64,
    /// More than 99 of 100.
    pub p99: f64,
    /// The most.
    pub max: f64,
    /// Bytes of the pool it was taken with, if that is known.
    pub pool: Option<u64>,
    /// The whole record.
    pub record: Record,
}

impl Take {
    /// Reads a record; `None`: it is none of a measurement, or not as it must be.
    pub fn read(record: &Record, pool: Option<u64>) -> Option<Take> {
        text(record, "bench")?;
        if record.contains_key("outcome") {
            // Refused, or not possible: kept for those who ask for the record, without figures.
            let none = f64::NAN;
            let (unit, record) = (String::new(), record.clone());
            return Some(Take {
                unit,
                rounds: 0,
                min: none,
                median: none,
                p99: none,
                max: none,
                pool,
                record,
            });
        }
        let median = figure(record, "median")?;
        let or_median = |field| figure(record, field).unwrap_or(median);
        let take = Take {
            unit: text(record, "unit")?,
            rounds: figure(record, "n").unwrap_or(1.0) as u64,
            min: or_median("min"),
            median,
            p99: or_median("p99"),
            max: or_median("max"),
            pool,
            record: record.clone(),
        };
        let sorted = [take.min, take.median, take.p99, take.max].is_sorted();
        sorted.then_some(take)
    }
}

/// What was measured under one name.
#[derive(Debug, Default)]
pub struct Row {
    /// Once for each repetition, with the largest pool that was used.
    pub takes: Vec<Take>,
}

impl Row {
    /// One more; what was taken with a smaller pool goes.
    pub fn add(&mut self, take: Take) {
        match self.takes.first().map(|first| first.pool) {
            Some(pool) if pool > take.pool => {}
            Some(pool) if pool < take.pool => self.takes = vec![take],
            _ => self.takes.push(take),
        }
    }

    /// In what it was measured.
    pub fn unit(&self) -> &str {
        self.takes.first().map_or("", |take| &take.unit)
    }

    /// The same for one operation, where a round holds several.
    pub fn each(&self) -> Option<Summary> {
        let operations = self.field("per").map_or(1.0, |per| per.median.max(1.0));
        Some(self.summary()?.per(operations))
    }

    /// Rounds that ended by their time limit, in all repetitions.
    pub fn timeouts(&self) -> f64 {
        self.takes.iter().filter_map(|take| figure(&take.record, "timeouts")).sum()
    }

    /// The medians of the repetitions; `None`: it was refused.
    pub fn summary(&self) -> Option<Summary> {
        Summary::of(&self.takes.iter().map(|take| take.median).collect::<Vec<_>>())
    }

    /// The same of a further field of the records.
    pub fn field(&self, name: &str) -> Option<Summary> {
        let values: Option<Vec<f64>> = self.takes.iter().map(|take| figure(&take.record, name)).collect();
        Summary::of(&values?)
    }

    /// The most of each repetition's rounds.
    pub fn most(&self) -> Option<Summary> {
        Summary::of(&self.takes.iter().map(|take| take.max).collect::<Vec<_>>())
    }

    /// Why there are no figures.
    pub fn refused(&self) -> Option<String> {
        self.takes.iter().find_map(|take| {
            text(&take.record, "outcome")?;
            Some(text(&take.record, "detail").unwrap_or_default())
        })
    }
}
