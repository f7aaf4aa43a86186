//! The command line of `./x`. Scripts and papers depend on it: names and meanings stay.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::design::Variant;

/// Freehold, a capability kernel for ia32 whose spaces stand on memory of their own.
#[derive(Debug, Parser)]
#[command(name = "./x", bin_name = "./x", disable_help_subcommand = true)]
#[command(after_help = "Every command exits with a status other than 0 on failure. \
    What is missing on a Debian or Ubuntu machine is installed, after saying what and why.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One command of `./x`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Boot in QEMU and run the tour; at a terminal, end in a monitor
    Run(RunArgs),
    /// Run every test, or those whose name contains one of NAME; the last line is "N passed, N failed"
    Test(TestArgs),
    /// Measure, all or what is named: GROUP, or GROUP.CASE and further parts of a measurement's name
    Bench(BenchArgs),
    /// Attack every design, or those named, beside a victim at work; fails if user-tables does not hold
    Attack(AttackArgs),
    /// Measure and attack all designs, and keep every record
    Experiment(ExperimentArgs),
    /// Check format, lints and documentation of host and guest code
    Check,
    /// Start the tour under the debugger, stopped before its first instruction
    Gdb(GdbArgs),
    /// Build the kernel and the programs, and say where they are
    Build(BuildArgs),
    /// Boot any kernel with any modules: the low-level command for development
    Boot(BootArgs),
}

/// The processor that is emulated unless another is asked for.
pub const DEFAULT_CPU: &str = "pentium3";
/// The memory that it has, in MiB.
pub const DEFAULT_MEMORY: u32 = 64;

/// The emulated machine, for commands that boot one.
#[derive(Debug, Clone, Args)]
pub struct MachineArgs {
    /// Processor, a name from `qemu-system-i386 -cpu help`
    #[arg(long, default_value = DEFAULT_CPU, value_name = "MODEL")]
    pub cpu: String,
    /// Memory in MiB
    #[arg(long, default_value_t = DEFAULT_MEMORY, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub memory: u32,
    /// Let time pass by the clock of the host: quicker, but the cycle counter no longer counts
    /// instructions and no two runs are the same
    #[arg(long)]
    pub host_time: bool,
    /// Give up after this many seconds (0: never; the default at a terminal)
    #[arg(long, value_name = "SECONDS")]
    pub time_limit: Option<u64>,
}

impl MachineArgs {
    /// The wall-clock limit: as asked for, else `default`.
    pub fn limit(&self, default: Option<Duration>) -> Option<Duration> {
        match self.time_limit {
            Some(0) => None,
            Some(seconds) => Some(Duration::from_secs(seconds)),
            None => default,
        }
    }
}

/// Arguments of `./x run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// File that crosses from one space to another, up to 16 MiB [default: 3 MiB made for the purpose]
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// Write the tour's records, one JSON object a line, to FILE
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Leave after the tour even at a terminal
    #[arg(long)]
    pub no_monitor: bool,
    /// The emulated machine.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// How the guest code is built.
    #[command(flatten)]
    pub build: ProfileArgs,
}

/// Arguments of `./x test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Only the tests whose name contains one of these
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// List the tests instead of running them
    #[arg(long)]
    pub list: bool,
}

/// Arguments of `./x bench`.
#[derive(Debug, Args)]
#[command(
    after_help = "Groups:\n  micro     what each operation costs, beside other kernels: call, ipc, notify, string, map, unmap, share, \
    unshare,\n            revoke, fault, table, thread, space, size\n  transfer  six ways to move a buffer: transfer.CASE.WAY.RESIDENCY.TRUST\n  \
    latency   the longest stretch with interrupts off, over the whole suite: latency.SCENARIO\n  \
    designs   the same operations under every design: designs.ROW, as designs.delegate or designs.heap.map.1\n\n\
    Parts left out at the end stand for all; CASE may be the word before its size. Examples:\n  \
    ./x bench micro\n  ./x bench ipc.inter map.1 fault\n  ./x bench --path ipc.inter.0\n  ./x bench transfer.open-64 transfer.read.pull\n\n\
    A whole group, measured on the machine that is the default, takes the place of the figures that are kept: \
    bench/GROUP.json (micro: bench/baseline.json, docs/paths) and all that is made from it. Anything less is only shown.\n\n\
    What the columns mean and how they are measured: docs/performance.md, docs/transfer-scenarios.md, docs/latency.md, docs/designs.md."
)]
pub struct BenchArgs {
    /// What to measure [default: everything]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Write the records, one JSON object a line, to FILE
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Show the figures only, keep none
    #[arg(long)]
    pub no_save: bool,
    /// Measure nothing: show the figures that are kept, and make anew what is made from them
    #[arg(long, conflicts_with_all = ["json", "no_save", "rounds", "cpu", "memory", "host_time", "time_limit", "profile"])]
    pub kept: bool,
    /// Show, of what is named of the group micro, the path of one round, instruction by instruction
    #[arg(long, requires = "names", conflicts_with_all = ["kept", "rounds"])]
    pub path: bool,
    /// Times that each thing is measured [default: what the guest holds right]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rounds: Option<u32>,
    /// The emulated machine.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// How the guest code is built.
    #[command(flatten)]
    pub build: ProfileArgs,
}

