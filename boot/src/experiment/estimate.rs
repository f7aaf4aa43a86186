//! A value that was measured or computed from measured ones, with what it may lie between.

use super::number::number;
use super::stats::Summary;

/// At least, most likely, at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// At least.
    pub low: f64,
    /// The median.
    pub value: f64,
    /// At most.
    pub high: f64,
}

/// What a value was predicted to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// Not more.
    AtMost(f64),
    /// Not less.
    AtLeast(f64),
    /// Less.
    Below(f64),
    /// Neither less than the one nor more than the other.
    Within(f64, f64),
}

impl From<Summary> for Estimate {
    fn from(summary: Summary) -> Estimate {
        Estimate { low: summary.low, value: summary.median, high: summary.high }
    }
}

impl From<f64> for Estimate {
    fn from(value: f64) -> Estimate {
        Estimate { low: value, value, high: value }
    }
}

impl Estimate {
    /// One through the other; `None`: the other may be 0 or less.
    pub fn over(self, other: Estimate) -> Option<Estimate> {
        let over = || Estimate {
            low: self.low / other.high,
            value: self.value / other.value,
            high: self.high / other.low,
        };
        (other.low > 0.0).then(over)
    }

    /// What it is more than the other.
    pub fn minus(self, other: Estimate) -> Estimate {
        Estimate { low: self.low - other.high, value: self.value - other.value, high: self.high - other.low }
    }

    /// Whether it is as predicted; `None`: what it may lie between reaches across the limit.
    pub fn is(self, bound: Bound) -> Option<bool> {
        let [low, high] = [self.low, self.high].map(|value| match bound {
            Bound::AtMost(most) => value <= most,
            Bound::AtLeast(least) => value >= least,
            Bound::Below(most) => value < most,
            Bound::Within(least, most) => least <= value && value <= most,
        });
        // Between two limits both ends can lie outside, on different sides.
        let around = matches!(bound, Bound::Within(least, most) if self.low < least && self.high > most);
        (low == high && !around).then_some(low)
    }

    /// The value, and what it lies between if that is more than one.
    pub fn told(self) -> String {
        if self.low == self.high {
            return number(self.value);
        }
        format!("{} [{}, {}]", number(self.value), number(self.low), number(self.high))
    }
}

impl Bound {
    /// In words.
    pub fn told(self) -> String {
        match self {
            Bound::AtMost(most) => format!("at most {}", number(most)),
            Bound::AtLeast(least) => format!("at least {}", number(least)),
            Bound::Below(most) => format!("below {}", number(most)),
            Bound::Within(least, most) => format!("{} to {}", number(least), number(most)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_across_a_limit_decides_nothing() {
        let estimate = Estimate { low: 9.0, value: 10.0, high: 12.0 };
        assert_eq!(estimate.is(Bound::AtMost(12.0)), Some(true));
        assert_eq!(estimate.is(Bound::AtMost(11.0)), None);
        assert_eq!(estimate.is(Bound::AtMost(8.0)), Some(false));
        assert_eq!(estimate.is(Bound::AtLeast(9.0)), Some(true));
        assert_eq!(estimate.is(Bound::Below(12.0)), None);
        assert_eq!(estimate.is(Bound::Within(9.0, 12.0)), Some(true));
        assert_eq!(estimate.is(Bound::Within(10.0, 11.0)), None);
        assert_eq!(estimate.is(Bound::Within(20.0, 30.0)), Some(false));
    }

    #[test]
    fn ratios_and_differences_carry_what_is_unsure() {
        let (one, two) = (Estimate { low: 9.0, value: 10.0, high: 11.0 }, Estimate::from(2.0));
        assert_eq!(one.over(two), Some(Estimate { low: 4.5, value: 5.0, high: 5.5 }));
        assert_eq!(two.minus(one), Estimate { low: -9.0, value: -8.0, high: -7.0 });
        assert_eq!(one.over(Estimate::from(0.0)), None);
        assert_eq!([one.told(), two.told()], ["10 [9, 11]", "2"]);
    }
}
