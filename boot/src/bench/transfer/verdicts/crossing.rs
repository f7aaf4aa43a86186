//! From which size on one way is cheaper than another.

use crate::bench::transfer::cell::{Residency, Trust, Way};
use crate::bench::transfer::crossover::{Direction, costs_by_size};
use crate::bench::transfer::figures::{Results, grouped};

/// Where the later way becomes the cheaper one, and stays it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    /// It is cheaper at every measured size.
    Always,
    /// It is not cheaper at the largest one.
    Never,
    /// It is cheaper from `above` bytes on.
    Between {
        /// The largest measured size at which it is not cheaper.
        below: u64,
        /// The next measured size.
        above: u64,
        /// Where the two meet if costs run straight between these sizes.
        meet: u64,
    },
}

/// From where on `late` is cheaper than `early`, with resident memory. `None`: no size has figures for both.
pub fn crossing(
    results: &Results,
    direction: Direction,
    trust: Trust,
    early: Way,
    late: Way,
) -> Option<Crossing> {
    let place = |way| Way::ALL.iter().position(|own| *own == way);
    let (early, late) = (place(early)?, place(late)?);
    let savings: Vec<(u64, i128)> = costs_by_size(results, direction, Residency::Resident, trust)
        .into_iter()
        .filter_map(|(bytes, costs)| Some((bytes, i128::from(costs[early]?) - i128::from(costs[late]?))))
        .collect();
    savings.last()?;
    let Some(last_loss) = savings.iter().rposition(|(_, saved)| *saved <= 0) else {
        return Some(Crossing::Always);
    };
    let Some(&(above, gain)) = savings.get(last_loss + 1) else { return Some(Crossing::Never) };
    let (below, loss) = (savings[last_loss].0, -savings[last_loss].1);
    let meet = below + (u128::from(above - below) * loss as u128 / (loss + gain) as u128) as u64;
    Some(Crossing::Between { below, above, meet })
}

impl Crossing {
    /// In words, completing "cheaper …".
    pub fn told(self) -> String {
        match self {
            Crossing::Always => "at every measured size".into(),
            Crossing::Never => "at no size up to the largest".into(),
            Crossing::Between { below, above, meet } => {
                let [below, above, meet] = [below, above, meet].map(grouped);
                format!("from {above} bytes on, not yet at {below}, meeting near {meet} bytes")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::transfer::synthetic;

    #[test]
    fn ways_meet_on_a_straight_line() {
        let results = synthetic::results();
        let of = |early, late| crossing(&results, Direction::Send, Trust::Trusting, early, late);
        // 500 + 4000 a KiB and 1000 + 300 a KiB: at 138.4 bytes.
        let expected = Crossing::Between { below: 64, above: 255, meet: 138 };
        assert_eq!(of(Way::Registers, Way::Touched), Some(expected));
        assert_eq!(of(Way::Wired, Way::Touched), Some(Crossing::Always));
        assert_eq!(of(Way::Touched, Way::Wired), Some(Crossing::Never));
        assert_eq!(
            crossing(&results, Direction::Receive, Trust::Distrusting, Way::Wired, Way::Container),
            None
        );
    }
}
