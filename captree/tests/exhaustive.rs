//! Every tree that any sequence of operations can make out of few slots and few credits: breadth
//! first, each state once. In each state the invariants hold (docs/invariants.md: 3, 4, 7, 8, 20), and each
//! operation out of it obeys the law of Φ: from the first step of a revoke of n until n has no
//! descendant, each step of that revoke lowers Φ(n), and nothing else raises it. As all states are
//! seen, this is the bound itself, by induction.

mod support;

use std::collections::{HashSet, VecDeque};

use freehold_captree::{
    Link, MAX_DEPTH, Node, Slots, UNLIMITED, check, derive, is_leaf, phi, relocate, remove, revoke_step,
    revoke_steps, settle,
};
use support::arena::Arena;
use support::list;

/// A tree in list order; which slots the nodes lie in makes no difference.
type State = Vec<(u32, u8, bool, u32, u32)>;

struct Bounds {
    /// Nodes, the fixed ones included.
    nodes: usize,
    /// Nodes at the head of the list that no operation touches: they make a tree deep.
    fixed: usize,
    totals: &'static [u32],
    rights: &'static [u8],
}

fn build(state: &State, slots: usize) -> Arena {
    let mut arena = Arena::new(slots, 0);
    for (number, &(depth, rights, revoking, total, credits)) in state.iter().enumerate() {
        let link = arena.link(number);
        arena.put(link, Node { depth, rights, revoking, total, credits });
        if number > 0 {
            let before = arena.link(number - 1);
            arena.set_prev(link, before);
            arena.set_next(before, link);
        }
    }
    arena
}

fn read(arena: &Arena) -> State {
    let nodes = list(arena, arena.link(0)).into_iter().map(|slot| arena.node(slot));
    nodes.map(|node| (node.depth, node.rights, node.revoking, node.total, node.credits)).collect()
}

/// Checks the law for the way from `before` to `after`: a step of revoking the node at `mover`, or
/// something else.
fn lawful(before: &Arena, after: &Arena, mover: Option<usize>, state: &State) {
    for number in 0..state.len() {
        let link = before.link(number);
        // Still the same node? A removed slot reads as it did, but is off the list.
        let gone = number > 0 && after.prev(link).is_none();
        if gone || !before.node(link).revoking || is_leaf(before, link) {
            continue;
        }
        let (old, new) = (phi(before, link), phi(after, link));
        if let (Some(old), Some(new)) = (old, new) {
            let ended = !after.node(link).revoking;
            let fits = if mover == Some(number) && !ended { new < old } else { new <= old };
            assert!(fits, "Φ({number}) from {old} to {new} in {state:?}");
        }
    }
}

/// Several steps of a revoke at once, wherever they stop, are as many single ones, with the end behind the last.
fn stops_as_single_steps_do(before: &Arena, link: Link, most: usize, state: &State) {
    let (mut at_once, mut singly) = (before.clone(), before.clone());
    let (mut taken, mut expected) = (Vec::new(), Vec::new());
    let found = revoke_steps(&mut at_once, link, most as u32, |_, slot| taken.push(slot));
    while expected.len() < most
        && let Some(slot) = revoke_step(&mut singly, link)
    {
        expected.push(slot);
    }
    let complete = is_leaf(&singly, link);
    settle(&mut singly, link);
    assert_eq!(
        (found, &taken),
        ((expected.len() as u32, complete), &expected),
        "{most} of {link:?} in {state:?}"
    );
    assert_eq!(at_once, singly, "{most} steps from {link:?} in {state:?}");
}

fn inspect(state: &State, slots: usize) {
    let arena = build(state, slots);
    let count = check::tree(&arena, arena.link(0));
    assert_eq!(count, Ok(state.len()), "{state:?}");
    for number in 0..state.len() {
        let (mut arena, link) = (arena.clone(), arena.link(number));
        let run = state[number + 1..].iter().take_while(|node| node.0 > state[number].0).count();
        let limit = phi(&arena, link);
        assert!(limit.is_none_or(|limit| run as u64 <= u64::from(limit)), "Φ({number}) in {state:?}");
        // In a tree that is deep and nothing else, the ends are enough.
        for most in (0..=run + 1).filter(|&most| run < 8 || most <= 2 || most >= run) {
            stops_as_single_steps_do(&arena, link, most, state);
        }
        let mut steps = 0;
        while revoke_step(&mut arena, link).is_some() {
            steps += 1;
        }
        assert_eq!(steps, run, "a revoke takes the run behind {number} in {state:?}");
        let node = arena.node(link);
        assert!(
            !node.revoking && node.credits == node.total,
            "{number} is not whole after its revoke in {state:?}"
        );
        assert_eq!(read(&arena).len(), state.len() - run);
    }
}

