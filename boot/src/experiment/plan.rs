//! What an experiment consists of: a list of boots.
//!
//! What must hold: the list follows from what was asked for and from nothing else, order included; a boot's name says what
//! it is, and can name a file; every record of a row that is measured with a plugin is measured with it.

use freehold_abi::designs::Design;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::attack;
use crate::bench::designs::COUNTED;
use crate::design::Variant;

/// How much is measured. This is the one place where that is chosen.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Repetitions, each with a seed of its own.
    pub reps: u32,
    /// Numbers of attackers.
    pub attackers: &'static [u32],
    /// Ticks for which a victim is watched; none: as the referee holds right.
    pub window: Option<u32>,
    /// Attacks that would come to nothing in so short a time: watched as the referee holds right.
    pub slow: &'static [&'static str],
    /// Rows of `user/bench`, by the beginnings of their names, at which the plugin looks: those that do not wait.
    pub counted: &'static [&'static str],
    /// All others but those of `revokes`.
    pub others: &'static [&'static str],
    /// Revokes, fan-out and depth: each in a boot of its own, so that the longest stretch with interrupts off is its own.
    pub revokes: &'static [(u32, u32)],
    /// Beginnings of cells of `./x bench transfer`, and rounds; no beginning: all.
    pub transfer: (&'static [&'static str], Option<u32>),
    /// The designs in which buffers are moved.
    pub transfer_designs: &'static [Design],
    /// Whether controls are run.
    pub controls: bool,
    /// Attacks at which the plugin looks on, for the longest stretch with interrupts off.
    pub stretches: &'static [&'static str],
}

/// All there is, within two hours.
pub const WHOLE: Extent = Extent {
    reps: 3,
    attackers: &attack::ATTACKERS,
    window: None,
    slow: &[],
    counted: COUNTED,
    others: OTHERS,
    revokes: &[
        (1, 1),
        (4, 1),
        (16, 1),
        (64, 1),
        (256, 1),
        (1024, 1),
        (4096, 1),
        (16384, 1),
        (16, 8),
        (256, 8),
        (1024, 8),
        (4096, 8),
        (16, 63),
        (256, 63),
        (1024, 63),
    ],
    transfer: (&[], None),
    transfer_designs: &Design::ALL,
    controls: true,
    stretches: &["mapping-flood", "revoke-time", "oversized-batch", "page-table-bomb"],
};

/// At most five minutes on two cores.
pub const QUICK: Extent = Extent {
    reps: 1,
    attackers: &[4],
    window: Some(25),
    slow: &["oversized-batch"],
    counted: COUNTED,
    others: OTHERS,
    revokes: &[(1, 1), (16, 1), (256, 1), (1024, 1), (1024, 8)],
    transfer: (&["open-64.", "open-255.", "write-64.", "write-1024.", "write-65536."], Some(4)),
    transfer_designs: &[Design::UserTables],
    controls: false,
    stretches: &[],
};

const OTHERS: &[&str] = &["kernel", "space.bytes", "stall", "latency", "first-service"];

/// The pool of measurements, in MiB: enough for every row.
const BENCH_POOL: u32 = 48;
/// Rows that grow with the pool, as far as the smallest of [`POOLS`] goes; and attacks on it: measured with each of these.
const POOL_ROWS: &[&str] = &[
    "kernel.bytes.dense",
    "space.bytes.dense",
    "kernel.bytes.sparse.1",
    "kernel.bytes.sparse.4",
    "kernel.bytes.sparse.16",
    "kernel.bytes.sparse.64",
    "kernel.bytes.sparse.256",
];
const POOL_ATTACKS: &[&str] = &["mapping-flood", "page-table-bomb"];
/// Sizes of kernel-heap's pool in MiB, beside the usual one of 16: its failure must not be one size's.
const POOLS: &[u32] = &[4, 8];

/// What looks on at a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Watch {
    /// Nothing.
    Nothing,
    /// The plugin counts what each section does.
    Path,
    /// The plugin looks for the longest stretch with interrupts off.
    Latency,
}

