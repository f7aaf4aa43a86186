//! The ends of objects, as a kernel brings them about: by the library and by the model, whose progress, units and
//! counts must agree at every stop.

use freehold_user_pagetables::empty::{HOOK, STRETCH};
use freehold_user_pagetables::layout::{SPACE_FIELD_COUNT, SPACE_FIELDS};
use freehold_user_pagetables::{FrameType, FreshRoot, Memory, Progress, frames_of};

use super::model::{At, total_of};
use super::world::{IDLE, Units, World};

impl World {
    /// What emptying a Table or Directory comes to within `units`, of which it uses those that it needs.
    fn empties(&mut self, frame: u32, units: &mut u32) -> Progress {
        let directory = self.model.was[&frame] == FrameType::Directory;
        let place = |index| if directory { At::Hook(frame, index) } else { At::Entry(frame, index) };
        let mut index = self.cursors[&frame];
        let progress = loop {
            let left = if directory { self.model.hooks(frame) } else { self.model.live(frame) };
            if left == 0 {
                break Progress::Done;
            }
            let forest = &mut self.model.forest;
            let live = forest.has(place(index));
            let below = if live { forest.below(place(index)) as u32 } else { 0 };
            for _ in 0..below.min(*units) {
                forest.revoke_step(place(index));
            }
            let taken = below.min(*units);
            *units -= taken;
            if live && taken == below {
                forest.settle(place(index));
            }
            let price = if live && directory { HOOK } else { 1 };
            if *units < price {
                break Progress::Preempted;
            }
            *units -= price;
            if live {
                assert!(forest.remove(place(index)));
                index += 1;
            } else {
                // Up to the next live one, or the end of the stretch.
                index += 1;
                while !index.is_multiple_of(STRETCH) && !forest.has(place(index)) {
                    index += 1;
                }
            }
        };
        self.cursors.insert(frame, index);
        progress
    }

    /// The list of a dying object: as a revoke, but that what its root gets back for it is not counted.
    fn disband(&mut self, root: At, units: &mut u32) -> Progress {
        let mut budget = Units::new(*units);
        let taken = (self.model.forest.below(root) as u32).min(*units);
        for _ in 0..taken {
            self.model.forest.revoke_step(root);
        }
        *units -= taken;
        let wanted = match self.model.forest.below(root) {
            0 => Progress::Done,
            _ => Progress::Preempted,
        };
        let slot = self.link(root);
        let (found, flush) = self.tables.disband(slot, &mut budget);
        self.pay(flush);
        assert_eq!((found, budget.left), (wanted, *units));
        found
    }

    fn empty(&mut self, frame: u32, units: &mut u32) -> Progress {
        let mut budget = Units::new(*units);
        let wanted = self.empties(frame, units);
        let (found, flush) = self.tables.empty(frame, &mut budget);
        self.pay(flush);
        assert_eq!((found, budget.left, self.tables.cursor(frame)), (wanted, *units, self.cursors[&frame]));
        found
    }

    /// Goes on with the end of a dying object, as a kernel does, as far as the units allow.
    pub(super) fn finish(&mut self, frame: u32, mut units: u32, code: u32) -> Progress {
        let kind = self.model.was[&frame];
        let root = At::Root(frame);
        if self.disband(root, &mut units) == Progress::Preempted {
            return Progress::Preempted;
        }
        match kind {
            FrameType::Directory => self.detach_all(frame),
            FrameType::Table => match self.model.owner(frame) {
                Some(owner) if self.model.is_area(frame) => self.detach_all(owner),
                Some(_) => drop(self.detach(frame, false)),
                None => {}
            },
            _ => {}
        }
        if kind != FrameType::Utcb && self.empty(frame, &mut units) == Progress::Preempted {
            return Progress::Preempted;
        }
        if self.tables.current == frame {
            self.switch(IDLE);
        }
        let settled = self.settle();
        if kind == FrameType::Directory {
            self.tables.memory.clear(frame + SPACE_FIELDS, 4 * SPACE_FIELD_COUNT);
        }
        // The kernel clears no more than that, and here there is no kernel half.
        let words = self.tables.memory.zeros(frame, 1024 * frames_of(kind));
        assert_eq!(words, 1024 * frames_of(kind), "{frame:#x} is not empty");
        self.tables.restore(frame, kind, FreshRoot::new(code), &settled);
        self.model.was.remove(&frame);
        self.model.spaces.remove(&frame);
        for part in 0..frames_of(kind) {
            let part = frame + part * 4096;
            self.model.types.insert(part, FrameType::Data);
            self.model.forest.uproot(At::Root(part));
            self.model.forest.plant(At::Root(part), 7, total_of(code));
        }
        Progress::Done
    }

    fn detach_all(&mut self, directory: u32) {
        while let Some(&last) = self.model.spaces[&directory].tables.last() {
            self.detach(last, false).expect("the last Table can always leave");
        }
    }
}
