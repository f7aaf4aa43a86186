//! `check::tree` finds what it is there to find: one broken tree for each fault.

mod support;

use freehold_captree::check::{Fault, tree};
use freehold_captree::{Link, Node, Slots, UNLIMITED, derive, plant, remove, revoke_step};
use support::arena::Arena;

/// Root 0 (total 20) with child 1 (total 5), which has children 2 and 3.
fn sound() -> Arena {
    let mut arena = Arena::new(6, 0);
    let links: Vec<_> = (0..4).map(|number| arena.link(number)).collect();
    plant(&mut arena, links[0], 7, 20);
    derive(&mut arena, links[0], links[1], 3, 5).unwrap();
    derive(&mut arena, links[1], links[2], 3, 1).unwrap();
    derive(&mut arena, links[1], links[3], 1, 0).unwrap();
    assert_eq!(tree(&arena, links[0]), Ok(4));
    arena
}

fn edit(arena: &mut Arena, number: usize, change: impl FnOnce(&mut Node)) {
    let link = arena.link(number);
    let mut node = arena.node(link);
    change(&mut node);
    arena.put(link, node);
}

/// What the check says of the sound tree after `damage`, and the slot that it names.
fn found(damage: impl FnOnce(&mut Arena)) -> Fault {
    let mut arena = sound();
    damage(&mut arena);
    tree(&arena, arena.link(0)).unwrap_err()
}

#[test]
fn each_fault() {
    let link = |number| sound().link(number);
    assert_eq!(found(|arena| edit(arena, 0, |node| node.depth = 1)), Fault::Root(link(0)));
    assert_eq!(found(|arena| arena.set_prev(arena.link(0), arena.link(5))), Fault::Root(link(0)));
    assert_eq!(found(|arena| arena.set_prev(arena.link(3), Link::NONE)), Fault::Back(link(3)));
    // A list that bites its tail.
    assert_eq!(found(|arena| arena.set_next(arena.link(2), arena.link(1))), Fault::Back(link(1)));
    assert_eq!(found(|arena| edit(arena, 3, |node| node.depth = 3)), Fault::Depth(link(3)));
    assert_eq!(found(|arena| edit(arena, 2, |node| node.depth = 0)), Fault::Depth(link(2)));
    assert_eq!(found(|arena| edit(arena, 3, |node| node.rights = 4)), Fault::Rights(link(3)));
    // The right exists above, but not in the parent.
    assert_eq!(found(|arena| edit(arena, 2, |node| node.rights = 7)), Fault::Rights(link(2)));
    assert_eq!(found(|arena| arena.set_credits(arena.link(1), 3)), Fault::Credits(link(1)));
    assert_eq!(found(|arena| arena.set_credits(arena.link(0), 15)), Fault::Credits(link(0)));
    let boundless = |node: &mut Node| (node.total, node.credits) = (UNLIMITED, UNLIMITED);
    assert_eq!(found(|arena| edit(arena, 3, boundless)), Fault::Unlimited(link(3)));
}

/// A gap in the depths is sound only right behind a node that is being revoked.
#[test]
fn orphans_need_a_revoke() {
    let mut arena = sound();
    let (root, one) = (arena.link(0), arena.link(1));
    assert_eq!(revoke_step(&mut arena, root), Some(one));
    assert_eq!(tree(&arena, root), Ok(3));
    arena.set_revoking(root, false);
    assert_eq!(tree(&arena, root), Err(Fault::Depth(arena.link(3))));
}

/// Losing credits is sound, making them is not.
#[test]
fn lost_credits_are_sound() {
    let mut arena = sound();
    let (root, two) = (arena.link(0), arena.link(2));
    remove(&mut arena, two).unwrap();
    assert_eq!(arena.node(arena.link(1)).credits, 2, "its younger sibling lies between");
    assert_eq!(tree(&arena, root), Ok(3));
}
