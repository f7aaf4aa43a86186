//! Upcalls: what a handler is told, how it goes back, and what happens if it faults itself.

use freehold_abi::fault::{EXCEPTION, PAGE_FAULT, UPCALL};
use freehold_abi::info::{CPU_SYSENTER, State};
use freehold_abi::layout::{FOREVER, FRAME, utcb};
use freehold_guest_tests::bystander::Bystander;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, endpoint};
use freehold_guest_tests::pages::{Frames, peek, poke};
use freehold_guest_tests::worker::{ABOVE, BELOW, OWN_THREAD, Options, Worker, eventually};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::utcb::Part;
use freehold_rt::{CapName, Error, Message, Rights, Utcb, calls, layout, start, time};

use crate::flags::{AC, DF, IF, NT, TF};
use crate::handler::*;
use crate::run::INVALID_OPCODE;

const CARRY: u32 = 1;
const OVERFLOW: u32 = 1 << 11;
const ID: u32 = 1 << 21;
const ARITHMETIC: u32 = 0x8D5;
const LOOKED_AT: u32 = ARITHMETIC | TF | IF | DF | NT | AC | ID;

/// All registers and flags come back, behind a missing page as behind a trap, with no stack to stand on.
pub fn registers() {
    let thread = Selfish::new(ABOVE);
    for flags in [0, CARRY | DF, NT | AC | OVERFLOW, ARITHMETIC | DF | NT | AC | ID] {
        let frames = Frames::take(1, 1);
        board::set(word::COUNT, 0);
        board::set(word::FRAME, frames.container().0);
        board::set(word::FRAME + 1, frames.at(0));
        thread.start(freehold_upcall_registers, flags);
        check!(thread.0.reaches(State::Stopped), "{flags:#x}");
        check_eq!(board::get(word::COUNT), 3, "{flags:#x}");
        if board::get(word::COUNT) != 3 {
            return;
        }
        let (fault, trap, end) = (
            at(freehold_upcall_registers_page),
            at(freehold_upcall_registers_trap),
            at(freehold_upcall_registers_end),
        );
        let (page, exception) = (u32::from(PAGE_FAULT), u32::from(EXCEPTION));
        let (words, seen) = logged(0);
        check_eq!(words, [page, 0, PAGE + 4, 2, fault, 0, 0, fault, NOWHERE]);
        check_eq!(seen & LOOKED_AT, flags | IF, "at the page fault");
        let (words, seen) = logged(1);
        check_eq!(words, [exception, 0, 3, 0, trap, NOWHERE, words[6], trap, NOWHERE]);
        check_eq!((seen & LOOKED_AT, words[6]), (flags | IF, seen), "at the breakpoint");
        let (words, _) = logged(2);
        check_eq!((words[2], words[7]), (INVALID_OPCODE, end));
        check_eq!(board::get(word::FLAGS) & (LOOKED_AT & !ARITHMETIC), IF, "a handler's own");
        let stored: [u32; 9] = core::array::from_fn(|index| peek(PAGE + 256 - 36 + 4 * index as u32));
        let [edi, esi, ebp, _, ebx, edx, ecx, eax, after] = stored;
        check_eq!(after & LOOKED_AT, flags | IF, "afterwards");
        check_eq!([eax, ebx, ecx, edx], [0xA1A1_A1A1, 0xB2B2_B2B2, 0xC3C3_C3C3, 0xD4D4_D4D4]);
        check_eq!([esi, edi, ebp], [0xE5E5_E5E5, 0xF6F6_F6F6, 0x1717_1717]);
        check_eq!((peek(PAGE), peek(PAGE + 4)), (NOWHERE, 0xA1A1_A1A1));
    }
}

/// TF goes to the handler's words, not to the handler, and comes back by IRETD.
pub fn single_steps() {
    let thread = Selfish::new(ABOVE);
    for flags in [TF, TF | DF | AC] {
        board::set(word::COUNT, 0);
        thread.start(freehold_upcall_steps, flags);
        check!(thread.0.reaches(State::Stopped));
        let begin = at(freehold_upcall_steps);
        check_eq!(board::get(word::COUNT), 4);
        for (count, eip) in [begin + 2, begin + 3, begin + 5].into_iter().enumerate() {
            let (words, seen) = logged(count);
            check_eq!((words[2], words[7]), (1, eip));
            check_eq!(seen & (LOOKED_AT & !ARITHMETIC), flags | IF);
        }
        let (words, _) = logged(3);
        check_eq!((words[2], words[7]), (INVALID_OPCODE, at(freehold_upcall_steps_end)));
    }
}

