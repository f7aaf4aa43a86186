//! Sequences that someone would try: each one is named after what it is after.

mod support;

use freehold_captree::{
    DeriveError, Link, MAX_DEPTH, Slots, UNLIMITED, check, derive, is_leaf, phi, plant, relocate, remove,
    revoke_step, settle,
};
use support::arena::Arena;

fn planted(slots: usize, total: u32) -> (Arena, Vec<Link>) {
    let mut arena = Arena::new(slots, 0);
    let links: Vec<_> = (0..slots).map(|number| arena.link(number)).collect();
    plant(&mut arena, links[0], 7, total);
    (arena, links)
}

/// A delegator that never finishes its revoke blocks only itself, and anyone entitled can finish.
#[test]
fn abandoned_revoke() {
    let (mut arena, at) = planted(6, 9);
    derive(&mut arena, at[0], at[1], 7, 5).unwrap();
    derive(&mut arena, at[1], at[2], 7, 2).unwrap();
    derive(&mut arena, at[1], at[3], 7, 0).unwrap();
    assert_eq!(revoke_step(&mut arena, at[1]), Some(at[3]));
    assert_eq!(derive(&mut arena, at[1], at[4], 7, 0), Err(DeriveError::Busy));
    derive(&mut arena, at[2], at[4], 7, 0).unwrap();
    derive(&mut arena, at[0], at[5], 7, 0).unwrap();
    assert_eq!(check::tree(&arena, at[0]), Ok(5));
    while revoke_step(&mut arena, at[1]).is_some() {}
    assert_eq!(arena.node(at[1]).credits, 5);
    derive(&mut arena, at[1], at[3], 7, 4).unwrap();
}

/// The last descendant leaves on its own: whoever touches the node next finds its revoke over.
#[test]
fn revoke_that_others_finish() {
    let (mut arena, at) = planted(5, 9);
    derive(&mut arena, at[0], at[1], 7, 3).unwrap();
    derive(&mut arena, at[0], at[2], 7, 3).unwrap();
    assert_eq!(revoke_step(&mut arena, at[0]), Some(at[2]));
    remove(&mut arena, at[1]).unwrap();
    assert!(arena.node(at[0]).revoking, "a removal writes nothing to a node that is being revoked");
    let marked = arena.clone();
    assert_eq!(derive(&mut arena, at[0], at[3], 7, 9), Err(DeriveError::NoCredits));
    assert_eq!(arena, marked, "refused: nothing has changed");
    assert_eq!(derive(&mut arena, at[0], at[3], 7, 8), Ok(8), "all nine credits were back");
    assert!(!arena.node(at[0]).revoking);
}

/// An accomplice empties the node itself between two steps and derives anew, to keep the revoke
/// going for ever: the flag is gone, by which the revoker sees that it is done.
#[test]
fn revoke_kept_going() {
    let (mut arena, at) = planted(4, 9);
    derive(&mut arena, at[0], at[1], 7, 0).unwrap();
    derive(&mut arena, at[0], at[2], 7, 0).unwrap();
    assert_eq!(revoke_step(&mut arena, at[0]), Some(at[2]));
    assert!(arena.node(at[0]).revoking);
    assert_eq!(derive(&mut arena, at[0], at[3], 7, 0), Err(DeriveError::Busy));
    remove(&mut arena, at[1]).unwrap();
    derive(&mut arena, at[0], at[3], 7, 0).unwrap();
    assert!(!arena.node(at[0]).revoking);
}

/// Sixty-three deep, and no wrap-around at the sixty-fourth.
#[test]
fn depth() {
    let (mut arena, at) = planted(66, UNLIMITED);
    for level in 0..MAX_DEPTH as usize {
        derive(&mut arena, at[level], at[level + 1], 7, UNLIMITED).unwrap();
    }
    let before = arena.clone();
    assert_eq!(derive(&mut arena, at[63], at[64], 7, 0), Err(DeriveError::TooDeep));
    assert_eq!(arena, before);
    assert_eq!(check::tree(&arena, at[0]), Ok(64));
    assert_eq!((0..).take_while(|_| revoke_step(&mut arena, at[0]).is_some()).count(), 63);
}

