//! Random operations on several trees at once, in the list with depths and in real trees: both
//! must agree in every field, error and bound (docs/invariants.md: 3, 4, 7, 8, 20). Revokes are taken step
//! by step among all the other operations, so they nest, meet and are abandoned.

mod support;

use std::collections::BTreeMap;

use freehold_captree::{
    DeriveError, HasDescendants, Slots, UNLIMITED, check, derive, is_leaf, phi, plant, relocate, remove,
    revoke_step, settle,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use support::arena::Arena;
use support::list;
use support::model::{Forest, Refusal};

const SLOTS: usize = 24;
const TOTALS: [u32; 12] = [0, 0, 0, 1, 2, 2, 3, 6, 9, 30, u32::MAX - 1, UNLIMITED];

#[derive(Clone, Copy, Debug)]
enum Op {
    Plant { slot: usize, rights: u8, total: u32 },
    Derive { parent: usize, child: usize, rights: u8, total: u32 },
    Remove { slot: usize },
    Step { slot: usize },
    Finish { slot: usize },
    Settle { slot: usize },
    Relocate { from: usize, to: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let slot = 0..SLOTS;
    let total = proptest::sample::select(&TOTALS[..]);
    prop_oneof![
        1 => (slot.clone(), 0..8u8, total.clone())
            .prop_map(|(slot, rights, total)| Op::Plant { slot, rights, total }),
        12 => (slot.clone(), slot.clone(), 0..8u8, total)
            .prop_map(|(parent, child, rights, total)| Op::Derive { parent, child, rights, total }),
        6 => slot.clone().prop_map(|slot| Op::Remove { slot }),
        5 => slot.clone().prop_map(|slot| Op::Step { slot }),
        1 => slot.clone().prop_map(|slot| Op::Finish { slot }),
        1 => slot.clone().prop_map(|slot| Op::Settle { slot }),
        2 => (slot.clone(), slot).prop_map(|(from, to)| Op::Relocate { from, to }),
    ]
}

/// Both worlds, and the revokes under way: how many steps each may take and has taken.
struct Pair {
    arena: Arena,
    model: Forest<usize>,
    revokes: BTreeMap<usize, (Option<u32>, u32)>,
}

fn bounded(total: u32) -> Option<u32> {
    (total != UNLIMITED).then_some(total)
}

impl Pair {
    fn new() -> Pair {
        let mut pair = Pair { arena: Arena::new(SLOTS, 3), model: Forest::new(), revokes: BTreeMap::new() };
        pair.apply(Op::Plant { slot: 0, rights: 7, total: UNLIMITED });
        pair.apply(Op::Plant { slot: 1, rights: 7, total: 30 });
        pair
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Plant { slot, rights, total } if !self.model.has(slot) => {
                let link = self.arena.link(slot);
                let total = self.arena.representable(link, total);
                plant(&mut self.arena, link, rights, total);
                self.model.plant(slot, rights, bounded(total));
            }
            Op::Derive { parent, child, rights, total }
                if self.model.has(parent) && !self.model.has(child) =>
            {
                self.derive(parent, child, rights, total);
            }
            Op::Remove { slot } if self.model.has(slot) => {
                let before = self.arena.clone();
                let (link, leaf) = (self.arena.link(slot), self.model.remove(slot));
                let done = remove(&mut self.arena, link);
                assert_eq!(done, if leaf { Ok(()) } else { Err(HasDescendants) });
                if leaf {
                    self.forget(slot);
                } else {
                    assert_eq!(self.arena, before, "a refused removal changes nothing");
                }
            }
            Op::Step { slot } if self.model.has(slot) => {
                self.step(slot);
            }
            Op::Finish { slot } if self.model.has(slot) => while self.step(slot) {},
            // Nobody's slot: there is nothing to take, and that is no error.
            Op::Step { slot } | Op::Finish { slot } | Op::Settle { slot } if !self.model.has(slot) => {
                let before = self.arena.clone();
                let link = self.arena.link(slot);
                assert_eq!(revoke_step(&mut self.arena, link), None);
                settle(&mut self.arena, link);
                assert_eq!(self.arena, before);
            }
            Op::Settle { slot } => {
                let link = self.arena.link(slot);
                self.model.settle(slot);
                settle(&mut self.arena, link);
            }
            Op::Relocate { from, to } if self.model.has(from) && !self.model.has(to) => {
                let (old, new) = (self.arena.link(from), self.arena.link(to));
                if old.kind() == new.kind() {
                    relocate(&mut self.arena, old, new);
                    self.model.relocate(from, to);
                    assert!(self.arena.next(old).is_none() && self.arena.prev(old).is_none());
                    if let Some(revoke) = self.revokes.remove(&from) {
                        self.revokes.insert(to, revoke);
                    }
                    self.forget(from);
                }
            }
            _ => {}
        }
        // A revoke that another operation brought to its end is under way no more.
        let (arena, revokes) = (&self.arena, &mut self.revokes);
        revokes.retain(|&slot, _| arena.node(arena.link(slot)).revoking);
    }

    fn derive(&mut self, parent: usize, child: usize, rights: u8, wanted: u32) {
        let before = self.arena.clone();
        let (above, below) = (self.arena.link(parent), self.arena.link(child));
        let total = self.arena.representable(below, wanted);
        assert!(total <= wanted);
        let done = derive(&mut self.arena, above, below, rights, wanted);
        let expected = match self.model.derive(parent, child, rights, bounded(total)) {
            Ok(()) => Ok(total),
            Err(Refusal::Busy) => Err(DeriveError::Busy),
            Err(Refusal::TooDeep) => Err(DeriveError::TooDeep),
            Err(Refusal::NoCredits) => Err(DeriveError::NoCredits),
        };
        assert_eq!(done, expected);
        if done.is_err() {
            assert_eq!(self.arena, before, "a refused derivation changes nothing");
        }
    }

    fn step(&mut self, slot: usize) -> bool {
        let link = self.arena.link(slot);
        let limit = phi(&self.arena, link);
        let (limit, mut steps) = *self.revokes.entry(slot).or_insert((limit, 0));
        let taken = revoke_step(&mut self.arena, link).map(|taken| self.arena.number(taken));
        assert_eq!(taken, self.model.revoke_step(slot));
        let Some(taken) = taken else {
            let node = self.arena.node(link);
            assert!(is_leaf(&self.arena, link) && !node.revoking);
            assert_eq!(node.credits, node.total, "all credits are back");
            self.revokes.remove(&slot);
            return false;
        };
        steps += 1;
        if let Some(limit) = limit {
            assert!(steps <= limit, "step {steps} of at most {limit} at {slot}");
        }
        self.revokes.insert(slot, (limit, steps));
        self.forget(taken);
        true
    }

    fn forget(&mut self, slot: usize) {
        let link = self.arena.link(slot);
        assert!(self.arena.next(link).is_none() && self.arena.prev(link).is_none());
        self.arena.erase(link);
        self.revokes.remove(&slot);
    }

    fn compare(&self) {
        let mut seen = 0;
        for (&id, item) in &self.model.items {
            let link = self.arena.link(id);
            let node = self.arena.node(link);
            assert_eq!((node.depth, node.rights, node.revoking), (item.depth, item.rights, item.revoking));
            assert_eq!(bounded(node.total), item.total);
            if let Some(total) = item.total {
                assert_eq!(node.credits, item.credits);
                let limit = phi(&self.arena, link).unwrap();
                assert_eq!(limit, total - item.credits);
                assert!(self.model.below(id) as u64 <= u64::from(limit), "Φ({id}) is no bound");
            } else {
                assert_eq!(phi(&self.arena, link), None);
            }
            assert_eq!(is_leaf(&self.arena, link), item.children.is_empty());
            if item.parent.is_none() {
                let found: Vec<_> =
                    list(&self.arena, link).into_iter().map(|slot| self.arena.number(slot)).collect();
                assert_eq!(found, self.model.preorder(id), "the run behind a node is its descendants");
                assert_eq!(check::tree(&self.arena, link), Ok(found.len()));
                seen += found.len();
            }
        }
        assert_eq!(seen, self.model.items.len(), "each node is in one list");
    }
}

fn config(cases: u32) -> (Config, TestRng) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    (config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn lists_behave_as_trees() {
    let (config, rng) = config(1500);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let ran = runner.run(&proptest::collection::vec(op(), 1..250), |ops| {
        let mut pair = Pair::new();
        for op in ops {
            pair.apply(op);
            pair.compare();
        }
        // However it was left: revoking every root comes to an end and gives everything back.
        let roots: Vec<_> = pair.model.items.iter().filter(|(_, item)| item.parent.is_none()).collect();
        for root in roots.into_iter().map(|(&id, _)| id).collect::<Vec<_>>() {
            pair.apply(Op::Finish { slot: root });
            let node = pair.arena.node(pair.arena.link(root));
            assert!(!node.revoking && is_leaf(&pair.arena, pair.arena.link(root)));
        }
        pair.compare();
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Two colluders below `victim` derive, attach and detach between any two steps of its revoke.
#[test]
fn others_never_raise_the_bound() {
    let (config, rng) = config(1000);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let ops = proptest::collection::vec(op(), 0..80);
    let between = proptest::collection::vec(proptest::collection::vec(op(), 0..6), 40);
    let ran = runner.run(&(ops, between, 0..40u32), |(ops, between, total)| {
        let mut pair = Pair::new();
        let victim = 2;
        pair.apply(Op::Derive { parent: 0, child: victim, rights: 7, total });
        let spares_victim = |op: Op| match op {
            Op::Finish { .. } | Op::Relocate { from: 0 | 2, .. } | Op::Remove { slot: 2 } => false,
            Op::Step { slot } => slot > victim,
            _ => true,
        };
        for op in ops {
            if spares_victim(op) {
                pair.apply(op);
            }
        }
        let limit = phi(&pair.arena, pair.arena.link(victim)).unwrap();
        let mut steps = 0;
        let mut between = between.into_iter();
        while pair.step(victim) {
            steps += 1;
            assert!(steps <= limit);
            for op in between.next().into_iter().flatten() {
                if spares_victim(op) {
                    pair.apply(op);
                }
            }
            pair.compare();
            if !pair.arena.node(pair.arena.link(victim)).revoking {
                // The rest left on its own, and somebody has derived anew since.
                break;
            }
        }
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
}
