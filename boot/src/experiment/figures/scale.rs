//! From values to places on an axis, and which of them are written beside it.
//!
//! What must hold: the range covers all values; places are finite; a zero has a place on a logarithmic axis too, below
//! all others, and is written as 0.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::experiment::number::number;

/// How values are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Evenly, from 0 on.
    Linear,
    /// By their logarithm.
    Log,
}

/// An axis for certain values.
#[derive(Debug, Clone)]
pub struct Scale {
    kind: Kind,
    /// The first place and the last.
    pub range: (f64, f64),
    /// Places of which the value is written.
    pub ticks: Vec<f64>,
    zero: Option<f64>,
}

/// At most so many values are written beside an axis, unless it has decades.
const TICKS: usize = 7;
/// Pixels of an axis, and of a letter beside it, about.
const AXIS: f64 = 390.0;
const LETTER: f64 = 7.5;

impl Scale {
    /// For these values. `exact`: if they are few, it is they that are written.
    pub fn new(kind: Kind, values: &[f64], exact: bool) -> Scale {
        match kind {
            Kind::Linear => Scale::linear(values, exact),
            Kind::Log => Scale::log(values, exact),
        }
    }

    fn linear(values: &[f64], exact: bool) -> Scale {
        let most = values.iter().copied().fold(0.0, f64::max);
        let most = if most > 0.0 { most } else { 1.0 };
        let rough = most / (TICKS - 2) as f64;
        let decade = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].iter().map(|digit| digit * decade).find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * decade);
        let steps = (most / step - 1e-9).ceil().max(1.0);
        let mut ticks: Vec<f64> = (0..=steps as u32).map(|at| f64::from(at) * step).collect();
        let chosen = distinct(values);
        if exact && chosen.len() <= TICKS {
            ticks = chosen;
        }
        // A little room, so that the highest point is not cut.
        Scale { kind: Kind::Linear, range: (0.0, steps * step * 1.04), ticks, zero: None }
    }

    fn log(values: &[f64], exact: bool) -> Scale {
        let positive = || values.iter().copied().filter(|value| *value > 0.0).map(f64::log10);
        let least = positive().fold(f64::INFINITY, f64::min);
        let most = positive().fold(f64::NEG_INFINITY, f64::max);
        let (least, most) = if least.is_finite() { (least, most) } else { (0.0, 1.0) };
        let has_zero = values.iter().any(|value| *value <= 0.0);
        let chosen: Vec<f64> =
            distinct(values).into_iter().filter(|value| *value > 0.0).map(f64::log10).collect();
        let exact = exact && chosen.len() <= 2 * TICKS;
        // Values that hardly differ must not look as if they did.
        let span: f64 = if exact { 0.3 } else { 1.0 };
        let beside = ((span - (most - least)) / 2.0).max(0.0);
        let (low, high) = (least - beside, most + beside);
        let span = high - low;
        let zero = has_zero.then_some(low - (span * 0.15).max(0.15));
        let mut ticks = if exact { apart(chosen, low, high) } else { decades(low, high) };
        ticks.extend(zero);
        let room = (high - zero.unwrap_or(low)) * 0.05;
        Scale { kind: Kind::Log, range: (zero.unwrap_or(low) - room, high + room), ticks, zero }
    }

    /// Where a value is.
    pub fn place(&self, value: f64) -> f64 {
        match self.kind {
            Kind::Linear => value,
            Kind::Log if value > 0.0 => value.log10(),
            Kind::Log => self.zero.unwrap_or(self.range.0),
        }
    }

    /// What is written at a place.
    pub fn text(&self, place: f64) -> String {
        match self.kind {
            Kind::Linear => number(place),
            Kind::Log if self.zero == Some(place) => "0".into(),
            Kind::Log => {
                let value = 10f64.powf(place);
                number(if (value - value.round()).abs() < 1e-6 * value { value.round() } else { value })
            }
        }
    }
}

