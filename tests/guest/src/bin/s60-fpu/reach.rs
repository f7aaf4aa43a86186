//! What a thread finds in the FPU when it starts, and what one without FPU use finds: nothing.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::info::{CPU_SSE, State};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::worker::{ABOVE, Options, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::{Message, calls, start};

const FPU: Options = Options { fpu: true, ..ABOVE };

/// Leaves control, status and tag word, and the SSE registers with MXCSR.
fn look(_: u32) {
    // FNSTENV: seven words, the first three control, status and tag (SDM vol. 1, figure 8-9).
    let mut environment = [0_u32; 7];
    // SAFETY: stores 28 bytes.
    unsafe { asm!("fnstenv [{}]", in(reg) environment.as_mut_ptr()) }
    (0..3).for_each(|index| board::set(index, environment[index] & 0xFFFF));
    if start::cpu() & CPU_SSE != 0 {
        let mut registers = [0_u32; 9];
        // SAFETY: stores what it is given room for; the processor has SSE.
        unsafe {
            asm!(
                "movss [{to}], xmm0", "movss [{to} + 4], xmm1", "movss [{to} + 8], xmm2",
                "movss [{to} + 12], xmm3", "movss [{to} + 16], xmm4", "movss [{to} + 20], xmm5",
                "movss [{to} + 24], xmm6", "movss [{to} + 28], xmm7", "stmxcsr [{to} + 32]",
                to = in(reg) registers.as_mut_ptr(),
            );
        }
        board::set(3, registers[..8].iter().fold(0, |all, word| all | word));
        board::set(4, registers[8]);
    }
    board::set(5, 1);
}

/// Leaves everything full of its own.
fn soil(_: u32) {
    // SAFETY: changes nothing but its own FPU state.
    unsafe { asm!("fninit", "push 0x0300", "fldcw [esp]", "pop {}", "fldpi", "fldpi", "fldl2e", out(reg) _) }
    if start::cpu() & CPU_SSE != 0 {
        let word = 0xDEAD_BEEF_u32;
        // SAFETY: as above; the processor has SSE.
        unsafe { asm!("movss xmm0, [{word}]", "movss xmm7, [{word}]", word = in(reg) &raw const word) }
    }
}

pub fn clean() {
    for _ in 0..3 {
        board::clear();
        let soiled = Worker::spawn(&Home::own(), FPU, soil, 0);
        check!(soiled.ends());
        let looking = Worker::spawn(&Home::own(), FPU, look, 0);
        check!(looking.ends());
        check_eq!((board::get(5), board::get(0), board::get(1), board::get(2)), (1, 0x37F, 0, 0xFFFF));
        if start::cpu() & CPU_SSE != 0 {
            check_eq!((board::get(3), board::get(4)), (0, 0x1F80));
        }
    }
}

/// Device not available (7), each time, also right behind a thread that uses it; nothing is seen or harmed.
pub fn out_of_reach() {
    FLAG.store(0, Ordering::SeqCst);
    let pager = endpoint();
    // The owner spins above this thread until the flag stands, so who sets it must be there before, above it.
    let options = Options { priority: ABOVE.priority + 1, pager: pager.name(), ..ABOVE };
    let setter = Worker::spawn(&Home::own(), options, without, 0);
    let owner = Worker::spawn(
        &Home::own(),
        FPU,
        |_| {
            // SAFETY: its own FPU state; the other thread runs in between.
            unsafe {
                asm!(
                    "fninit", "fld1", "fldpi",
                    "2: mov {seen}, [{flag}]", "test {seen}, {seen}", "jz 2b",
                    "fstp st(0)", "fistp dword ptr [{to}]",
                    seen = out(reg) _,
                    flag = in(reg) FLAG.as_ptr(),
                    to = in(reg) RESULT.as_ptr(),
                );
            }
        },
        0,
    );
    for round in 0..2 {
        let got = calls::receive(pager.name());
        check_eq!(got.map(|got| got.message.word(0)), Ok(7), "round {round}");
        let eip = got.map_or(0, |got| got.message.word(2));
        let esp = setter.info().esp;
        let behind = Message::of(freehold_abi::fault::RESUME_AT, &[eip + 2, esp]);
        check_eq!(calls::reply(None, &behind), Ok(()));
    }
    check!(setter.ends());
    check!(owner.ends());
    check_eq!(RESULT.load(Ordering::SeqCst), 1, "the owner's registers are its own");
    check_eq!(owner.state(), State::Stopped);
}

static FLAG: AtomicU32 = AtomicU32::new(0);
static RESULT: AtomicU32 = AtomicU32::new(0);

/// Uses the FPU twice without having it, with instructions of two bytes.
fn without(_: u32) {
    freehold_rt::time::sleep(3);
    FLAG.store(1, Ordering::SeqCst);
    // SAFETY: both instructions fault; the pager leads on behind them.
    unsafe { asm!("fld1", "fldpi") }
}
