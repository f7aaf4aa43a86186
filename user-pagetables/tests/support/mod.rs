//! What the tests share.
#![allow(dead_code, reason = "each test program uses a part")]

pub mod ends;
#[path = "../../../captree/tests/support/model.rs"]
pub mod forest;
pub mod machine;
pub mod model;
pub mod ops;
pub mod scene;
pub mod world;
