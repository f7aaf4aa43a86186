//! Who is evicted: a clock over the frames, with a second chance.
//!
//! The hand passes over pages that were used since it came by last, by their accessed bit, which the program reads in
//! its own page-table area without a call. Clearing the bit takes two calls: the page is unmapped and mapped
//! again. A page that has come since the hand passed counts as used, whether its thread has run yet or not: so
//! many threads that fault at once do not take each other's pages away before they were of use.
//!
//! What must hold: a pinned page is not even unmapped for a moment; the hand goes round at most three times.

use super::books::Books;
use super::{Error, view};

impl Books {
    /// Puts away the page that was not used for longest, and returns its frame, which is nobody's then.
    ///
    /// # Errors
    /// OutOfMemory: all are pinned; StoreFull: all that are not have been written to; Kernel.
    pub fn evict_one(&mut self) -> Result<u32, Error> {
        let frames = self.frames.len();
        let mut result = Err(Error::OutOfMemory);
        // After two rounds all have had their second chance.
        for step in 0..3 * frames {
            let index = self.hand;
            self.hand = (index + 1) % frames;
            let frame = &mut self.frames[index];
            let Some(at) = frame.holds.filter(|_| frame.pins == 0) else { continue };
            let fresh = core::mem::replace(&mut frame.fresh, false);
            let used = view::is_accessed(self.regions.number(at));
            if used && step < 2 * frames {
                self.clear_accessed(index as u32, at)?;
            }
            if (used || fresh) && step < 2 * frames {
                self.statistics.spared += 1;
                continue;
            }
            match self.put_away(index as u32, at) {
                Ok(()) => return Ok(index as u32),
                // Another one may be as the store has it.
                Err(Error::StoreFull) => result = Err(Error::StoreFull),
                Err(error) => return Err(error),
            }
        }
        result
    }
}
