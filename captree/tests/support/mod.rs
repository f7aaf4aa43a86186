//! What the tests share.
#![allow(dead_code, reason = "each test program uses a part")]

pub mod arena;
pub mod model;

use freehold_captree::{Link, Slots};

/// The slots of a list, from its head.
pub fn list<S: Slots>(slots: &S, root: Link) -> Vec<Link> {
    std::iter::successors(Some(root), |&slot| Some(slots.next(slot)).filter(|next| !next.is_none())).collect()
}
