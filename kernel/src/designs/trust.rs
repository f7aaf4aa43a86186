//! Who is trusted: spaces that were made untrusted, and what the designs keep from them.
//!
//! What must hold: the mark of a space stands in its Directory and goes with it; what an untrusted space makes (a
//! space, a thread in any space) or starts is untrusted too, with the same redirector, and nothing that it calls takes
//! a mark away. A mark names its redirector's endpoint by a number that no other endpoint ever has, so that it does not
//! come to mean what is made in the same slot later.

use freehold_abi::designs::{Design, UNTRUSTED};
use freehold_abi::info::Kind;
use freehold_abi::{Call, CapName, Error, Rights};
use freehold_captree::Link;
use freehold_user_pagetables::Memory;
use freehold_user_pagetables::layout::{IN_NODE, POOL_GIVER, POOL_TRUST};

use crate::kernel::Kernel;
use crate::make;
use crate::syscall::{CallResult, Outcome};
use crate::thread::ThreadRef;

/// Space: its mark. 0: it is trusted; [`NOBODY`]; or the number of a door.
pub const TRUST: u32 = POOL_TRUST;
/// Space: the badge with which its messages come to the redirector.
const TRUST_BADGE: u32 = POOL_TRUST + 4;
const _: () = assert!(TRUST_BADGE < POOL_GIVER);

/// The mark of a space that is untrusted, without a redirector.
const NOBODY: u32 = 1;

/// Endpoints that redirectors receive from, at the same time, at most: a few, since one does for a processor.
pub const DOORS: usize = 8;

/// The calls by which an untrusted thread could make others that are trusted.
pub const WATCHED: [Call; 3] = [Call::MakeSpace, Call::MakeThread, Call::StartThread];

/// An endpoint that a redirector receives from.
#[derive(Clone, Copy)]
#[repr(C)]
struct Door {
    /// Never used twice; its place in the list is what it leaves when divided by [`DOORS`].
    number: u32,
    /// The slot that the endpoint lives in; 0: it has ended.
    slot: u32,
}

/// The redirectors' endpoints. The list comes first, for the short paths.
#[repr(C)]
pub struct Doors {
    list: [Door; DOORS],
    /// How many there have been.
    made: u32,
}

impl Doors {
    /// There is none.
    pub const fn new() -> Doors {
        Doors { list: [Door { number: 0, slot: 0 }; DOORS], made: 0 }
    }

    /// The endpoint with this number, while it lives.
    fn find(&self, number: u32) -> Option<Link> {
        let door = self.list[number as usize % DOORS];
        (door.number == number && door.slot != 0).then_some(Link::new(door.slot, IN_NODE))
    }

    /// The number of the endpoint in `slot`.
    fn number(&mut self, slot: Link) -> Option<u32> {
        if let Some(door) = self.list.iter().find(|door| door.slot == slot.address()) {
            return Some(door.number);
        }
        let place = self.list.iter().position(|door| door.slot == 0)?;
        // Numbers begin behind the marks that are none.
        self.made = self.made.checked_add(1)?;
        let number = self.made.checked_mul(DOORS as u32)? + place as u32;
        self.list[place] = Door { number, slot: slot.address() };
        Some(number)
    }
}

/// Distrust: a space is untrusted from now on, or trusted again. What its threads have begun already goes on as it was.
pub fn distrust(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [space, endpoint, ..] = t.args();
    let directory = k.space(t, CapName::from_word(space))?;
    if is_untrusted(k, t.directory.get()) {
        return Err(Error::NoRight);
    }
    let mark = match (endpoint, k.designs.design) {
        (0, _) => (0, 0),
        (_, Design::LocalOnly) => (NOBODY, 0),
        (UNTRUSTED, _) => return Err(Error::OutOfRange),
        _ => {
            let cap = k.cap(t, CapName::from_word(endpoint))?;
            let origin = k.origin(cap, Kind::Endpoint, Rights::SEND)?;
            (k.designs.doors.number(origin).ok_or(Error::OutOfRange)?, k.badge_of(cap))
        }
    };
    set_mark(k, directory, mark);
    Ok(Outcome::Done)
}

/// Whether a space is untrusted.
pub fn is_untrusted(k: &Kernel, directory: u32) -> bool {
    k.tables.space_field(directory, TRUST) != 0
}

/// Where the messages go first that leave the untrusted space `directory`: the endpoint's slot, and the badge that they
/// have there.
///
/// # Errors
/// PeerGone: there is no such endpoint any more.
pub fn door(k: &Kernel, directory: u32) -> Result<(Link, u32), Error> {
    let (number, badge) = mark(k, directory);
    k.designs.doors.find(number).map(|door| (door, badge)).ok_or(Error::PeerGone)
}

/// Whether a message of `from` may map pages for `to`.
///
/// # Errors
/// MapRefused.
pub fn may_map(k: &Kernel, from: ThreadRef, to: ThreadRef) -> Result<(), Error> {
    let (sender, receiver) = (from.directory.get(), to.directory.get());
    let refused = match k.designs.design {
        Design::LocalOnly => sender != receiver && is_untrusted(k, sender),
        Design::RootOnly => sender != k.designs.first_space,
        // What leaves an untrusted space has been past the redirector.
        _ => false,
    };
    if refused { Err(Error::MapRefused) } else { Ok(()) }
}

/// MakeSpace by an untrusted thread.
pub fn make_space(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let made = crate::syscall::apart(k, t, make::space)?;
    if made == Outcome::Done {
        let slot = k.slot_ref(t, t.args()[2])?;
        let space = k.read(slot).object;
        inherit(k, t, space);
    }
    Ok(made)
}

/// MakeThread by an untrusted thread.
pub fn make_thread(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let directory = k.space(t, CapName::from_word(t.args()[3]));
    let made = crate::syscall::apart(k, t, make::thread)?;
    if made == Outcome::Done {
        inherit(k, t, directory?);
    }
    Ok(made)
}

/// StartThread by an untrusted thread.
pub fn start_thread(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let started = crate::syscall::apart(k, t, crate::threads::start)?;
    let thread = k.thread(t, CapName::from_word(t.args()[0]))?;
    inherit(k, t, thread.directory.get());
    Ok(started)
}

/// An endpoint that lives in `slot` ends.
pub fn endpoint_ends(k: &mut Kernel, slot: Link) {
    if let Some(door) = k.designs.doors.list.iter_mut().find(|door| door.slot == slot.address()) {
        door.slot = 0;
    }
}

/// What the untrusted `t` has a hand in is no more trusted than itself.
fn inherit(k: &mut Kernel, t: ThreadRef, directory: u32) {
    if !is_untrusted(k, directory) {
        let mark = mark(k, t.directory.get());
        set_mark(k, directory, mark);
    }
}

fn mark(k: &Kernel, directory: u32) -> (u32, u32) {
    (k.tables.space_field(directory, TRUST), k.tables.space_field(directory, TRUST_BADGE))
}

fn set_mark(k: &mut Kernel, directory: u32, (trust, badge): (u32, u32)) {
    k.tables.memory.store(directory + TRUST, trust);
    k.tables.memory.store(directory + TRUST_BADGE, badge);
}
