//! Memory under the designs with a pool: frames of this program's that map items can pass on.

use freehold_abi::designs::{Design, FLUSH, Fpage, MapItem, Operation};
use freehold_abi::layout::FRAME;
use freehold_abi::{Call, CapName, Rights};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::pages::Frames;
use freehold_rt::calls;

use crate::stub;

/// Whether the design has a pool.
pub fn is_there() -> bool {
    calls::design().has_pool()
}

/// Lets a space have what it likes of the pool, where there is a quota.
pub fn without_quota(space: CapName) {
    if calls::design() == Design::KernelQuota {
        check_eq!(calls::set_quota(space, u32::MAX), Ok(()));
    }
}

/// Frames that are roots of the kernel's mapping database, side by side in this space. Dropping them takes them out.
#[derive(Debug)]
pub struct Given {
    frames: Frames,
    address: u32,
}

impl Given {
    /// `count` frames at `address`, a multiple of their size.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn new(count: u32, address: u32) -> Given {
        let frames = Frames::take(count, 1);
        let range = calls::range(frames.at(0), count);
        check_eq!(calls::give(frames.container(), range, CapName::NONE, address, Rights::WRITE), Ok(()));
        Given { frames, address }
    }

    /// Where page `index` is.
    pub fn at(&self, index: u32) -> u32 {
        self.address + index * FRAME
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.frames.count()
    }

    /// The two words of an item that maps all of them, a power of two, to `address` of a window over all addresses.
    pub fn all_to(&self, address: u32) -> [u32; 2] {
        item(self.all(Rights::WRITE), address)
    }

    /// All of them, a power of two.
    pub fn all(&self, rights: Rights) -> Fpage {
        Fpage::new(self.address, self.count().ilog2(), rights.bits())
    }

    /// Takes back what was mapped from them; the status.
    #[inline(always)]
    pub fn take_back(&self) -> u32 {
        unmap(self.all(Rights::NONE), false)
    }
}

/// The two words of an item that maps pages to `address` of a window over all addresses.
pub fn item(fpage: Fpage, address: u32) -> [u32; 2] {
    MapItem { fpage, hot_spot: address / FRAME, grant: false }.encode()
}

/// Takes back what was mapped onward from pages of this space, and these as well if `flush`; with rights, only these. The
/// status.
#[inline(always)]
pub fn unmap(fpage: Fpage, flush: bool) -> u32 {
    let flush = if flush { FLUSH } else { 0 };
    stub::immediate(Call::Design, Operation::Unmap as u32, [fpage.0, flush, 0, 0])
}
