//! Unmap: what was mapped onward from pages of the own space is taken back.

use freehold_abi::designs::{FLUSH, Fpage};
use freehold_abi::{Error, Rights};
use freehold_mapdb::Taken;
use freehold_user_pagetables::Progress;

use super::steps::Steps;
use crate::kernel::Kernel;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{ThreadRef, reg};

/// Unmap. EDI counts the pages that are done.
pub fn unmap(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [fpage, flush, mut done, _] = t.args();
    let fpage = Fpage(fpage);
    if !fpage.is_some() {
        return Err(Error::BadAddress);
    }
    let taken = Taken { own: flush & FLUSH != 0, only_write: fpage.rights() & Rights::WRITE.bits() != 0 };
    let pages = (t.directory.get(), fpage.address(), 1 << fpage.log2());
    let mut steps = Steps::new(&mut k.units, k.designs.is_divided());
    let (progress, flush) = k.designs.database.unmap(&mut k.tables, pages, taken, &mut done, &mut steps);
    k.owe(flush);
    t.set(reg::EDI, done);
    Ok(if progress == Progress::Done { Outcome::Done } else { Outcome::Again })
}
