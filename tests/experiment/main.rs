//! `./x experiment` as it is typed: another kernel joins, one seed gives the same numbers twice, and a run that was
//! killed goes on where it ended. Mostly with the example guest of docs/join.md, whose boots take a moment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use freehold_boot::args::Profile;
use freehold_boot::guest;
use freehold_boot::records::{self, Record};
use freehold_boot::workspace::{self, Metadata};

/// The example guest, built once for all tests.
fn example() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let guests = guest::build(&[guest::package_of(guest::OTHER)], Profile::Release).expect("it builds");
        guests.program(guest::OTHER).expect("the program")
    };
    BUILT.get_or_init(build).clone()
}

/// The program behind `./x`, as `./x` builds it.
fn program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let mut cargo = workspace::host_cargo("build");
        cargo.args(["--quiet", "--package", "freehold-boot", "--bin", "freehold"]);
        assert!(cargo.status().expect("cargo").success(), "it does not build");
        Metadata::read().expect("a workspace").target_dir.join("debug/freehold")
    };
    BUILT.get_or_init(build).clone()
}

fn command(image: &Path, label: &str, out: &Path, further: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .arg("experiment")
        .arg("--image")
        .arg(image)
        .args(["--label", label, "--out"])
        .arg(out)
        .args(further);
    command.stdin(Stdio::null());
    command
}

fn run(image: &Path, label: &str, out: &Path, further: &[&str]) -> Output {
    command(image, label, out, further).output().expect("it can be started")
}

