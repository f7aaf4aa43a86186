//! On what figures were taken that are kept.

use std::fmt;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::args::{BenchArgs, DEFAULT_CPU, DEFAULT_MEMORY, Profile};
use crate::qemu;
use crate::toolchain::Toolchain;

/// On what the figures were taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The emulator's version.
    pub qemu: String,
    /// The compiler's version.
    pub rustc: String,
    /// How the guest code was built.
    pub profile: String,
    /// The processor's model, as the emulator calls it.
    pub cpu: String,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// The design of the kernel.
    pub design: String,
    /// What is counted.
    pub unit: String,
}

impl Machine {
    /// The emulator and the compiler that there are, the processor that was asked for, and so much memory.
    ///
    /// # Errors
    /// One of them is missing, or does not say its version.
    pub fn of(args: &BenchArgs, memory_mib: u32) -> Result<Machine> {
        Ok(Machine {
            qemu: qemu::version()?,
            rustc: Toolchain::ready()?.version()?,
            profile: "release".into(),
            cpu: args.machine.cpu.clone(),
            memory_mib,
            design: "user-tables".into(),
            unit: "instructions".into(),
        })
    }
}

/// All but the design.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Machine { qemu, rustc, profile, cpu, memory_mib, .. } = self;
        write!(
            f,
            "QEMU {qemu}, processor {cpu}, {memory_mib} MiB, instruction clock; {profile} build by rustc {rustc}"
        )
    }
}

/// Whether the arguments ask for the machine, the build and the rounds on which figures are kept.
pub fn is_standard(args: &BenchArgs) -> bool {
    args.machine.cpu == DEFAULT_CPU
        && args.machine.memory == DEFAULT_MEMORY
        && args.build.profile == Profile::Release
        && args.rounds.is_none()
}
