//! `./x experiment`: the designs under comparison, measured and attacked, and what comes out of it.
//!
//! | module | what |
//! |---|---|
//! | [`plan`] | which boots there are, in which order |
//! | [`run`] | one of them |
//! | [`store`] | the directory with their records |
//! | [`image`], [`workloads`] | other kernels (docs/join.md) |
//! | [`command`] | all together |
//! | [`data`], [`derived`], [`estimate`], [`stats`], [`number`] | the records read and summarised |
//! | [`hypotheses`], [`figures`], [`tables`] | what is made of them |

pub mod command;
pub mod data;
pub mod derived;
pub mod estimate;
pub mod figures;
pub mod hypotheses;
pub mod image;
pub mod number;
pub mod plan;
pub mod run;
pub mod stats;
pub mod store;
pub mod tables;
pub mod workloads;

#[cfg(test)]
mod synthetic;
