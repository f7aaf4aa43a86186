//! Makes hostile programs, resumes or ends them, and looks after those beside them.

use freehold_abi::Call;
use freehold_abi::fault;
use freehold_abi::info::{State, place, start};
use freehold_abi::layout::{BLOCK, FRAME};
use freehold_guest_tests::bystander::Bystander;
use freehold_guest_tests::home::{FRAMES, Home};
use freehold_guest_tests::objects::{endpoint, notification};
use freehold_guest_tests::pages::{self, Frames, address, peek, update};
use freehold_guest_tests::random::Random;
use freehold_guest_tests::worker::{ABOVE, BELOW, Options, Worker};
use freehold_guest_tests::{board, check, check_eq, home};
use freehold_rt::calls::{self, Lend};
use freehold_rt::slots::Slot;
use freehold_rt::utcb::Range;
use freehold_rt::{CapName, Error, Message, Rights, SlotRef, Utcb, memory, println};

use crate::hostile::{self, LOG, OWN_PAGE, given};

/// Calls of all rounds of a part.
const CALLS: u32 = 34_000;
/// Calls after which a program has had its time.
const ROUND: u32 = 2000;
/// How many of the calls must have succeeded at least once in each part.
const LEAST_KINDS: usize = 28;
/// Frames lent to a program.
const POOL: u32 = 32;
const MAPPED_LOG: u32 = address(0);

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

/// Answers everybody, for ever.
fn victim(endpoint: u32) {
    let mut received = calls::receive(CapName(endpoint));
    loop {
        match received {
            Ok(got) => {
                let answer = Message::of(got.message.label(), &[got.message.words().len() as u32]);
                board::add(0, 1);
                received = calls::reply_receive(None, &answer, CapName(endpoint));
            }
            Err(Error::NoCapability | Error::Gone) => return,
            // A caller that gave up, or sent and did not call.
            Err(_) => received = calls::receive(CapName(endpoint)),
        }
    }
}

/// Calls the hostile program now and then, with memory that it may copy.
fn customer(endpoint: u32) {
    let buffer = [0x1234_5678_u32; 64];
    let utcb = Utcb::current();
    while board::get(1) == 0 {
        utcb.set_ranges(&[
            Range { address: buffer.as_ptr() as u32, bytes: 256, writable: false },
            Range { address: buffer.as_ptr() as u32, bytes: 0x1000_0000, writable: false },
        ]);
        let _ =
            utcb.within((2, 3), || calls::call(CapName(endpoint), &Message::of(5, &[1, 2, 3]).with_ranges()));
        freehold_rt::time::sleep(1);
    }
    board::set(2, u32::from(core::hint::black_box(&buffer).iter().all(|&word| word == 0x1234_5678)));
}

