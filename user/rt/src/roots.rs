//! The books on a program's free frames: which entries of its containers are roots that nobody uses.
//!
//! What must hold: an entry that is marked free is data, nothing is derived from it, and its frame is
//! clear. A region's capability begins at an entry whose number in its boot container is a multiple of
//! four, so that alignment can be told from the index in the capability.

use bitvec::BitArr;
use bitvec::order::Lsb0;
use freehold_abi::CapName;
use freehold_abi::layout::ENTRIES;

/// Consecutive entries of a container: frames that lie one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The container.
    pub container: CapName,
    /// First entry, counted in the container's range.
    pub first: u32,
    /// Entries.
    pub count: u32,
}

impl Extent {
    /// Divides it: the first `count` entries, and the others.
    ///
    /// # Panics
    /// If it has fewer.
    pub fn split(self, count: u32) -> (Extent, Extent) {
        assert!(count <= self.count);
        let rest = Extent { first: self.first + count, count: self.count - count, ..self };
        (Extent { count, ..self }, rest)
    }
}

/// One container and which of its entries are free.
pub struct Region {
    container: CapName,
    free: BitArr!(for ENTRIES as usize, in u32, Lsb0),
}

impl Region {
    /// A container of which nothing is free yet.
    pub const fn new(container: CapName) -> Region {
        Region { container, free: bitvec::array::BitArray::ZERO }
    }

    /// The first `count` free entries in a row, the first of them divisible by `align`; else the longest
    /// such row.
    fn longest_run(&self, count: u32, align: u32) -> (u32, u32) {
        let (mut best_first, mut best) = (0, 0);
        let mut from = 0;
        while let Some(offset) = self.free[from..].first_one() {
            let start = (from + offset).next_multiple_of(align as usize).min(ENTRIES as usize);
            let run = self.free[start..].iter().by_vals().take(count as usize).take_while(|&free| free);
            let length = run.count();
            if length as u32 > best {
                (best_first, best) = (start as u32, length as u32);
            }
            if best == count {
                break;
            }
            from = (start + length + 1).min(ENTRIES as usize);
        }
        (best_first, best)
    }
}

/// The books.
pub struct Roots<'a> {
    regions: &'a mut [Region],
    free: u32,
}

impl<'a> Roots<'a> {
    /// Books over these containers.
    pub fn new(regions: &'a mut [Region]) -> Roots<'a> {
        let free = regions.iter().map(|region| region.free.count_ones() as u32).sum();
        Roots { regions, free }
    }

    /// Free entries.
    pub fn free(&self) -> u32 {
        self.free
    }

    /// Takes up to `count` consecutive entries, at most 1,024, the first of them divisible by `align`:
    /// `count` if there are so many in a row, else as many as there are. `None`: there are none.
    pub fn take_up_to(&mut self, count: u32, align: u32) -> Option<Extent> {
        let mut best = (0, 0, 0);
        for (index, region) in self.regions.iter().enumerate() {
            let (first, length) = region.longest_run(count, align);
            if length > best.2 {
                best = (index, first, length);
            }
            if length == count {
                break;
            }
        }
        let (index, first, count) = best;
        if count == 0 {
            return None;
        }
        let region = &mut self.regions[index];
        region.free[first as usize..(first + count) as usize].fill(false);
        self.free -= count;
        Some(Extent { container: region.container, first, count })
    }

    /// Takes exactly `count` consecutive entries. `None`: there are not so many in a row.
    pub fn take(&mut self, count: u32, align: u32) -> Option<Extent> {
        let extent = self.take_up_to(count, align)?;
        if extent.count < count {
            self.give(extent);
            return None;
        }
        Some(extent)
    }

    /// Enters free entries.
    ///
    /// # Panics
    /// If the container is not in the books, or an entry is free already.
    pub fn give(&mut self, extent: Extent) {
        let region = self.regions.iter_mut().find(|region| region.container == extent.container);
        let region = region.expect("a container of this program's");
        let range = extent.first as usize..(extent.first + extent.count) as usize;
        assert!(region.free[range.clone()].not_any(), "given back twice: {extent:?}");
        region.free[range].fill(true);
        self.free += extent.count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: CapName = CapName(9);
    const B: CapName = CapName(10);

    fn extent(container: CapName, first: u32, count: u32) -> Extent {
        Extent { container, first, count }
    }

    #[test]
    fn runs_are_aligned_and_whole() {
        let mut regions = [Region::new(A), Region::new(B)];
        let mut roots = Roots::new(&mut regions);
        roots.give(extent(A, 5, 6));
        roots.give(extent(B, 100, 924));
        assert_eq!(roots.take(4, 4), Some(extent(B, 100, 4)), "5..11 holds no four from a multiple of four");
        assert_eq!(roots.take(3, 4), Some(extent(A, 8, 3)));
        assert_eq!(roots.take(4, 1), Some(extent(B, 104, 4)), "5..8 are only three");
        assert_eq!(roots.take_up_to(4, 1), Some(extent(B, 108, 4)));
        assert_eq!(roots.take(1024, 1), None);
        assert_eq!(roots.take_up_to(1024, 1), Some(extent(B, 112, 912)));
        assert_eq!(roots.take_up_to(1024, 1), Some(extent(A, 5, 3)));
        assert_eq!((roots.take_up_to(1, 1), roots.free()), (None, 0));
    }

    #[test]
    fn everything_given_back_can_be_taken_again() {
        let mut regions = [Region::new(A)];
        let mut roots = Roots::new(&mut regions);
        roots.give(extent(A, 0, 1024));
        let taken: Vec<Extent> = core::iter::from_fn(|| roots.take(12, 4)).collect();
        assert_eq!(taken.len(), 85);
        taken.into_iter().rev().for_each(|extent| roots.give(extent));
        assert_eq!(roots.take(1024, 1), Some(extent(A, 0, 1024)));
    }

    #[test]
    #[should_panic(expected = "given back twice")]
    fn giving_back_twice_is_noticed() {
        let mut regions = [Region::new(A)];
        let mut roots = Roots::new(&mut regions);
        roots.give(extent(A, 0, 8));
        roots.give(extent(A, 7, 1));
    }
}
