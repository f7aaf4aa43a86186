//! What the tests share.

#[path = "../../../../user-pagetables/tests/support/machine.rs"]
#[allow(dead_code, reason = "each test program uses a part")]
pub mod machine;
pub mod model;
pub mod world;
