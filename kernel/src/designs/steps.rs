//! How work on the mapping database is divided: by the check for interrupts between units, or, under kernel-heap, not.

use freehold_user_pagetables::Budget;

use crate::units::Units;

/// The budget of an event, or none at all.
pub struct Steps<'a> {
    units: &'a mut Units,
    divided: bool,
}

impl<'a> Steps<'a> {
    /// Steps out of `units` if the work is `divided`.
    pub fn new(units: &'a mut Units, divided: bool) -> Steps<'a> {
        Steps { units, divided }
    }
}

impl Budget for Steps<'_> {
    #[inline(always)]
    fn spend(&mut self, units: u32) -> bool {
        !self.divided || self.units.spend(units)
    }

    #[inline(always)]
    fn take(&mut self, most: u32) -> u32 {
        if self.divided { self.units.take(most) } else { most }
    }

    #[inline(always)]
    fn give_back(&mut self, units: u32) {
        if self.divided {
            self.units.give_back(units);
        }
    }
}
