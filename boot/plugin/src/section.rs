//! What is counted between two readings of the cycle counter.
//!
//! What must hold: the instructions are those behind the reading that opens the section, up to and with the one that
//! closes it: as many as the difference of the two readings. The emulator announces an instruction before it executes
//! it; one that did not come to its end because of a fault was announced and is not counted, as the cycle counter does
//! not. It is known by this: it has reached memory at fewer places than it names, and what follows is the kernel, and
//! neither what stands behind it nor itself. (What faults for another reason, an FPU that is out of reach for one, is
//! counted twice.)

use std::collections::HashSet;

use serde::Serialize;

use crate::code::{Code, Kind};

/// log2 of the bytes of a line.
const LINE_SHIFT: u32 = 6;

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Instructions.
    pub instructions: u64,
    /// Of these, the kernel's.
    pub kernel: u64,
    /// Times that the kernel began to execute or ended: from program to kernel one, and back another.
    pub crossings: u64,
    /// Loads of CR3.
    pub cr3: u64,
    /// INVLPGs.
    pub invlpg: u64,
    /// Distinct lines of 64 bytes from which the kernel's instructions came.
    pub code_lines: u64,
    /// Distinct lines, by physical address, which the kernel's instructions loaded from or stored to.
    pub data_lines: u64,
}

/// A section that is open.
#[derive(Debug)]
pub struct Section<'a> {
    counts: Counts,
    code_lines: HashSet<u32>,
    data_lines: HashSet<u64>,
    last: Option<Last<'a>>,
    path: Option<Vec<&'a Code>>,
}

/// The instruction that was announced last.
#[derive(Debug, Clone, Copy)]
struct Last<'a> {
    code: &'a Code,
    accesses: usize,
}

