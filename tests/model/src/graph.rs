//! All states of a configuration and the steps between them, kept: for what must happen in the end, which no
//! look at single states can tell.
//!
//! What must hold: the same states as stateright finds, which the tests compare. A state is known by 64 bits of
//! a hash; what questions need to know of it is taken down when it is found.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::config::Config;
use crate::model::Action;
use crate::state::State;

/// The graph.
pub struct Graph {
    /// What was taken down of each state.
    pub marks: Vec<u64>,
    /// The parties that each state has a step of.
    pub enabled: Vec<u16>,
    /// Where each state's steps begin in the two that follow; one more at the end.
    pub first: Vec<u32>,
    /// Where each step leads.
    pub target: Vec<u32>,
    /// Whose it is, and what else was taken down of it.
    pub parties: Vec<u16>,
    /// From which state each was found.
    parent: Vec<u32>,
}

impl Graph {
    /// Explores all of `config`. `mark` takes down what is needed of a state, `note` what is needed of a step
    /// beside whose it is.
    pub fn explore(
        config: &Config,
        mark: impl Fn(&State) -> u64,
        note: impl Fn(&State, Action) -> u16,
    ) -> Graph {
        let first = State::first(config);
        let mut graph = Graph {
            marks: vec![mark(&first)],
            enabled: Vec::new(),
            first: Vec::new(),
            target: Vec::new(),
            parties: Vec::new(),
            parent: vec![0],
        };
        let mut known = HashMap::<u64, u32, BuildHasherDefault<Known>>::default();
        known.insert(fingerprint(&first), 0);
        let mut layer = vec![first];
        let mut actions = Vec::new();
        while !layer.is_empty() {
            let mut next_layer = Vec::new();
            for state in &layer {
                let number = graph.enabled.len() as u32;
                graph.first.push(graph.target.len() as u32);
                let mut enabled = 0;
                config.possible(state, &mut actions);
                for action in actions.drain(..) {
                    let Some(next) = config.next(state, action) else { continue };
                    let parties = action.parties(state);
                    enabled |= parties;
                    let found = *known.entry(fingerprint(&next)).or_insert_with(|| {
                        graph.marks.push(mark(&next));
                        graph.parent.push(number);
                        next_layer.push(next);
                        graph.marks.len() as u32 - 1
                    });
                    graph.target.push(found);
                    graph.parties.push(parties | note(state, action));
                }
                graph.enabled.push(enabled);
            }
            layer = next_layer;
        }
        graph.first.push(graph.target.len() as u32);
        graph
    }

    /// How many states there are.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there is none: never, there is a first one.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// The steps of a state, as indices.
    pub fn steps(&self, state: u32) -> std::ops::Range<usize> {
        self.first[state as usize] as usize..self.first[state as usize + 1] as usize
    }

    /// The way to a state, as the states on it were found.
    pub fn way(&self, config: &Config, state: u32) -> Vec<Action> {
        let mut numbers = vec![state];
        while let Some(&last) = numbers.last()
            && last != 0
        {
            numbers.push(self.parent[last as usize]);
        }
        let mut way = Vec::new();
        let mut at = State::first(config);
        let mut actions = Vec::new();
        for pair in numbers.windows(2).rev() {
            config.possible(&at, &mut actions);
            let steps = actions.drain(..).filter_map(|action| Some((action, config.next(&at, action)?)));
            let (step, next) = steps
                .zip(self.steps(pair[1]))
                .find(|(_, index)| self.target[*index] == pair[0])
                .map(|(step, _)| step)
                .expect("it was found by a step");
            way.push(step);
            at = next;
        }
        way
    }
}

fn fingerprint(state: &State) -> u64 {
    let mut hasher = Mixer(0x9E37_79B9_7F4A_7C15);
    state.hash(&mut hasher);
    hasher.finish()
}

/// Mixes what a state is made of: quick, since nobody chooses states in order to make them collide.
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value.wrapping_add(0xA076_1D64_78BD_642F)) * 0xE703_7ED1_A0B4_28DB;
        self.0 = (product as u64).rotate_left(23) ^ (product >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        let product = u128::from(self.0) * 0xD6E8_FEB8_6659_FD93;
        product as u64 ^ (product >> 64) as u64
    }
}

/// What is hashed already.
#[derive(Default)]
struct Known(u64);

impl Hasher for Known {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only fingerprints are kept");
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
