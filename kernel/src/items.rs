//! Items of a message: capabilities, which go into slots that the receiver named, and, in designs that have them, pages
//! ([`crate::designs::items`]).
//!
//! What must hold: all items of a message arrive or none does; too few slots is the sender's error,
//! and the receiver goes on waiting. What both sides' UTCBs say is read once, and then checked as often as it takes.

use freehold_abi::designs::MapItem;
use freehold_abi::info::Kind;
use freehold_abi::layout::utcb::{SLOTS_COUNT, SLOTS_FIRST};
use freehold_abi::message::{ITEMS_MAX, Item};
use freehold_abi::{CapName, Error, Rights};
use freehold_captree::{Link, remove};
use freehold_user_pagetables::layout::SPARE;

use arrayvec::ArrayVec;

use crate::caps::Content;
use crate::designs;
use crate::kernel::Kernel;
use crate::thread::ThreadRef;

/// Where an item comes from and where it goes.
pub struct Transfer {
    item: Item,
    source: Link,
    slot: Link,
}

/// The capability items of a message.
pub type Transfers = ArrayVec<Transfer, { ITEMS_MAX as usize }>;

/// What a message says about its items, and its receiver about their slots.
#[derive(Clone, Copy, Default)]
pub struct Named {
    items: [[u32; 2]; ITEMS_MAX as usize],
    count: u32,
    first_slot: u32,
    slots: u32,
}

impl Named {
    /// Reads both UTCBs.
    pub fn read(from: ThreadRef, to: ThreadRef) -> Named {
        let tag = from.tag();
        let mut named = Named { count: tag.items(), ..Named::default() };
        if named.count != 0 {
            (named.first_slot, named.slots) = (to.utcb_word(SLOTS_FIRST), to.utcb_word(SLOTS_COUNT));
        }
        for (index, item) in named.items.iter_mut().take(named.count as usize).enumerate() {
            let at = 1 + tag.words() as usize + 2 * index;
            *item = [from.message(at), from.message(at + 1)];
        }
        named
    }

    #[inline(always)]
    fn items(&self) -> impl Iterator<Item = [u32; 2]> {
        self.items.iter().take(self.count as usize).copied()
    }

    /// The one item, if that is pages.
    #[cfg(feature = "designs")]
    #[inline(always)]
    pub fn only_page(&self) -> Option<MapItem> {
        if self.count == 1 { MapItem::decode(self.items[0]) } else { None }
    }

    /// How many items there are.
    #[cfg(feature = "designs")]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How many of them are capabilities.
    fn capabilities(&self) -> u32 {
        self.count - self.map_items().count() as u32
    }

    /// The items that are pages.
    #[inline(always)]
    pub fn map_items(&self) -> impl Iterator<Item = MapItem> {
        self.items().filter_map(MapItem::decode)
    }
}

/// Carries the items of `from`'s message into the slots that `to` named.
///
/// # Errors
/// NoSlots; BadItem (empty source, object's own slot moved, copy of a reply capability or of a container
/// without Share); what deriving or moving lacks. Nothing has moved then.
#[inline(never)]
pub fn transfer(k: &mut Kernel, from: ThreadRef, to: ThreadRef, named: &Named) -> Result<(), Error> {
    if named.map_items().next().is_some() {
        return designs::items::transfer(k, from, to, named);
    }
    let transfers = plan(k, from, to, named)?;
    carry_all(k, &transfers)
}

/// Carries capabilities over: all or none.
///
/// # Errors
/// As [`transfer`].
pub fn carry_all(k: &mut Kernel, transfers: &Transfers) -> Result<(), Error> {
    for done in 0..transfers.len() {
        if let Err(error) = carry(k, &transfers[done]) {
            for transfer in transfers[..done].iter().rev() {
                take_back(k, transfer);
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Checks, before strings are transferred, that the items behind them could be carried now.
///
/// # Errors
/// NoSlots, BadItem.
#[inline(never)]
pub fn check(k: &mut Kernel, from: ThreadRef, to: ThreadRef, named: &Named) -> Result<(), Error> {
    if named.map_items().next().is_some() {
        return designs::items::check(k, from, to, named);
    }
    plan(k, from, to, named).map(|_| ())
}

/// Where the capabilities of a message come from and where they go.
///
/// # Errors
/// NoSlots, BadItem.
pub fn plan(k: &Kernel, from: ThreadRef, to: ThreadRef, named: &Named) -> Result<Transfers, Error> {
    if named.count > named.slots && named.capabilities() > named.slots {
        return Err(Error::NoSlots);
    }
    let mut transfers = Transfers::new();
    for words in named.items() {
        if MapItem::decode(words).is_some() {
            continue;
        }
        let item = Item::decode(words);
        let source = k.slot(from.directory.get(), item.source).map_err(|_| Error::BadItem)?;
        let cap = k.read(source);
        let bound = k.tables.cap_is_origin(source) && item.moved;
        let shared = cap.kind != Kind::Container || cap.rights.contains(Rights::SHARE);
        let copied = shared && cap.kind != Kind::Reply;
        let gone = cap.kind != Kind::Reply && k.alive(cap).is_err();
        if cap.kind == Kind::Empty || gone || bound || !(item.moved || copied) {
            return Err(Error::BadItem);
        }
        // Names are twelve bits; a range that runs past their end has no slots there.
        let index = transfers.len() as u32;
        let name =
            named.first_slot.checked_add(index).filter(|&name| name < 1 << 12).ok_or(Error::NoSlots)?;
        let slot = k.slot(to.directory.get(), CapName(name)).map_err(|_| Error::NoSlots)?;
        if k.tables.cap_kind(slot) != 0 {
            return Err(Error::NoSlots);
        }
        transfers.push(Transfer { item, source, slot });
    }
    Ok(transfers)
}

fn carry(k: &mut Kernel, transfer: &Transfer) -> Result<(), Error> {
    if transfer.item.moved {
        return k.move_cap(transfer.source, transfer.slot).map_err(|error| match error {
            // The same source twice: the first item has emptied it.
            Error::NoCapability => Error::BadItem,
            error => error,
        });
    }
    let cap = k.read(transfer.source);
    if cap.kind == Kind::Empty {
        return Err(Error::BadItem);
    }
    // In an object's own slot the badge field is the object's.
    let badge = k.badge_of(cap);
    let spare =
        if k.tables.cap_is_origin(transfer.source) { 0 } else { k.tables.cap_field(transfer.source, SPARE) };
    let content = Content { kind: cap.kind, object: cap.object, badge, spare };
    let rights = Rights(transfer.item.rights.0);
    k.derive_cap(transfer.source, transfer.slot, rights, transfer.item.total, content)
}

/// Undoes [`carry`]. Items are undone in reverse, so each is again the youngest of its parent.
fn take_back(k: &mut Kernel, transfer: &Transfer) {
    if transfer.item.moved {
        let back = k.move_cap(transfer.slot, transfer.source);
        debug_assert!(back.is_ok());
    } else {
        let removed = remove(&mut k.tables, transfer.slot);
        debug_assert!(removed.is_ok());
        k.clear(transfer.slot);
    }
}
