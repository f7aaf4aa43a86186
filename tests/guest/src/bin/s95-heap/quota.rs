//! Quotas that spaces give to the spaces that they make: each has back what it gave, however they end, and nobody else
//! has it.

use alloc::vec::Vec;

use freehold_abi::designs::Design;
use freehold_abi::error;
use freehold_abi::info::{place, start};
use freehold_abi::layout::ENTRIES;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::Frames;
use freehold_guest_tests::worker::{ABOVE, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::calls::{self, Lend, range};
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, SlotRef};

use crate::party::THERE;

/// Slots of an agent: what it makes spaces of, the test's own space, the space that an order is about.
const LENT: CapName = CapName(40);
const TEST: CapName = CapName(41);
const SPACE: CapName = CapName(42);

/// Words of the board: an order, and what became of it.
const SLOT: usize = 0;
const BYTES: usize = 1;
const DONE: usize = 2;

const KIB: u32 = 1 << 10;

/// A space with a thread that makes spaces and sets their quotas.
struct Agent {
    home: Home,
    worker: Worker,
}

impl Agent {
    fn of(home: Home) -> Agent {
        home.give(TEST, start::SPACE, Rights::EDIT, 0);
        let worker = Worker::new(&home, ABOVE);
        Agent { home, worker }
    }

    /// One of the test's making, and its giver.
    fn new(bytes: u32) -> Agent {
        let agent = Agent::of(Home::new());
        check_eq!(calls::set_quota(agent.home.space(), bytes), Ok(()));
        agent
    }

    fn does(&self, order: fn(u32), argument: u32) -> Result<(), Error> {
        self.worker.start(order, argument);
        check!(self.worker.ends());
        error::status(board::get(DONE))
    }

    fn lend(&self, frames: Extent) {
        let part = range(frames.first, 4);
        let lent = calls::lend(frames.container, self.home.slot(LENT), Rights::ALL, part, Lend::LARGEST, 0);
        check_eq!(lent, Ok(()));
    }

    /// Makes a space, and gives it so much.
    fn makes(&self, bytes: u32) -> Agent {
        let home = Home::made_by(|frames, space| {
            self.lend(frames);
            board::set(SLOT, space.name().0);
            check_eq!(self.does(make, 0), Ok(()));
            check_eq!(calls::delete(self.home.slot(LENT)), Ok(()));
        });
        let made = Agent::of(home);
        check_eq!(made.quota(), 0, "it begins with nothing");
        check_eq!(self.sets(&made.home, bytes), Ok(()));
        made
    }

    /// Sets what another space may have.
    fn sets(&self, home: &Home, bytes: u32) -> Result<(), Error> {
        self.home.give(SPACE, home.space(), Rights::EDIT, 0);
        board::set(BYTES, bytes);
        let done = self.does(set, SPACE.0);
        check_eq!(calls::delete(self.home.slot(SPACE)), Ok(()));
        done
    }

    fn quota(&self) -> u32 {
        quota_of(self.home.space())
    }
}

fn quota_of(space: CapName) -> u32 {
    calls::account(space).map_or(u32::MAX, |account| account.quota)
}

fn done(result: Result<(), Error>) {
    board::set(DONE, result.map_or_else(|error| error as u32, |()| 0));
}

/// An agent makes a space: the capability goes to the test.
fn make(_: u32) {
    let slot = SlotRef::of(TEST, CapName(board::get(SLOT)));
    done(calls::make_space(LENT, 0, slot, place::AREA, ENTRIES));
}

/// An agent sets a quota.
fn set(space: u32) {
    done(calls::set_quota(CapName(space), board::get(BYTES)));
}

/// An agent makes so many spaces, one after the other, gives each all that it has, and ends it.
fn make_and_end(count: u32) {
    let one = || -> Result<(), Error> {
        let whole = calls::account(CapName::NONE)?.quota;
        calls::make_space(LENT, 0, SlotRef::of(CapName::NONE, SPACE), place::AREA, ENTRIES)?;
        calls::set_quota(SPACE, whole)?;
        let (left, given) = (calls::account(CapName::NONE)?.quota, calls::account(SPACE)?.quota);
        if (left, given) != (0, whole) {
            return Err(Error::OutOfRange);
        }
        calls::reclaim(LENT, 0, 4).map_err(|stop| stop.error)
    };
    done((0..count).try_for_each(|_| one()));
}

fn has_quotas() -> bool {
    calls::design() == Design::KernelQuota
}

