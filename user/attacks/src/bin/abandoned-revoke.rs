//! A revoke that is begun and never finished.
//!
//! A thread of low priority takes a thousand mappings back that hang on one of its entries, and begins so late that a tick
//! ends meanwhile. Its other thread wakes with every tick; when it finds some of them gone and some not, it stops the first
//! one in the middle of its call, or destroys it. Then it derives anew from the half-revoked entry, by address, by index and by Validate, to keep the revoke from ever ending;
//! derives from another entry; and finishes what was begun.
//!
//! Success would mean: taking memory back can be made to last for ever, or an entry stays blocked, for others too. Evidence:
//! a mapping derived while older ones are still there; an entry from which nothing can be derived behind a whole revoke; an
//! entry that is none of its business and is blocked.
//!
//! What stops it: invariants 8 and 20. The entry is marked while its revoke is unfinished, nothing is derived from it then
//! (Busy), each step takes one node off, and anyone entitled goes on where it was left.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use freehold_attacks::edge::{self, Ground, page, probe, update};
use freehold_attacks::messages::clock::{self, Clock};
use freehold_attacks::rt::abi::layout::ENTRIES;
use freehold_attacks::rt::calls::{self, Stop};
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::thread::{self, Options, Thread};
use freehold_attacks::rt::{CapName, Error, Rights, memory};
use freehold_attacks::{Evidence, Kit, String, attack, format, idle};

attack!("abandoned-revoke", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

/// Code of a total that allows a Table full of mappings.
const MANY: u32 = 59;
/// Pages: what is revoked, what is not, words for Validate, where anew is derived to.
const REVOKED: u32 = 0;
const OTHER: u32 = 1;
const WORDS: u32 = 2;
const ANEW: u32 = 8;
/// Mappings that hang on the first; the last one was made last and goes first.
const CHILDREN: u32 = ENTRIES - 4;

/// Cycles before the end of a tick at which the revoke begins: it takes longer, so that the tick ends in the middle of it.
const BEFORE: u32 = 16_000;

static PARENT: AtomicU32 = AtomicU32::new(0);
static TABLE: AtomicU32 = AtomicU32::new(0);
static AT: AtomicU32 = AtomicU32::new(0);
/// Cycles of a tick.
static TICK: AtomicU32 = AtomicU32::new(0);
/// 1: the revoke is under way.
static UNDER_WAY: AtomicU32 = AtomicU32::new(0);

struct Scene {
    ground: Ground,
    children: Ground,
}

fn work(kit: &mut Kit) -> Evidence {
    let (Some(ground), Some(children), Some(frames)) = (Ground::new(0), Ground::new(1), memory::take(3, 1))
    else {
        return kit.untried("no memory to try it with");
    };
    if let Err(stop) = ground.map(frames, REVOKED, Rights::WRITE, MANY) {
        return kit.untried(format!("no pages of its own: {:?}", stop.error));
    }
    PARENT.store(ground.table().0, Relaxed);
    TABLE.store(children.table().0, Relaxed);
    AT.store(ground.address(WORDS), Relaxed);
    probe::fill(ground.address(WORDS), ENTRIES, ground.address(REVOKED));
    TICK.store(Clock::new().period(), Relaxed);
    let scene = Scene { ground, children };
    let mut revoker = spawn();
    let (mut caught, mut found) = (0, None);
    while found.is_none() && !kit.pause(1) {
        let Some(view) = scene.children.view() else { continue };
        let is_there = |page: u32| probe::read(view + 4 * page).is_some_and(|entry| entry != 0);
        if UNDER_WAY.load(Relaxed) == 0 || is_there(CHILDREN - 1) || !is_there(0) {
            continue;
        }
        caught += 1;
        kit.tries = caught;
        let Some(thread) = revoker.take() else { break };
        let kill = caught % 2 == 0;
        if kill {
            let _ = thread.destroy();
        } else {
            let _ = calls::stop_thread(thread.name());
            revoker = Some(thread);
        }
        found = scene.strike(|| is_there(0));
        match &revoker {
            // It goes on with its call, and finds nothing left to do.
            Some(thread) => drop(calls::continue_thread(thread.name(), CapName::NONE, below())),
            None => revoker = spawn(),
        }
    }
    let _ = revoker.map(Thread::destroy);
    match found {
        Some(how) => kit.broken(how),
        None => kit.held(format!("{caught} revokes were abandoned half-way and finished by another thread")),
    }
}

fn below() -> u8 {
    probe::priority().saturating_sub(1)
}

fn spawn() -> Option<Thread> {
    UNDER_WAY.store(0, Relaxed);
    thread::spawn(revoke, 0, Options { stack_pages: 2, ..Options::new(below()) }).ok()
}

/// The low thread's part.
fn revoke(_: u32) {
    let [parent, table] = [&PARENT, &TABLE].map(|name| CapName(name.load(Relaxed)));
    let words = AT.load(Relaxed);
    loop {
        // Every word names the page.
        let _ = calls::validate(table, 0, CHILDREN, words);
        clock::near_the_end(TICK.load(Relaxed), BEFORE);
        UNDER_WAY.store(1, Relaxed);
        let _ = calls::revoke_range(parent, REVOKED, 1);
        UNDER_WAY.store(0, Relaxed);
    }
}

impl Scene {
    /// What can be done with an entry whose revoke was abandoned: what must not be possible, or is not though it must.
    fn strike(&self, unfinished: impl Fn() -> bool) -> Option<String> {
        let (ground, parent) = (&self.ground, self.ground.table());
        let from = |first| Extent { container: parent, first, count: 1 };
        let address = page(ground.address(ANEW));
        let words = ground.address(WORDS);
        let tries: [Result<(), Stop>; 3] = [
            calls::update(&[update(from(REVOKED), CapName::NONE, address, Rights::NONE, 0)]),
            calls::update(&[update(from(REVOKED), parent, ANEW + 1, Rights::NONE, 1)]),
            calls::validate(parent, ANEW + 2, 1, words),
        ];
        let mut derived = tries.into_iter().filter(Result::is_ok);
        if derived.next().is_some() && unfinished() {
            return Some(
                "a mapping was derived in the middle of an abandoned revoke, which so never ends".into(),
            );
        }
        let other = calls::update(&[update(from(OTHER), parent, ANEW + 3, Rights::NONE, 0)]);
        let finished = calls::revoke_range(parent, REVOKED, 1);
        let emptied = !unfinished();
        let again = calls::update(&[update(from(REVOKED), parent, ANEW + 4, Rights::NONE, 0)]);
        let _ = ground.unmap(ANEW, 8);
        match (other.map_err(|stop| stop.error), finished, again.map_err(|stop| stop.error)) {
            (Err(error @ (Error::Busy | Error::NoCredits)), ..) => {
                Some(format!("another entry is blocked: {error:?}"))
            }
            (_, Err(stop), _) => Some(format!("nobody can finish the revoke: {:?}", stop.error)),
            (.., Err(error)) => Some(format!("the entry stays blocked behind its revoke: {error:?}")),
            _ if !emptied => Some("a finished revoke left mappings behind".into()),
            _ => None,
        }
    }
}
