//! How a boot ended, as a value. Only one of the ways is a success.

use std::fmt;
use std::time::Duration;

use crate::records::{self, Closing};

/// QEMU's status when the guest wrote 0x10 to the exit port: it holds that all is well.
const SUCCESS: i32 = 33;
/// The guest wrote 0x11: it holds that not all is well.
const FAILURE: i32 = 35;
/// The guest wrote 0x12: the first program panicked.
const PROGRAM_PANIC: i32 = 37;
/// The guest wrote 0x20: the kernel panicked.
const PANIC: i32 = 65;
/// The guest wrote 0x21: the processor lacks what the kernel needs.
const UNSUPPORTED: i32 = 67;
/// Under `-no-reboot` QEMU ends so when the machine resets itself, as it does on a triple fault.
const RESET: i32 = 0;

/// How QEMU's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With an exit status.
    Status(i32),
    /// By a signal.
    Signal(i32),
    /// It was still running after this time and was killed.
    TimeLimit(Duration),
}

/// What a boot came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The guest made checks, all of them held, and it left as a guest that is content.
    Passed {
        /// How many checks it made.
        checks: u64,
    },
    /// Checks failed, or the guest made none.
    ClaimsFailed {
        /// How many checks it made.
        checks: u64,
        /// How many of them failed.
        failed: u64,
    },
    /// The guest left without a closing record.
    NoClosing,
    /// The guest left, but its records are not in order, or do not fit how it left.
    BadRecords(String),
    /// The machine reset itself: a triple fault.
    Reset,
    /// The kernel panicked; its last words.
    Panic(String),
    /// The first program panicked; the line that says where.
    ProgramPanic(String),
    /// The processor lacks what the kernel needs; the kernel's line about it.
    Unsupported(String),
    /// It was not over when the time was.
    Hang(Duration),
    /// QEMU ended by itself with another status: it could not start the machine, as a rule.
    OtherStatus(i32),
    /// QEMU was killed.
    Killed(i32),
}

impl Outcome {
    /// Judges a boot by how QEMU ended, what the guest wrote to its two serial ports and, where it is
    /// known, the name that its closing record must bear.
    pub fn judge(ending: Ending, console: &str, record_text: &str, closing_name: Option<&str>) -> Outcome {
        match ending {
            Ending::TimeLimit(limit) => Outcome::Hang(limit),
            Ending::Signal(signal) => Outcome::Killed(signal),
            Ending::Status(SUCCESS) => judge_records(record_text, closing_name),
            Ending::Status(FAILURE) => match judge_records(record_text, closing_name) {
                Outcome::Passed { .. } => Outcome::BadRecords(
                    "the guest says that it failed, but its closing record counts no failure".into(),
                ),
                failure => failure,
            },
            Ending::Status(PROGRAM_PANIC) => Outcome::ProgramPanic(last_line(console, "panicked")),
            Ending::Status(RESET) => Outcome::Reset,
            Ending::Status(PANIC) => Outcome::Panic(last_line(console, "PANIC")),
            Ending::Status(UNSUPPORTED) => Outcome::Unsupported(last_line(console, "")),
            Ending::Status(status) => Outcome::OtherStatus(status),
        }
    }

    /// Whether this is the one success.
    pub fn passed(&self) -> bool {
        matches!(self, Outcome::Passed { .. })
    }
}

fn judge_records(text: &str, closing_name: Option<&str>) -> Outcome {
    let records = match records::parse(text) {
        Ok(records) => records,
        Err(bad) => return Outcome::BadRecords(bad.to_string()),
    };
    let mut closings = records.iter().enumerate().filter_map(|(i, record)| Some((i, Closing::read(record)?)));
    let Some((index, closing)) = closings.next() else { return Outcome::NoClosing };
    if closings.next().is_some() || index + 1 != records.len() {
        return Outcome::BadRecords("records follow the closing record".into());
    }
    match closing {
        Err(cause) => Outcome::BadRecords(cause),
        Ok(closing) if closing_name.is_some_and(|name| name != closing.name) => Outcome::BadRecords(format!(
            "the closing record is that of \"{}\", not of \"{}\"",
            closing.name,
            closing_name.unwrap_or_default()
        )),
        Ok(Closing { checks, failed: 0, .. }) if checks > 0 => Outcome::Passed { checks },
        Ok(Closing { checks, failed, .. }) => Outcome::ClaimsFailed { checks, failed },
    }
}

