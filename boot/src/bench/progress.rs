//! What a boot has measured so far, for somebody who waits.

use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Runs `work`, and meanwhile tells, on the standard error stream, how many lines of `file` are records of
/// measurements of this group: on a terminal in one line that changes, else a line for each tenth of `expected`.
pub fn during<T>(group: &str, file: &Path, expected: usize, work: impl FnOnce() -> T) -> T {
    const POLL: Duration = Duration::from_millis(100);
    let over = AtomicBool::new(false);
    let terminal = std::io::stderr().is_terminal();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut lines = Lines::of(group);
            let mut told = 0;
            while !over.load(Ordering::Acquire) {
                std::thread::sleep(POLL);
                lines.read(file);
                if terminal {
                    eprint!("\r{} of {expected} measured  {:<60}", lines.count, lines.last);
                    // What cannot be shown is not worth a failure.
                    let _ = std::io::stderr().flush();
                } else if (lines.count - told) * 10 >= expected {
                    told = lines.count;
                    eprintln!("{told} of {expected} measured");
                }
            }
            if terminal {
                eprint!("\r{:80}\r", "");
            }
        });
        let result = work();
        over.store(true, Ordering::Release);
        result
    })
}

/// The records of measurements that a file holds by now.
struct Lines {
    /// With what they begin.
    beginning: String,
    file: Option<File>,
    /// The beginning of a line whose end is not there yet.
    rest: Vec<u8>,
    count: usize,
    last: String,
}

impl Lines {
    fn of(group: &str) -> Lines {
        let beginning = format!("{{\"bench\":\"{group}.");
        Lines { beginning, file: None, rest: Vec::new(), count: 0, last: String::new() }
    }

    /// Reads on. A file that is not there yet has no lines.
    fn read(&mut self, path: &Path) {
        if self.file.is_none() {
            self.file = File::open(path).ok();
        }
        let Some(file) = &mut self.file else { return };
        if file.read_to_end(&mut self.rest).is_err() {
            return;
        }
        let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') else { return };
        let rest = self.rest.split_off(end + 1);
        for line in String::from_utf8_lossy(&self.rest).lines() {
            let name = line.strip_prefix(self.beginning.as_str()).and_then(|line| line.split('"').next());
            if let Some(name) = name {
                self.count += 1;
                self.last = name.into();
            }
        }
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_are_counted_as_they_come() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("records");
        let mut lines = Lines::of("g");
        lines.read(&path);
        assert_eq!(lines.count, 0, "no file yet");
        let mut file = File::create(&path).expect("a file");
        let mut step = |text: &str, count: usize, last: &str| {
            file.write_all(text.as_bytes()).expect("written");
            lines.read(&path);
            assert_eq!((lines.count, lines.last.as_str()), (count, last), "{text:?}");
        };
        step("{\"bench\":\"g.a\",\"n\":1}\n{\"ben", 1, "a");
        step("ch\":\"g.b\",\"n\":1}", 1, "a");
        step("\n{\"bench\":\"other.c\"}\n{\"closing\":\"x\"}\n", 2, "b");
    }

    #[test]
    fn the_works_result_comes_back() {
        assert_eq!(during("g", Path::new("/nowhere"), 1, || 7), 7);
    }
}
