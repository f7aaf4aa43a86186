//! Way 4: the buffers lie in a Table of the client's, which the server hooks for the time of the call and uses in
//! place. A client whose buffers lie elsewhere copies them into the Table and the reply out of it ([`call`]); one that
//! works there copies nothing ([`call_in_place`]).
//!
//! The client derives a container capability from a proxy of its own and sends it along: with Share alone for a
//! request, so that the server's hook is read-only, with Write for a reply. The server hooks the Table, hands the
//! handler the memory itself, unhooks, and deletes the capability (as any that arrives) before it answers. Whatever the server does, the
//! client takes back what it gave by revoking its proxy, which hits this one receiver.
//!
//! Under a design with a pool there is no Table to give: the memory is pages that the pool has mapped, a map item in the
//! call brings them to the server's window, and an Unmap of the client's takes them back. The rest is the same.
//!
//! What must hold: only between parties that trust each other. Memory whose giver is not trusted can vanish under
//! its user: here that is a fault of the server's own in the middle of its handler, which no pager of its can
//! mend. So a distrusting server ([`super::Trust`]) names no slot for capabilities, and the kernel refuses the
//! message as a whole: nothing is moved, nothing hooked, nothing to be cleared away. And a client that gives a
//! server its memory lets it read all of the Table, and write it if there is a reply: a distrusting client does not.

use alloc::vec::Vec;
use core::ops::Range;

use freehold_protocol::answer::DONE;
use freehold_protocol::buffer::{DISTRUST, HEAD_WORDS, HOOK, LEND};
use freehold_protocol::trace::HOOKED;

use freehold_abi::designs::{Fpage, MapItem};
use freehold_abi::info::Kind;
use freehold_abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_abi::message::Item;
use freehold_abi::update::Update;
use freehold_abi::{CapName, Error, Rights, SlotRef, Tag};

use super::peer::Tally;
use super::serve::{Answer, Handler, Request, Server, bad};
use super::wire::{self, Head, Letter};
use super::{Done, Failure, Peer, Trust, Way};
use crate::memory::{self, MapError};
use crate::roots::Extent;
use crate::slots::Slot;
use crate::{calls, trace};

/// Frames of a Table.
const TABLE_FRAMES: u32 = 4;
/// What the server derives from its capability: one hook, which has total 0.
const ONE_HOOK: u32 = 1;

/// Memory of the client's own that stays: no pager takes it.
#[derive(Debug)]
pub struct Shared {
    address: u32,
    bytes: u32,
    /// `None`: it is pages of the pool's, which are somebody else's to take away.
    table: Option<Table>,
}

/// A Table, filled from its beginning.
#[derive(Debug)]
struct Table {
    table: Extent,
    frames: Vec<Extent>,
    container: Slot,
    /// What receivers' capabilities hang on.
    proxy: Slot,
}

impl Shared {
    /// `bytes` of memory, at most 4 MiB, at `address`, a multiple of 4 MiB where nothing is hooked yet.
    ///
    /// # Errors
    /// [`MapError`]: OutOfRange if it is more; what making and hooking a Table can meet.
    pub fn new(address: u32, bytes: u32) -> Result<Shared, MapError> {
        if bytes > BLOCK || !address.is_multiple_of(BLOCK) {
            return Err(Error::OutOfRange.into());
        }
        let container = Slot::take().ok_or(MapError::OutOfSlots)?;
        let proxy = Slot::take().ok_or(MapError::OutOfSlots)?;
        let table = memory::take(TABLE_FRAMES, TABLE_FRAMES).ok_or(MapError::OutOfMemory)?;
        // From here on dropping it gives everything back.
        let mut table = Table { table, frames: Vec::new(), container, proxy };
        table.make(address, bytes)?;
        Ok(Shared { address, bytes, table: Some(table) })
    }

