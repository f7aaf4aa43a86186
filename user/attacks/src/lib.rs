//! What every attack stands on. An attack is a program, `src/bin/NAME.rs`, which says at its top what it tries, what it would
//! mean if it succeeded, and under which designs it is expected to.
//!
//! What must hold: an attack has what it is granted and nothing else (docs/attacks.md); it is rigged neither way:
//! it tries what a hostile program would try, as hard as it can, and reports what it saw. It ends when
//! [`Kit::stopped`] says so. The image runs twice, as attacker and as *accomplice*.
//!
//! | file | what |
//! |---|---|
//! | kit.rs | what an attack has in its hands |
//! | messages/ | what attacks by messages, transfers and time have in common |
//! | evidence.rs | what it saw |
//! | touch.rs | reads and writes anywhere, surviving the faults |
//! | edge/ | the same in the thread that attacks, and Tables whose entries it sees |
//! | world/ | memory over both models: Tables of one's own, and map items |

#![no_std]

extern crate alloc;

pub mod edge;
pub mod evidence;
pub mod kit;
pub mod messages;
pub mod touch;
pub mod world;

pub use alloc::{format, string::String, vec::Vec};
pub use evidence::{Evidence, Outcome};
pub use freehold_protocol as protocol;
pub use freehold_rt as rt;
pub use freehold_rt::abi::designs::Design;
pub use kit::{Kit, Role, idle};

/// Makes the program: `attack!("name", attacker, accomplice)`, both `fn(&mut Kit) -> Evidence`. The accomplice can be
/// [`kit::idle`].
#[macro_export]
macro_rules! attack {
    ($name:literal, $attacker:path, $accomplice:path) => {
        fn main() {
            $crate::kit::run($name, $attacker, $accomplice)
        }
        $crate::rt::entry!(main);
    };
}