/// Arguments of `./x attack`.
#[derive(Debug, Args)]
#[command(
    after_help = "Designs: user-tables, user-tables,credits=off, kernel-heap, kernel-quota, redirector, local-only, root-only.\n\
    Options behind a comma: pool=SIZE of all but the first two, quota=SIZE of kernel-quota.\n\n\
    Examples:\n  ./x attack --design user-tables\n  ./x attack --design kernel-heap,pool=4M --attackers 1 mapping-flood\n\n\
    What each attack tries stands at the top of its program, user/attacks/src/bin; what the designs are: docs/designs.md."
)]
pub struct AttackArgs {
    /// Only the attacks whose name contains one of these
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Under this design; may be repeated [default: all]
    #[arg(long = "design", value_name = "DESIGN")]
    pub designs: Vec<Variant>,
    /// Numbers of attackers, one after the other [default: 1,4,16]
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=16))]
    pub attackers: Vec<u32>,
    /// Run the controls instead: builds without one defence, in which the attack must succeed
    #[arg(long, conflicts_with_all = ["designs", "attackers", "jobs"])]
    pub controls: bool,
    /// What the attackers' choices follow from
    #[arg(long, value_name = "N", default_value_t = crate::attack::SEED)]
    pub seed: u32,
    /// Write the records, one JSON object a line, to FILE
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Machines at a time
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = jobs)]
    pub jobs: usize,
}

/// A number of machines at a time.
fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs @ 1..=64) => Ok(jobs),
        _ => Err("a number from 1 to 64".into()),
    }
}

/// Arguments of `./x experiment`.
#[derive(Debug, Args)]
#[command(
    after_help = "An interrupted run goes on when the same command is given again. With --image only that image is measured, unless \
    --designs asks for designs too; what it writes joins what DIR holds, under the name LABEL. How to write such an image: docs/join.md."
)]
pub struct ExperimentArgs {
    /// At most five minutes on two cores: fewer sizes, numbers of attackers and repetitions
    #[arg(long)]
    pub quick: bool,
    /// Designs, as for ./x attack, between commas [default: all]
    #[arg(long, value_name = "A,B")]
    pub designs: Option<String>,
    /// Where the records and all that is made from them go
    #[arg(long, value_name = "DIR", default_value = "target/experiment")]
    pub out: PathBuf,
    /// What layout, choices and the order of the boots follow from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u32,
    /// Repetitions, each with a seed of its own [default: 3, with --quick 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub reps: Option<u32>,
    /// Only the boots whose names contain one of these: bench, attack, transfer, a design, …
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Measure another kernel: a multiboot file, or a disc or disk that boots
    #[arg(long, value_name = "FILE", requires = "label")]
    pub image: Option<PathBuf>,
    /// The name under which it is shown
    #[arg(long, value_name = "LABEL", requires = "image")]
    pub label: Option<String>,
    /// What the image is told beside its seed
    #[arg(long, value_name = "WORDS", requires = "image")]
    pub words: Option<String>,
    /// Machines at a time
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = jobs)]
    pub jobs: usize,
    /// Run nothing: say what would be run
    #[arg(long)]
    pub list: bool,
}

/// Arguments of `./x gdb`.
#[derive(Debug, Args)]
pub struct GdbArgs {
    /// TCP port on which QEMU waits for the debugger
    #[arg(long, default_value_t = 1234)]
    pub port: u16,
    /// Debug this guest program as the kernel, without modules, instead of the tour
    #[arg(long, value_name = "NAME")]
    pub kernel: Option<String>,
    /// Arguments for gdb, after `--`
    #[arg(last = true, value_name = "GDB ARGUMENT")]
    pub gdb: Vec<String>,
    /// The emulated machine.
    #[command(flatten)]
    pub machine: MachineArgs,
}

/// How guest code is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Optimised; what is measured
    Release,
    /// Not optimised, with debug assertions and overflow checks
    Dev,
}

/// Choice of the guest code's profile.
#[derive(Debug, Clone, Args)]
pub struct ProfileArgs {
    /// How guest code is built
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    pub profile: Profile,
}

/// Arguments of `./x build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Packages to build [default: the kernel and all programs]
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// How the guest code is built.
    #[command(flatten)]
    pub build: ProfileArgs,
}

/// Arguments of `./x boot`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: ./x build && ./x boot --init init --module \"server verbose\" --append tour\n\n\
    A PATH without a slash names a guest program that is built first. The boot passes (status 0) if the guest \
    ends with status 33 and its last record is {\"closing\":NAME,\"checks\":N,\"failed\":0} with N > 0."
)]
pub struct BootArgs {
    /// Kernel: a multiboot ELF file or the name of a guest program
    #[arg(long, default_value = "kernel", value_name = "PATH")]
    pub kernel: String,
    /// First module, "PATH ARGUMENTS"
    #[arg(long, value_name = "PATH")]
    pub init: Option<String>,
    /// A further module, "PATH ARGUMENTS"; may be repeated
    #[arg(long = "module", value_name = "PATH")]
    pub modules: Vec<String>,
    /// The kernel's command line (QEMU puts the kernel's name before it)
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub append: String,
    /// Connect the first serial port to the terminal in both directions
    #[arg(long)]
    pub interactive: bool,
    /// Write the records to FILE
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The emulated machine.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// How the guest code is built.
    #[command(flatten)]
    pub build: ProfileArgs,
}
