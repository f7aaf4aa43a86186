//! The run: its parts, one after the other. Each makes its claims and leaves everything as it found it.

mod hello;

use alloc::boxed::Box;
use core::hint::black_box;

use crate::claims::Claims;
use crate::frames::Frames;
use crate::services::Services;

/// Runs all parts; returns the run's name.
pub fn run(services: &Services, claims: &mut Claims) -> &'static str {
    // The heap's first Table, which stays, is made before frames are counted; the compiler must not see
    // that nobody needs what is allocated here.
    drop(black_box(Box::new(0)));
    let before = Frames::now();
    hello::run(services, claims);
    claims.equal("frames of each type at the end", Frames::now(), before);
    "hello"
}