/// A call by either entry that comes back to where nothing is.
pub fn behind_calls() {
    let thread = Selfish::new(ABOVE);
    let sysenter = start::cpu() & CPU_SYSENTER != 0;
    for (piece, there) in [(freehold_upcall_int as Piece, true), (freehold_upcall_sysenter, sysenter)] {
        if !there {
            continue;
        }
        board::set(word::COUNT, 0);
        thread.start(piece, 0);
        check!(thread.0.reaches(State::Stopped));
        check_eq!(board::get(word::COUNT), 1);
        let (words, flags) = logged(0);
        let stack = thread.0.stack_end() - 4;
        check_eq!(words, [u32::from(PAGE_FAULT), 0, NOWHERE, 0, NOWHERE, 0, 0, NOWHERE, stack]);
        check_eq!(flags & (LOOKED_AT & !ARITHMETIC), IF);
    }
}

/// A fault in the handler stops the thread, with the first fault's words; and what becomes of it then.
pub fn faults_inside() {
    let thread = Selfish::new(ABOVE);
    let (faulty, worker) = (at(freehold_upcall_faulty), &thread.0);
    thread.handle_by(faulty, worker.stack_end() - FRAME);
    thread.start(freehold_upcall_read, 0);
    thread.stopped_at(faulty, "a faulty handler");
    let first = thread.upcall();
    let read = at(freehold_upcall_read);
    check_eq!(
        first[..9],
        [u32::from(PAGE_FAULT), 0, NOWHERE + 8, 0, read, 0, 0, read, worker.stack_end() - 4]
    );
    check_eq!(worker.info().esp, worker.stack_end() - FRAME);

    // Once more, with upcalls; then with a pager that hears what happened.
    check_eq!(calls::continue_thread(worker.name(), CapName(UPCALL), ABOVE.priority), Ok(()));
    thread.stopped_at(faulty, "the same once more");
    check_eq!(thread.upcall(), first);
    let pager = endpoint();
    check_eq!(calls::continue_thread(worker.name(), pager.name(), ABOVE.priority), Ok(()));
    let got = Utcb::current().within((0, 30), || calls::receive(pager.name()));
    let heard = got.map(|got| (got.message.label(), got.message.word(0), got.message.word(2)));
    check_eq!(heard, Ok((EXCEPTION, INVALID_OPCODE, faulty)));
    check_eq!(calls::stop_thread(worker.name()), Ok(()));
    check_eq!(thread.upcall(), first);

    // From the beginning: the upcall is forgotten, the next one begins.
    thread.handle_by(at(freehold_upcall_handler), worker.stack_end() - FRAME);
    board::set(word::COUNT, 0);
    thread.start(freehold_upcall_trap, 0);
    check_eq!(board::get(word::COUNT), 1);
    let (words, _) = logged(0);
    check_eq!((words[0], words[7]), (u32::from(EXCEPTION), at(freehold_upcall_trap)));
}

/// Handlers and stacks where there are none.
pub fn hostile_places() {
    let bystander = Bystander::new();
    let thread = Selfish::new(ABOVE);
    let stack = thread.0.stack_end() - FRAME;
    for handler in [0, NOWHERE, 0xBFC0_0000, 0xBFFF_FFFF, 0xC010_0000, 0xFFFF_FFFE, 0xFFFF_FFFF] {
        thread.handle_by(handler, stack);
        thread.start(freehold_upcall_trap, 0);
        let info = thread.0.info();
        check_eq!(info.state, State::Stopped, "{handler:#x}");
        check_eq!(thread.upcall()[7], at(freehold_upcall_trap), "{handler:#x}");
        bystander.check();
    }
    for stack in [0, 3, NOWHERE, 0xBFC0_0010, 0xC000_0000, 0xC010_0004, 0xFFFF_FFFF] {
        thread.handle_by(at(freehold_upcall_push), stack);
        thread.start(freehold_upcall_trap, 0);
        let info = thread.0.info();
        check_eq!((info.state, info.eip, info.esp), (State::Stopped, at(freehold_upcall_push), stack));
        bystander.check();
    }
    // An upcall that the program claims to be in.
    thread.handle_by(at(freehold_upcall_handler), stack);
    board::set(word::COUNT, 0);
    poke(thread.0.utcb() + 4 * utcb::UPCALL as u32, 77);
    check_eq!(calls::continue_thread(thread.0.name(), CapName(UPCALL), ABOVE.priority), Ok(()));
    check_eq!((thread.0.state(), thread.upcall()[0]), (State::Stopped, 77));
    check_eq!(board::get(word::COUNT), 0);
}