fn ran(image: &Path, label: &str, out: &Path, further: &[&str]) {
    let output = run(image, label, out, further);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn text(out: &Path) -> String {
    fs::read_to_string(out.join("records.jsonl")).expect("records")
}

fn rows(out: &Path) -> Vec<Record> {
    let records = records::parse(&text(out)).expect("records");
    records.into_iter().filter(|record| record.contains_key("bench")).collect()
}

#[test]
fn another_kernel_joins_with_its_rows() {
    let out = tempfile::tempdir().expect("a directory");
    ran(&example(), "other", out.path(), &["--seed", "7", "--reps", "2", "--words", "rounds=20"]);
    let rows = rows(out.path());
    let name = |row: &Record| format!("{} {}", row["bench"], row["rep"]).replace('"', "");
    let mut names: Vec<String> = rows.iter().map(name).collect();
    names.sort();
    assert_eq!(names, ["call.null 0", "call.null 1", "map.1 0", "map.1 1", "unmap.1 0", "unmap.1 1"]);
    for row in &rows {
        assert_eq!((&row["label"], &row["design"]), (&"other".into(), &"other".into()));
        assert_eq!(row["n"], 20, "the guest was told");
        assert_eq!(row["seed"].as_u64(), row["rep"].as_u64().map(|rep| 7 + rep));
        assert!(row["commit"].is_string() && row["qemu"].is_string() && row["boot"].is_string());
        // A way into the kernel and back, and something in between.
        assert!(row["median"].as_u64().is_some_and(|median| (5..200).contains(&median)), "{row:?}");
    }
    // A second one joins the first.
    ran(&example(), "again", out.path(), &["--seed", "7", "--words", "only=call"]);
    let labels: Vec<String> = self::rows(out.path()).iter().map(|row| row["label"].to_string()).collect();
    assert_eq!(labels.iter().filter(|label| *label == "\"again\"").count(), 1, "one row only was asked for");
    assert_eq!(labels.len(), 7);
}

#[test]
fn the_same_seed_gives_the_same_records() {
    let [one, other] = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    for out in [&one, &other] {
        ran(&example(), "other", out.path(), &["--seed", "3", "--reps", "3"]);
    }
    assert_eq!(text(one.path()), text(other.path()));
    let error = run(&example(), "other", one.path(), &["--seed", "4", "--reps", "3"]);
    assert!(!error.status.success(), "another seed in the same directory");
    let said = String::from_utf8_lossy(&error.stderr).into_owned();
    assert!(said.contains("with seed 3, this is 4") && said.contains("--out"), "{said}");
}

/// Measured, watched by the plugin, attacked: a boot of each.
#[test]
fn the_same_seed_gives_the_same_records_of_the_designs() {
    const BOOTS: &str =
        "attack.user-tables.idle.,attack.user-tables.reply-reuse.,bench.user-tables.revoke.16.1.";
    let [one, other] = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    for out in [&one, &other] {
        let mut command = Command::new(program());
        command.args(["experiment", "--quick", "--seed", "5", "--designs", "user-tables", "--only", BOOTS]);
        let output =
            command.arg("--out").arg(out.path()).stdin(Stdio::null()).output().expect("it can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(text(one.path()), text(other.path()));
    let records = records::parse(&text(one.path())).expect("records");
    let of = |field: &str| records.iter().filter(|record| record.contains_key(field)).count();
    assert_eq!((of("attack"), of("bench"), of("stretch")), (2, 1, 1));
    assert!(records.iter().all(|record| record["seed"] == 5));
}

#[test]
fn a_run_that_was_killed_goes_on() {
    const BOOTS: usize = 12;
    let reps = BOOTS.to_string();
    let arguments = ["--jobs", "1", "--reps", &reps];
    let [whole, killed] = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    ran(&example(), "other", whole.path(), &arguments);

    let over = || {
        fs::read_dir(killed.path().join("boots")).map_or(0, |entries| {
            let is_over = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|end| end == "jsonl");
            entries.filter_map(Result::ok).filter(is_over).count()
        })
    };
    let mut child = command(&example(), "other", killed.path(), &arguments);
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be started");
    let started = Instant::now();
    while over() == 0 {
        assert!(started.elapsed() < Duration::from_secs(300), "no boot is over");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let before = over();
    assert!((1..BOOTS).contains(&before), "{before} boots were over when it was killed");
    assert!(!killed.path().join("records.jsonl").exists());
    let written = |name: &str| {
        let path = killed.path().join("boots").join(name);
        fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
    };
    let first = written("image.other.0.jsonl").expect("the first boot");

    let output = run(&example(), "other", killed.path(), &arguments);
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("{before} of {BOOTS} boots are over")), "{said}");
    assert_eq!(written("image.other.0.jsonl"), Some(first), "what was over is not run again");
    assert_eq!(text(killed.path()), text(whole.path()));
}

/// A boot sector that writes a record and leaves: the firmware starts it, from a disk or a disc.
fn boot_sector() -> [u8; 512] {
    let records = b"{\"bench\":\"call.null\",\"unit\":\"instructions\",\"n\":1,\"min\":1,\"median\":1,\"p99\":1,\"max\":1}\n\
                    {\"closing\":\"sector\",\"checks\":1,\"failed\":0}\n\0";
    let code = [
        0x31, 0xC0, 0x8E, 0xD8, // xor ax, ax; mov ds, ax
        0xBE, 0x40, 0x7C, // mov si, 0x7C40
        0xBA, 0xF8, 0x02, // mov dx, 0x2F8
        0xAC, // 1: lodsb
        0x84, 0xC0, // test al, al
        0x74, 0x03, // jz 2f
        0xEE, // out dx, al
        0xEB, 0xF8, // jmp 1b
        0x66, 0xB8, 0x10, 0x00, 0x00, 0x00, // 2: mov eax, 0x10
        0xBA, 0xF4, 0x00, // mov dx, 0xF4
        0x66, 0xEF, // out dx, eax
        0xEB, 0xFE, // jmp $
    ];
    let mut sector = [0; 512];
    sector[..code.len()].copy_from_slice(&code);
    sector[0x40..][..records.len()].copy_from_slice(records);
    sector[510..].copy_from_slice(&[0x55, 0xAA]);
    sector
}

/// A disc of which nothing is there but what it takes to boot: El Torito, without emulation.
fn disc() -> Vec<u8> {
    const SECTOR: usize = 2048;
    let mut disc = vec![0; 20 * SECTOR];
    let mut put = |sector: usize, at: usize, bytes: &[u8]| {
        disc[sector * SECTOR + at..][..bytes.len()].copy_from_slice(bytes);
    };
    put(16, 0, b"\x01CD001\x01");
    put(17, 0, b"\x00CD001\x01EL TORITO SPECIFICATION");
    put(17, 0x47, &18u32.to_le_bytes());
    put(18, 0, &[0xFF; 7]);
    put(18, 0, b"\xFFCD001\x01");
    // The catalogue: validation, whose words sum to 0, and the default entry.
    let mut validation = [0u8; 32];
    validation[0] = 1;
    validation[30..].copy_from_slice(&[0x55, 0xAA]);
    let words = validation.chunks_exact(2).map(|word| u16::from_le_bytes([word[0], word[1]]));
    let sum = words.fold(0u16, u16::wrapping_add);
    validation[28..30].copy_from_slice(&sum.wrapping_neg().to_le_bytes());
    put(18, 0, &validation);
    put(18, 32, &[0x88, 0, 0, 0, 0, 0, 4, 0, 19, 0, 0, 0]);
    put(19, 0, &boot_sector());
    disc
}

#[test]
fn disks_and_discs_boot_too() {
    let files = tempfile::tempdir().expect("a directory");
    for (label, bytes) in [("disk", boot_sector().to_vec()), ("disc", disc())] {
        let image = files.path().join(label);
        fs::write(&image, bytes).expect("written");
        let out = files.path().join("out");
        ran(&image, label, &out, &[]);
        assert!(rows(&out).iter().any(|row| row["label"] == label && row["bench"] == "call.null"), "{label}");
    }
}

#[test]
fn what_cannot_join_is_told_why() {
    let files = tempfile::tempdir().expect("a directory");
    let image = files.path().join("image");
    fs::write(&image, "no image").expect("written");
    let says = |output: Output, words: &str| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{said}");
    };
    let out = files.path().join("out");
    says(run(&image, "x", &out, &[]), "does not boot");
    says(run(&example(), "kernel-heap", &out, &[]), "is the name of something else");
    says(run(&example(), "a b", &out, &[]), "a label has");
    // It boots, but measures nothing that was asked for.
    says(run(&example(), "other", &out, &["--words", "only=nothing"]), "the guest made no checks");
}
