//! Makes hostile programs, resumes or ends them, and looks after those beside them.

use core::sync::atomic::AtomicU32;

use freehold_abi::Call;
use freehold_abi::fault::{self, UPCALL};
use freehold_abi::info::{State, place, start};
use freehold_abi::layout::{BLOCK, FRAME};
use freehold_guest_tests::bystander::Bystander;
use freehold_guest_tests::home::{FRAMES, Home};
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::pages::{self, Frames, address, peek, update};
use freehold_guest_tests::random::Random;
use freehold_guest_tests::worker::{ABOVE, BELOW, Options, Worker};
use freehold_guest_tests::{board, check, check_eq, home};
use freehold_rt::calls::{self, Broken, Lend};
use freehold_rt::slots::Slot;
use freehold_rt::utcb::{Part, Range};
use freehold_rt::{CapName, Error, Message, Rights, SlotRef, Utcb, memory, println};

use crate::hostile::{self, LOG, LOG_BYTES, OWN_PAGE, given};

/// Calls of all rounds of a part.
const CALLS: u32 = 50_000;
/// Calls after which a program has had its time.
const ROUND: u32 = 2000;
/// How many of the calls must have succeeded at least once in each part.
const LEAST_KINDS: usize = 28;
/// Transfers that each part must see come to their end, and break off by a fault.
const LEAST_TRANSFERS: u32 = 20;
const LEAST_BROKEN: u32 = 10;
/// Frames lent to a program.
const POOL: u32 = 32;
const MAPPED_LOG: u32 = address(0);
/// Where nothing is mapped.
const NOWHERE: u32 = address(8);

/// What a program is given beside threads, endpoints and a pool of memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// Nothing.
    Small,
    /// Its own space, with Edit, and its own thread.
    OwnSpace,
    /// Also the memory that its space stands on.
    OwnMemory,
}

/// Words of the board.
mod word {
    /// Answers of the server.
    pub const ANSWERS: usize = 0;
    /// Not 0: the customer is to end.
    pub const END: usize = 1;
    /// Whether the customer's memory is as it was.
    pub const UNTOUCHED: usize = 2;
    /// Transfers that server and customer saw come to their end, and break off.
    pub const TRANSFERRED: usize = 3;
    pub const BROKEN: usize = 4;
}

/// Bit of a label: the server's answer has strings.
const WANTS_STRINGS: u16 = 1 << 8;

static SERVED: [AtomicU32; 512] = [const { AtomicU32::new(0) }; 512];
static BOUGHT: [AtomicU32; 256] = [const { AtomicU32::new(0) }; 256];

fn memory_of(words: &[AtomicU32]) -> Part {
    Part { address: words.as_ptr() as u32, bytes: size_of_val(words) as u32 }
}

/// Notes what became of a transfer.
fn note(outcome: Result<u32, Broken>) {
    match outcome {
        Ok(0) => {}
        Ok(_) => _ = board::add(word::TRANSFERRED, 1),
        Err(Broken { error: Error::FaultMine | Error::FaultTheirs | Error::PeerGone, .. }) => {
            board::add(word::BROKEN, 1);
        }
        Err(_) => {}
    }
}

/// Answers everybody, for ever, and waits for nobody's memory for long.
fn victim(endpoint: u32) {
    let (utcb, endpoint) = (Utcb::current(), CapName(endpoint));
    utcb.set_strings(&[memory_of(&SERVED[..200])]);
    // SAFETY: words that anybody may change.
    unsafe { utcb.set_buffers(&[memory_of(&SERVED[200..300]), memory_of(&SERVED[300..])]) };
    let mut received = calls::receive_strings(endpoint);
    loop {
        note(received.map(|(_, bytes)| bytes));
        let patience = board::get(word::ANSWERS) % 3;
        utcb.set_receive_faults(0, patience);
        utcb.set_send_faults(0, patience);
        match received {
            Ok((got, _)) => {
                let mut answer = Message::of(got.message.label(), &[got.message.words().len() as u32]);
                if got.message.label() & WANTS_STRINGS != 0 {
                    answer = answer.with_strings();
                }
                board::add(word::ANSWERS, 1);
                received = calls::reply_receive_strings(None, &answer, endpoint);
            }
            Err(Broken { error: Error::NoCapability | Error::Gone, .. }) => return,
            // A caller that gave up, or sent and did not call, or took no strings.
            Err(_) => received = calls::receive_strings(endpoint),
        }
    }
}

