//! Controls: an attack that every design survives shows nothing unless it would succeed without the defence.
//!
//! A control is a patch, `experiments/controls/NAME.patch`, that takes one defence out of a copy of the sources; built and
//! booted with the attack, it must be broken, and in the way that the patch says. The sources themselves know nothing of it.
//! The copy is `target/controls/tree`, and stays between two controls, so that only what differs is compiled anew.
//!
//! A patch begins with lines `WORD: text`, continued by lines that begin with a blank:
//!
//! | word | what |
//! |---|---|
//! | Attack | the attack, if it is not called as the patch is |
//! | Takes out | the defence, and the invariant that it keeps |
//! | Then | what the attack achieves |
//! | Design | the design to boot, if not user-tables |
//! | Outcome | `broken` (else), `degraded`, or `machine`: the machine itself does not survive |

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use diffy::patch_set::{FileOperation, ParseOptions, PatchSet};
use freehold_abi::designs::Design;

use super::cell::{self, Cell};
use super::row::{Row, Verdict};
use crate::args::Profile;
use crate::design::Variant;
use crate::guest::{self, Guests};
use crate::records::Record;
use crate::workspace::{self, Metadata};

/// Where the patches are, in the workspace.
pub const DIRECTORY: &str = "experiments/controls";
/// Directories of the workspace that the copy does not have.
const LEFT_OUT: [&str; 3] = ["target", ".git", "docs"];
/// What only the kernel is made of: a patch that touches nothing else leaves the programs as they are.
const KERNEL: [&str; 3] = ["kernel/", "captree/", "user-pagetables/"];

/// What the attack must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Broken, by evidence of the attack's or the referee's.
    Broken,
    /// The victim gets on more slowly, or worse.
    Degraded,
    /// The machine does not survive.
    Machine,
}

/// A control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// The patch's name without its ending.
    pub name: String,
    /// The attack that must succeed.
    pub attack: String,
    /// The defence that is taken out.
    pub takes_out: String,
    /// What the attack achieves then.
    pub then: String,
    /// What is booted.
    pub variant: Variant,
    /// What it must come to.
    pub expected: Expected,
    patch: String,
}

/// What a control came to.
#[derive(Debug)]
pub struct ControlOutcome {
    /// Which.
    pub control: Control,
    /// What became of the victim and its kernel.
    pub row: Row,
    /// Whether the attack succeeded as it must.
    pub succeeded: bool,
    /// Wall-clock time of the boot.
    pub duration: Duration,
}

impl ControlOutcome {
    /// Its record: the row's, with the name of the control.
    pub fn record(&self) -> Record {
        let mut record = self.row.record();
        record.insert("control".into(), self.control.name.as_str().into());
        record
    }
}

/// All controls, by name.
///
/// # Errors
/// A patch cannot be read, or says too little about itself.
pub fn all() -> Result<Vec<Control>> {
    let directory = workspace::root().join(DIRECTORY);
    let context = || format!("cannot read {}", directory.display());
    let mut controls = Vec::new();
    for entry in fs::read_dir(&directory).with_context(context)? {
        let path = entry.with_context(context)?.path();
        if path.extension().is_some_and(|ending| ending == "patch") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            controls.push(Control::read(&name, &text).with_context(|| format!("{}", path.display()))?);
        }
    }
    controls.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(controls)
}

