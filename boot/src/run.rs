//! `./x run`, the tour; and `./x boot`, any machine at all.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::args::{BootArgs, MachineArgs, RunArgs};
use crate::guest::{self, Guests};
use crate::outcome::Outcome;
use crate::qemu::{Boot, Clock, Console, Machine, Medium, Module};
use crate::records;

/// The largest file that the tour can carry: the guest holds it twice.
const LARGEST_FILE: u64 = 16 << 20;
/// Size of the file that is made where none is given.
pub const DEFAULT_FILE: usize = 3 << 20;
/// The name of the tour in its records, and the word on the kernel's command line that starts it.
pub const TOUR: &str = "tour";
/// The name of the module that holds the file.
pub const FILE_MODULE: &str = "file";
/// The word on the kernel's command line that ends the tour in the monitor.
const MONITOR: &str = "monitor";
/// The word on the kernel's command line without which the tour claims that equal work takes equal time.
const HOST_TIME: &str = "host-time";
/// Wall-clock time after which a boot without a terminal counts as hung.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// `./x run`: boots the tour and passes only if the guest says that every claim held *and* the hash
/// that the server computed is that of the file.
///
/// # Errors
/// The file cannot be used, the guest code does not build, or QEMU cannot be started.
pub fn tour(args: &RunArgs) -> Result<ExitCode> {
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let file = match &args.file {
        Some(path) => path.clone(),
        None => write_made_file(scratch.path(), DEFAULT_FILE)?,
    };
    let digest = digest_of(&file)?;
    let guests = guest::build(&guest::tour_packages(), args.build.profile)?;
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let interactive = terminal && !args.no_monitor;
    let machine = tour_machine(&guests, &file, &args.machine, interactive)?;
    let boot = machine.boot(&scratch.path().join("boot"), Some(TOUR))?;
    copy_records(&boot, args.json.as_deref())?;
    let verdict = verdict(&boot, &digest);
    report(&boot, &verdict);
    Ok(if verdict.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The tour's machine: the kernel, the programs and the file.
///
/// # Errors
/// The programs of the tour have not been built.
pub fn tour_machine(
    guests: &Guests,
    file: &Path,
    machine: &MachineArgs,
    interactive: bool,
) -> Result<Machine> {
    ensure!(!guest::PROGRAMS.is_empty(), "there are no programs for the tour yet");
    let modules = guest::PROGRAMS.iter().map(|program| guests.module(program));
    let mut modules = modules.collect::<Result<Vec<_>>>()?;
    modules.push(Module { name: FILE_MODULE.into(), path: file.into(), arguments: String::new() });
    let (console, limit) =
        if interactive { (Console::Interactive, None) } else { (Console::Show, Some(TIME_LIMIT)) };
    let words = [Some(TOUR), interactive.then_some(MONITOR), machine.host_time.then_some(HOST_TIME)];
    let append = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Ok(describe(guests.program("kernel")?, modules, append, console, machine, limit))
}

/// `./x boot`.
///
/// # Errors
/// A file is missing, the guest code does not build, or QEMU cannot be started.
pub fn boot(args: &BootArgs) -> Result<ExitCode> {
    let specs: Vec<&str> = args.init.iter().chain(&args.modules).map(String::as_str).collect();
    let path_of = |spec: &'_ str| spec.split(' ').next().unwrap_or_default().to_string();
    let is_name = |path: &str| !path.contains('/');
    let paths = || std::iter::once(args.kernel.clone()).chain(specs.iter().map(|spec| path_of(spec)));
    let packages: Vec<String> =
        paths().filter(|path| is_name(path)).flat_map(|name| guest::packages_making(&name)).collect();
    let guests = if packages.is_empty() { None } else { Some(guest::build(&packages, args.build.profile)?) };
    let find = |path: &str| match &guests {
        Some(guests) if is_name(path) => guests.program(path),
        _ => Ok(PathBuf::from(path)),
    };
    let mut modules = Vec::new();
    for spec in specs {
        let (path, arguments) = spec.split_once(' ').unwrap_or((spec, ""));
        let path = find(path)?;
        let name =
            path.file_name().with_context(|| format!("{spec} names no file"))?.to_string_lossy().into_owned();
        modules.push(Module { name, path, arguments: arguments.into() });
    }
    let (console, limit) =
        if args.interactive { (Console::Interactive, None) } else { (Console::Show, Some(TIME_LIMIT)) };
    let machine = describe(find(&args.kernel)?, modules, args.append.clone(), console, &args.machine, limit);
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let boot = machine.boot(&scratch.path().join("boot"), None)?;
    copy_records(&boot, args.json.as_deref())?;
    if args.json.is_none() {
        print!("{}", boot.records);
    }
    let passed = boot.outcome.passed();
    report(&boot, &if passed { Ok(()) } else { Err(boot.outcome.to_string()) });
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A machine as the command line describes it.
pub fn describe(
    kernel: PathBuf,
    modules: Vec<Module>,
    append: String,
    console: Console,
    machine: &MachineArgs,
    limit: Option<Duration>,
) -> Machine {
    Machine {
        medium: Medium::Kernel,
        kernel,
        modules,
        append,
        cpu: machine.cpu.clone(),
        memory_mib: machine.memory,
        clock: if machine.host_time { Clock::Host } else { Clock::Instructions },
        console,
        time_limit: machine.limit(limit),
        plugin: None,
    }
}

/// What the tour came to with a file of this digest.
///
/// # Errors
/// What is wrong.
pub fn verdict(boot: &Boot, digest: &str) -> Result<(), String> {
    if !boot.outcome.passed() {
        return Err(boot.outcome.to_string());
    }
    let records = records::parse(&boot.records).map_err(|bad| bad.to_string())?;
    let mut answers =
        records.iter().filter(|record| record.get(TOUR).is_some_and(|step| step == FILE_MODULE));
    let answer = answers.next().and_then(|record| record.get("sha256")).and_then(|value| value.as_str());
    match (answer, answers.next()) {
        (None, _) => Err("the tour says nothing about the file's SHA-256".into()),
        (Some(_), Some(_)) => Err("the tour speaks of the file twice".into()),
        (Some(answer), None) if answer != digest => {
            Err(format!("the file's SHA-256 is {digest}, but the server computed {answer}"))
        }
        (Some(_), None) => Ok(()),
    }
}

fn report(boot: &Boot, verdict: &Result<(), String>) {
    if let Outcome::OtherStatus(_) | Outcome::Killed(_) = boot.outcome {
        eprint!("{}", boot.qemu);
    }
    let seconds = boot.duration.as_secs_f64();
    match verdict {
        Ok(()) => println!("freehold: {} ({seconds:.1} s)", boot.outcome),
        Err(cause) => eprintln!("freehold: FAILED: {cause} ({seconds:.1} s)"),
    }
}

fn copy_records(boot: &Boot, to: Option<&Path>) -> Result<()> {
    to.map_or(Ok(()), |path| {
        fs::write(path, &boot.records)
            .with_context(|| format!("cannot write the records to {}", path.display()))
    })
}

/// The SHA-256 of a file that the tour can carry, in hexadecimal.
///
/// # Errors
/// It cannot be read, or is too large.
pub fn digest_of(path: &Path) -> Result<String> {
    let context = || format!("cannot read {}", path.display());
    let metadata = fs::metadata(path).with_context(context)?;
    ensure!(metadata.is_file(), "{} is no file", path.display());
    match metadata.len() {
        0 => bail!("{} is empty: there is nothing to carry", path.display()),
        size if size > LARGEST_FILE => {
            bail!("{} has {size} bytes; the tour carries at most {LARGEST_FILE} (16 MiB)", path.display())
        }
        _ => {}
    }
    Ok(hexadecimal(&Sha256::digest(fs::read(path).with_context(context)?)))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file of `bytes` bytes for a tour without one into `directory`.
///
/// # Errors
/// It cannot be written.
pub fn write_made_file(directory: &Path, bytes: usize) -> Result<PathBuf> {
    let path = directory.join("made-for-the-tour");
    fs::write(&path, made_file(bytes)).context("cannot write the file for the tour")?;
    Ok(path)
}

/// The file's contents: the same bytes every time, no two pages alike (xorshift64).
fn made_file(size: usize) -> Vec<u8> {
    let mut state = 0x4652_4545_484F_4C44_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..size.div_ceil(8)).flat_map(|_| next().to_le_bytes()).take(size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(records: &str) -> Boot {
        let ending = crate::outcome::Ending::Status(33);
        Boot {
            outcome: Outcome::judge(ending, "", records, Some(TOUR)),
            console: String::new(),
            records: records.into(),
            qemu: String::new(),
            seen: String::new(),
            duration: Duration::ZERO,
        }
    }

    const CLOSING: &str = "{\"closing\":\"tour\",\"checks\":9,\"failed\":0}\n";

    #[test]
    fn the_tour_passes_with_the_right_hash_only() {
        let file = "{\"tour\":\"file\",\"sha256\":\"ab\"}\n";
        assert_eq!(verdict(&ended(&format!("{file}{CLOSING}")), "ab"), Ok(()));
        assert!(verdict(&ended(&format!("{file}{CLOSING}")), "cd").is_err());
        assert!(verdict(&ended(CLOSING), "ab").is_err());
        assert!(verdict(&ended(&format!("{file}{file}{CLOSING}")), "ab").is_err());
        assert!(verdict(&ended(file), "ab").is_err());
    }

    #[test]
    fn the_digest_is_sha256() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "abc").expect("written");
        // FIPS 180-2, appendix B.1
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest_of(file.path()).expect("a digest"), expected);
    }

    #[test]
    fn what_cannot_be_carried_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert!(digest_of(file.path()).is_err(), "empty");
        file.as_file().set_len(LARGEST_FILE).expect("grown");
        assert!(digest_of(file.path()).is_ok(), "16 MiB");
        file.as_file().set_len(LARGEST_FILE + 1).expect("grown");
        assert!(digest_of(file.path()).is_err(), "more");
        assert!(digest_of(Path::new("/")).is_err(), "a directory");
        assert!(digest_of(&file.path().join("absent")).is_err(), "absent");
    }

    #[test]
    fn the_made_file_has_no_two_pages_alike() {
        let file = made_file(DEFAULT_FILE);
        assert_eq!(file.len(), DEFAULT_FILE);
        let pages: std::collections::BTreeSet<&[u8]> = file.chunks(4096).collect();
        assert_eq!(pages.len(), DEFAULT_FILE / 4096);
        assert_eq!(made_file(4097), file[..4097]);
    }
}