/// The last line of the console that contains `word`.
fn last_line(console: &str, word: &str) -> String {
    let line = console.lines().rev().find(|line| !line.trim().is_empty() && line.contains(word));
    line.unwrap_or("(nothing on the console)").trim().into()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Outcome::Passed { checks } => write!(f, "passed ({checks} checks)"),
            Outcome::ClaimsFailed { checks: 0, .. } => write!(f, "the guest made no checks"),
            Outcome::ClaimsFailed { checks, failed } => write!(f, "{failed} of {checks} checks failed"),
            Outcome::NoClosing => write!(f, "the guest left without a closing record"),
            Outcome::BadRecords(cause) => write!(f, "{cause}"),
            Outcome::Reset => write!(f, "the machine reset itself (triple fault)"),
            Outcome::Panic(line) => write!(f, "the kernel panicked: {line}"),
            Outcome::ProgramPanic(line) => write!(f, "the first program panicked: {line}"),
            Outcome::Unsupported(line) => write!(f, "the processor was refused: {line}"),
            Outcome::Hang(limit) => write!(f, "not over after {} s", limit.as_secs()),
            Outcome::OtherStatus(status) => write!(f, "QEMU ended with status {status}"),
            Outcome::Killed(signal) => write!(f, "QEMU was ended by signal {signal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "{\"closing\":\"s\",\"checks\":2,\"failed\":0}\n";

    fn judge(status: i32, records: &str) -> Outcome {
        Outcome::judge(Ending::Status(status), "one\nKERNEL PANIC: why\nlast\n\n", records, Some("s"))
    }

    #[test]
    fn the_status_and_the_closing_record_together_pass() {
        assert_eq!(judge(SUCCESS, GOOD), Outcome::Passed { checks: 2 });
        assert!(judge(SUCCESS, GOOD).passed());
    }

    #[test]
    fn no_other_status_passes_whatever_the_records_say() {
        for status in (-1..256).filter(|&status| status != SUCCESS) {
            assert!(!judge(status, GOOD).passed(), "status {status}");
        }
        assert_eq!(judge(0, GOOD), Outcome::Reset);
        assert_eq!(judge(65, GOOD), Outcome::Panic("KERNEL PANIC: why".into()));
        assert_eq!(judge(67, GOOD), Outcome::Unsupported("last".into()));
        assert_eq!(judge(1, GOOD), Outcome::OtherStatus(1));
        assert!(matches!(judge(37, GOOD), Outcome::ProgramPanic(_)));
        assert!(matches!(judge(35, GOOD), Outcome::BadRecords(_)));
        let failed = "{\"closing\":\"s\",\"checks\":2,\"failed\":1}\n";
        assert_eq!(judge(35, failed), Outcome::ClaimsFailed { checks: 2, failed: 1 });
        let limit = Duration::from_secs(9);
        assert_eq!(Outcome::judge(Ending::TimeLimit(limit), "", GOOD, None), Outcome::Hang(limit));
        assert_eq!(Outcome::judge(Ending::Signal(9), "", GOOD, None), Outcome::Killed(9));
    }

    #[test]
    fn no_other_records_pass_whatever_the_status_says() {
        assert_eq!(judge(SUCCESS, ""), Outcome::NoClosing);
        assert_eq!(judge(SUCCESS, "{\"bench\":1}\n"), Outcome::NoClosing);
        let failed =
            |checks, failed| format!("{{\"closing\":\"s\",\"checks\":{checks},\"failed\":{failed}}}\n");
        assert_eq!(judge(SUCCESS, &failed(2, 1)), Outcome::ClaimsFailed { checks: 2, failed: 1 });
        assert_eq!(judge(SUCCESS, &failed(0, 0)), Outcome::ClaimsFailed { checks: 0, failed: 0 });
        for bad in [
            format!("{GOOD}{GOOD}"),
            format!("{GOOD}{{\"bench\":1}}\n"),
            format!("noise\n{GOOD}"),
            GOOD.trim_end().into(),
            "{\"closing\":\"s\",\"checks\":2}\n".into(),
            "{\"closing\":\"other\",\"checks\":2,\"failed\":0}\n".into(),
        ] {
            assert!(matches!(judge(SUCCESS, &bad), Outcome::BadRecords(_)), "{bad}");
        }
    }

    #[test]
    fn any_name_will_do_where_none_is_known() {
        assert!(Outcome::judge(Ending::Status(SUCCESS), "", GOOD, None).passed());
    }
}
