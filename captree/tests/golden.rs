//! Trees drawn as text, before and after what changes them, against the files in `golden/`. With
//! `GOLDEN=write` in the environment the files are written instead of compared.

mod support;

use std::fmt::Write as _;

use freehold_captree::dump::Dump;
use freehold_captree::{UNLIMITED, derive, plant, relocate, remove, revoke_step};
use support::arena::Arena;

/// A tree and the drawing so far.
struct Story {
    arena: Arena,
    text: String,
}

impl Story {
    fn new(total: u32) -> Story {
        let mut arena = Arena::new(12, 5);
        let root = arena.link(0);
        plant(&mut arena, root, 7, total);
        Story { arena, text: String::new() }
    }

    fn derive(&mut self, parent: usize, child: usize, rights: u8, total: u32) {
        let (parent, child) = (self.arena.link(parent), self.arena.link(child));
        derive(&mut self.arena, parent, child, rights, total).unwrap();
    }

    fn draw(&mut self, title: &str) {
        writeln!(self.text, "# {title}").unwrap();
        let root = self.arena.link(0);
        write!(self.text, "{}", Dump(&self.arena, root)).unwrap();
    }

    fn step(&mut self, slot: usize) {
        let link = self.arena.link(slot);
        revoke_step(&mut self.arena, link);
        self.draw(&format!("a step of revoking {link:?}"));
    }

    fn compare(self, name: &str) {
        let path = format!("{}/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("GOLDEN").is_some_and(|mode| mode == "write") {
            std::fs::write(&path, &self.text).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap();
        assert_eq!(self.text, golden, "the tree differs from {path}");
    }
}

/// Children lie before their elder siblings; rights shrink; a coarse slot rounds the total down.
#[test]
fn family() {
    let mut story = Story::new(UNLIMITED);
    story.derive(0, 1, 7, 20);
    story.derive(0, 2, 3, UNLIMITED);
    story.derive(1, 3, 5, 4);
    story.derive(3, 5, 4, 0);
    story.derive(1, 4, 1, 5);
    story.draw("a root, two children, three grandchildren");
    story.compare("family");
}

/// A revoke step by step: orphans keep their depth until their turn comes.
#[test]
fn revoke() {
    let mut story = Story::new(UNLIMITED);
    story.derive(0, 1, 7, 9);
    story.derive(1, 2, 7, 4);
    story.derive(2, 3, 7, 1);
    story.derive(3, 5, 7, 0);
    story.derive(2, 6, 7, 0);
    story.derive(0, 7, 7, 0);
    story.draw("before");
    for _ in 0..5 {
        story.step(1);
    }
    story.compare("revoke");
}

/// A revoke inside an abandoned one.
#[test]
fn nested() {
    let mut story = Story::new(30);
    story.derive(0, 1, 7, 9);
    story.derive(1, 2, 7, 4);
    story.derive(2, 3, 7, 0);
    story.derive(2, 5, 7, 1);
    story.derive(5, 6, 7, 0);
    story.draw("before");
    story.step(2);
    story.step(1);
    story.step(1);
    story.step(0);
    story.step(0);
    story.compare("nested");
}

/// A refund when the parent is the node before, none when a younger sibling is; a move.
#[test]
fn refunds() {
    let mut story = Story::new(20);
    story.derive(0, 1, 7, 3);
    story.derive(0, 2, 7, 5);
    story.draw("two children");
    let (one, two, far) = (story.arena.link(1), story.arena.link(2), story.arena.link(8));
    remove(&mut story.arena, one).unwrap();
    story.draw("the elder gone: its price is lost until the next revoke");
    relocate(&mut story.arena, two, far);
    story.draw("the younger moved");
    remove(&mut story.arena, far).unwrap();
    story.draw("the younger gone, the last one: all is back");
    story.step(0);
    story.compare("refunds");
}
