//! `./x experiment`: the designs under comparison, measured and attacked, and what comes out of it.

pub mod data;
pub mod number;
pub mod stats;
