//! What repetitions of one measurement say together.
//!
//! What must hold: the same values give the same summary, wherever and whenever: the bootstrap draws from a generator
//! with a seed of its own.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::number::number;

/// Times that the repetitions are drawn anew.
const DRAWS: usize = 2000;
/// Where the generator begins.
const SEED: u64 = 2004;
/// What lies outside of the interval on either side: one part in so many.
const TAIL: usize = 40;

/// The middle of several values, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many values there are.
    pub count: usize,
    /// The one in the middle.
    pub median: f64,
    /// Where the median lies in 95 of 100 samples drawn anew from these values: at least ...
    pub low: f64,
    /// ... and at most.
    pub high: f64,
    /// The least value.
    pub min: f64,
    /// The one that is not exceeded by 99 of 100.
    pub p99: f64,
    /// The most.
    pub max: f64,
}

/// What repetitions make of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// There was one.
    Once,
    /// All agree.
    Exact,
    /// They do not.
    Varies,
}

impl Summary {
    /// Of these values; `None` if there are none, or one is no number.
    pub fn of(values: &[f64]) -> Option<Summary> {
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = interval(&sorted);
        Some(Summary {
            count: sorted.len(),
            median: median(&sorted),
            low,
            high,
            min: sorted[0],
            p99: quantile(&sorted, 99, 100),
            max: sorted[sorted.len() - 1],
        })
    }

    /// Whether it is one value, and whether it was seen more than once.
    pub fn certainty(&self) -> Certainty {
        match self.count {
            1 => Certainty::Once,
            _ if self.min == self.max => Certainty::Exact,
            _ => Certainty::Varies,
        }
    }

    /// The median, and its interval where the values differ.
    pub fn told(&self) -> String {
        match self.certainty() {
            Certainty::Varies => {
                format!("{} [{}, {}]", number(self.median), number(self.low), number(self.high))
            }
            _ => number(self.median),
        }
    }

    /// The same as [`Summary::told`], marked: `=` where repetitions agree, `1×` where there was one.
    pub fn marked(&self) -> String {
        match self.certainty() {
            Certainty::Once => format!("{} (1×)", number(self.median)),
            Certainty::Exact => format!("{} (=)", number(self.median)),
            Certainty::Varies => self.told(),
        }
    }

    /// Everything divided by `by`.
    pub fn per(&self, by: f64) -> Summary {
        Summary {
            count: self.count,
            median: self.median / by,
            low: self.low / by,
            high: self.high / by,
            min: self.min / by,
            p99: self.p99 / by,
            max: self.max / by,
        }
    }
}

/// The middle of sorted values: the mean of two where there are two.
fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
}

/// The least of sorted values that is not exceeded by `part` of `of`.
fn quantile(sorted: &[f64], part: usize, of: usize) -> f64 {
    sorted[(sorted.len() * part).div_ceil(of).max(1) - 1]
}

/// The percentile interval of the bootstrap for the median.
fn interval(sorted: &[f64]) -> (f64, f64) {
    if sorted[0] == sorted[sorted.len() - 1] {
        return (sorted[0], sorted[0]);
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut medians = Vec::with_capacity(DRAWS);
    let mut sample = vec![0.0; sorted.len()];
    for _ in 0..DRAWS {
        sample.fill_with(|| sorted[random.random_range(0..sorted.len())]);
        sample.sort_by(f64::total_cmp);
        medians.push(median(&sample));
    }
    medians.sort_by(f64::total_cmp);
    (quantile(&medians, 1, TAIL), quantile(&medians, TAIL - 1, TAIL))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Summary {
        Summary::of(values).expect("values")
    }

    #[test]
    fn the_middle_and_the_ends() {
        let odd = of(&[3.0, 1.0, 2.0]);
        assert_eq!((odd.median, odd.min, odd.max), (2.0, 1.0, 3.0));
        assert_eq!(of(&[4.0, 1.0, 2.0, 3.0]).median, 2.5);
        let many: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(of(&many).p99, 198.0);
    }

    #[test]
    fn nothing_is_said_about_nothing_and_about_what_is_no_number() {
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[1.0, f64::NAN]), None);
        assert_eq!(Summary::of(&[f64::INFINITY]), None);
    }

    #[test]
    fn exact_is_what_repetitions_agree_on_and_once_is_not_that() {
        assert_eq!(of(&[7.0]).certainty(), Certainty::Once);
        assert_eq!(of(&[7.0, 7.0]).certainty(), Certainty::Exact);
        assert_eq!(of(&[7.0, 8.0]).certainty(), Certainty::Varies);
        assert_eq!(of(&[7.0]).marked(), "7 (1×)");
        assert_eq!(of(&[1234.0, 1234.0]).marked(), "1,234 (=)");
        assert_eq!((of(&[7.0, 7.0]).low, of(&[7.0, 7.0]).high), (7.0, 7.0));
    }

    #[test]
    fn the_interval_holds_the_median_lies_within_the_values_and_comes_again() {
        let values: Vec<f64> = (0..25).map(|at| 100.0 + f64::from(at * at % 17)).collect();
        let one = of(&values);
        assert!(one.min <= one.low && one.low <= one.median && one.median <= one.high && one.high <= one.max);
        assert!(one.low < one.high && (one.low, one.high) != (one.min, one.max));
        let mut other = values.clone();
        other.reverse();
        assert_eq!(of(&other), one, "in whatever order");
    }

    /// Of samples whose middle is known, the interval holds it about as often as it says.
    #[test]
    fn the_interval_covers() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let held = (0..200)
            .filter(|_| {
                let values: Vec<f64> = (0..31).map(|_| random.random_range(0.0..2.0)).collect();
                let one = of(&values);
                one.low <= 1.0 && 1.0 <= one.high
            })
            .count();
        assert!((180..=199).contains(&held), "{held} of 200");
    }

    #[test]
    fn dividing_divides_everything() {
        let one = of(&[10.0, 20.0, 60.0]).per(10.0);
        assert_eq!((one.median, one.min, one.max, one.count), (2.0, 1.0, 6.0, 3));
    }
}