/// As the drawing library has axes: of places.
impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (first, last): (i32, i32)) -> i32 {
        let part = (place - self.range.0) / (self.range.1 - self.range.0);
        first + (f64::from(last - first) * part).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.range.0..self.range.1
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, place: &f64) -> String {
        self.text(*place)
    }
}

/// Sorted, each once.
fn distinct(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

/// Powers of ten; of many each second or third, between few also their double and fivefold.
fn decades(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.floor() as i32, high.ceil() as i32);
    let within = |place: &f64| low - 1e-9 <= *place && *place <= high + 1e-9;
    let whole: Vec<f64> = (first..=last).map(f64::from).filter(within).collect();
    if whole.len() >= 3 {
        return whole.iter().copied().step_by(whole.len() / (TICKS + 1) + 1).collect();
    }
    let digits = [1.0, 2.0, 5.0].map(f64::log10);
    (first..=last).flat_map(|decade| digits.map(|digit| f64::from(decade) + digit)).filter(within).collect()
}

/// Of sorted places those whose values can be written beside one another.
fn apart(places: Vec<f64>, low: f64, high: f64) -> Vec<f64> {
    let wide = |place: f64| number(10f64.powf(place).round()).len() as f64 * LETTER / AXIS;
    let mut kept: Vec<f64> = Vec::new();
    for place in places {
        let room = |last: &f64| (wide(*last) + wide(place)) / 2.0 + LETTER / AXIS;
        if kept.last().is_none_or(|last| (place - last) / (high - low) >= room(last)) {
            kept.push(place);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(scale: &Scale, values: &[f64]) {
        for value in values {
            let place = scale.place(*value);
            assert!(
                place.is_finite() && scale.range.0 <= place && place <= scale.range.1,
                "{value}: {scale:?}"
            );
        }
        assert!(scale.range.0 < scale.range.1);
        for tick in &scale.ticks {
            assert!(scale.range.0 <= *tick && *tick <= scale.range.1, "{scale:?}");
            assert!(!scale.text(*tick).contains("NaN"));
        }
    }

    #[test]
    fn every_value_has_a_place() {
        let sets: [&[f64]; 7] = [
            &[],
            &[0.0],
            &[5.0],
            &[0.0, 1.0, 16_384.0],
            &[0.001, 1e9],
            &[0.97, 1.0],
            &[1.0, 4.0, 16.0, 64.0, 256.0, 1024.0],
        ];
        for values in sets {
            for kind in [Kind::Linear, Kind::Log] {
                for exact in [false, true] {
                    covers(&Scale::new(kind, values, exact), values);
                }
            }
        }
    }

    #[test]
    fn a_zero_lies_below_everything_and_is_written() {
        let scale = Scale::new(Kind::Log, &[0.0, 3.0, 70_000.0], false);
        assert!(scale.place(0.0) < scale.place(3.0));
        let texts: Vec<String> = scale.ticks.iter().map(|tick| scale.text(*tick)).collect();
        assert_eq!(texts, ["10", "100", "1,000", "10,000", "0"]);
        let narrow = Scale::new(Kind::Log, &[140.0, 2_500.0], false);
        let texts: Vec<String> = narrow.ticks.iter().map(|tick| narrow.text(*tick)).collect();
        assert_eq!(texts, ["200", "500", "1,000", "2,000"]);
    }

    #[test]
    fn values_that_hardly_differ_do_not_look_as_if_they_did() {
        let scale = Scale::new(Kind::Log, &[2_000.0, 2_016.0], false);
        let all = scale.range.1 - scale.range.0;
        assert!((scale.place(2_016.0) - scale.place(2_000.0)) / all < 0.01);
    }

    #[test]
    fn few_values_are_written_themselves() {
        let scale = Scale::new(Kind::Log, &[1.0, 4.0, 16.0], true);
        let texts: Vec<String> = scale.ticks.iter().map(|tick| scale.text(*tick)).collect();
        assert_eq!(texts, ["1", "4", "16"]);
        assert!(Scale::new(Kind::Log, &[1.0, 1.01, 1024.0], true).ticks.len() < 3, "not over one another");
    }
}
