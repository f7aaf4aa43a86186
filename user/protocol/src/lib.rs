//! What programs say to each other: labels of messages, the words that go with them, the
//! names of what each program is given.
//!
//! What must hold: no code, no policy. A message is a call; its answer is [`answer`]'s, or one that the
//! message's own documentation names. *Orders* come from the first program, which makes every endpoint and
//! so is the only one whose messages have badge 0; everybody else was given a badge. Words are written
//! `[first, second, …]`.

#![no_std]
#![forbid(unsafe_code)]

pub mod answer;
pub mod attack;
pub mod attacker;
pub mod buffer;
pub mod caller;
pub mod client;
pub mod files;
pub mod pager;
pub mod probe;
pub mod redirector;
pub mod scenario;
pub mod server;
pub mod trace;
pub mod transfer;
pub mod victim;
