//! Threads that compute, each with its own numbers, while they take the processor from each other.

use core::arch::asm;

use freehold_abi::info::CPU_SSE;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::worker::{BELOW, MAIN_PRIORITY, Options, Worker};
use freehold_guest_tests::{board, check};
use freehold_rt::{start, time};

const THREADS: u32 = 3;
const FPU: Options = Options { fpu: true, ..BELOW };

/// Counts up by the thread's own number in all eight x87 registers at once; leaves when they differ.
fn x87_worker(index: u32) {
    let step = index + 3;
    let mut sums = [0_u32; 8];
    while board::get(0) == 0 {
        // SAFETY: loads the step eight times, spins so that interrupts fall between, adds it to each of the
        // counts and stores them; the register stack is empty before and after.
        unsafe {
            asm!(
                "fild dword ptr [{step}]", "fiadd dword ptr [{sums}]",
                "fild dword ptr [{step}]", "fiadd dword ptr [{sums} + 4]",
                "fild dword ptr [{step}]", "fiadd dword ptr [{sums} + 8]",
                "fild dword ptr [{step}]", "fiadd dword ptr [{sums} + 12]",
                "fild dword ptr [{step}]", "fiadd dword ptr [{sums} + 16]",
                "fild dword ptr [{step}]", "fiadd dword ptr [{sums} + 20]",
                "fild dword ptr [{step}]", "fiadd dword ptr [{sums} + 24]",
                "fild dword ptr [{step}]", "fiadd dword ptr [{sums} + 28]",
                "2: dec {spin}", "jnz 2b",
                "fistp dword ptr [{sums} + 28]", "fistp dword ptr [{sums} + 24]",
                "fistp dword ptr [{sums} + 20]", "fistp dword ptr [{sums} + 16]",
                "fistp dword ptr [{sums} + 12]", "fistp dword ptr [{sums} + 8]",
                "fistp dword ptr [{sums} + 4]", "fistp dword ptr [{sums}]",
                step = in(reg) &raw const step,
                sums = in(reg) sums.as_mut_ptr(),
                spin = inout(reg) 5000 => _,
            );
        }
        let rounds = board::add(16 + index as usize, 1) + 1;
        if sums.iter().any(|&sum| sum != step * rounds) {
            board::add(32 + index as usize, 1);
            return;
        }
    }
}

/// The same in the eight SSE registers, of which each holds four copies of the thread's word.
fn sse_worker(index: u32) {
    let words: [u32; 8] = core::array::from_fn(|register| (index + 1) << 24 | register as u32);
    // The registers, then MXCSR.
    let mut seen = [0_u32; 9];
    // The control word is the thread's own as well: rounding differs.
    let control = 0x1F80 | (index % 4) << 13;
    while board::get(0) == 0 {
        // SAFETY: the processor has SSE, as the caller has made sure; uses its registers and two arrays.
        unsafe {
            asm!(
                "ldmxcsr [{control}]",
                "movss xmm0, [{words}]", "movss xmm1, [{words} + 4]", "movss xmm2, [{words} + 8]",
                "movss xmm3, [{words} + 12]", "movss xmm4, [{words} + 16]", "movss xmm5, [{words} + 20]",
                "movss xmm6, [{words} + 24]", "movss xmm7, [{words} + 28]",
                "2: dec {spin}", "jnz 2b",
                "movss [{seen}], xmm0", "movss [{seen} + 4], xmm1", "movss [{seen} + 8], xmm2",
                "movss [{seen} + 12], xmm3", "movss [{seen} + 16], xmm4", "movss [{seen} + 20], xmm5",
                "movss [{seen} + 24], xmm6", "movss [{seen} + 28], xmm7",
                "stmxcsr [{seen} + 32]",
                control = in(reg) &raw const control,
                words = in(reg) words.as_ptr(),
                seen = in(reg) seen.as_mut_ptr(),
                spin = inout(reg) 5000 => _,
            );
        }
        board::add(16 + index as usize, 1);
        if seen[..8] != words || seen[8] & 0xFFC0 != control {
            board::add(32 + index as usize, 1);
            return;
        }
    }
}

/// Threads of several spaces, one of them without FPU use, for many slices.
fn together(mains: &[fn(u32)]) {
    board::clear();
    let homes = [Home::own(), Home::new()];
    let workers: [Worker; THREADS as usize] = core::array::from_fn(|index| {
        Worker::spawn(&homes[index % 2], FPU, mains[index % mains.len()], index as u32)
    });
    let plain = Worker::spawn(
        &Home::own(),
        BELOW,
        |_| {
            while board::get(0) == 0 {
                board::add(40, 1);
            }
        },
        0,
    );
    // One above all of them, which takes the processor at each tick and spoils what it can reach.
    let spoiler = Worker::spawn(
        &Home::own(),
        Options { priority: MAIN_PRIORITY + 1, ..FPU },
        |_| {
            while board::get(0) == 0 {
                // SAFETY: changes nothing but its own FPU state.
                unsafe { asm!("fninit", "fldpi", "fldpi", "fldpi") }
                if start::cpu() & CPU_SSE != 0 {
                    // SAFETY: as above; the processor has SSE.
                    unsafe { asm!("xorps xmm0, xmm0", "xorps xmm1, xmm1", "xorps xmm7, xmm7") }
                }
                time::sleep(1);
            }
        },
        0,
    );
    time::sleep(300);
    board::set(0, 1);
    for (index, worker) in workers.iter().enumerate() {
        check!(worker.ends(), "thread {index}");
        check!(board::get(16 + index) > 20, "thread {index} made {} rounds", board::get(16 + index));
        check!(board::get(32 + index) == 0, "thread {index} has another's numbers");
    }
    check!(plain.ends() && spoiler.ends());
    check!(board::get(40) > 100);
}

pub fn x87() {
    together(&[x87_worker]);
}

pub fn sse() {
    if start::cpu() & CPU_SSE != 0 {
        together(&[sse_worker]);
    }
}

pub fn both() {
    if start::cpu() & CPU_SSE != 0 {
        together(&[sse_worker, x87_worker]);
    }
}
