//! How work on the mapping database meets interrupts.
//!
//! | | kernel-heap | the other designs |
//! |---|---|---|
//! | pages of a message | not at all, as in the original | it lets them in between units and goes on: a message is whole |
//! | Unmap | not at all | it lets them in between units, and starts again if one came |
//! | Unmap of the right to write | not at all | it lets them in between units and goes on: nothing tells where it was |
//!
//! Frames and spaces that end start again under every design.

use freehold_user_pagetables::Budget;

use crate::arch;
use crate::units::Units;

/// What happens when the units are used up.
#[derive(Clone, Copy)]
enum Way {
    /// Nothing: there are no units.
    Undivided,
    /// Interrupts are let in, and the work goes on.
    Onward,
    /// Interrupts are let in; the work ends here if one came.
    Divided,
}

/// The budget of an event, or none at all.
pub struct Steps<'a> {
    units: &'a mut Units,
    way: Way,
}

impl<'a> Steps<'a> {
    /// For work that has to be done whole.
    pub fn onward(units: &'a mut Units, undivided: bool) -> Steps<'a> {
        Steps { units, way: if undivided { Way::Undivided } else { Way::Onward } }
    }

    /// For work that can be taken up again.
    pub fn divided(units: &'a mut Units, undivided: bool) -> Steps<'a> {
        Steps { units, way: if undivided { Way::Undivided } else { Way::Divided } }
    }

    #[cold]
    fn let_in(&mut self, units: u32) {
        arch::interrupt_window();
        self.units.begin();
        let affordable = self.units.afford(units);
        debug_assert!(affordable);
    }
}

impl Budget for Steps<'_> {
    #[inline(always)]
    fn spend(&mut self, units: u32) -> bool {
        match self.way {
            Way::Undivided => true,
            Way::Onward => {
                if !self.units.afford(units) {
                    self.let_in(units);
                }
                true
            }
            Way::Divided => self.units.spend(units),
        }
    }

    fn take(&mut self, most: u32) -> u32 {
        match self.way {
            Way::Undivided => most,
            Way::Onward | Way::Divided => self.units.take(most),
        }
    }

    fn give_back(&mut self, units: u32) {
        if !matches!(self.way, Way::Undivided) {
            self.units.give_back(units);
        }
    }
}
