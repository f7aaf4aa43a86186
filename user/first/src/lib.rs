//! What a first program stands on that starts others: `init`, which runs the tour, and `referee`, which runs the attacks.
//!
//! | file | what |
//! |---|---|
//! | command.rs | the words of the kernel's command line |
//! | modules.rs | boot modules by name |
//! | actor.rs | programs that do what they are ordered |
//! | services.rs | the server behind every program's console and records |
//! | failure.rs | why something was not done |
//! | claims.rs | what is claimed, and whether it held |
//! | trust.rs | who is not trusted, and the redirector |
//! | frames.rs | how many frames there are of each type |

#![no_std]

extern crate alloc;

pub mod actor;
pub mod claims;
pub mod command;
pub mod failure;
pub mod frames;
pub mod modules;
pub mod services;
pub mod trust;
