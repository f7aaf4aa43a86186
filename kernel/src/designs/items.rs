//! Map items: pages that travel in a message, or in a pager's answer to a fault.
//!
//! What must hold: all pages of a message arrive or none does: what they take of the pool is known before the first is
//! mapped. What the message and the receiver's window say is read once for that.

use arrayvec::ArrayVec;
use freehold_abi::Error;
use freehold_abi::Rights;
use freehold_abi::designs::{Design, Fpage, MapItem};
use freehold_abi::layout::utcb::WINDOW;
use freehold_abi::message::ITEMS_MAX;
use freehold_mapdb::{Need, Run};

use super::trust;
use crate::errors::cause;
use crate::items::Named;
use crate::kernel::Kernel;
use crate::thread::ThreadRef;

/// What the map items of a message come to.
pub type Runs = ArrayVec<Run, { ITEMS_MAX as usize }>;

/// Works out what the map items of `from`'s message come to at `to`, and whether all of it can be done.
///
/// # Errors
/// BadItem (the design has no map items, or an item names no pages), MapRefused, NoWindow, TooDeep, OverQuota,
/// PoolExhausted.
pub fn survey(k: &Kernel, from: ThreadRef, to: ThreadRef, named: &Named) -> Result<Runs, Error> {
    if !k.designs.has_pool() {
        return Err(Error::BadItem);
    }
    survey_into(k, from, to, named, Fpage(to.utcb_word(WINDOW)))
}

/// Maps what was surveyed.
pub fn map(k: &mut Kernel, runs: &Runs) {
    for run in runs {
        let flush = k.designs.database.map(&mut k.tables, run);
        k.owe(flush);
    }
}

/// Maps what the answer of `pager` to a fault of `faulted` brings. The window is all of the space, as in the original:
/// whoever pages a thread may map it anything anywhere. Other items are ignored.
///
/// # Errors
/// As [`survey`]'s; nothing is mapped then.
pub fn answer(k: &mut Kernel, pager: ThreadRef, faulted: ThreadRef) -> Result<(), Error> {
    if !k.designs.has_pool() {
        return Ok(());
    }
    let named = Named::read(pager, faulted);
    let runs = survey_into(k, pager, faulted, &named, Fpage::WHOLE)?;
    map(k, &runs);
    Ok(())
}

fn survey_into(
    k: &Kernel,
    from: ThreadRef,
    to: ThreadRef,
    named: &Named,
    window: Fpage,
) -> Result<Runs, Error> {
    let (source, destination) = (from.directory.get(), to.directory.get());
    let (mut runs, mut need, mut charged) = (Runs::new(), Need::default(), Need::default());
    for item in named.map_items() {
        trust::may_map(k, from, to)?;
        let run = aim(item, source, (destination, window))?;
        let (more, charge) = k.designs.database.survey(&k.tables, &run).map_err(cause)?;
        need = need.and(more);
        charged = charged.and(charge);
        runs.push(run);
    }
    let charged = (k.designs.design == Design::KernelQuota).then_some(charged);
    k.designs.database.afford(&k.tables, destination, need, charged).map_err(cause)?;
    Ok(runs)
}

/// Which pages an item brings, and where they go: of the larger of fpage and window, the hot spot chooses the part.
fn aim(item: MapItem, from: u32, (to, window): (u32, Fpage)) -> Result<Run, Error> {
    if !item.fpage.is_some() {
        return Err(Error::BadItem);
    }
    if !window.is_some() {
        return Err(Error::NoWindow);
    }
    let log2 = item.fpage.log2().min(window.log2());
    let part =
        |fpage: Fpage| fpage.address() + ((item.hot_spot << 12) & offsets(fpage.log2()) & !offsets(log2));
    Ok(Run {
        from: (from, part(item.fpage)),
        to: (to, part(window)),
        pages: 1 << log2,
        writable: item.fpage.rights() & Rights::WRITE.bits() != 0,
        grant: item.grant,
    })
}

/// The bits of an address within 2ⁿ pages.
const fn offsets(log2: u32) -> u32 {
    ((1_u64 << (12 + log2)) - 1) as u32
}
