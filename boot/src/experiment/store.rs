//! An experiment's directory.
//!
//! | file | what |
//! |---|---|
//! | plan.json | on what is measured, and every boot: in *parts*, one of the designs, one of each other kernel |
//! | boots/ID.jsonl | the records of a boot that is over |
//! | records.jsonl | all of them, boot by boot in the order of the plan |
//!
//! A record is what the guest wrote, with the fields `commit`, `qemu`, `seed`, `boot` and `rep`; of a design with a pool
//! `pool`, its bytes; of a control `control`, its name; of another kernel `label`, and its `design` is the label too. All else is made from records.jsonl.
//!
//! What must hold: a file is whole or not there, whenever the run ends; nothing that was measured on something else is
//! ever mixed in: what the plan says must be what is now, or the directory is refused.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::plan::{Boot, Work};
use crate::records::{self, Record};

const PLAN: &str = "plan.json";
const BOOTS: &str = "boots";
const LOCK: &str = "lock";
/// All records.
pub const RECORDS: &str = "records.jsonl";

/// On what is measured: the same for all of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// The commit of the sources, with `+` behind it if they were changed.
    pub commit: String,
    /// The emulator's version.
    pub qemu: String,
    /// What order, layout and choices follow from.
    pub seed: u32,
}

/// The boots of the designs, or of another kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// `designs`, or the other kernel's name.
    pub part: String,
    /// What was asked for, in words.
    pub asked: String,
    /// SHA-256 over the programs that are booted.
    pub programs: String,
    /// In the order in which they start.
    pub boots: Vec<Boot>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    setup: Setup,
    parts: Vec<Part>,
}

/// The directory, of which no other run has hold.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    plan: Plan,
    _lock: File,
}

impl Store {
    /// Begins or goes on with a part of what `directory` holds.
    ///
    /// # Errors
    /// It holds something that was measured on something else or that is planned otherwise, another run writes into it,
    /// or it cannot be read or written.
    pub fn open(directory: &Path, setup: &Setup, part: &Part) -> Result<Store> {
        fs::create_dir_all(directory.join(BOOTS))
            .with_context(|| format!("cannot make {}", directory.display()))?;
        let lock = File::create(directory.join(LOCK)).context("cannot make the lock")?;
        ensure!(lock.try_lock().is_ok(), "another run writes into {}", directory.display());
        let plan = match fs::read_to_string(directory.join(PLAN)) {
            Ok(text) => {
                let plan: Plan = serde_json::from_str(&text).with_context(|| {
                    format!(
                        "{} is no plan of this version: give another --out",
                        directory.join(PLAN).display()
                    )
                })?;
                plan.fits(setup, part).with_context(|| refusal(directory))?;
                plan
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Plan { setup: setup.clone(), parts: Vec::new() }
            }
            Err(error) => return Err(error).context(PLAN),
        };
        let mut store = Store { directory: directory.into(), plan, _lock: lock };
        if store.plan.parts.iter().all(|known| known.part != part.part) {
            store.plan.parts.push(part.clone());
            let text = serde_json::to_string_pretty(&store.plan).expect("plain values") + "\n";
            store.put(PLAN, &text)?;
        }
        Ok(store)
    }

    /// Whether a boot is over.
    pub fn has(&self, boot: &Boot) -> bool {
        self.path_of(boot).exists()
    }