impl<'a> Section<'a> {
    /// Nothing yet. With `keeps_path` the instructions themselves are kept.
    pub fn new(keeps_path: bool) -> Section<'a> {
        Section {
            counts: Counts::default(),
            code_lines: HashSet::new(),
            data_lines: HashSet::new(),
            last: None,
            path: keeps_path.then(Vec::new),
        }
    }

    /// An instruction is announced.
    pub fn executes(&mut self, code: &'a Code) {
        // A section begins, and ends, in a program.
        let was_kernel = self.last.is_some_and(|last| last.code.is_kernel());
        if let Some(last) = self.last {
            self.take_back_if_faulted(last, code);
        }
        self.counts.crossings += u64::from(was_kernel != code.is_kernel());
        self.count(code, true);
        if code.is_kernel() {
            self.code_lines.extend([code.address, code.next() - 1].map(|address| address >> LINE_SHIFT));
        }
        if let Some(path) = &mut self.path {
            path.push(code);
        }
        self.last = Some(Last { code, accesses: 0 });
    }

    /// The instruction that was announced last has reached memory.
    pub fn accesses(&mut self, physical: u64, size: u32) {
        let Some(last) = &mut self.last else { return };
        last.accesses += 1;
        if last.code.is_kernel() {
            let ends = [physical, physical + u64::from(size) - 1];
            self.data_lines.extend(ends.map(|address| address >> LINE_SHIFT));
        }
    }

    fn take_back_if_faulted(&mut self, last: Last<'a>, next: &Code) {
        let is_next = next.address == last.code.next() || next.address == last.code.address;
        let goes_on = is_next || !next.is_kernel();
        if goes_on || last.accesses >= last.code.accesses {
            return;
        }
        self.count(last.code, false);
        if let Some(path) = &mut self.path {
            path.pop();
        }
    }

    fn count(&mut self, code: &Code, adds: bool) {
        let counts = &mut self.counts;
        let mut add = |count: fn(&mut Counts) -> &mut u64| {
            let count = count(counts);
            *count = if adds { *count + 1 } else { *count - 1 };
        };
        add(|counts| &mut counts.instructions);
        if code.is_kernel() {
            add(|counts| &mut counts.kernel);
        }
        match code.kind {
            Kind::LoadsCr3 => add(|counts| &mut counts.cr3),
            Kind::InvalidatesPage => add(|counts| &mut counts.invlpg),
            Kind::Plain | Kind::Opens | Kind::Closes => {}
        }
    }

    /// What was counted.
    pub fn counts(&self) -> Counts {
        Counts {
            code_lines: self.code_lines.len() as u64,
            data_lines: self.data_lines.len() as u64,
            ..self.counts
        }
    }

    /// The instructions, each with how often it was executed one time behind the other, if they were kept.
    pub fn path(&self) -> Option<Vec<(&'a Code, u64)>> {
        let mut runs: Vec<(&'a Code, u64)> = Vec::new();
        for code in self.path.as_ref()? {
            match runs.last_mut() {
                Some((last, times)) if last.repeats && last.address == code.address => *times += 1,
                _ => runs.push((code, 1)),
            }
        }
        Some(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RDTSC: &[u8] = &[0x26, 0x0F, 0x31];
    const SYSENTER: &[u8] = &[0x0F, 0x34];
    const SYSEXIT: &[u8] = &[0x0F, 0x35];
    const LOAD: &[u8] = &[0x8B, 0x00];
    const PUSH: &[u8] = &[0x6A, 0x0E];
    const NOP: &[u8] = &[0x90];
    const REP_MOVSD: &[u8] = &[0xF3, 0xA5];
    const KERNEL: u32 = 0xC010_0000;

    fn code(address: u32, bytes: &[u8]) -> Code {
        Code::decode(address, bytes)
    }

    /// Executes the instructions, of which those that reach memory do so at their number times 64.
    fn counts(codes: &[Code]) -> Counts {
        let mut section = Section::new(false);
        for (index, code) in codes.iter().enumerate() {
            section.executes(code);
            if code.accesses > 0 {
                section.accesses(64 * index as u64, 4);
            }
        }
        section.counts()
    }

    #[test]
    fn a_call_crosses_twice() {
        let codes = [
            code(0x1000, SYSENTER),
            code(KERNEL, PUSH),
            code(KERNEL + 2, &[0x0F, 0x22, 0xD8]),
            code(KERNEL + 5, &[0x0F, 0x01, 0x38]),
            code(KERNEL + 8, SYSEXIT),
            code(0x1002, LOAD),
            code(0x1004, RDTSC),
        ];
        let expected = Counts {
            instructions: 7,
            kernel: 4,
            crossings: 2,
            cr3: 1,
            invlpg: 1,
            code_lines: 1,
            data_lines: 2,
        };
        // INVLPG names an address and reaches nothing; a push does.
        let counts = counts(&codes);
        assert_eq!(counts, Counts { data_lines: counts.data_lines, ..expected });
        assert!((1..=2).contains(&counts.data_lines), "not the program's");
    }

    #[test]
    fn lines_are_counted_once_and_both_where_two_are_touched() {
        let mut section = Section::new(false);
        let push = code(KERNEL + 63, PUSH);
        for physical in [0, 60, 62, 128] {
            section.executes(&push);
            section.accesses(physical, 4);
        }
        assert_eq!((section.counts().code_lines, section.counts().data_lines), (2, 3));
    }

    #[test]
    fn what_faulted_counts_when_it_comes_to_its_end() {
        let load = code(0x1000, LOAD);
        let (entry, back) = (code(KERNEL, NOP), code(KERNEL + 1, &[0xCF]));
        let mut section = Section::new(true);
        section.executes(&load);
        section.executes(&entry);
        section.executes(&back);
        section.executes(&load);
        section.accesses(0, 4);
        let counts = section.counts();
        assert_eq!((counts.instructions, counts.kernel, counts.crossings), (3, 2, 2));
        let path: Vec<u32> = section.path().expect("kept").iter().map(|(code, _)| code.address).collect();
        assert_eq!(path, [KERNEL, KERNEL + 1, 0x1000]);
    }

    #[test]
    fn a_copy_that_faults_at_its_destination_has_not_come_to_its_end() {
        let (copy, entry) = (code(KERNEL, REP_MOVSD), code(KERNEL + 100, NOP));
        let mut section = Section::new(false);
        section.executes(&copy);
        section.accesses(0, 4);
        section.executes(&entry);
        assert_eq!(section.counts().instructions, 1);
        section.executes(&copy);
        section.accesses(0, 4);
        section.accesses(64, 4);
        section.executes(&entry);
        assert_eq!(section.counts().instructions, 3);
    }

    #[test]
    fn what_is_interrupted_behind_its_end_counts() {
        let load = code(0x1000, LOAD);
        let entry = code(KERNEL, NOP);
        let mut section = Section::new(false);
        section.executes(&load);
        section.accesses(0, 4);
        section.executes(&entry);
        assert_eq!(section.counts().instructions, 2);
    }

    #[test]
    fn iterations_count_and_are_shown_as_one() {
        let (before, copy) = (code(KERNEL, NOP), code(KERNEL + 1, REP_MOVSD));
        let mut section = Section::new(true);
        section.executes(&before);
        section.executes(&before);
        for _ in 0..5 {
            section.executes(&copy);
            section.accesses(0, 4);
        }
        let path: Vec<(u32, u64)> =
            section.path().expect("kept").iter().map(|(code, times)| (code.address, *times)).collect();
        assert_eq!(path, [(KERNEL, 1), (KERNEL, 1), (KERNEL + 1, 5)]);
        assert_eq!(section.counts().instructions, 7);
        assert!(Section::new(false).path().is_none());
    }
}
