//! A kernel that is not Freehold: the example of docs/join.md.
//!
//! It is as small as one can be that has something to measure: one program in ring 3, one page table, and calls by an
//! interrupt gate, of which one does nothing, one maps a page and one takes it back. The program measures them and writes
//! the records of `call.null`, `map.1` and `unmap.1`. It uses nothing of Freehold, so that it shows what another kernel
//! has to do itself.
//!
//! What must hold: what is measured is the program's whole way, from before its INT to behind it; that a page is there
//! or gone is tried, outside the measurement, in every round.
//!
//! | file | what |
//! |---|---|
//! | main.rs | the program |
//! | kernel.rs | the calls |
//! | machine.rs | boot, segments, gates, page tables, ports |
//! | line.rs | what it is told |
//! | record.rs | what it writes |
//! | mem.rs | what the compiler expects |

#![no_std]
#![no_main]

mod kernel;
mod line;
mod machine;
mod mem;
mod record;

use core::arch::asm;

use kernel::Call;
use line::Line;
use record::Row;

/// Rounds, unless others are asked for.
const ROUNDS: u32 = 100;

/// What the program is told, by its kernel.
pub fn program(line: Line) -> ! {
    let mut checks = Checks::default();
    let rounds = line.number("rounds=").unwrap_or(ROUNDS).clamp(1, record::ROUNDS_MAX as u32);
    // A seed makes another layout: here, another page of the window.
    let page = line.number("seed=").unwrap_or(0) % machine::WINDOW_PAGES;
    if line.wants("call.null") {
        null_call(rounds, &mut checks);
    }
    if line.wants("map.1") || line.wants("unmap.1") {
        mappings(&line, page, rounds, &mut checks);
    }
    checks.leave()
}

fn null_call(rounds: u32, checks: &mut Checks) {
    let mut row = Row::new("call.null");
    for _ in 0..=rounds {
        let (took, answer) = timed(Call::Null, 0);
        checks.holds(answer == kernel::DONE);
        row.add(took);
    }
    row.write();
}

/// One frame is mapped, used, taken back; and another one at the same address, which would not be seen if the processor
/// still remembered the first.
fn mappings(line: &Line, page: u32, rounds: u32, checks: &mut Checks) {
    let (mut map, mut unmap) = (Row::new("map.1"), Row::new("unmap.1"));
    for round in 0..=rounds {
        let frame = round % machine::FRAMES;
        let mark = 0x5EED_0000 | round;
        machine::mark_frame(frame, mark);
        let (took, answer) = timed(Call::Map, page << 16 | frame);
        checks.holds(answer == kernel::DONE && machine::read_window(page) == mark);
        map.add(took);
        let (took, answer) = timed(Call::Unmap, page);
        checks.holds(answer == kernel::DONE && call(Call::Unmap, page) == kernel::NOTHING_THERE);
        unmap.add(took);
    }
    if line.wants("map.1") {
        map.write();
    }
    if line.wants("unmap.1") {
        unmap.write();
    }
}

/// What was tried, and what did not hold.
#[derive(Default)]
struct Checks {
    made: u32,
    failed: u32,
}

impl Checks {
    fn holds(&mut self, holds: bool) {
        self.made += 1;
        self.failed += u32::from(!holds);
    }

    /// Writes the closing record, and ends the machine.
    fn leave(self) -> ! {
        record::closing("other-kernel", self.made, self.failed);
        call(Call::Leave, u32::from(self.failed > 0));
        unreachable!("the machine has ended")
    }
}

/// A call of the kernel.
pub fn call(call: Call, argument: u32) -> u32 {
    let answer: u32;
    // SAFETY: the gate saves all registers but EAX, and what a call does to memory is told by not saying `nomem`.
    unsafe { asm!("int 0x80", inlateout("eax") call as u32 => answer, in("ebx") argument) };
    answer
}

/// A call between two readings of the cycle counter, which counts instructions: what it took, without the reading's own,
/// and its answer.
fn timed(call: Call, argument: u32) -> (u32, u32) {
    let (took, answer): (u32, u32);
    // SAFETY: as for `call`; the counter can be read in ring 3.
    unsafe {
        asm!(
            "rdtsc", "mov edi, eax", "mov eax, ecx", "int 0x80", "mov ecx, eax", "rdtsc", "sub eax, edi",
            inlateout("ecx") call as u32 => answer, in("ebx") argument,
            out("eax") took, out("edx") _, out("edi") _,
        )
    };
    (took - reading(), answer)
}

/// What the same takes without the call.
fn reading() -> u32 {
    let took: u32;
    // SAFETY: reads the counter.
    unsafe {
        asm!(
            "rdtsc", "mov edi, eax", "mov eax, ecx", "mov ecx, eax", "rdtsc", "sub eax, edi",
            inlateout("ecx") 0 => _, out("eax") took, out("edx") _, out("edi") _,
        )
    };
    took
}