struct Program {
    worker: Worker,
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
        let worker = Worker::new(&home, Options { pager: given::PAGER, ..BELOW });
        if means != Means::Small {
            check_eq!(calls::derive(home.space(), home.slot(given::SPACE), Rights::ALL, 0, 100), Ok(()));
            check_eq!(calls::derive(worker.name(), home.slot(given::THREAD), Rights::ALL, 0, 20), Ok(()));
        }
        // What it gets it can use up: the capability itself moves, so that lending happens once.
        let pool_there = match means {
            Means::OwnMemory => {
                own.as_ref().map(|own| calls::relocate(own.reference(), home.slot(given::POOL)))
            }
            _ => Some(calls::relocate(lent.reference(), home.slot(given::POOL))),
        };
        check_eq!(pool_there, Some(Ok(())));
        Program { worker, home, pool, log, lent, own, pager, endpoint, _bits: bits }
    }

    fn calls(&self) -> u32 {
        peek(MAPPED_LOG)
    }

    /// Lets it run until it has made enough calls, or is beyond help. Returns how many it made.
    fn run(&self, random: &mut Random) -> u32 {
        let mut idle = 0;
        self.worker.start(hostile::main, random.word());
        loop {
            let before = self.calls();
            let got = Utcb::current().within((0, 2), || calls::receive(self.pager.name()));
            if let Ok(got) = got {
                let kind = got.message.label();
                // It can send there itself, which is no fault and has no answer.
                let entry = Message::of(fault::RESUME_AT, &[self.worker.info().eip, self.worker.stack_end()]);
                let answer = match random.below(4) {
                    0 => Message::new(fault::RESUME),
                    1 => entry,
                    _ => Message::new(fault::STOP),
                };
                let _ = calls::reply(None, &answer);
                check!(kind != 0 || got.badge == 9, "{kind:#x} {}", got.badge);
            }
            if calls::thread_info(self.worker.name()).is_err() {
                break;
            }
            if self.worker.state() == State::Stopped {
                self.worker_again(random);
            }
            let now = self.calls();
            idle = if now == before { idle + 1 } else { 0 };
            if now >= ROUND || idle > 20 {
                break;
            }
        }
        self.calls()
    }

    fn worker_again(&self, random: &mut Random) {
        let seed = random.word();
        // Without its space it cannot run any more, which `run` notices by its idleness.
        if calls::continue_thread(self.worker.name(), given::PAGER, 0).is_ok() {
            check_eq!(calls::stop_thread(self.worker.name()), Ok(()));
            self.worker.start(hostile::main, seed);
        }
    }

    /// The last calls, for who has to find out what went wrong.
    fn show(&self) {
        for entry in 0..hostile::ENTRIES {
            let at = MAPPED_LOG + 4 * (16 + entry * hostile::ENTRY_WORDS) as u32;
            let word = |index: u32| peek(at + 4 * index);
            println!("    {:08x} {:08x} {:08x} {:08x} {:08x}", word(0), word(1), word(2), word(3), word(4));
        }
    }

    fn end(self) {
        let Program { worker, home, pool, log, lent, own, .. } = self;
        drop((lent, own));
        // In one order or another: threads, then the space, then what was lent.
        let ended = worker.destroy();
        drop(home);
        drop((pool, log));
        check_eq!(ended, Ok(()));
    }
}

/// Runs programs until they have made [`CALLS`] calls.
pub fn run(seed: u32, means: Means) {
    board::clear();
    let bystander = Bystander::new();
    let server = endpoint();
    let victim = Worker::spawn(&Home::own(), ABOVE, victim, server.name().0);
    let mut random = Random::new(seed * 0x9E37_79B9);
    let (mut made, mut rounds) = (0, 0);
    let mut succeeded = [0; Call::ALL.len()];
    while made < CALLS && rounds < 2000 {
        let program = Program::new(means, &server);
        board::set(1, 0);
        let customer = Worker::spawn(&Home::own(), ABOVE, customer, program.endpoint.name().0);
        let failed = freehold_guest_tests::check::counts().1;
        made += program.run(&mut random);
        rounds += 1;
        for (number, count) in succeeded.iter_mut().enumerate() {
            *count += peek(MAPPED_LOG + 4 * (hostile::SUCCEEDED + number) as u32);
        }
        board::set(1, 1);
        check!(customer.ends());
        check_eq!(board::get(2), 1, "memory that was to be read only");
        bystander.check();
        if freehold_guest_tests::check::counts().1 != failed {
            program.show();
        }
        program.end();
    }
    println!("  {made} calls by {rounds} programs; {} answers of the server", board::get(0));
    // A fuzzer that only ever meets errors finds nothing.
    let kinds = succeeded.iter().filter(|&&count| count != 0).count();
    check!(kinds >= LEAST_KINDS, "only {kinds} calls ever succeeded: {succeeded:?}");
    check!(made >= CALLS, "{made} calls");
    check!(board::get(0) > 100);
    let answer = calls::call(server.name(), &Message::of(3, &[1, 1]));
    check_eq!(answer.map(|answer| answer.word(0)), Ok(2));
    check_eq!(victim.destroy(), Ok(()));
    check_eq!(calls::cap_info(SlotRef::own(server.name())).is_ok(), true);
}