    /// Memory that is there: see [`Peer::with_lent`].
    pub(super) const fn lent(address: u32, bytes: u32) -> Shared {
        Shared { address, bytes, table: None }
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u32 {
        self.bytes
    }

    /// The memory.
    pub fn memory(&mut self) -> &mut [u8] {
        // SAFETY: `new` has put frames of this program's there, or whoever called `lent` has, which stay until this is
        // dropped. A server that was given them has taken its hook away, or has them no longer, or is not trusted and
        // was not given them, and `call_in_place` holds this borrowed while the server has it.
        unsafe { core::slice::from_raw_parts_mut(self.address as *mut u8, self.bytes as usize) }
    }

    /// The label and the item of a call that gives the server what it needs of these two; and the pages, if it is pages
    /// that it is given.
    fn give(&self, request: &Range<u32>, reply: &Range<u32>) -> (u16, [u32; 2], Fpage) {
        let write = if reply.is_empty() { Rights::NONE } else { Rights::WRITE };
        if let Some(table) = &self.table {
            let (source, rights) = (table.proxy.name(), Rights::SHARE.or(write));
            let item = Item { source, moved: false, rights, total: ONE_HOOK };
            return (HOOK, item.encode(), Fpage::NONE);
        }
        let fpage = around(self.address, request, reply, write);
        // The window is a block, so only the place within a block counts.
        (LEND, MapItem { fpage, hot_spot: fpage.address() / FRAME, grant: false }.encode(), fpage)
    }

    /// Takes back what was given.
    fn take_back(&self, pages: Fpage) -> Result<(), Error> {
        match &self.table {
            Some(table) => calls::revoke(table.proxy.reference()),
            None => calls::fpage_unmap(Fpage::new(pages.address(), pages.log2(), 0), false),
        }
    }
}

/// The least fpage that holds both, so many bytes behind `address`.
fn around(address: u32, request: &Range<u32>, reply: &Range<u32>, rights: Rights) -> Fpage {
    let filled = || [request, reply].into_iter().filter(|range| !range.is_empty());
    let first = filled().map(|range| range.start).min().unwrap_or(0);
    let last = filled().map(|range| range.end - 1).max().unwrap_or(0);
    let differ = ((address + first) / FRAME) ^ ((address + last) / FRAME);
    Fpage::new(address + first, u32::BITS - differ.leading_zeros(), rights.bits())
}

impl Table {
    fn make(&mut self, address: u32, bytes: u32) -> Result<(), MapError> {
        let whole = self.container.name();
        calls::make_table(self.table.container, self.table.first, self.container.reference(), CapName::NONE)?;
        let rights = Rights::WRITE.or(Rights::SHARE);
        let all = calls::range(0, ENTRIES);
        calls::derive(whole, self.proxy.reference(), rights, all, 1 + ONE_HOOK)?;
        self.fill(bytes.div_ceil(FRAME))?;
        Ok(calls::hook(whole, CapName::NONE, address / BLOCK, Rights::WRITE)?)
    }