/// Colluders attach and detach in turn: they wear their own giver out, never its bound.
#[test]
fn attach_and_detach_in_turn() {
    let (mut arena, at) = planted(4, UNLIMITED);
    derive(&mut arena, at[0], at[1], 7, 8).unwrap();
    let mut rounds = 0;
    let (mut old, mut young) = (at[2], at[3]);
    derive(&mut arena, at[1], old, 7, 0).unwrap();
    while derive(&mut arena, at[1], young, 7, 0).is_ok() {
        remove(&mut arena, old).unwrap();
        assert!(phi(&arena, at[1]).unwrap() <= 8);
        assert_eq!(check::tree(&arena, at[0]), Ok(3));
        (old, young) = (young, old);
        rounds += 1;
    }
    assert_eq!(rounds, 7, "each round costs one credit, for good");
    let worn = arena.clone();
    while revoke_step(&mut arena, at[1]).is_some() {}
    assert_eq!(arena.node(at[1]).credits, 8, "until the next complete revoke");
    // A revoke that finds nothing left to take gives them back as well ...
    arena = worn.clone();
    remove(&mut arena, old).unwrap();
    arena.set_credits(at[1], 0);
    let lost = arena.clone();
    assert_eq!(revoke_step(&mut arena, at[1]), None);
    assert_eq!(arena.node(at[1]).credits, 8);
    // ... and so does a derivation that would fail for want of them.
    arena = lost;
    assert_eq!(derive(&mut arena, at[1], young, 7, 7), Ok(7));
    assert_eq!(arena.node(at[1]).credits, 0);
}

/// With a proxy a receiver each, the same game costs nobody anything.
#[test]
fn proxies_keep_credits() {
    let (mut arena, at) = planted(6, UNLIMITED);
    derive(&mut arena, at[0], at[1], 7, 8).unwrap();
    derive(&mut arena, at[1], at[2], 7, 1).unwrap();
    derive(&mut arena, at[1], at[3], 7, 1).unwrap();
    let credits = arena.node(at[1]).credits;
    for _ in 0..100 {
        for proxy in [at[2], at[3]] {
            derive(&mut arena, proxy, at[4], 7, 0).unwrap();
            remove(&mut arena, at[4]).unwrap();
        }
    }
    assert_eq!(arena.node(at[1]).credits, credits);
    assert_eq!(arena.node(at[2]).credits, 1);
}

/// Moving the node whose revoke is under way: the flag, the bound and the orphans move along.
#[test]
fn relocated_while_revoked() {
    let (mut arena, at) = planted(8, 20);
    derive(&mut arena, at[0], at[1], 7, 9).unwrap();
    derive(&mut arena, at[1], at[2], 7, 4).unwrap();
    derive(&mut arena, at[2], at[3], 7, 0).unwrap();
    derive(&mut arena, at[2], at[4], 7, 0).unwrap();
    assert_eq!(revoke_step(&mut arena, at[1]), Some(at[2]));
    relocate(&mut arena, at[1], at[6]);
    relocate(&mut arena, at[4], at[7]);
    assert_eq!(check::tree(&arena, at[0]), Ok(4));
    assert_eq!(derive(&mut arena, at[6], at[5], 7, 0), Err(DeriveError::Busy));
    assert_eq!(revoke_step(&mut arena, at[6]), Some(at[7]));
    assert_eq!(revoke_step(&mut arena, at[6]), Some(at[3]));
    assert_eq!(revoke_step(&mut arena, at[6]), None);
    assert_eq!((arena.node(at[6]).credits, arena.node(at[6]).revoking), (9, false));
}

/// Nothing without a bound hangs below something with one, and sums that a word cannot hold are
/// refused, not wrapped.
#[test]
fn totals_at_the_edges() {
    let (mut arena, at) = planted(5, u32::MAX - 1);
    assert_eq!(derive(&mut arena, at[0], at[1], 7, UNLIMITED), Err(DeriveError::NoCredits));
    assert_eq!(derive(&mut arena, at[0], at[1], 7, u32::MAX - 1), Err(DeriveError::NoCredits));
    assert_eq!(derive(&mut arena, at[0], at[1], 7, u32::MAX - 2), Ok(u32::MAX - 2));
    assert_eq!(arena.node(at[0]).credits, 0);
    assert_eq!(derive(&mut arena, at[0], at[2], 7, 0), Err(DeriveError::NoCredits));
    assert_eq!(derive(&mut arena, at[1], at[2], 7, u32::MAX - 3), Ok(u32::MAX - 3));
    assert_eq!(check::tree(&arena, at[0]), Ok(3));
    while revoke_step(&mut arena, at[0]).is_some() {}
    assert_eq!(arena.node(at[0]).credits, u32::MAX - 1);
}

