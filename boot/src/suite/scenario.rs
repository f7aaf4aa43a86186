//! A scenario: a machine, and how its boot must end.

use std::time::Duration;

use crate::guest::PROGRAMS;
use crate::outcome::Outcome;
use crate::qemu::Boot;
use crate::run::TOUR;

/// Wall-clock time after which a boot counts as hung.
pub const TIME_LIMIT: Duration = Duration::from_secs(120);

/// A boot and how it must end.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What `./x test NAME` looks for. Unique; also the name of the directory with the boot's output.
    pub name: &'static str,
    /// The kernel: a guest program.
    pub kernel: &'static str,
    /// The kernel is built without optimisation, with debug assertions and overflow checks.
    pub debug_kernel: bool,
    /// The modules: guest programs with their arguments, `PROGRAM[ ARGUMENTS]`; the first one is the
    /// first program.
    pub modules: Vec<&'static str>,
    /// The kernel's command line.
    pub append: &'static str,
    /// The processor's model.
    pub cpu: &'static str,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// Bytes of a file that is passed as the module `file`: the digest that the tour's server computes of
    /// it must be right.
    pub file: Option<usize>,
    /// What is typed at the console; nothing: the console takes no input.
    pub typed: &'static str,
    /// Words that the console must show, beside how the boot must end.
    pub shows: &'static [&'static str],
    /// Wall-clock time after which the boot counts as hung.
    pub time_limit: Duration,
    /// What the emulator's plugin is told that looks on; nothing: none does.
    pub watch: &'static str,
    /// What must hold of what was written, beside how the boot must end.
    pub holds: Option<fn(&Boot) -> anyhow::Result<()>>,
    /// It is booted twice, and must come to the same if every call goes the ordinary way through the kernel; else at
    /// least so many calls must take short paths.
    pub both_ways: Option<u64>,
    /// It is booted once more with a kernel that was built without the designs, and this must hold of the two boots.
    pub bare_too: Option<fn(&Boot, &Boot) -> anyhow::Result<()>>,
    /// The kernel is that one.
    pub bare: bool,
    /// The short paths are switched off.
    pub ordinary: bool,
    /// How the boot must end.
    pub expect: Expect,
}

/// How a boot must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// All checks hold, and the closing record bears this name.
    Pass(&'static str),
    /// Some checks fail, or none are made.
    ClaimsFail,
    /// The guest leaves without a closing record.
    NoClosing,
    /// A triple fault.
    Reset,
    /// The kernel panics, with these words.
    Panic(&'static str),
    /// The kernel refuses the processor, with these words.
    Unsupported(&'static str),
    /// It never ends.
    Hang,
}

impl Expect {
    /// The name that the closing record must bear, where there must be one.
    pub fn closing_name(self) -> Option<&'static str> {
        match self {
            Expect::Pass(name) => Some(name),
            _ => None,
        }
    }

    /// Whether the boot ended as it must.
    pub fn is_met_by(self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Expect::Pass(_), outcome) => outcome.passed(),
            (Expect::ClaimsFail, Outcome::ClaimsFailed { .. })
            | (Expect::NoClosing, Outcome::NoClosing)
            | (Expect::Reset, Outcome::Reset)
            | (Expect::Hang, Outcome::Hang(_)) => true,
            (Expect::Panic(words), Outcome::Panic(line))
            | (Expect::Unsupported(words), Outcome::Unsupported(line)) => line.contains(words),
            _ => false,
        }
    }
}

impl Scenario {
    /// The kernel on a usual machine, with `program` of the package `freehold-guest-tests` as the
    /// first program; it must pass, and its closing record must bear the program's name.
    pub fn of(name: &'static str, program: &'static str) -> Scenario {
        Scenario {
            kernel: "kernel",
            modules: vec![program],
            expect: Expect::Pass(program),
            ..Scenario::bare(name)
        }
    }

    /// [`Scenario::of`], with the short paths, which at least so many calls must take, and without.
    pub fn both_ways(name: &'static str, program: &'static str, least: u64) -> Scenario {
        Scenario { both_ways: Some(least), ..Scenario::of(name, program) }
    }

    /// The whole tour with a file of so many bytes.
    pub fn tour(name: &'static str, file: usize) -> Scenario {
        Scenario {
            kernel: "kernel",
            modules: PROGRAMS.to_vec(),
            append: TOUR,
            file: Some(file),
            expect: Expect::Pass(TOUR),
            ..Scenario::bare(name)
        }
    }

    /// The kernel without modules.
    pub fn alone(name: &'static str, expect: Expect) -> Scenario {
        Scenario { kernel: "kernel", expect, ..Scenario::bare(name) }
    }

    /// The guest `name` of the package `freehold-broken`, which stands in for a kernel.
    pub fn broken(name: &'static str, expect: Expect) -> Scenario {
        Scenario { expect, ..Scenario::bare(name) }
    }

    fn bare(name: &'static str) -> Scenario {
        Scenario {
            name,
            kernel: name,
            debug_kernel: false,
            modules: Vec::new(),
            append: "",
            cpu: "pentium3",
            memory_mib: 64,
            file: None,
            typed: "",
            shows: &[],
            time_limit: TIME_LIMIT,
            watch: "",
            holds: None,
            both_ways: None,
            bare_too: None,
            bare: false,
            ordinary: false,
            expect: Expect::Pass(name),
        }
    }
}
