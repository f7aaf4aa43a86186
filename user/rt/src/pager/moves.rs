//! A page brought into a frame, and put away: one page, one frame.
//!
//! What must hold: a page's contents are moved only while nothing but the pager sees the frame. Before they are
//! written to the store the page is unmapped; whether it had been written by then, the unmapping tells.

use freehold_abi::update::Update;
use freehold_abi::{CapName, Rights};

use super::books::Books;
use super::region::At;
use super::{Error, frames, view};
use crate::calls;

impl Books {
    /// Makes a page present.
    pub fn bring(&mut self, at: At) -> Result<(), Error> {
        match self.place(at)? {
            (_, None) => Ok(()),
            (_, Some(update)) => calls::update(&[update]).map_err(|stop| stop.error.into()),
        }
    }

    /// Gives a page a frame with its contents. Returns the frame and, unless it is mapped, the update that maps it.
    pub fn place(&mut self, at: At) -> Result<(u32, Option<Update>), Error> {
        let number = self.regions.number(at);
        if let Some(index) = self.regions.page(at).frame {
            if view::is_present(number) == Some(true) {
                return Ok((index, None));
            }
            // Mapping failed once, or the program unmapped it behind the pager's back: whether it had been written by
            // then, nobody knows.
            self.frames[index as usize].changed = true;
            return Ok((index, Some(self.update(index, number))));
        }
        let index = match self.unused.pop() {
            Some(index) => index,
            None => self.evict_one()?,
        };
        if let Err(error) = self.fill(index, at) {
            self.unused.push(index);
            return Err(error);
        }
        let frame = &mut self.frames[index as usize];
        (frame.holds, frame.changed, frame.fresh) = (Some(at), false, true);
        self.regions.page_mut(at).frame = Some(index);
        self.statistics.brought += 1;
        Ok((index, Some(self.update(index, number))))
    }

    /// Puts a page's contents into a frame that holds none.
    fn fill(&mut self, index: u32, at: At) -> Result<(), Error> {
        let address = self.backing.address(index);
        let frame = &mut self.frames[index as usize];
        match self.regions.page(at).place {
            Some(place) => {
                frame.blank = false;
                self.store.read(place, address)?;
                self.statistics.read += 1;
            }
            None if frame.blank => {}
            None => {
                frames::clear(address);
                frame.blank = true;
            }
        }
        Ok(())
    }

    /// The update that maps a frame at page `number`.
    fn update(&self, index: u32, number: u32) -> Update {
        view::update(self.frames[index as usize].root, number, Rights::WRITE)
    }

    fn map(&self, index: u32, number: u32) -> Result<(), Error> {
        calls::update(&[self.update(index, number)]).map_err(|stop| stop.error.into())
    }

    /// Unmaps the page that a frame holds, and learns whether it was written up to then.
    pub fn unmap(&mut self, index: u32, number: u32) -> Result<(), Error> {
        let used = calls::unmap_used(CapName::NONE, number, 1).map_err(|stop| stop.error)?;
        self.frames[index as usize].changed |= used.dirty;
        Ok(())
    }

    /// Clears the accessed bit of a page that a frame holds. Only the processor and the kernel write entries, so the
    /// page goes and comes again; for a moment a thread can fault on it.
    pub fn clear_accessed(&mut self, index: u32, at: At) -> Result<(), Error> {
        let number = self.regions.number(at);
        self.unmap(index, number)?;
        self.map(index, number)
    }

    /// Takes a frame away from the page that it holds, which is not pinned. The frame is then nobody's.
    ///
    /// # Errors
    /// StoreFull, Kernel: the frame still holds the page.
    pub fn put_away(&mut self, index: u32, at: At) -> Result<(), Error> {
        let number = self.regions.number(at);
        self.unmap(index, number)?;
        if self.frames[index as usize].changed {
            let place = self.regions.page(at).place;
            match self.store.write(self.backing.address(index), place) {
                Ok(place) => self.regions.page_mut(at).place = Some(place),
                Err(error) => {
                    self.map(index, number)?;
                    return Err(error);
                }
            }
            self.frames[index as usize].blank = false;
            self.statistics.written += 1;
        }
        self.frames[index as usize].holds = None;
        self.regions.page_mut(at).frame = None;
        self.statistics.evictions += 1;
        Ok(())
    }
}