fn successors(state: &State, bounds: &Bounds) -> Vec<State> {
    let slots = bounds.nodes + 1;
    let before = build(state, slots);
    let spare = before.link(state.len());
    let mut found = Vec::new();
    let mut reach = |after: Arena, mover: Option<usize>| {
        lawful(&before, &after, mover, state);
        found.push(read(&after));
    };
    for number in bounds.fixed.saturating_sub(1)..state.len() {
        let link = before.link(number);
        let mut arena = before.clone();
        settle(&mut arena, link);
        reach(arena, None);
        let mut arena = before.clone();
        let taken = revoke_step(&mut arena, link);
        reach(arena, taken.map(|_| number));
        if number >= bounds.fixed.max(1) {
            let mut arena = before.clone();
            if remove(&mut arena, link).is_ok() {
                reach(arena, None);
            } else {
                assert_eq!(arena, before);
            }
            let mut arena = before.clone();
            relocate(&mut arena, link, spare);
            assert_eq!(&read(&arena), state, "relocating changes no tree");
        }
        for &total in bounds.totals {
            for &rights in bounds.rights {
                let mut arena = before.clone();
                if derive(&mut arena, link, spare, rights, total).is_err() {
                    assert_eq!(arena, before);
                } else if state.len() < bounds.nodes {
                    reach(arena, None);
                }
            }
        }
    }
    found
}

/// Explores from `start`; returns the number of states.
fn explore(start: State, bounds: &Bounds) -> usize {
    let mut seen = HashSet::from([start.clone()]);
    let mut queue = VecDeque::from([start]);
    while let Some(state) = queue.pop_front() {
        inspect(&state, bounds.nodes + 1);
        for next in successors(&state, bounds) {
            if seen.insert(next.clone()) {
                queue.push_back(next);
            }
        }
    }
    seen.len()
}

/// The numbers of states are part of the claim: a change that makes them differ has changed what
/// trees there can be.
#[test]
fn bounded_root() {
    let bounds = Bounds { nodes: 7, fixed: 0, totals: &[0, 1, 2], rights: &[1] };
    let states = explore(vec![(0, 1, false, 8, 8)], &bounds);
    println!("bounded root: {states} states");
    assert_eq!(states, 13_168);
}

/// Without credits depth alone bounds a tree: heirs of taken nodes keep theirs, so four slots reach
/// all 63 levels.
#[test]
fn unlimited_root() {
    let bounds = Bounds { nodes: 4, fixed: 0, totals: &[0, UNLIMITED], rights: &[1] };
    let states = explore(vec![(0, 1, false, UNLIMITED, UNLIMITED)], &bounds);
    println!("unlimited root: {states} states");
    assert_eq!(states, 52_815);
}

#[test]
fn rights() {
    let bounds = Bounds { nodes: 5, fixed: 0, totals: &[0, 2], rights: &[0, 1, 2, 3] };
    let states = explore(vec![(0, 3, false, 5, 5)], &bounds);
    println!("rights: {states} states");
    assert_eq!(states, 4_666);
}

#[test]
fn deepest_nodes() {
    let fixed = MAX_DEPTH as usize - 1;
    let bounds = Bounds { nodes: fixed + 4, fixed, totals: &[0, 1, 2], rights: &[1] };
    let mut start: State =
        (0..fixed as u32 - 1).map(|depth| (depth, 1, false, UNLIMITED, UNLIMITED)).collect();
    start.push((fixed as u32 - 1, 1, false, 6, 6));
    let states = explore(start, &bounds);
    println!("deepest nodes: {states} states");
    assert_eq!(states, 902);
}
