//! Map items: pages that travel in a message, or in a pager's answer to a fault.
//!
//! What must hold: all pages of a message arrive or none does: what they take of the pool is known before the first is
//! mapped. What the message and the receiver's window say is read once for that, and no item maps on what another one of
//! its message brings, within a space: that would be deeper, and cost more, than what was surveyed.

use arrayvec::ArrayVec;
use freehold_abi::Error;
use freehold_abi::Rights;
use freehold_abi::designs::{Design, Fpage, MapItem};
use freehold_abi::layout::utcb::WINDOW;
use freehold_abi::message::ITEMS_MAX;
use freehold_mapdb::{Account, Need, Run};

use super::steps::Steps;
use super::trust;
use crate::errors::cause;
use crate::items::{self, Named};
use crate::kernel::Kernel;
use crate::thread::ThreadRef;

/// What the map items of a message come to.
type Runs = ArrayVec<Run, { ITEMS_MAX as usize }>;

/// Carries over the items of `from`'s message, some of which are pages.
///
/// # Errors
/// Those of capability items; BadItem (the design has no map items, an item names no pages, or pages where an earlier one
/// brings some), MapRefused, NoWindow, TooDeep, OverQuota, PoolExhausted. Nothing is carried then.
pub fn transfer(k: &mut Kernel, from: ThreadRef, to: ThreadRef, named: &Named) -> Result<(), Error> {
    let window = window(k, to)?;
    if map_page(k, from, to, named, window)? {
        return Ok(());
    }
    let mut runs = Runs::new();
    survey(k, from, to, named, window, &mut runs)?;
    if runs.len() as u32 != named.count() {
        let transfers = items::plan(k, from, to, named)?;
        items::carry_all(k, &transfers)?;
    }
    map(k, &runs);
    Ok(())
}

/// Checks that they could be carried now.
///
/// # Errors
/// As [`transfer`]'s, but for what deriving and moving capabilities lacks.
pub fn check(k: &mut Kernel, from: ThreadRef, to: ThreadRef, named: &Named) -> Result<(), Error> {
    let window = window(k, to)?;
    survey(k, from, to, named, window, &mut Runs::new())?;
    items::plan(k, from, to, named).map(|_| ())
}

/// Maps what the answer of `pager` to a fault of `faulted` brings. The window is all of the space, as in the original:
/// whoever pages a thread may map it anything anywhere. Other items are ignored.
///
/// # Errors
/// As [`transfer`]'s; nothing is mapped then.
pub fn answer(k: &mut Kernel, pager: ThreadRef, faulted: ThreadRef) -> Result<(), Error> {
    if k.designs.has_pool() {
        let named = Named::read(pager, faulted);
        if map_page(k, pager, faulted, &named, Fpage::WHOLE)? {
            return Ok(());
        }
        if named.map_items().next().is_some() {
            let mut runs = Runs::new();
            survey(k, pager, faulted, &named, Fpage::WHOLE, &mut runs)?;
            map(k, &runs);
        }
    }
    Ok(())
}

fn window(k: &Kernel, to: ThreadRef) -> Result<Fpage, Error> {
    if k.designs.has_pool() { Ok(Fpage(to.utcb_word(WINDOW))) } else { Err(Error::BadItem) }
}

/// Deals with a message that brings one page, which is most of them, if that takes nothing but a node. `false`: nothing
/// has changed.
#[inline(always)]
fn map_page(
    k: &mut Kernel,
    from: ThreadRef,
    to: ThreadRef,
    named: &Named,
    window: Fpage,
) -> Result<bool, Error> {
    let Some(item) = named.only_page() else { return Ok(false) };
    trust::may_map(k, from, to)?;
    let run = aim(item, from.directory.get(), (to.directory.get(), window))?;
    let node = Need { nodes: 1, tables: 0 };
    if k.designs.design == Design::KernelQuota && Account::of(&k.tables, run.to.0).left() < node.bytes() {
        return Ok(false);
    }
    Ok(k.designs.database.map_page(&mut k.tables, &run))
}

/// Works out what the map items come to, and whether all of it can be done.
fn survey(
    k: &mut Kernel,
    from: ThreadRef,
    to: ThreadRef,
    named: &Named,
    window: Fpage,
    runs: &mut Runs,
) -> Result<(), Error> {
    trust::may_map(k, from, to)?;
    let directory = to.directory.get();
    let mut steps = Steps::onward(&mut k.units, k.designs.is_undivided());
    let (mut need, mut charged) = (Need::default(), Need::default());
    for item in named.map_items() {
        let run = aim(item, from.directory.get(), (directory, window))?;
        if runs.iter().any(|earlier| earlier.feeds(&run)) {
            return Err(Error::BadItem);
        }
        let (more, charge) = k.designs.database.survey(&k.tables, &run, &mut steps).map_err(cause)?;
        need = need.and(more);
        charged = charged.and(charge);
        runs.push(run);
    }
    let charged = (k.designs.design == Design::KernelQuota).then_some(charged);
    k.designs.database.afford(&k.tables, directory, need, charged).map_err(cause)
}

/// Maps what was surveyed.
fn map(k: &mut Kernel, runs: &Runs) {
    for run in runs {
        let mut steps = Steps::onward(&mut k.units, k.designs.is_undivided());
        let flush = k.designs.database.map(&mut k.tables, run, &mut steps);
        k.owe(flush);
    }
}

/// Which pages an item brings, and where they go: of the larger of fpage and window, the hot spot chooses the part.
fn aim(item: MapItem, from: u32, (to, window): (u32, Fpage)) -> Result<Run, Error> {
    if !item.fpage.is_some() {
        return Err(Error::BadItem);
    }
    if !window.is_some() {
        return Err(Error::NoWindow);
    }
    let within = item.fpage.offsets().min(window.offsets());
    let part = |fpage: Fpage| fpage.address() | (item.hot_spot << 12) & fpage.offsets() & !within;
    Ok(Run {
        from: (from, part(item.fpage)),
        to: (to, part(window)),
        pages: (within >> 12) + 1,
        writable: item.fpage.rights() & Rights::WRITE.bits() != 0,
        grant: item.grant,
    })
}
