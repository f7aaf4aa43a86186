//! The designs that bound by policy what the pool costs: what each forbids, and what it still allows. Which parts run
//! says the design that the kernel was booted with.

#![no_std]
#![no_main]

extern crate alloc;

mod redirected;
mod scene;

use freehold_abi::designs::Design;
use freehold_guest_tests::scenario;
use freehold_rt::calls;

freehold_rt::entry!(main);

fn main() {
    let parts: &[scenario::Part] = match calls::design() {
        Design::Redirector => &[("words of all lengths, there and back", redirected::words)],
        _ => &[],
    };
    scenario::run("s96-policies", parts)
}