/// Stopped and started in the middle of a handler; destroyed there.
pub fn in_between() {
    let frames = Frames::take(1, 1);
    let thread = Selfish::new(BELOW);
    board::set(word::FRAME, frames.container().0);
    board::set(word::FRAME + 1, frames.at(0));
    board::set(word::HOLD, 1);
    thread.start(freehold_upcall_registers, CARRY | DF);
    for count in 1..=3 {
        check!(eventually(|| board::get(word::COUNT) == count), "upcall {count}");
        check_eq!(thread.0.state(), State::Ready, "a handler that runs");
        for _ in 0..3 {
            check_eq!(calls::stop_thread(thread.0.name()), Ok(()));
            let info = thread.0.info();
            let stack = thread.0.stack_end() - FRAME;
            check!(info.state == State::Stopped && (stack - FRAME..stack).contains(&info.esp), "{info:?}");
            check_eq!(calls::continue_thread(thread.0.name(), CapName(UPCALL), BELOW.priority), Ok(()));
            time::sleep(1);
        }
        board::set(word::HOLD, count + 1);
    }
    check!(thread.0.reaches(State::Stopped));
    check_eq!(peek(PAGE + 256 - 4) & LOOKED_AT, CARRY | DF | IF);
    check_eq!((peek(PAGE), peek(PAGE + 256 - 8)), (NOWHERE, 0xA1A1_A1A1));

    board::set(word::HOLD, 1);
    board::set(word::COUNT, 0);
    thread.start(freehold_upcall_trap, 0);
    check!(eventually(|| board::get(word::COUNT) == 1));
    check_eq!(thread.0.destroy(), Ok(()));
}

/// In a space of its own: the thread sets itself up, and its memory faults are nobody else's affair.
pub fn other_space() {
    board::clear();
    let home = Home::new();
    let worker = Worker::new(&home, Options { pager: CapName(UPCALL), ..ABOVE });
    board::set(word::THREAD, OWN_THREAD.0);
    worker.start(trapped, 3);
    check!(worker.ends());
    check_eq!((board::get(word::COUNT), board::get(word::RESULT)), (3, 3));
    for count in 0..3 {
        check_eq!(logged(count).0[..4], [u32::from(EXCEPTION), 0, 3, 0]);
    }
}

fn trapped(times: u32) {
    let utcb = Utcb::current();
    let stack = (utcb.address() & !(layout::BLOCK - 1)) + layout::STACK_END - FRAME;
    prepare(utcb.address(), at(freehold_upcall_handler), stack);
    for _ in 0..times {
        // SAFETY: the handler goes back behind it with everything as it was.
        unsafe { core::arch::asm!("int3") };
        board::add(word::RESULT, 1);
    }
}

/// A thread with upcalls has no pager to wait for: a page that is missing in a transfer ends it.
pub fn transfers() {
    let thread = Selfish::new(BELOW);
    let meeting = endpoint();
    let way = derived(meeting.name(), Rights::SEND, 0, 0);
    board::set(word::RESULT + 1, way.name().0);
    thread.0.start(send_nothing, 0);
    let mut buffer = [0u8; 64];
    let part = Part { address: buffer.as_mut_ptr() as u32, bytes: 64 };
    let utcb = Utcb::current();
    // SAFETY: nobody looks into the buffer before the call is over.
    unsafe { utcb.set_buffers(&[part]) };
    utcb.set_receive_faults(FOREVER, FOREVER);
    let got = utcb.within((0, 20), || calls::receive_strings(meeting.name()));
    check_eq!(got.map(|_| ()).map_err(|broken| broken.error), Err(Error::Timeout));
    check!(thread.0.ends());
    check_eq!(board::get(word::RESULT), Error::FaultMine as u32);
    check_eq!((thread.upcall()[0], board::get(word::COUNT)), (0, 0));
}

fn send_nothing(_: u32) {
    let utcb = Utcb::current();
    utcb.set_strings(&[Part { address: NOWHERE, bytes: 8 }]);
    utcb.set_send_faults(FOREVER, FOREVER);
    let sent = calls::send_strings(CapName(board::get(word::RESULT + 1)), &Message::new(5).with_strings());
    board::set(word::RESULT, sent.map_or_else(|broken| broken.error as u32, |()| 0));
}
