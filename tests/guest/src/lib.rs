//! What the kernel's tests from inside stand on.
//!
//! Each test program is the first program of its boot, so it has all authority and needs no other. It is
//! a list of parts; around each part frames, capability slots and the kernel's own memory are counted,
//! and must be as before. What must hold: a check that fails is printed with its place, counted, and the
//! program goes on; the closing record says how many there were.
//!
//! | module | what |
//! |---|---|
//! | [`mod@check`] | checks and their count |
//! | [`scenario`] | a program's parts, run and counted |
//! | [`home`] | spaces that threads live in, this program's own or others |
//! | [`worker`] | threads with a stack and a function |
//! | [`crowd`] | hundreds of threads with nothing but a UTCB |
//! | [`board`] | words that all threads of all spaces see |
//! | [`midway`] | work that is stopped before its end |
//! | [`objects`] | endpoints and notifications |
//! | [`bystander`] | who must not notice |
//! | [`pages`] | frames and addresses for tests on memory |
//! | [`probe`] | threads that touch memory on demand |
//! | [`random`] | numbers that are the same in every run |

#![no_std]

extern crate alloc;

pub use freehold_rt as rt;

pub mod board;
pub mod bystander;
pub mod check;
pub mod crowd;
pub mod entry;
pub mod home;
pub mod midway;
pub mod objects;
pub mod pages;
pub mod probe;
pub mod random;
pub mod scenario;
pub mod worker;