/// Builds and boots the controls whose name contains one of `names` (none: all), one after the other, with a line for each
/// on the standard error stream.
///
/// # Errors
/// A name selects nothing, a patch does not apply, or something does not build or boot. An attack that does not succeed is
/// no error but an outcome.
pub fn run(names: &[String], seed: u32) -> Result<Vec<ControlOutcome>> {
    let chosen = super::choose(all()?.iter().map(|control| control.name.clone()).collect(), names)?;
    let controls: Vec<Control> =
        all()?.into_iter().filter(|control| chosen.contains(&control.name)).collect();
    let place = Metadata::read()?.target_dir.join("controls");
    fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    // One copy of the sources: others who want it wait.
    let lock = File::create(place.join("lock")).context("cannot make the lock of the controls")?;
    lock.lock().context("cannot lock the controls")?;
    let usual = guest::build(&cell::packages(), Profile::Release)?;
    let mut outcomes = Vec::new();
    for (number, control) in controls.iter().enumerate() {
        let outcome =
            control.run(&place, &usual, seed).with_context(|| format!("control {}", control.name))?;
        let verdict = if outcome.succeeded { "succeeds" } else { "DOES NOT SUCCEED" };
        let seconds = outcome.duration.as_secs_f64();
        let (of, detail) = (controls.len(), &outcome.row.detail);
        eprintln!(
            "{} of {of}: {} without its defence {verdict}: {detail} ({seconds:.1} s)",
            number + 1,
            control.name
        );
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

impl Control {
    /// Reads a patch.
    ///
    /// # Errors
    /// It does not say what it takes out and what follows, or says something unknown.
    fn read(name: &str, text: &str) -> Result<Control> {
        let mut control = Control {
            name: name.into(),
            attack: name.into(),
            takes_out: String::new(),
            then: String::new(),
            variant: Variant::of(Design::UserTables),
            expected: Expected::Broken,
            patch: text.into(),
        };
        let head: Vec<&str> = text.lines().take_while(|line| !is_patch(line)).collect();
        for said in sentences(&head) {
            let (word, what) =
                said.split_once(": ").with_context(|| format!("\"{said}\" is no `WORD: text`"))?;
            match word {
                "Attack" => control.attack = what.into(),
                "Takes out" => control.takes_out = what.into(),
                "Then" => control.then = what.into(),
                "Design" => control.variant = what.parse()?,
                "Outcome" => {
                    control.expected = match what {
                        "broken" => Expected::Broken,
                        "degraded" => Expected::Degraded,
                        "machine" => Expected::Machine,
                        other => bail!("no outcome is called {other}"),
                    }
                }
                other => bail!("a patch says nothing about \"{other}\""),
            }
        }
        ensure!(!control.takes_out.is_empty(), "it does not say what it takes out");
        ensure!(!control.then.is_empty(), "it does not say what the attack achieves then");
        Ok(control)
    }

    /// The files that it changes, in the workspace, each with what it becomes of the file below `root`.
    ///
    /// # Errors
    /// It is no patch, or does not apply.
    pub fn applied(&self, root: &Path) -> Result<Vec<(PathBuf, String)>> {
        let at =
            self.patch.lines().take_while(|line| !is_patch(line)).map(|line| line.len() + 1).sum::<usize>();
        let mut changed = Vec::new();
        for file in PatchSet::parse(&self.patch[at..], ParseOptions::unidiff()) {
            let file = file.context("it is no patch")?;
            let FileOperation::Modify { modified, .. } = file.operation().strip_prefix(1) else {
                bail!("a control only changes files that there are");
            };
            let path = PathBuf::from(modified.as_ref());
            let patch = file.patch().as_text().context("a control only changes text")?;
            let before = fs::read_to_string(root.join(&path))
                .with_context(|| format!("cannot read {}", path.display()))?;
            let after = diffy::apply(&before, patch)
                .with_context(|| format!("it does not apply to {} any more", path.display()))?;
            ensure!(after != before, "it does not change {}", path.display());
            changed.push((path, after));
        }
        ensure!(!changed.is_empty(), "it changes nothing");
        Ok(changed)
    }

    /// Builds it and boots its attack, with one attacker. `usual` are the programs as they are.
    fn run(&self, place: &Path, usual: &Guests, seed: u32) -> Result<ControlOutcome> {
        let tree = place.join("tree");
        mirror(workspace::root(), &tree)?;
        let changed = self.applied(&tree)?;
        for (path, text) in &changed {
            fs::write(tree.join(path), text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let of_kernel = |path: &Path| KERNEL.iter().any(|part| path.starts_with(part));
        let packages = match changed.iter().all(|(path, _)| of_kernel(path)) {
            true => vec![guest::KERNEL.into()],
            false => cell::packages(),
        };
        let own = place.join(&self.name);
        fs::create_dir_all(&own).with_context(|| format!("cannot make {}", own.display()))?;
        let built =
            guest::build_in(&tree, &place.join("build"), &packages, Profile::Release)?.kept_in(&own)?;
        let cell = Cell {
            attack: self.attack.clone(),
            variant: self.variant.clone(),
            attackers: vec![1],
            window: None,
            seed,
        };
        let (boot, rows) = cell.boot(&built.or(usual), None, &own.join("boot"))?;
        let row = rows.into_iter().next().context("no row")?;
        Ok(ControlOutcome {
            control: self.clone(),
            succeeded: self.is_met_by(&row),
            row,
            duration: boot.duration,
        })
    }

    /// Whether the attack came to what it must.
    fn is_met_by(&self, row: &Row) -> bool {
        match self.expected {
            Expected::Broken => row.outcome == Verdict::Broken && !row.is_of_machine(),
            Expected::Degraded => {
                row.outcome == Verdict::Degraded || row.outcome == Verdict::Broken && !row.is_of_machine()
            }
            Expected::Machine => row.outcome == Verdict::Broken && row.is_of_machine(),
        }
    }
}

/// Whether a line is the first of a patch.
fn is_patch(line: &str) -> bool {
    line.starts_with("--- ") || line.starts_with("diff ")
}

/// Lines, joined to those behind them that begin with a blank.
fn sentences(lines: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        match all.last_mut().filter(|_| line.starts_with(' ')) {
            Some(last) => *last += &format!(" {}", line.trim()),
            None => all.push(line.trim().into()),
        }
    }
    all
}

/// Makes `to` the same as `from`, without [`LEFT_OUT`]. What is the same already is not touched, so that it counts as old.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    let context = || format!("cannot copy {}", from.display());
    fs::create_dir_all(to).with_context(context)?;
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(from).with_context(context)? {
        let entry = entry.with_context(context)?;
        let (name, kind) = (entry.file_name(), entry.file_type().with_context(context)?);
        if LEFT_OUT.iter().any(|out| name == *out) {
            continue;
        }
        let (old, new) = (entry.path(), to.join(&name));
        names.insert(name);
        if kind.is_dir() {
            mirror(&old, &new)?;
        } else if kind.is_file() {
            let text = fs::read(&old).with_context(context)?;
            if fs::read(&new).ok().as_ref() != Some(&text) {
                fs::write(&new, text).with_context(context)?;
            }
        }
    }
    for entry in fs::read_dir(to).with_context(context)? {
        let entry = entry.with_context(context)?;
        if !names.contains(&entry.file_name()) {
            let path = entry.path();
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attacks that need no control, since some design does not hold against them, and which.
    const BROKEN_BY: [(&str, &str); 4] = [
        ("mapping-flood", "kernel-heap"),
        ("page-table-bomb", "kernel-heap"),
        ("revoke-time", "kernel-heap"),
        ("split-charge", "kernel-quota"),
    ];

    #[test]
    fn every_control_applies_to_the_sources_and_is_to_an_attack() {
        let attacks = super::super::names().expect("attacks");
        for control in all().expect("readable") {
            let changed = control.applied(workspace::root());
            assert!(changed.is_ok(), "{}: {:#}", control.name, changed.expect_err("not applied"));
            assert!(
                attacks.contains(&control.attack),
                "{}: there is no attack {}",
                control.name,
                control.attack
            );
        }
    }

    #[test]
    fn every_attack_that_all_designs_survive_has_a_control() {
        let controls = all().expect("readable");
        let has = |attack: &str| controls.iter().any(|control| control.attack == attack);
        let broken = |attack: &str| BROKEN_BY.iter().any(|(known, _)| *known == attack);
        let missing: Vec<String> = super::super::names()
            .expect("attacks")
            .into_iter()
            .filter(|attack| attack != "idle" && !has(attack) && !broken(attack))
            .collect();
        assert!(missing.is_empty(), "neither a control nor a design that breaks: {}", missing.join(", "));
    }

    #[test]
    fn every_design_that_is_said_not_to_hold_is_booted_by_a_scenario() {
        for (attack, design) in BROKEN_BY {
            let words = format!("design={design} attack={attack} ");
            let is_broken = |show: &&str| ["1 attackers: broken", "1 attackers: degraded"].contains(show);
            let boots = crate::suite::scenarios::all()
                .into_iter()
                .any(|scenario| scenario.append.starts_with(&words) && scenario.shows.iter().any(is_broken));
            assert!(boots, "no scenario demands that {attack} breaks {design}");
        }
    }

    const PATCH: &str = "Takes out: the check\n  of all (invariant 3).\nThen: it reads.\nAttack: a\nDesign: kernel-heap,pool=4M\n\
                         Outcome: degraded\n\n--- a/kernel/x\n+++ b/kernel/x\n@@ -1,2 +1,1 @@\n-check\n go\n";

    #[test]
    fn a_patch_says_what_it_is_and_is_applied() {
        let control = Control::read("n", PATCH).expect("a control");
        assert_eq!(
            (control.attack.as_str(), control.takes_out.as_str()),
            ("a", "the check of all (invariant 3).")
        );
        assert_eq!((control.then.as_str(), control.expected), ("it reads.", Expected::Degraded));
        assert_eq!(control.variant.to_string(), "kernel-heap,pool=4M");
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir(root.path().join("kernel")).expect("made");
        let file = root.path().join("kernel/x");
        fs::write(&file, "check\ngo\n").expect("written");
        assert_eq!(control.applied(root.path()).expect("applied"), [("kernel/x".into(), "go\n".to_string())]);
        fs::write(&file, "go\n").expect("written");
        let error = format!("{:#}", control.applied(root.path()).expect_err("stale"));
        assert!(error.contains("does not apply to kernel/x any more"), "{error}");
    }

    #[test]
    fn a_patch_that_says_too_little_is_refused() {
        for (text, hint) in [
            ("Then: x\n--- a/x\n", "what it takes out"),
            ("Takes out: x\n--- a/x\n", "what the attack achieves"),
            ("Takes out: x\nThen: x\nMood: bad\n--- a/x\n", "Mood"),
            ("Takes out: x\nThen: x\nOutcome: odd\n--- a/x\n", "odd"),
        ] {
            let error = format!("{:#}", Control::read("n", text).expect_err(text));
            assert!(error.contains(hint), "{error}");
        }
        let nothing = Control::read("n", "Takes out: x\nThen: x\n").expect("it says enough");
        assert!(nothing.applied(Path::new("/")).is_err(), "but changes nothing");
    }

    #[test]
    fn only_what_differs_is_copied() {
        let place = tempfile::tempdir().expect("a directory");
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs::create_dir_all(from.join("a/target")).expect("made");
        fs::write(from.join("a/x"), "1").expect("written");
        mirror(&from, &to).expect("copied");
        assert!(to.join("a/x").is_file() && !to.join("a/target").exists());
        let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).expect("a time");
        let before = time(&to.join("a/x"));
        fs::write(to.join("a/y"), "2").expect("written");
        mirror(&from, &to).expect("copied again");
        assert!(!to.join("a/y").exists() && time(&to.join("a/x")) == before);
        fs::write(to.join("a/x"), "patched").expect("written");
        mirror(&from, &to).expect("copied again");
        assert_eq!(fs::read_to_string(to.join("a/x")).expect("read"), "1");
    }

    #[test]
    fn a_machine_that_goes_down_is_no_success_unless_it_has_to_be() {
        let control =
            |outcome: &str| Control::read("n", &PATCH.replace("degraded", outcome)).expect("a control");
        let row = |outcome, detail: &str| Row { outcome, ..Row::of_machine("a", "d", 1, detail.into()) };
        let (went, down) =
            (row(Verdict::Broken, "it read"), row(Verdict::Broken, "the machine: it panicked"));
        let (held, slow) = (row(Verdict::Held, ""), row(Verdict::Degraded, ""));
        for (outcome, met) in [
            ("broken", [true, false, false, false]),
            ("degraded", [true, false, false, true]),
            ("machine", [false, true, false, false]),
        ] {
            let control = control(outcome);
            assert_eq!([&went, &down, &held, &slow].map(|row| control.is_met_by(row)), met, "{outcome}");
        }
    }
}