/// What a boot runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "lowercase")]
pub enum Work {
    /// `user/bench`: rows whose names begin so.
    Bench {
        /// On which kernel.
        design: Variant,
        /// The beginnings.
        only: Vec<String>,
        /// What looks on.
        watch: Watch,
    },
    /// Six ways to move a buffer.
    Transfer {
        /// On which kernel.
        design: Variant,
        /// The beginnings of cells' names; none: all.
        only: Vec<String>,
        /// Rounds; none: as the guest holds right.
        rounds: Option<u32>,
    },
    /// An attack.
    Attack {
        /// On which kernel.
        design: Variant,
        /// Which.
        attack: String,
        /// Numbers of attackers.
        attackers: Vec<u32>,
        /// Ticks for which the victim is watched.
        window: Option<u32>,
        /// What looks on.
        watch: Watch,
    },
    /// An attack on a build without its defence.
    Control {
        /// The patch.
        control: String,
    },
    /// Another kernel.
    Image {
        /// Its name.
        label: String,
        /// What it is told beside the seed.
        words: String,
    },
}

/// One boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// Its name.
    pub id: String,
    /// The guest's seed.
    pub seed: u32,
    /// Which repetition.
    pub rep: u32,
    /// What it runs.
    #[serde(flatten)]
    pub work: Work,
}

impl Boot {
    fn new(name: &str, seed: u32, rep: u32, work: Work) -> Boot {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' };
        let name: String = name.chars().map(plain).collect();
        Boot { id: format!("{name}.{rep}"), seed: seed.wrapping_add(rep), rep, work }
    }

    /// Roughly how long it takes, to guess how long all will.
    pub fn weight(&self) -> u64 {
        match &self.work {
            Work::Bench { only, watch: Watch::Path, .. } => 4 + 2 * only.len() as u64,
            Work::Bench { .. } | Work::Image { .. } => 3,
            Work::Control { .. } => 15,
            Work::Transfer { only, .. } => {
                if only.is_empty() {
                    60
                } else {
                    10
                }
            }
            Work::Attack { attackers, watch, .. } => {
                let slower = if *watch == Watch::Nothing { 1 } else { 4 };
                slower * (1 + attackers.len() as u64)
            }
        }
    }
}

/// The boots of the designs, in the order in which they start.
pub fn of_designs(
    designs: &[Variant],
    (attacks, controls): (&[String], &[String]),
    extent: &Extent,
    (reps, seed): (u32, u32),
) -> Vec<Boot> {
    let mut boots = Vec::new();
    for rep in 0..reps {
        let mut add = |name: String, work| boots.push(Boot::new(&name, seed, rep, work));
        for design in designs {
            let roomy = roomy(design);
            add(format!("bench.{roomy}.counted"), bench(&roomy, extent.counted, Watch::Path));
            add(format!("bench.{roomy}.others"), bench(&roomy, extent.others, Watch::Nothing));
            for (fan_out, depth) in extent.revokes {
                let row = format!("revoke.{fan_out}.{depth}");
                add(format!("bench.{roomy}.{row}"), bench(&roomy, &[&row], Watch::Latency));
            }
            for name in attacks {
                add(format!("attack.{design}.{name}"), attack(design, name, extent));
            }
        }
        for design in designs.iter().filter(|design| **design == Variant::of(Design::KernelHeap)) {
            for small in POOLS.iter().map(|&mib| design.clone().with_pool(mib)) {
                add(format!("bench.{small}"), bench(&small, POOL_ROWS, Watch::Nothing));
                for name in attacks.iter().filter(|name| POOL_ATTACKS.contains(&name.as_str())) {
                    add(format!("attack.{small}.{name}"), attack(&small, name, extent));
                }
            }
        }
        // These know no seed: again they would measure the same.
        for design in
            designs.iter().filter(|design| rep == 0 && extent.transfer_designs.contains(&design.design))
        {
            let (only, rounds) = extent.transfer;
            let only = only.iter().map(|name| (*name).into()).collect();
            add(format!("transfer.{design}"), Work::Transfer { design: design.clone(), only, rounds });
        }
    }
    for control in controls.iter().filter(|_| extent.controls) {
        boots.push(Boot::new(
            &format!("control.{control}"),
            seed,
            0,
            Work::Control { control: control.clone() },
        ));
    }
    shuffled(boots, seed)
}

/// The boots of another kernel.
pub fn of_image(label: &str, words: &str, reps: u32, seed: u32) -> Vec<Boot> {
    let work = || Work::Image { label: label.into(), words: words.into() };
    (0..reps).map(|rep| Boot::new(&format!("image.{label}"), seed, rep, work())).collect()
}