/// A coarse slot stores less than was asked for: the parent pays for what is stored, so that taking
/// the child back makes no credit.
#[test]
fn rounded_totals_cost_what_is_stored() {
    let mut arena = Arena::new(4, 2);
    let (root, coarse) = (arena.link(0), arena.link(1));
    plant(&mut arena, root, 7, 100);
    assert_eq!(derive(&mut arena, root, coarse, 7, 19), Ok(6));
    assert_eq!(arena.node(root).credits, 93);
    remove(&mut arena, coarse).unwrap();
    assert_eq!(arena.node(root).credits, 100);
    assert_eq!(derive(&mut arena, root, coarse, 7, 99), Ok(20));
    revoke_step(&mut arena, root);
    settle(&mut arena, root);
    assert_eq!(arena.node(root).credits, 100);
}

/// Where totals are no bounds, a child that has lost its own gives its parent nothing back.
#[test]
fn a_child_without_a_bound_gives_nothing_back() {
    let (mut arena, at) = planted(4, 9);
    arena.bounded = false;
    derive(&mut arena, at[0], at[1], 7, 0).unwrap();
    derive(&mut arena, at[0], at[2], 7, 0).unwrap();
    derive(&mut arena, at[2], at[3], 7, 0).unwrap();
    remove(&mut arena, at[3]).unwrap();
    remove(&mut arena, at[2]).unwrap();
    assert_eq!(arena.node(at[0]).credits, 7);
    remove(&mut arena, at[1]).unwrap();
    assert_eq!(arena.node(at[0]).credits, 9);
}

/// Children that leave in the wrong order cost their parent credits for as long as it has others, and no longer: what
/// then derives from it finds all of them, however little it asks for first.
#[test]
fn losses_end_with_the_last_child() {
    let (mut arena, at) = planted(5, 9);
    derive(&mut arena, at[0], at[1], 7, 5).unwrap();
    for child in 2..5 {
        derive(&mut arena, at[1], at[child], 7, 0).unwrap();
    }
    remove(&mut arena, at[2]).unwrap();
    remove(&mut arena, at[3]).unwrap();
    assert_eq!((arena.node(at[0]).credits, arena.node(at[1]).credits), (3, 2));
    remove(&mut arena, at[4]).unwrap();
    assert_eq!((arena.node(at[0]).credits, arena.node(at[1]).credits), (3, 5));
    for child in 2..5 {
        derive(&mut arena, at[1], at[child], 7, 0).unwrap();
    }
    for child in (2..5).rev() {
        remove(&mut arena, at[child]).unwrap();
    }
    remove(&mut arena, at[1]).unwrap();
    assert_eq!(arena.node(at[0]).credits, 9);
}

/// The errors come in their order: Busy, TooDeep, NoCredits.
#[test]
fn order_of_errors() {
    let (mut arena, at) = planted(70, UNLIMITED);
    for level in 0..61 {
        derive(&mut arena, at[level], at[level + 1], 7, UNLIMITED).unwrap();
    }
    // At 63 deep, without credits: too deep comes first.
    derive(&mut arena, at[61], at[62], 7, 3).unwrap();
    derive(&mut arena, at[62], at[63], 7, 0).unwrap();
    assert_eq!(derive(&mut arena, at[63], at[64], 7, 0), Err(DeriveError::TooDeep));
    // Being revoked as well: busy comes first. Only an heir makes a node at 63 busy: it has none
    // below it, so take the one above and ask for too much.
    derive(&mut arena, at[62], at[64], 7, 1).unwrap();
    assert_eq!(revoke_step(&mut arena, at[62]), Some(at[64]));
    assert_eq!(derive(&mut arena, at[62], at[65], 7, 100), Err(DeriveError::Busy));
    assert!(!is_leaf(&arena, at[62]));
}
