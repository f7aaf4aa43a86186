//! No attack: what the arena measures when nothing is tried.
//!
//! It would mean that the arena itself disturbs the victim if it succeeded. Expected under no design.

#![no_std]
#![no_main]

use freehold_attacks::{Evidence, Kit, attack, idle};

attack!("idle", nothing, idle);

fn nothing(kit: &mut Kit) -> Evidence {
    idle(kit);
    kit.impossible("it is not meant to")
}