/// Calls the hostile program now and then, with memory that it may copy, and strings, some of which are missing.
fn customer(endpoint: u32) {
    let buffer = [0x1234_5678_u32; 64];
    let utcb = Utcb::current();
    let address = buffer.as_ptr() as u32;
    // SAFETY: words that anybody may change.
    unsafe { utcb.set_buffers(&[memory_of(&BOUGHT)]) };
    let mut count = 0;
    while board::get(word::END) == 0 {
        count += 1;
        utcb.set_ranges(&[
            Range { address, bytes: 256, writable: false },
            Range { address, bytes: 0x1000_0000, writable: false },
        ]);
        let second = if count % 4 == 0 { NOWHERE } else { address + 100 };
        utcb.set_strings(&[Part { address, bytes: 77 }, Part { address: second, bytes: 90 }]);
        utcb.set_send_faults(0, count % 3);
        utcb.set_receive_faults(0, count % 3);
        let mut message = Message::of(5, &[1, 2, 3]).with_ranges();
        if count % 2 == 0 {
            message = message.with_strings();
        }
        let answer = utcb.within((2, 3), || calls::call_strings(CapName(endpoint), &message, count % 3 != 0));
        note(answer.map(|(_, bytes)| bytes));
        freehold_rt::time::sleep(1);
    }
    let same = core::hint::black_box(&buffer).iter().all(|&word| word == 0x1234_5678);
    board::set(word::UNTOUCHED, same.into());
}

struct Program {
    /// Its two threads.
    workers: [Worker; 2],
    home: Home,
    pool: Frames,
    log: Frames,
    lent: Slot,
    own: Option<Slot>,
    pager: Slot,
    endpoint: Slot,
    _bits: Slot,
}

impl Program {
    fn new(means: Means, victim: &Slot) -> Program {
        let (pager, endpoint, bits) = (endpoint(), endpoint(), notification());
        let (pool, log) = (Frames::take(POOL, 4), Frames::take(2, 1));
        let lent = Slot::take().expect("a slot");
        let range = calls::range(pool.at(0), POOL);
        check_eq!(
            calls::lend(pool.container(), lent.reference(), Rights::ALL, range, Lend::exactly(40), 200),
            Ok(())
        );
        let (home, own) = match means {
            Means::OwnMemory => {
                let extent = memory::take(FRAMES, 4).expect("memory");
                let own = Slot::take().expect("a slot");
                let range = calls::range(extent.first, FRAMES);
                check_eq!(
                    calls::lend(extent.container, own.reference(), Rights::ALL, range, Lend::LARGEST, 100),
                    Ok(())
                );
                (Home::of_lent(extent, own.name()), Some(own))
            }
            _ => (Home::new(), None),
        };
        // The image read-only, the log writable on both sides.
        let image = place::IMAGE / BLOCK;
        check_eq!(calls::unhook(home.space(), image), Ok(()));
        check_eq!(calls::hook(home::IMAGE_TABLE, home.space(), image, Rights::NONE), Ok(()));
        check_eq!(pages::map(&log, MAPPED_LOG, Rights::WRITE, 0), Ok(()));
        let there = update((log.container(), log.at(0)), 2, home.space(), LOG / FRAME, Rights::WRITE, 9);
        check_eq!(calls::update(&[there]), Ok(()));
        check_eq!(OWN_PAGE, LOG + FRAME);
        home.give(given::ENDPOINT, endpoint.name(), Rights::ALL, 0);
        home.give(given::VICTIM, victim.name(), Rights::SEND, 7);
        home.give(given::BITS, bits.name(), Rights::ALL, 0);
        home.give(given::PORT, start::PORTS, Rights::USE, calls::ports(0x80, 0x80));
        home.give(given::LINE, CapName(start::IRQ.0 + 3), Rights::USE, 0);
        home.give(given::PAGER, pager.name(), Rights::SEND, 9);
        let table =
            calls::derive(home.table(), home.slot(given::TABLE), Rights::ALL, calls::range(0, 1024), 100);
        check_eq!(table, Ok(()));
        // The second one deals with its own faults.
        let workers =
            [given::PAGER, CapName(UPCALL)].map(|pager| Worker::new(&home, Options { pager, ..BELOW }));
        if means != Means::Small {
            check_eq!(calls::derive(home.space(), home.slot(given::SPACE), Rights::ALL, 0, 100), Ok(()));
            for (worker, name) in workers.iter().zip([given::THREAD, given::TWIN]) {
                check_eq!(calls::derive(worker.name(), home.slot(name), Rights::ALL, 0, 20), Ok(()));
            }
        }
        // What it gets it can use up: the capability itself moves, so that lending happens once.
        let pool_there = match means {
            Means::OwnMemory => {
                own.as_ref().map(|own| calls::relocate(own.reference(), home.slot(given::POOL)))
            }
            _ => Some(calls::relocate(lent.reference(), home.slot(given::POOL))),
        };
        check_eq!(pool_there, Some(Ok(())));
        Program { workers, home, pool, log, lent, own, pager, endpoint, _bits: bits }
    }

    /// Word `index` of what the two wrote, added.
    fn counted(&self, index: usize) -> u32 {
        let word = |log: u32| peek(MAPPED_LOG + log * LOG_BYTES + 4 * index as u32);
        word(0) + word(1)
    }

