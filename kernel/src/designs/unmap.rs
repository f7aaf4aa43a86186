//! Unmap: what was mapped onward from pages of the own space is taken back.

use freehold_abi::designs::{FLUSH, Fpage};
use freehold_abi::{Error, Rights};
use freehold_mapdb::Pages;
use freehold_user_pagetables::Progress;

use super::steps::Steps;
use crate::kernel::Kernel;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{ThreadRef, reg};

/// Unmap. EDI counts the pages that are done.
pub fn unmap(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [fpage, flush, mut done, _] = t.args();
    let (fpage, own) = (Fpage(fpage), flush & FLUSH != 0);
    if !fpage.is_some() {
        return Err(Error::BadAddress);
    }
    let pages =
        Pages { directory: t.directory.get(), address: fpage.address(), count: (fpage.offsets() >> 12) + 1 };
    let undivided = k.designs.is_undivided();
    let (database, tables) = (&mut k.designs.database, &mut k.tables);
    if fpage.rights() & Rights::WRITE.bits() != 0 {
        let flush = database.unmap_write(tables, pages, own, &mut Steps::onward(&mut k.units, undivided));
        k.owe(flush);
        return Ok(Outcome::Done);
    }
    let mut steps = Steps::divided(&mut k.units, undivided);
    let (progress, flush) = database.unmap(tables, pages, own, &mut done, &mut steps);
    k.owe(flush);
    t.set(reg::EDI, done);
    Ok(if progress == Progress::Done { Outcome::Done } else { Outcome::Again })
}
