//! What must happen in the end, if only those go on who can be relied upon.
//!
//! What must hold: a question is a region of states and a set of parties. It is answered "in the end everybody
//! leaves the region" exactly if no run stays in it for ever that is fair to each of the parties: one that can
//! take a step again and again takes one again and again. All others may stop for ever, at any state.
//! (Such a run ends up in a strongly connected part of the region, where a party that never moves must
//! never be able to: those states are cut out, and what is left looked at anew. This is strong fairness, which
//! a clock, and a thread that is ready until it runs, both give.)

use crate::graph::Graph;

/// Looks for a run that stays for ever among the states whose marks have all bits of `region`, without a step
/// that has a bit of `ends`, and is fair to all of `parties`. Returns a state of its.
pub fn stays(graph: &Graph, region: u64, parties: u16, ends: u16) -> Option<u32> {
    let mut search = Search::new(graph, ends);
    let all =
        (0..graph.len() as u32).filter(|&state| graph.marks[state as usize] & region == region).collect();
    let mut work: Vec<Vec<u32>> = vec![all];
    while let Some(states) = work.pop() {
        for part in search.parts(&states) {
            let (mut able, mut moving) = (0, 0);
            for &state in &part {
                able |= graph.enabled[state as usize];
                for (target, by) in search.inner_steps(state) {
                    if search.part[target as usize] == search.part[state as usize] {
                        moving |= by;
                    }
                }
            }
            // Whoever does nothing here for ever must not be able to.
            let cheated = able & !moving & parties;
            if cheated == 0 {
                return part.first().copied();
            }
            let rest: Vec<u32> =
                part.into_iter().filter(|&state| graph.enabled[state as usize] & cheated == 0).collect();
            if !rest.is_empty() {
                work.push(rest);
            }
        }
    }
    None
}

/// Tarjan's search for the strongly connected parts, on a stack of its own.
struct Search<'a> {
    graph: &'a Graph,
    ends: u16,
    /// Which set of states each belongs to that is looked at now; 0: none.
    set: Vec<u32>,
    sets: u32,
    /// The number of each state's part.
    part: Vec<u32>,
    /// When each state was met, and the earliest that it leads back to; 0: not met.
    met: Vec<u32>,
    low: Vec<u32>,
}

/// What is no part yet.
const OPEN: u32 = u32::MAX;

impl<'a> Search<'a> {
    fn new(graph: &'a Graph, ends: u16) -> Search<'a> {
        let zeros = || vec![0; graph.len()];
        Search { graph, ends, set: zeros(), sets: 0, part: zeros(), met: zeros(), low: zeros() }
    }

    /// The steps from a state that stay in its set and end nothing: where to, and whose.
    fn inner_steps(&self, state: u32) -> impl Iterator<Item = (u32, u16)> {
        let set = self.set[state as usize];
        self.graph.steps(state).filter_map(move |step| {
            let (target, by) = (self.graph.target[step], self.graph.parties[step]);
            (by & self.ends == 0 && self.set[target as usize] == set).then_some((target, by))
        })
    }

    /// The parts of a set of states. A state alone is one: everybody may stop.
    fn parts(&mut self, states: &[u32]) -> Vec<Vec<u32>> {
        self.sets += 1;
        for &state in states {
            (self.set[state as usize], self.met[state as usize]) = (self.sets, 0);
            self.part[state as usize] = OPEN;
        }
        let (mut parts, mut clock, mut path) = (Vec::new(), 0, Vec::new());
        for &root in states {
            if self.met[root as usize] != 0 {
                continue;
            }
            let mut stack = vec![(root, 0)];
            while let Some(&mut (state, ref mut next)) = stack.last_mut() {
                let at = state as usize;
                if *next == 0 {
                    clock += 1;
                    (self.met[at], self.low[at]) = (clock, clock);
                    path.push(state);
                }
                let step = self.graph.steps(state).nth(*next);
                *next += 1;
                if let Some(step) = step {
                    let target = self.graph.target[step] as usize;
                    if self.graph.parties[step] & self.ends != 0 || self.set[target] != self.sets {
                        continue;
                    }
                    if self.met[target] == 0 {
                        stack.push((target as u32, 0));
                    } else if self.part[target] == OPEN {
                        self.low[at] = self.low[at].min(self.met[target]);
                    }
                    continue;
                }
                stack.pop();
                if let Some(&(above, _)) = stack.last() {
                    self.low[above as usize] = self.low[above as usize].min(self.low[at]);
                }
                if self.low[at] == self.met[at] {
                    let begin = path.iter().rposition(|&other| other == state).expect("it is on the path");
                    let part = path.split_off(begin);
                    for &member in &part {
                        self.part[member as usize] = parts.len() as u32;
                    }
                    parts.push(part);
                }
            }
        }
        parts
    }
}