    /// Keeps a boot's records.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, boot: &Boot, records: Vec<Record>) -> Result<()> {
        let lines: Vec<String> =
            records.into_iter().map(|record| line(&self.plan.setup, boot, record)).collect();
        self.put(&format!("{BOOTS}/{}.jsonl", boot.id), &lines.concat())
    }

    /// Makes records.jsonl of what there is; how many boots of how many are in it.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn gather(&self) -> Result<(usize, usize)> {
        let (mut text, mut there) = (String::new(), 0);
        let boots: Vec<&Boot> = self.plan.parts.iter().flat_map(|part| &part.boots).collect();
        for boot in boots.iter().filter(|boot| self.has(boot)) {
            let path = self.path_of(boot);
            text += &fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            there += 1;
        }
        records::parse(&text).context("what was kept is damaged")?;
        self.put(RECORDS, &text)?;
        Ok((there, boots.len()))
    }

    fn path_of(&self, boot: &Boot) -> PathBuf {
        self.directory.join(BOOTS).join(format!("{}.jsonl", boot.id))
    }

    /// Writes a file so that it is there whole or not at all.
    fn put(&self, name: &str, text: &str) -> Result<()> {
        let path = self.directory.join(name);
        let beside = path.with_extension("new");
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Plan {
    /// Whether a run on this setup can go on with it.
    fn fits(&self, setup: &Setup, part: &Part) -> Result<()> {
        let same = |what: &str, was: &str, is: &str| {
            ensure!(was == is, "it was measured with {what} {was}, this is {is}");
            Ok(())
        };
        same("commit", &self.setup.commit, &setup.commit)?;
        same("QEMU", &self.setup.qemu, &setup.qemu)?;
        same("seed", &self.setup.seed.to_string(), &setup.seed.to_string())?;
        let Some(known) = self.parts.iter().find(|known| known.part == part.part) else { return Ok(()) };
        let name = &part.part;
        ensure!(known.asked == part.asked, "{name} was begun with {}, now it is {}", known.asked, part.asked);
        ensure!(
            known.programs == part.programs,
            "the programs of {name} are others than those that it was begun with"
        );
        if known.boots != part.boots {
            bail!("the boots of {name} are others than those that it was begun with");
        }
        Ok(())
    }
}

fn refusal(directory: &Path) -> String {
    let directory = directory.display();
    format!(
        "{directory} holds an experiment that cannot go on so. Give another directory with --out; or what it was begun \
         with; or remove {directory} to begin anew"
    )
}

/// The line of a record, with what is added to it.
fn line(setup: &Setup, boot: &Boot, mut record: Record) -> String {
    let mut add = |name: &str, value: serde_json::Value| {
        record.insert(name.into(), value);
    };
    add("commit", setup.commit.as_str().into());
    add("qemu", setup.qemu.as_str().into());
    add("seed", boot.seed.into());
    add("boot", boot.id.as_str().into());
    add("rep", boot.rep.into());
    match &boot.work {
        Work::Bench { design, .. } | Work::Transfer { design, .. } | Work::Attack { design, .. } => {
            if let Some(bytes) = design.pool_bytes() {
                add("pool", bytes.into());
            }
        }
        Work::Control { .. } => {}
        Work::Image { label, .. } => {
            add("label", label.as_str().into());
            add("design", label.as_str().into());
        }
    }
    serde_json::to_string(&record).expect("plain values") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::plan;

    fn setup() -> Setup {
        Setup { commit: "c0ffee".into(), qemu: "7.2".into(), seed: 3 }
    }

    fn part(label: &str) -> Part {
        Part {
            part: label.into(),
            asked: "2 repetitions".into(),
            programs: "ab".into(),
            boots: plan::of_image(label, "", 2, 3),
        }
    }

    fn record(text: &str) -> Vec<Record> {
        records::parse(&format!("{text}\n")).expect("a record")
    }

    fn open(directory: &Path, part: &Part) -> Store {
        Store::open(directory, &setup(), part).expect("opened")
    }

    #[test]
    fn a_run_goes_on_where_it_ended_and_the_order_of_ends_does_not_show() {
        let one = tempfile::tempdir().expect("a directory");
        let other = tempfile::tempdir().expect("a directory");
        let part = part("k");
        let [first, second] = &part.boots[..] else { panic!("two boots") };
        let at_once = open(one.path(), &part);
        at_once.keep(first, record(r#"{"bench":"a"}"#)).expect("kept");
        at_once.keep(second, record(r#"{"bench":"b"}"#)).expect("kept");
        assert_eq!(at_once.gather().expect("gathered"), (2, 2));

        let begun = open(other.path(), &part);
        begun.keep(second, record(r#"{"bench":"b"}"#)).expect("kept");
        assert_eq!(begun.gather().expect("gathered"), (1, 2));
        fs::write(other.path().join("boots").join(format!("{}.new", first.id)), "{\"ben").expect("cut off");
        drop(begun);
        let goes_on = open(other.path(), &part);
        assert!(goes_on.has(second) && !goes_on.has(first));
        goes_on.keep(first, record(r#"{"bench":"a"}"#)).expect("kept");
        assert_eq!(goes_on.gather().expect("gathered"), (2, 2));
        let read = |directory: &Path| fs::read_to_string(directory.join(RECORDS)).expect("records");
        assert_eq!(read(one.path()), read(other.path()));
        let first = &records::parse(&read(one.path())).expect("records")[0];
        let field = |name: &str| first[name].to_string();
        assert_eq!(["commit", "qemu", "seed", "rep"].map(field), ["\"c0ffee\"", "\"7.2\"", "3", "0"]);
        assert_eq!(["boot", "label", "design"].map(field), ["\"image.k.0\"", "\"k\"", "\"k\""]);
    }

    #[test]
    fn parts_join_and_what_is_not_the_same_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path();
        drop(open(path, &part("k")));
        drop(open(path, &part("l")));
        let held = open(path, &part("k"));
        assert_eq!(held.plan.parts.len(), 2);
        let refused = |setup: Setup, part: Part| {
            format!("{:#}", Store::open(path, &setup, &part).expect_err("refused"))
        };
        assert!(refused(setup(), part("k")).contains("another run writes"));
        drop(held);
        let says = |error: String, words: &str| {
            assert!(error.contains(words) && error.contains("--out"), "{error}");
        };
        says(
            refused(Setup { commit: "f00".into(), ..setup() }, part("m")),
            "with commit c0ffee, this is f00",
        );
        says(refused(Setup { seed: 4, ..setup() }, part("m")), "with seed 3, this is 4");
        says(refused(Setup { qemu: "9".into(), ..setup() }, part("k")), "with QEMU 7.2, this is 9");
        says(
            refused(setup(), Part { asked: "1 repetition".into(), ..part("k") }),
            "k was begun with 2 repetitions",
        );
        says(refused(setup(), Part { programs: "cd".into(), ..part("k") }), "the programs of k");
        says(refused(setup(), Part { boots: Vec::new(), ..part("k") }), "the boots of k");
        fs::write(path.join(PLAN), "{}").expect("written");
        says(refused(setup(), part("k")), "no plan of this version");
    }

    #[test]
    fn a_design_s_pool_is_told() {
        let design = crate::design::Variant::of(freehold_abi::designs::Design::KernelHeap).with_pool(4);
        let work = Work::Transfer { design, only: Vec::new(), rounds: None };
        let boot = Boot { id: "x".into(), seed: 1, rep: 0, work };
        let line = line(&setup(), &boot, record(r#"{"bench":"b","design":"kernel-heap"}"#).remove(0));
        assert!(line.contains("\"pool\":4194304") && line.contains("\"design\":\"kernel-heap\""), "{line}");
    }
}
