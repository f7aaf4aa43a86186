//! What figures are judged by: targets, what must stay flat, the figures that are kept.

use super::figures::{Figures, Results};
use super::rows::{GROWTH, Row};

/// What must stay flat may differ by so much, in thousandths.
const FLAT: u64 = 20;
/// A figure may be worse than the one that is kept by so much, in thousandths.
const WORSE: u64 = 10;

/// By how much a row misses its target, in tenths of instructions; `None`: it does not.
pub fn misses(row: &Row, figures: &Figures) -> Option<u64> {
    figures.tenths(row.apart).checked_sub(row.target * 10).filter(|&over| over > 0)
}

/// Whether another kernel needs less.
pub fn is_behind(row: &Row, figures: &Figures) -> bool {
    let peers = [&row.pistachio, &row.sel4].into_iter().flatten();
    peers.map(|peer| peer.least * 10).any(|least| least < figures.tenths(row.apart))
}

/// Something that was measured with more and more of something around.
pub struct Growth<'a> {
    /// What.
    pub what: &'a str,
    /// How many there were, and what it took.
    pub points: Vec<(u32, u64)>,
    /// The distance between the least and the most, in thousandths of the least.
    pub spread: u64,
}

impl Growth<'_> {
    /// Whether it counts as staying the same.
    pub fn is_flat(&self) -> bool {
        self.spread <= FLAT
    }
}

/// All of them of which there are at least two points.
pub fn growth(results: &Results) -> Vec<Growth<'static>> {
    let of = |(name, what, counts): &(&str, &'static str, &[u32])| {
        let points = counts.iter().filter_map(|&count| {
            results.get(&format!("{name}.{count}")).map(|figures| (count, figures.median))
        });
        let points: Vec<(u32, u64)> = points.collect();
        let costs = || points.iter().map(|&(_, cost)| cost);
        let (least, most) = (costs().min()?, costs().max()?);
        let spread = ((most - least) * 1000).div_ceil(least.max(1));
        (points.len() > 1).then_some(Growth { what, points, spread })
    };
    GROWTH.iter().filter_map(of).collect()
}

/// What is worse than what is kept, or not there: a line each. What is better, or new, is no fault.
pub fn worse(kept: &Results, now: &Results) -> Vec<String> {
    let compare = |(name, before): (&str, &Figures)| match now.get(name) {
        None => Some(format!("{name} was not measured")),
        Some(figures) if figures.median * 1000 > before.median * (1000 + WORSE) => {
            Some(format!("{name}: {} {}, was {}", figures.median, figures.unit, before.median))
        }
        Some(_) => None,
    };
    kept.iter().filter_map(compare).collect()
}

#[cfg(test)]
mod tests {
    use super::super::rows::Peer;
    use super::*;
    use crate::records;

    fn results(figures: &[(&str, u64)]) -> Results {
        let line = |(name, median): &(&str, u64)| {
            format!(
                "{{\"bench\":\"{name}\",\"unit\":\"instructions\",\"n\":1,\"min\":1,\"median\":{median},\"p99\":{median},\
                 \"max\":{median},\"per\":2,\"clearing\":10}}\n"
            )
        };
        let text: String = figures.iter().map(line).collect();
        Results::read(&records::parse(&text).expect("records")).expect("figures")
    }

    #[test]
    fn one_per_cent_is_the_most_that_a_figure_may_be_worse() {
        let kept = results(&[("map.1", 1000), ("call.null", 50)]);
        let worse = |map, null| worse(&kept, &results(&[("map.1", map), ("call.null", null)])).len();
        assert_eq!([worse(1000, 50), worse(1010, 50), worse(900, 40)], [0; 3]);
        assert_eq!([worse(1011, 50), worse(1000, 51), worse(1011, 51)], [1, 1, 2]);
        assert_eq!(super::worse(&kept, &results(&[("map.1", 1000)])), ["call.null was not measured"]);
    }

    #[test]
    fn two_per_cent_is_flat() {
        let spread = |second| growth(&results(&[("map.live.1", 1000), ("map.live.10", second)]))[0].is_flat();
        assert_eq!([spread(1000), spread(1020), spread(980), spread(1021)], [true, true, false, false]);
        assert!(growth(&results(&[("map.live.1", 1000)])).is_empty(), "one point says nothing");
    }

    #[test]
    fn targets_are_for_one_operation() {
        let results = results(&[("map.1", 101)]);
        let figures = results.get("map.1").expect("there");
        let row = |target, apart| Row {
            name: String::new(),
            what: String::new(),
            pistachio: None,
            sel4: None,
            target,
            apart,
        };
        assert_eq!(misses(&row(50, false), figures), Some(5));
        assert_eq!(misses(&row(51, false), figures), None);
        assert_eq!(misses(&row(46, true), figures), None);
        assert_eq!(misses(&row(45, true), figures), Some(5));
        let peer = |least| Some(Peer { least, most: Some(least + 9), note: None });
        let behind = |least| is_behind(&Row { sel4: peer(least), ..row(50, false) }, figures);
        assert_eq!((behind(50), behind(51)), (true, false));
    }
}
