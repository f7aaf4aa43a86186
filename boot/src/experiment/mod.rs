//! `./x experiment`: the designs under comparison, measured and attacked, and what comes out of it.

pub mod data;
pub mod derived;
pub mod estimate;
pub mod figures;
pub mod hypotheses;
pub mod number;
pub mod stats;

#[cfg(test)]
mod synthetic;
