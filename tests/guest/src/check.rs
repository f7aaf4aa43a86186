//! Checks: counted, and printed where they fail.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_rt::println;

/// Failures that are printed in full; a loop of failing checks must not hide the first ones.
const SHOWN: u32 = 40;

static CHECKS: AtomicU32 = AtomicU32::new(0);
static FAILED: AtomicU32 = AtomicU32::new(0);

/// Digest of which checks were made, in which order, and how they ended.
static COURSE: AtomicU32 = AtomicU32::new(0);

/// The digest of all checks so far: where each stands, their order, whether they held.
pub fn course() -> u32 {
    COURSE.load(Ordering::Relaxed)
}

/// Checks made and failed so far.
pub fn counts() -> (u32, u32) {
    (CHECKS.load(Ordering::Relaxed), FAILED.load(Ordering::Relaxed))
}

/// Counts one check. Returns whether it held.
#[doc(hidden)]
pub fn count(held: bool, file: &str, line: u32, what: fmt::Arguments<'_>) -> bool {
    CHECKS.store(CHECKS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    let place = line << 9 | (file.len() as u32) << 1 | u32::from(held);
    COURSE.store((course() ^ place).wrapping_mul(0x0100_0193).rotate_left(5), Ordering::Relaxed);
    if !held {
        let failed = FAILED.load(Ordering::Relaxed) + 1;
        FAILED.store(failed, Ordering::Relaxed);
        if failed <= SHOWN {
            println!("  FAILED {file}:{line}: {what}");
        }
    }
    held
}

/// Checks a condition, with more words if they are given: `check!(a < b)`, `check!(a < b, "{a}")`.
#[macro_export]
macro_rules! check {
    ($condition:expr) => {
        $crate::check::count($condition, file!(), line!(), format_args!(stringify!($condition)))
    };
    ($condition:expr, $($word:tt)+) => {
        $crate::check::count(
            $condition, file!(), line!(),
            format_args!("{}: {}", stringify!($condition), format_args!($($word)+)),
        )
    };
}

/// Checks that two values are equal, with more words if they are given.
#[macro_export]
macro_rules! check_eq {
    ($left:expr, $right:expr) => { $crate::check_eq!($left, $right, "") };
    ($left:expr, $right:expr, $($word:tt)+) => {{
        let (left, right) = (&$left, &$right);
        $crate::check::count(
            *left == *right, file!(), line!(),
            format_args!(
                "{} is {left:?}, not {right:?} {}", stringify!($left), format_args!($($word)+),
            ),
        )
    }};
}
