//! The model of the main design: frames of one's own, mapped in Tables that the receiving space has made of its own.

use freehold_rt::abi::info::start::SPACE;
use freehold_rt::abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_rt::abi::update::{UPDATES_MAX, Update};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Message, Rights, Utcb, calls, memory};

use super::Refusal;
use super::fill::{Filled, Whose};
use super::message::TABLE;
use crate::Vec;
use crate::kit::Kit;

/// Tables by the block of 4 MiB at which they are hooked.
#[derive(Default)]
pub(super) struct Blocks(Vec<(u32, CapName)>);

impl Blocks {
    fn find(&self, block: u32) -> Option<CapName> {
        self.0.iter().find(|(known, _)| *known == block).map(|(_, table)| *table)
    }

    /// The own Table at `block`, made if there is none.
    pub(super) fn own(&mut self, block: u32) -> Result<CapName, Refusal> {
        if let Some(table) = self.find(block) {
            return Ok(table);
        }
        let table = memory::grow(block)?;
        self.0.push((block, table));
        Ok(table)
    }
}

pub(super) struct Tables {
    own: Blocks,
    /// The partner's, as far as it has given them.
    partner: Blocks,
    peer: CapName,
}

impl Tables {
    pub(super) fn new(kit: &Kit) -> Tables {
        Tables { own: Blocks::default(), partner: Blocks::default(), peer: kit.peer }
    }

    pub(super) fn obtain(&mut self, address: u32, total_code: u32) -> Result<(), Refusal> {
        self.own.own(address / BLOCK)?;
        let frame = memory::take(1, 1).ok_or(Refusal::Exhausted)?;
        self.map_from((frame.container, frame.first), address, Whose::Own, total_code)
    }

    pub(super) fn map_from(
        &mut self,
        source: (CapName, u32),
        address: u32,
        whose: Whose,
        total_code: u32,
    ) -> Result<(), Refusal> {
        update(source, (self.table(address / BLOCK, whose)?, address), 1, total_code)
    }

    pub(super) fn alias(&mut self, from: u32, to: u32, pages: u32, total_code: u32) -> Result<(), Refusal> {
        let source = (self.own.own(from / BLOCK)?, index_of(from));
        update(source, (self.own.own(to / BLOCK)?, to), pages, total_code)
    }

    pub(super) fn delegate(
        &mut self,
        from: u32,
        to: u32,
        pages: u32,
        total_code: u32,
    ) -> Result<(), Refusal> {
        let source = (self.own.own(from / BLOCK)?, index_of(from));
        update(source, (self.partner(to / BLOCK)?, to), pages, total_code)
    }

    pub(super) fn delegate_back(
        &mut self,
        from: u32,
        to: u32,
        pages: u32,
        total_code: u32,
    ) -> Result<(), Refusal> {
        let source = (self.partner(from / BLOCK)?, index_of(from));
        update(source, (self.own.own(to / BLOCK)?, to), pages, total_code)
    }

    /// Maps the page at `from` at `pages` pages from `to` on.
    pub(super) fn fill(&mut self, from: u32, to: u32, pages: u32, whose: Whose, total_code: u32) -> Filled {
        let source = self.own.own(from / BLOCK);
        let destination = self.table(to / BLOCK, whose);
        let (source, destination) = match (source, destination) {
            (Ok(source), Ok(destination)) => (source, destination),
            (Err(why), _) | (_, Err(why)) => return (0, Some(why)),
        };
        let mut made = 0;
        while made < pages {
            let count = (pages - made).min(UPDATES_MAX);
            let updates: [Update; UPDATES_MAX as usize] = core::array::from_fn(|index| Update {
                source,
                first: index_of(from),
                count: 1,
                destination,
                page: index_of(to) + made + index as u32,
                rights: Rights::WRITE,
                total_code,
            });
            if let Err(stop) = calls::update(&updates[..count as usize]) {
                return (made + stop.done, Some(stop.into()));
            }
            made += count;
        }
        (made, None)
    }

    pub(super) fn revoke(&mut self, at: u32, pages: u32) -> Result<(), Refusal> {
        Ok(calls::revoke_range(self.own.own(at / BLOCK)?, index_of(at), pages)?)
    }

    pub(super) fn forget(&mut self, at: u32, pages: u32) -> Result<(), Refusal> {
        Ok(calls::unmap(CapName::NONE, at / FRAME, pages)?)
    }

    fn table(&mut self, block: u32, whose: Whose) -> Result<CapName, Refusal> {
        match whose {
            Whose::Own => self.own.own(block),
            Whose::Partners => self.partner(block),
        }
    }

    /// The partner's Table at `block`, which it is asked for once.
    fn partner(&mut self, block: u32) -> Result<CapName, Refusal> {
        if let Some(table) = self.partner.find(block) {
            return Ok(table);
        }
        let slot = Slot::take().ok_or(Refusal::Exhausted)?;
        Utcb::current().set_slots(slot.name(), 1);
        let answer = calls::call(self.peer, &Message::of(TABLE, &[block]));
        Utcb::current().set_slots(CapName::NONE, 0);
        super::serve::done(answer)?;
        // The Table is there for as long as the program: nothing gives the slot back.
        let table = slot.name();
        core::mem::forget(slot);
        self.partner.0.push((block, table));
        Ok(table)
    }
}

/// The own space, which the partner may be given.
pub(super) const OWN_SPACE: CapName = SPACE;

fn index_of(address: u32) -> u32 {
    address / FRAME % ENTRIES
}

fn update(
    (source, first): (CapName, u32),
    (destination, to): (CapName, u32),
    count: u32,
    total_code: u32,
) -> Result<(), Refusal> {
    let page = index_of(to);
    let rights = Rights::WRITE;
    Ok(calls::update(&[Update { source, first, count, destination, page, rights, total_code }])?)
}