/// The first program gives to A, A to B, B to C; they end in every order. What those that are gone had is with the next
/// before them that lives, to the byte; and a space in the same frames has nothing of it.
pub fn chains() {
    if !has_quotas() {
        return;
    }
    const SHARES: [u32; 3] = [40 * KIB + 1, 39 * KIB + 2, 20 * KIB + 3];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let a = Agent::new(SHARES.iter().sum());
        let b = a.makes(SHARES[1] + SHARES[2]);
        let c = b.makes(SHARES[2]);
        let mut agents = [Some(a), Some(b), Some(c)];
        let mut later: Vec<(Frames, Slot)> = Vec::new();
        for ended in order {
            let place = |frames: Extent| (frames.container, frames.first);
            let before = agents[ended].take().map(|agent| place(agent.home.frames()));
            let mut wanted = [0; 3];
            for (space, share) in SHARES.into_iter().enumerate() {
                if let Some(heir) = (0..=space).rev().find(|&heir| agents[heir].is_some()) {
                    wanted[heir] += share;
                }
            }
            let quotas = agents.each_ref().map(|agent| agent.as_ref().map_or(0, Agent::quota));
            check_eq!(quotas, wanted, "{order:?}, {ended} ended");
            // Spaces without anything, until one stands where that stood.
            let latest = |later: &Vec<(Frames, Slot)>| later.last().map(|(frames, _)| place(frames.extent()));
            while later.len() < 40 && latest(&later) != before {
                later.push(empty_space());
            }
            check_eq!(latest(&later), before, "the same frames");
            let quotas = later.iter().map(|(_, space)| quota_of(space.name()));
            check_eq!(quotas.max(), Some(0), "{order:?}, {ended} ended");
        }
    }
}

fn empty_space() -> (Frames, Slot) {
    let (frames, space) = (Frames::take(4, 4), Slot::take().expect("a slot"));
    let made = calls::make_space(frames.container(), frames.at(0), space.reference(), place::AREA, ENTRIES);
    check_eq!(made, Ok(()));
    check_eq!(calls::set_quota(space.name(), 0), Ok(()));
    (frames, space)
}

/// Only the giver, and the first program, sets a quota.
pub fn givers() {
    if !has_quotas() {
        return;
    }
    let (a, stranger) = (Agent::new(100 * KIB), Agent::new(100 * KIB));
    let b = a.makes(60 * KIB);
    for bytes in [0, 1, 60 * KIB, 61 * KIB] {
        check_eq!(stranger.sets(&b.home, bytes), Err(Error::NoRight), "{bytes} to another's");
        check_eq!(b.sets(&a.home, bytes), Err(Error::NoRight), "{bytes} to its giver");
        check_eq!(b.sets(&b.home, bytes), Err(Error::NoRight), "{bytes} to itself");
        board::set(BYTES, bytes);
        check_eq!(b.does(set, TEST.0), Err(Error::NoRight), "{bytes} to the first program");
    }
    check_eq!((a.quota(), b.quota(), stranger.quota()), (40 * KIB, 60 * KIB, 100 * KIB));
    check_eq!(a.sets(&b.home, 100 * KIB + 1), Err(Error::OverQuota), "more than it has");
    check_eq!(a.sets(&b.home, 100 * KIB), Ok(()));
    check_eq!(a.sets(&b.home, 10 * KIB), Ok(()));
    check_eq!((a.quota(), b.quota()), (90 * KIB, 10 * KIB), "what it takes away comes back");
    // The first program becomes the giver: the one before it has its own back, and no say any more.
    check_eq!(calls::set_quota(b.home.space(), 7 * KIB), Ok(()));
    check_eq!((a.quota(), b.quota()), (100 * KIB, 7 * KIB));
    check_eq!(a.sets(&b.home, 8 * KIB), Err(Error::NoRight));
    drop(b);
    check_eq!(a.quota(), 100 * KIB, "it comes back once");
}

/// A space that has something of the pool: its quota is not taken away below that, and is back when that is.
pub fn charged() {
    if !has_quotas() {
        return;
    }
    let (a, frames) = (Agent::new(100 * KIB), Frames::take(3, 1));
    let (b, part) = (a.makes(60 * KIB), range(frames.at(0), 3));
    let given = calls::give(frames.container(), part, b.home.space(), THERE, Rights::WRITE);
    check_eq!(given, Ok(()));
    let bytes = calls::account(b.home.space()).map_or(0, |account| account.bytes);
    check!(bytes > 8 * KIB);
    check_eq!(a.sets(&b.home, bytes - 1), Err(Error::OverQuota));
    check_eq!(a.sets(&b.home, bytes), Ok(()));
    check_eq!(a.quota(), 100 * KIB - bytes);
    let c = b.makes(0);
    check_eq!(b.sets(&c.home, 1), Err(Error::OverQuota), "all of it is used");
    drop(b);
    check_eq!((a.quota(), c.quota()), (100 * KIB, 0));
    check_eq!(a.sets(&c.home, 5), Ok(()), "nobody has given it anything yet");
    drop(c);
    check_eq!(a.quota(), 100 * KIB);
    drop((a, frames));
}

/// A space that makes and ends others does not use its quota up.
pub fn many() {
    if !has_quotas() {
        return;
    }
    let (agent, frames) = (Agent::new(100 * KIB), Frames::take(4, 4));
    agent.lend(frames.extent());
    check_eq!(agent.does(make_and_end, 1000), Ok(()));
    check_eq!(agent.quota(), 100 * KIB);
    drop((agent, frames));
}