    fn fill(&mut self, pages: u32) -> Result<(), MapError> {
        let mut page = 0;
        while page < pages {
            let extent = memory::take_up_to(pages - page, 1).ok_or(MapError::OutOfMemory)?;
            self.frames.push(extent);
            let update = Update {
                source: extent.container,
                first: extent.first,
                count: extent.count,
                destination: self.container.name(),
                page,
                rights: Rights::WRITE,
                total_code: 0,
            };
            calls::update(&[update]).map_err(|stop| stop.error)?;
            page += extent.count;
        }
        Ok(())
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // The Table's end takes all hooks and capabilities with it. What cannot be reclaimed, which is the program's
        // own doing, stays out of the books.
        let _ = memory::release(self.table);
        for extent in self.frames.drain(..) {
            let _ = memory::release(extent);
        }
    }
}

/// Calls the server with buffers that lie elsewhere: the request is copied into the peer's shared region, the
/// reply out of it.
///
/// # Errors
/// As [`call_in_place`].
pub fn call(
    peer: &mut Peer,
    op: u16,
    args: [u32; 2],
    request: &[u8],
    reply: &mut [u8],
) -> Result<Done, Failure> {
    let shared = peer.shared.as_mut().ok_or(Failure::NoMeans)?;
    let behind = request.len().next_multiple_of(FRAME as usize);
    let end = behind.checked_add(reply.len()).ok_or(Failure::TooLarge)?;
    if end > shared.bytes as usize {
        return Err(Failure::TooLarge);
    }
    shared.memory()[..request.len()].copy_from_slice(request);
    let (from, to) = (0..request.len() as u32, behind as u32..end as u32);
    let done = call_in_place(peer, op, args, from, to)?;
    if let Some(shared) = peer.shared.as_mut() {
        let bytes = done.bytes as usize;
        reply[..bytes].copy_from_slice(&shared.memory()[behind..behind + bytes]);
    }
    Ok(done)
}

/// Calls the server with buffers that lie in the peer's shared region ([`Peer::shared`]): the request at the offsets
/// `request`, the reply from the beginning of `reply`.
///
/// # Errors
/// [`Failure`]: NoTrust, NoMeans, Distrust, Forbidden; TooLarge if an offset lies outside the region; Bad with
/// what the server met; Kernel; Nonsense from a server that does not play along.
pub fn call_in_place(
    peer: &mut Peer,
    op: u16,
    args: [u32; 2],
    request: Range<u32>,
    reply: Range<u32>,
) -> Result<Done, Failure> {
    if peer.trust == Trust::Distrusting {
        return Err(Failure::NoTrust);
    }
    let mut head = Peer::head(op, args, &[], &[]);
    let shared = peer.shared.as_mut().ok_or(Failure::NoMeans)?;
    let inside = |range: &Range<u32>| range.start <= range.end && range.end <= shared.bytes;
    if !inside(&request) || !inside(&reply) {
        return Err(Failure::TooLarge);
    }
    (head.bytes, head.room) = (request.end - request.start, reply.end - reply.start);
    let (label, [first, second], pages) = shared.give(&request, &reply);
    let mut letter = head.letter(label, [request.start, reply.start, first, second]);
    letter.tag = Tag::new(label, HEAD_WORDS as u32 + 2).with_items(1);
    let mut tally = Tally::default();
    let answer = match tally.call(peer.server, letter) {
        // It names no slots, or no window: it takes nothing of a client's.
        Err(Failure::Kernel(Error::NoSlots | Error::NoWindow)) => return Err(Failure::Distrust),
        Err(Failure::Kernel(Error::MapRefused)) => return Err(Failure::Forbidden),
        answer => answer,
    };
    // The server has given it back; if it has not, it is taken. Either way it costs one call.
    shared.take_back(pages)?;
    let (status, bytes) = wire::done(&answer?, head.room as usize)?;
    Ok(tally.done(Way::Container, status, bytes))
}

/// Where a trusting server has what LEND brings: a block, at this directory index.
pub(super) fn pages(window: u32) -> Fpage {
    Fpage::new(window * BLOCK, ENTRIES.ilog2(), Rights::WRITE.bits())
}

/// Deals with HOOK and LEND.
pub(super) fn hook(server: &mut Server<'_>, badge: u32, letter: &Letter, handler: Handler<'_>) -> Answer {
    let (Some(slot), Some(window)) = (&server.slot, server.window) else {
        return Letter::bare(DISTRUST).into();
    };
    let Some(head) = Head::read(letter) else { return bad(None) };
    let (from, to) = (letter.word(HEAD_WORDS), letter.word(HEAD_WORDS + 1));
    let fits = |at: u32, bytes: u32| at.checked_add(bytes).is_some_and(|end| end <= BLOCK);
    let apart = head.bytes == 0 || head.room == 0 || from + head.bytes <= to || to + head.room <= from;
    if letter.tag.items() != 1 || !fits(from, head.bytes) || !fits(to, head.room) || !apart {
        return bad(None);
    }
    let is_hooked = letter.label() == HOOK;
    let write = if head.room == 0 { Rights::NONE } else { Rights::WRITE };
    if is_hooked && let Err(error) = hook_at(slot.name(), window, write) {
        return bad(Some(error));
    }
    trace::note(HOOKED, head.bytes, head.room);
    let base = window * BLOCK;
    // SAFETY: the Table was hooked there, or the pages are there, the two do not overlap, and the client, which waits
    // for the answer, is trusted to leave its memory as it is, and to have sent all the pages that it speaks of.
    let (data, room) = unsafe {
        (
            core::slice::from_raw_parts((base + from) as *const u8, head.bytes as usize),
            core::slice::from_raw_parts_mut((base + to) as *mut u8, head.room as usize),
        )
    };
    let response = handler(Request { badge, op: head.op, args: head.args, data, room });
    if is_hooked {
        // A client that has taken it back meanwhile has unhooked it. (Pages are the client's to take back.)
        let _ = calls::unhook(CapName::NONE, window);
    }
    Letter::new(DONE, [response.status, response.bytes.min(head.room)]).into()
}

/// Hooks what arrived, if it allows what is needed: without the right to write a hook would be read-only
/// without a word.
fn hook_at(slot: CapName, window: u32, write: Rights) -> Result<(), Error> {
    let info = calls::cap_info(SlotRef::own(slot))?;
    if info.kind != Kind::Container {
        return Err(Error::WrongKind);
    }
    if !info.rights.contains(write) {
        return Err(Error::NoRight);
    }
    calls::hook(slot, CapName::NONE, window, write)
}
