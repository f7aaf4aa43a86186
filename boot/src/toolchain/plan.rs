//! From the facts to a toolchain, or to the next step towards one. Pure: no look at the machine.

use super::facts::Facts;
use super::{Core, OLDEST, TARGET, Toolchain};
use crate::install::{self, Package};

/// Debian's compiler of the current Rust and its sources.
pub const DEBIAN_COMPILER: [Package; 2] = [
    Package { name: "rustc-web", why: "a compiler whose core library can be built for ia32" },
    Package { name: "rust-web-src", why: "the sources of that core library" },
];

/// Something that may bring a toolchain nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Let rustup add the target.
    RustupTarget,
    /// Install [`DEBIAN_COMPILER`].
    DebianCompiler,
    /// Install LLVM's linker.
    DebianLinker,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Everything is there.
    Use(Toolchain),
    /// Do this, then look again.
    Try(Step),
    /// Nothing is left to try. The text says what is missing and how to install it by hand.
    GiveUp(String),
}

/// Decides: what is there wins over what must be installed; a prebuilt core wins over one built
/// from source; rustup, which asks for no right, wins over apt. No step is tried twice.
pub fn decide(facts: &Facts, tried: &[Step]) -> Plan {
    let usable = || facts.compilers.iter().filter(|compiler| compiler.version >= OLDEST);
    let prebuilt = usable().find(|compiler| compiler.prebuilt).map(|compiler| (compiler, Core::Prebuilt));
    let source = || usable().find(|compiler| compiler.source).map(|compiler| (compiler, Core::Source));
    let untried = |step: Step| !tried.contains(&step);

    match (prebuilt.or_else(source), facts.linker()) {
        (Some((compiler, core)), Some(linker)) => {
            Plan::Use(Toolchain { sysroot: compiler.sysroot.clone(), core, linker })
        }
        (Some(_), None) if facts.apt && untried(Step::DebianLinker) => Plan::Try(Step::DebianLinker),
        (Some(_), None) => Plan::GiveUp(format!(
            "no linker here can make ia32 executables. Install LLVM's; on Debian or Ubuntu, as root:\n{}",
            install::apt_commands(&[install::LLD])
        )),
        (None, _) if facts.rustup && untried(Step::RustupTarget) => Plan::Try(Step::RustupTarget),
        (None, _) if facts.apt && untried(Step::DebianCompiler) => Plan::Try(Step::DebianCompiler),
        (None, _) => Plan::GiveUp(format!(
            "no compiler here can make ia32 code without an operating system. \
             Do one of these, then try again.\nWith rustup (Rust {}.{} or later):\n    \
             rustup target add {TARGET}\nOn Debian, as root:\n{}",
            OLDEST.0,
            OLDEST.1,
            install::apt_commands(&DEBIAN_COMPILER)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Linker;
    use super::super::facts::Compiler;
    use super::*;

    /// A machine with rustup's compiler and linker and nothing for ia32.
    fn rustup_machine() -> Facts {
        let rustup = Compiler {
            sysroot: "/rustup".into(),
            version: (1, 95),
            prebuilt: false,
            source: false,
            lld: Some("/rustup/ld.lld".into()),
        };
        Facts { compilers: vec![rustup], rustup: true, apt: true, lld: None, gnu_ld: Some("/bin/ld".into()) }
    }

    fn debian_compiler() -> Compiler {
        Compiler { sysroot: "/usr".into(), version: (1, 96), prebuilt: false, source: true, lld: None }
    }

    fn used(plan: Plan) -> (String, Core) {
        match plan {
            Plan::Use(toolchain) => (toolchain.sysroot.display().to_string(), toolchain.core),
            other => panic!("no toolchain but {other:?}"),
        }
    }

    #[test]
    fn a_prebuilt_core_is_used() {
        let mut facts = rustup_machine();
        facts.compilers[0].prebuilt = true;
        facts.compilers.push(debian_compiler());
        assert_eq!(used(decide(&facts, &[])), ("/rustup".into(), Core::Prebuilt));
    }

    #[test]
    fn a_source_that_is_there_is_used_before_anything_is_installed() {
        let mut facts = rustup_machine();
        facts.compilers.push(debian_compiler());
        assert_eq!(used(decide(&facts, &[])), ("/usr".into(), Core::Source));
    }

    #[test]
    fn rustup_then_apt_then_an_explanation() {
        let facts = rustup_machine();
        assert_eq!(decide(&facts, &[]), Plan::Try(Step::RustupTarget));
        assert_eq!(decide(&facts, &[Step::RustupTarget]), Plan::Try(Step::DebianCompiler));
        let Plan::GiveUp(text) = decide(&facts, &[Step::RustupTarget, Step::DebianCompiler]) else {
            panic!("nothing is left to try")
        };
        assert!(text.contains("rustup target add i586-unknown-linux-gnu"));
        assert!(text.contains("apt-get install --no-install-recommends rustc-web rust-web-src"));
    }

    #[test]
    fn without_rustup_apt_comes_first_and_without_both_nothing_is_tried() {
        let mut facts = rustup_machine();
        facts.rustup = false;
        assert_eq!(decide(&facts, &[]), Plan::Try(Step::DebianCompiler));
        facts.apt = false;
        assert!(matches!(decide(&facts, &[]), Plan::GiveUp(_)));
    }

    #[test]
    fn an_old_compiler_does_not_count() {
        let mut facts = rustup_machine();
        facts.compilers[0].version = (1, 94);
        facts.compilers[0].prebuilt = true;
        assert_eq!(decide(&facts, &[]), Plan::Try(Step::RustupTarget));
    }

    #[test]
    fn a_linker_is_found_installed_or_asked_for() {
        let mut facts = rustup_machine();
        facts.compilers = vec![debian_compiler()];
        let Plan::Use(toolchain) = decide(&facts, &[]) else { panic!("GNU ld will do") };
        assert_eq!(toolchain.linker, Linker::Gnu("/bin/ld".into()));
        facts.gnu_ld = None;
        assert_eq!(decide(&facts, &[]), Plan::Try(Step::DebianLinker));
        assert!(matches!(decide(&facts, &[Step::DebianLinker]), Plan::GiveUp(text) if text.contains("lld")));
        facts.apt = false;
        assert!(matches!(decide(&facts, &[]), Plan::GiveUp(_)));
    }
}