/// The design as it is measured, unless its pool was asked for.
fn roomy(design: &Variant) -> Variant {
    let usual = design.design.has_pool() && *design == Variant::of(design.design);
    if usual { design.clone().with_pool(BENCH_POOL) } else { design.clone() }
}

fn bench(design: &Variant, only: &[&str], watch: Watch) -> Work {
    Work::Bench { design: design.clone(), only: only.iter().map(|row| (*row).into()).collect(), watch }
}

fn attack(design: &Variant, name: &str, extent: &Extent) -> Work {
    let watch = if extent.stretches.contains(&name) { Watch::Latency } else { Watch::Nothing };
    Work::Attack {
        design: design.clone(),
        attack: name.into(),
        attackers: extent.attackers.to_vec(),
        window: extent.window.filter(|_| !extent.slow.contains(&name)),
        watch,
    }
}

fn shuffled(mut boots: Vec<Boot>, seed: u32) -> Vec<Boot> {
    boots.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.into()));
    boots
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn plan(extent: &Extent, seed: u32) -> Vec<Boot> {
        let attacks = ["depth-wrap".to_string(), "mapping-flood".into()];
        of_designs(&Variant::all(), (&attacks, &["depth-wrap".into()]), extent, (extent.reps, seed))
    }

    #[test]
    fn one_seed_makes_one_order_and_another_another() {
        assert_eq!(plan(&WHOLE, 7), plan(&WHOLE, 7));
        let ids = |seed| plan(&QUICK, seed).into_iter().map(|boot| boot.id).collect::<Vec<_>>();
        assert_ne!(ids(7), ids(8));
        assert_eq!(BTreeSet::from_iter(ids(7)), BTreeSet::from_iter(ids(8)));
    }

    #[test]
    fn names_are_unique_and_name_files() {
        let boots = plan(&WHOLE, 1);
        let names: BTreeSet<&str> = boots.iter().map(|boot| boot.id.as_str()).collect();
        assert_eq!(names.len(), boots.len());
        assert!(names.contains("attack.kernel-heap-pool-4M.mapping-flood.2"), "{names:?}");
        assert!(names.contains("bench.user-tables-credits-off.counted.0"));
        assert!(names.iter().all(|name| !name.contains('/') && !name.contains(char::is_whitespace)));
    }

    /// A field that only some records of a row have would be taken for missing in all.
    #[test]
    fn a_row_is_measured_by_one_kind_of_boot() {
        let covers = |name: &str, row: &str| row == name || row.starts_with(&format!("{name}."));
        for extent in [WHOLE, QUICK] {
            let all: Vec<&str> = [extent.counted, extent.others, &["revoke"]].concat();
            for (at, one) in all.iter().enumerate() {
                for (other_at, other) in all.iter().enumerate() {
                    assert!(at == other_at || !covers(one, other), "{one} and {other}");
                }
            }
            assert!(POOL_ROWS.iter().all(|row| extent.others.iter().any(|name| covers(name, row))));
        }
    }

    /// They know no seed, so once is enough.
    #[test]
    fn buffers_are_moved_once_under_each_design() {
        let moved = |extent: &Extent| {
            let boots = plan(extent, 1).into_iter().filter_map(|boot| match boot.work {
                Work::Transfer { design, .. } => Some(design.to_string()),
                _ => None,
            });
            let mut moved: Vec<String> = boots.collect();
            moved.sort();
            moved
        };
        let mut all: Vec<String> = Variant::all().iter().map(Variant::to_string).collect();
        all.sort();
        assert_eq!(moved(&WHOLE), all);
        assert_eq!(moved(&QUICK), ["user-tables"]);
    }

    #[test]
    fn each_repetition_has_a_seed_of_its_own() {
        let of = |rep| plan(&WHOLE, 40).into_iter().filter(move |boot| boot.rep == rep).map(|boot| boot.seed);
        assert!(of(0).all(|seed| seed == 40) && of(2).all(|seed| seed == 42));
    }

    #[test]
    fn quick_is_much_less() {
        let weight = |extent| plan(extent, 1).iter().map(Boot::weight).sum::<u64>();
        assert!(weight(&QUICK) * 5 < weight(&WHOLE), "{} {}", weight(&QUICK), weight(&WHOLE));
    }

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let boots = [plan(&QUICK, 1), of_image("other", "only=call", 2, 1)].concat();
        let text = serde_json::to_string(&boots).expect("plain values");
        assert_eq!(serde_json::from_str::<Vec<Boot>>(&text).expect("a plan"), boots);
    }
}
