//! `./x experiment`: the designs under comparison, measured and attacked, and what comes out of it.
//!
//! | module | what |
//! |---|---|
//! | [`plan`] | which boots there are, in which order |
//! | [`run`] | one of them |
//! | [`store`] | the directory with their records |
//! | [`image`], [`workloads`] | other kernels (docs/join.md) |
//! | [`report`] | what is made of the records: with [`data`], [`stats`], [`estimate`], [`derived`], [`hypotheses`] and [`options`], [`csv`], [`tables`], [`figures`] |
//! | [`command`] | all together |
//! | [`data`], [`derived`], [`estimate`], [`stats`], [`number`] | the records read and summarised |
//! | [`hypotheses`], [`options`] | what they say of what was expected, and of the ways out |
//! | [`csv`], [`figures`], [`tables`], [`report`] | what is made of them |

pub mod command;
pub mod csv;
pub mod data;
pub mod derived;
pub mod estimate;
pub mod figures;
pub mod hypotheses;
pub mod image;
pub mod number;
pub mod options;
pub mod plan;
pub mod report;
pub mod run;
pub mod stats;
pub mod store;
pub mod tables;
pub mod workloads;

#[cfg(test)]
mod synthetic;
