//! Work caught half-way: an endpoint that is being deleted, nodes that are being revoked.
//!
//! A thread below begins the work so that a tick falls into it, and is stopped there; whether it was
//! caught shows, and until it is, it is tried again with the work beginning at another place in the tick.

use core::sync::atomic::{AtomicU32, Ordering};

use freehold_abi::layout::FRAME;
use freehold_abi::message::Item;
use freehold_abi::{Call, Error};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::{derived, info};
use freehold_guest_tests::pages::{self, Frames, address, poke, update};
use freehold_guest_tests::worker::{BELOW, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error as Refusal, Rights, SlotRef, Utcb, calls, time};

use crate::claims::{fails, fails_but};

/// Nodes of the space that holds the copies, and slots used in each.
const NODES: u32 = 10;
const COPIES: u32 = NODES * 127;
/// Places within a tick that are tried, again and again.
const PLACES: u32 = 64;
const TRIES: u32 = 400;
const TICK: u32 = 1_000_000;

static PLACE: AtomicU32 = AtomicU32::new(0);

/// A space with room for many capabilities.
struct Store {
    home: Home,
    _nodes: Frames,
}

impl Store {
    fn new() -> Store {
        let (home, nodes) = (Home::new(), Frames::take(NODES, 1));
        for node in 0..NODES {
            check_eq!(
                calls::make_cap_node(nodes.container(), nodes.at(node), home.space(), 1 + node),
                Ok(())
            );
        }
        Store { home, _nodes: nodes }
    }

    /// Fills it with children of `source`.
    fn fill(&self, source: CapName, argument: u32) {
        for copy in 0..COPIES {
            let name = CapName::new(1 + copy / 127, 1 + copy % 127);
            check_eq!(calls::derive(source, self.home.slot(name), Rights::ALL, argument, 0), Ok(()));
        }
    }
}

fn cycles() -> u32 {
    let low;
    // SAFETY: reads a counter.
    unsafe { core::arch::asm!("rdtsc", out("eax") low, out("edx") _, options(nomem, nostack)) };
    low
}

/// Waits for its place in a tick, then does what the board says.
fn work(_: u32) {
    let tick = time::ticks();
    while time::ticks() == tick {}
    let begin = cycles();
    board::set(100, 1);
    while cycles().wrapping_sub(begin) < board::get(101) {}
    let name = CapName(board::get(103));
    let _ = match board::get(102) {
        0 => calls::delete(SlotRef::own(name)),
        1 => calls::revoke(SlotRef::own(name)),
        _ => calls::revoke_range(name, 0, 1).map_err(|stop| stop.error),
    };
}

/// Tries until `caught`; `again` restores what the work has done if it came to its end.
fn catch(work_kind: u32, name: CapName, caught: impl Fn() -> bool, again: impl Fn()) {
    let worker = Worker::new(&Home::own(), BELOW);
    for _ in 0..TRIES {
        let place = PLACE.load(Ordering::Relaxed);
        board::set(100, 0);
        // The work takes a good part of a tick, so it is begun in the later part of one.
        board::set(101, TICK - (place % PLACES + 1) * (TICK / PLACES / 2));
        board::set(102, work_kind);
        board::set(103, name.0);
        worker.start(work, 0);
        while board::get(100) == 0 {
            time::sleep(1);
        }
        check_eq!(calls::stop_thread(worker.name()), Ok(()));
        if caught() {
            return;
        }
        PLACE.store(place + 1, Ordering::Relaxed);
        again();
    }
    check!(false, "work {work_kind} was never caught half-way");
}

/// An endpoint that is being deleted, and stays so as long as this lives.
pub struct HalfDead {
    slot: Slot,
    _store: Store,
}

impl HalfDead {
    pub fn new() -> HalfDead {
        let (slot, store) = (Slot::take().expect("a slot"), Store::new());
        let prepare = || {
            check_eq!(calls::delete(slot.reference()), Ok(()));
            check_eq!(calls::make_endpoint(slot.reference()), Ok(()));
            store.fill(slot.name(), 0);
        };
        prepare();
        let name = slot.name();
        let gone = || calls::notify(name, 1) == Err(Refusal::Gone);
        catch(0, name, gone, prepare);
        HalfDead { slot, _store: store }
    }

    pub fn name(&self) -> CapName {
        self.slot.name()
    }
}

/// Busy: whatever derives from a node that is being revoked.
pub fn busy() {
    // A capability to a Table, with many copies.
    let (store, memory) = (Store::new(), Frames::take(4, 4));
    let first = Slot::take().expect("a slot");
    check_eq!(calls::make_table(memory.container(), memory.at(0), first.reference(), CapName::NONE), Ok(()));
    let whole = calls::range(0, 1024);
    let table = derived(first.name(), Rights::ALL, whole, 4000);
    store.fill(table.name(), whole);
    let half = || info(table.name()).credits != 4000 && derive(&table) == Err(Refusal::Busy);
    catch(1, table.name(), half, || store.fill(table.name(), whole));
    let slot = Slot::take().expect("a slot");
    fails(Call::Derive, 7, [table.name().0, slot.name().0, whole, 0], Error::Busy);
    fails(Call::Hook, 1, [table.name().0, 0, 300, 0], Error::Busy);
    let item = Item { source: table.name(), moved: false, rights: Rights::ALL, total: 0 };
    crate::items::each_way(item, Error::Busy);
    check_eq!(calls::revoke(table.reference()), Ok(()));
    check_eq!(info(table.name()).credits, 4000);
    check_eq!(derive(&table), Ok(()));

    // A mapping with many children.
    let (frames, words) = (Frames::take(1, 1), Frames::take(1, 1));
    check_eq!(pages::map(&frames, address(0), Rights::WRITE, 63), Ok(()));
    let fill = || {
        for page in 1..1000 {
            let child = update((pages::table(), 0), 1, CapName::NONE, address(page) / FRAME, Rights::NONE, 0);
            let _ = calls::update(&[child]);
        }
    };
    fill();
    let child = update((pages::table(), 0), 1, CapName::NONE, address(1010) / FRAME, Rights::NONE, 0);
    let half = || {
        let busy = calls::update(&[child]).map_err(|stop| stop.error);
        let _ = calls::unmap(CapName::NONE, address(1010) / FRAME, 1);
        busy == Err(Refusal::Busy)
    };
    catch(2, pages::table(), half, fill);
    let utcb = Utcb::current();
    child.encode().into_iter().enumerate().for_each(|(index, word)| utcb.set(3 + index, word));
    fails(Call::Update, 0, [1, 0, 0, 0], Error::Busy);
    check_eq!(pages::map(&words, address(1020), Rights::WRITE, 0), Ok(()));
    poke(address(1020), address(0));
    fails_but(0, Call::Validate, 0, [first.name().0, 0, address(1020), 0], Error::Busy);
    check_eq!(calls::revoke_range(pages::table(), 0, 1), Ok(()));
    check_eq!(calls::update(&[child]), Ok(()));
    check_eq!(calls::unmap(CapName::NONE, address(0) / FRAME, 1), Ok(()));
}

/// Derives once, and takes it back.
fn derive(table: &Slot) -> Result<(), Refusal> {
    let slot = Slot::take().expect("a slot");
    calls::derive(table.name(), slot.reference(), Rights::ALL, calls::range(0, 1024), 0)
}
