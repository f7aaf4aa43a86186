//! What figures are judged by: targets, what must stay flat, the figures that are kept.

use super::figures::{Figures, Results};
use super::rows::{GROWTH, PEERS, Row};
use crate::bench::rounds::Rounds;

/// What must stay flat may differ by so much, in thousandths.
const FLAT: u64 = 20;
/// A figure may be worse than the one that is kept by so much, in thousandths.
const WORSE: u64 = 10;
/// The lines that the kernel touches may be more by so many, or by so much, in thousandths: where the linker puts
/// things moves them by a few, whatever is changed.
const MORE_LINES: u64 = 4;
const WORSE_LINES: u64 = 50;

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
            results.get(&format!("{name}.{count}")).map(|figures| (count, figures.rounds.median))
        });
        let points: Vec<(u32, u64)> = points.collect();
        let costs = || points.iter().map(|&(_, cost)| cost);
        let (least, most) = (costs().min()?, costs().max()?);
        let spread = ((most - least) * 1000).div_ceil(least.max(1));
        (points.len() > 1).then_some(Growth { what, points, spread })
    };
    GROWTH.iter().filter_map(of).collect()
}

/// What is wrong with figures, whatever they were before: what must stay the same and does not, and rows in which another
/// kernel needs less. A line each.
pub fn wrong(results: &Results) -> Vec<String> {
    let steep = growth(results).into_iter().filter(|growth| !growth.is_flat());
    let steep = steep.map(|growth| format!("{}: not flat, {} thousandths", growth.what, growth.spread));
    let behind = PEERS.rows.iter().filter(|row| results.get(&row.name).is_some_and(|it| is_behind(row, it)));
    steep.chain(behind.map(|row| format!("{}: another kernel needs less", row.name))).collect()
}

/// What is not the same in two runs, a line each: the instructions of the first round, of the least and of the one in the
/// middle, and what a round does. Not the most: a tick, whose place in a boot depends on what came before, can be in it. Nor
/// the lines that the kernel touches, which depend on where the linker puts things, nor bytes.
pub fn unlike(with: &Results, without: &Results) -> Vec<String> {
    let rounds = |figures: &Figures| {
        let [crossings, switches, invlpg] = figures.events();
        let Rounds { min, median, .. } = figures.rounds;
        let first = figures.first.unwrap_or(0);
        [("at least", min), ("instructions", median), ("at first", first), crossings, switches, invlpg]
    };
    let mut lines = Vec::new();
    for (name, figures) in without.iter().filter(|(_, figures)| figures.unit == "instructions") {
        let Some(others) = with.get(name) else {
            lines.push(format!("{name} was measured only without"));
            continue;
        };
        let pairs = rounds(others).into_iter().zip(rounds(figures));
        let differ: Vec<String> = pairs
            .filter(|(with, without)| with.1 != without.1)
            .map(|(with, without)| format!("{} {}, not {}", with.0, with.1, without.1))
            .collect();
        if !differ.is_empty() {
            lines.push(format!("{name}: {}", differ.join("; ")));
        }
    }
    lines
}

/// What is worse than what is kept, or not there: a line each. What is better, or new, is no fault. Instructions may be
/// more by 1 %; crossings, loads of CR3 and INVLPGs not at all; lines by what their places make of them.
pub fn worse(kept: &Results, now: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, before) in kept.iter() {
        let Some(figures) = now.get(name) else {
            lines.push(format!("{name} was not measured"));
            continue;
        };
        let mut compare = |what: &str, counts: [u64; 2], most: u64| {
            if counts[1] > most {
                lines.push(format!("{name}: {} {what}, was {}", counts[1], counts[0]));
            }
        };
        let medians = [before.rounds.median, figures.rounds.median];
        compare(&figures.unit, medians, before.rounds.median * (1000 + WORSE) / 1000);
        for ((what, before), (_, now)) in before.events().into_iter().zip(figures.events()) {
            compare(what, [before, now], before);
        }
        let lines = [before.lines(), figures.lines()];
        compare("lines", lines, (lines[0] * (1000 + WORSE_LINES) / 1000).max(lines[0] + MORE_LINES));
    }
    lines
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
    fn events_may_not_be_more_and_lines_by_a_few() {
        let with = |crossings, switches, invlpg, code, data| {
            let mut results = results(&[("map.1", 1000)]);
            let figures = results.get_mut("map.1").expect("there");
            let (code_lines, data_lines) = (Some(code), Some(data));
            *figures = Figures {
                crossings: Some(crossings),
                switches: Some(switches),
                invlpg: Some(invlpg),
                code_lines,
                data_lines,
                ..figures.clone()
            };
            results
        };
        let kept = with(2, 1, 1, 100, 60);
        let worse = |now| worse(&kept, &now);
        assert!(worse(with(2, 1, 1, 100, 60)).is_empty() && worse(with(1, 0, 0, 90, 50)).is_empty());
        assert_eq!(worse(with(3, 1, 1, 100, 60)), ["map.1: 3 crossings, was 2"]);
        assert_eq!(worse(with(2, 2, 1, 100, 60)), ["map.1: 2 loads of CR3, was 1"]);
        assert_eq!(worse(with(2, 1, 2, 100, 60)), ["map.1: 2 invlpg, was 1"]);
        assert!(worse(with(2, 1, 1, 104, 64)).is_empty());
        assert_eq!(worse(with(2, 1, 1, 105, 64)), ["map.1: 169 lines, was 160"]);
    }

    #[test]
    fn two_per_cent_is_flat() {
        let steep = |second| wrong(&results(&[("map.live.1", 1000), ("map.live.10", second)])).len();
        assert_eq!([steep(1000), steep(1020), steep(980), steep(1021)], [0, 0, 1, 1]);
        assert!(growth(&results(&[("map.live.1", 1000)])).is_empty(), "one point says nothing");
    }

    #[test]
    fn no_row_may_be_behind() {
        // Two operations a section; the peers' least is 587.
        let unmap = |median| wrong(&results(&[("unmap.1", median)])).len();
        assert_eq!([unmap(2 * 587), unmap(2 * 587 + 2)], [0, 1]);
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