    /// Lets it run until it has made enough calls, or is beyond help. Returns how many it made.
    fn run(&self, random: &mut Random) -> u32 {
        let mut idle = 0;
        for worker in &self.workers {
            worker.start(hostile::main, random.word());
        }
        loop {
            let before = self.counted(0);
            let got = Utcb::current().within((0, 2), || calls::receive(self.pager.name()));
            if let Ok(got) = got {
                let kind = got.message.label();
                // It can send there itself, which is no fault and has no answer.
                let [worker, _] = &self.workers;
                let entry = Message::of(fault::RESUME_AT, &[worker.info().eip, worker.stack_end()]);
                let answer = match random.below(4) {
                    0 => Message::new(fault::RESUME),
                    1 => entry,
                    _ => Message::new(fault::STOP),
                };
                let _ = calls::reply(None, &answer);
                check!(kind != 0 || got.badge == 9, "{kind:#x} {}", got.badge);
            }
            if calls::thread_info(self.workers[0].name()).is_err() {
                break;
            }
            for worker in &self.workers {
                again(worker, random);
            }
            let now = self.counted(0);
            idle = if now == before { idle + 1 } else { 0 };
            if now >= ROUND || idle > 20 {
                break;
            }
        }
        self.counted(0)
    }

    /// The last calls, for who has to find out what went wrong.
    fn show(&self) {
        for entry in 0..2 * hostile::ENTRIES {
            let (log, entry) = (entry / hostile::ENTRIES, entry % hostile::ENTRIES);
            let at = MAPPED_LOG + log as u32 * LOG_BYTES + 4 * (16 + entry * hostile::ENTRY_WORDS) as u32;
            let word = |index: u32| peek(at + 4 * index);
            println!("    {:08x} {:08x} {:08x} {:08x} {:08x}", word(0), word(1), word(2), word(3), word(4));
        }
    }

    fn end(self) {
        let Program { workers, home, pool, log, lent, own, .. } = self;
        drop((lent, own));
        // In one order or another: threads, then the space, then what was lent.
        let ended = workers.map(Worker::destroy);
        drop(home);
        drop((pool, log));
        check_eq!(ended, [Ok(()), Ok(())]);
    }
}

/// Starts a thread of the program that has come to a stop.
fn again(worker: &Worker, random: &mut Random) {
    if calls::thread_info(worker.name()).is_ok_and(|info| info.state == State::Stopped) {
        let seed = random.word();
        // Without its space it cannot run any more, which `run` notices by its idleness.
        if calls::continue_thread(worker.name(), CapName::NONE, 0).is_ok() {
            check_eq!(calls::stop_thread(worker.name()), Ok(()));
            worker.start(hostile::main, seed);
        }
    }
}

/// Runs programs until they have made [`CALLS`] calls.
pub fn run(seed: u32, means: Means) {
    board::clear();
    let bystander = Bystander::new();
    let server = endpoint();
    let victim = Worker::spawn(&Home::own(), ABOVE, victim, server.name().0);
    let mut random = Random::new(seed.wrapping_mul(0x9E37_79B9));
    let (mut made, mut rounds) = (0, 0);
    let mut succeeded = [0; Call::ALL.len()];
    let mut transfers = [0; 2];
    while made < CALLS && rounds < 2000 {
        let program = Program::new(means, &server);
        board::set(word::END, 0);
        let customer = Worker::spawn(&Home::own(), ABOVE, customer, program.endpoint.name().0);
        let failed = freehold_guest_tests::check::counts().1;
        made += program.run(&mut random);
        rounds += 1;
        for (number, count) in succeeded.iter_mut().enumerate() {
            *count += program.counted(hostile::SUCCEEDED + number);
        }
        for (count, index) in transfers.iter_mut().zip([hostile::TRANSFERRED, hostile::BROKEN]) {
            *count += program.counted(index);
        }
        board::set(word::END, 1);
        check!(customer.ends());
        check_eq!(board::get(word::UNTOUCHED), 1, "memory that was to be read only");
        bystander.check();
        if freehold_guest_tests::check::counts().1 != failed {
            program.show();
        }
        program.end();
    }
    println!("  {made} calls by {rounds} programs; {} answers of the server", board::get(word::ANSWERS));
    let partners = [word::TRANSFERRED, word::BROKEN].map(board::get);
    println!(
        "  transfers done and broken off: {transfers:?} by the programs' word, {partners:?} by their partners'"
    );
    // A fuzzer that only ever meets errors finds nothing.
    let kinds = succeeded.iter().filter(|&&count| count != 0).count();
    check!(kinds >= LEAST_KINDS, "only {kinds} calls ever succeeded: {succeeded:?}");
    check!(made >= CALLS, "{made} calls");
    check!(board::get(word::ANSWERS) > 100);
    let enough = |[done, broken]: [u32; 2]| done >= LEAST_TRANSFERS && broken >= LEAST_BROKEN;
    check!(enough(transfers) && enough(partners), "{transfers:?} {partners:?}");
    let answer = calls::call(server.name(), &Message::of(3, &[1, 1]));
    check_eq!(answer.map(|answer| answer.word(0)), Ok(2));
    check_eq!(victim.destroy(), Ok(()));
    check_eq!(calls::cap_info(SlotRef::own(server.name())).is_ok(), true);
}
