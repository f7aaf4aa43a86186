//! Many threads at once.

use alloc::vec;

use freehold_abi::layout::FRAME;
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::random::Random;
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::lock::Mutex;
use freehold_rt::pager::{self, Mode, Region};
use freehold_rt::thread::Options;

use crate::scene::{PRIORITY, Paged, Scene, page};

const PAGES: u32 = 24;
const THREADS: u32 = 6;
const STEPS: u32 = 2500;

/// Word `thread` of every page is the thread's own.
fn wander(thread: u32) {
    let mut random = Random::new(1000 + thread);
    let mut model = vec![0u32; PAGES as usize];
    let mut wrong = 0;
    for step in 0..STEPS {
        let at = random.below(PAGES);
        let address = page(at) + 4 * thread + 1000;
        wrong += u32::from(peek(address) != model[at as usize]);
        let value = step << 4 | thread;
        poke(address, value);
        model[at as usize] = value;
        match random.below(64) {
            0 => drop(pager::pin(page(at), 1)),
            1 => drop(pager::evict(page(at), FRAME)),
            // Whoever is interrupted in the allocator can wait for whoever faults.
            2..8 => drop(core::hint::black_box(vec![step; 64])),
            _ => {}
        }
    }
    board::add(0, wrong);
    board::add(1, 1);
}

/// Six threads, some above others, share pages, frames and the heap.
pub fn crowd(mode: Mode) {
    board::clear();
    let scene = Scene::new(mode, 10, PAGES, 6);
    let region = Region::new(page(0), PAGES).expect("a region");
    let threads: alloc::vec::Vec<_> = (0..THREADS)
        .map(|thread| {
            let priority = PRIORITY - 2 + (thread % 4) as u8;
            Paged::with(Options { pager: pager::name(), ..Options::new(priority) }, wander, thread)
        })
        .collect();
    check!(threads.iter().all(Paged::ends));
    check_eq!((board::get(0), board::get(1)), (0, THREADS));
    let statistics = scene.statistics();
    check!(statistics.faults > STEPS && statistics.evictions > STEPS, "{statistics:?}");
    check_eq!(statistics.pinned, 0);
    drop(threads);
    drop(region);
}

static LOCK: Mutex<u32> = Mutex::new(0);

/// Threads fault while they hold a lock that others wait for, and a thread with no pager uses, too.
pub fn under_lock(mode: Mode) {
    board::clear();
    *LOCK.lock() = 0;
    let scene = Scene::new(mode, 4, PAGES, 0);
    let region = Region::new(page(0), PAGES).expect("a region");
    fn count(seed: u32) {
        let mut random = Random::new(seed);
        for _ in 0..400 {
            let mut sum = LOCK.lock();
            let at = page(random.below(PAGES));
            poke(at, peek(at) + 1);
            *sum += 1;
        }
    }
    let threads = [1, 2, 3].map(|seed| Paged::spawn(count, seed));
    let beside = Paged::with(
        Options::new(PRIORITY),
        |_| {
            for _ in 0..400 {
                *LOCK.lock() += 1;
                drop(core::hint::black_box(vec![7u32; 16]));
            }
        },
        0,
    );
    check!(threads.iter().all(Paged::ends) && beside.ends());
    check_eq!(*LOCK.lock(), 1600);
    check!(scene.statistics().faults > 600);
    let sum = Paged::spawn(|_| board::set(0, (0..PAGES).map(|at| peek(page(at))).sum()), 0);
    check!(sum.ends());
    check_eq!(board::get(0), 1200);
    drop((threads, beside, sum));
    drop(region);
}
