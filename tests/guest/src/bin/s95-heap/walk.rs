//! Operations at random between spaces, compared with a model after each: a mapping knows the one that it was made from.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use freehold_abi::designs::{Fpage, MapItem};
use freehold_abi::layout::FRAME;
use freehold_guest_tests::pages::poke;
use freehold_guest_tests::random::Random;
use freehold_guest_tests::{check_eq, scenario};
use freehold_rt::{Rights, calls};

use crate::gift::{Gift, own};
use crate::party::{self, Party, THERE};

const SPACES: usize = 3;
const FRAMES: u32 = 8;
const PAGES: u32 = 8;
/// The test's own space, whose page n is frame n.
const ROOT: usize = SPACES;

type Place = (usize, u32);

#[derive(Clone, Copy)]
struct Mapping {
    frame: u32,
    parent: Option<Place>,
    writable: bool,
}

#[derive(Default)]
struct Model(BTreeMap<Place, Mapping>);

impl Model {
    fn children(&self, of: Place) -> Vec<Place> {
        self.0.iter().filter(|(_, mapping)| mapping.parent == Some(of)).map(|(&place, _)| place).collect()
    }

    fn revoke(&mut self, of: Place, own: bool) {
        self.children(of).into_iter().for_each(|child| self.revoke(child, true));
        if own {
            self.0.remove(&of);
        }
    }

    fn protect(&mut self, of: Place, own: bool) {
        self.children(of).into_iter().for_each(|child| self.protect(child, true));
        if let Some(mapping) = self.0.get_mut(&of).filter(|_| own) {
            mapping.writable = false;
        }
    }

    fn map(&mut self, from: Place, to: Place, writable: bool, grant: bool) {
        let Some(source) = self.0.get(&from).copied() else { return };
        let child = Mapping { parent: Some(from), writable: writable && source.writable, ..source };
        if let Some(there) = self.0.get(&to) {
            let suffices = there.frame == child.frame && (there.writable || !child.writable);
            if from == to || suffices && !grant {
                return;
            }
            self.revoke(to, true);
        }
        if !self.0.contains_key(&from) {
            return;
        }
        if !grant {
            self.0.insert(to, child);
            return;
        }
        for orphan in self.children(from) {
            self.0.entry(orphan).and_modify(|mapping| mapping.parent = Some(to));
        }
        self.0.remove(&from);
        self.0.insert(to, Mapping { writable: child.writable, ..source });
        if !child.writable {
            self.protect(to, false);
        }
    }
}

const fn address((space, page): Place) -> u32 {
    if space == ROOT { own(page) } else { THERE + page * FRAME }
}

/// What a page of a space shows is what the model says.
fn compare(model: &Model, party: &Party, place: Place) {
    let mapping = model.0.get(&place);
    let seen = party.read(address(place)).ok();
    check_eq!(seen, mapping.map(|mapping| mapping.frame + 1), "{place:?}");
    let written = party.write(address(place) + 4, 1).is_ok();
    check_eq!(written, mapping.is_some_and(|mapping| mapping.writable), "{place:?}");
}

/// A walk.
pub fn at_random() {
    let _gift = Gift::new(FRAMES);
    let ps = party::parties(SPACES);
    let (mut random, mut model) = (Random::new(0x95), Model::default());
    for frame in 0..FRAMES {
        poke(own(frame), frame + 1);
        model.0.insert((ROOT, frame), Mapping { frame, parent: None, writable: true });
    }
    for _ in 0..if scenario::is_long() { 4000 } else { 600 } {
        let log2 = random.below(3);
        let count = 1 << log2;
        let aligned = |page: u32| page & !(count - 1);
        let from = (random.below(SPACES as u32 + 1) as usize, aligned(random.below(PAGES)));
        let to = (random.below(SPACES as u32) as usize, aligned(random.below(PAGES)));
        let writable = random.below(3) != 0;
        let rights = if writable { Rights::WRITE } else { Rights::NONE };
        let fpage = Fpage::new(address(from), log2, u32::from(rights.0));
        if random.below(3) == 0 {
            // `writable` here: only that right is taken.
            let flush = random.below(2) == 0 && from.0 != ROOT;
            let result = match from.0 {
                ROOT => calls::fpage_unmap(fpage, flush),
                space => ps[space].unmap(fpage, flush),
            };
            check_eq!(result, Ok(()));
            for place in (0..count)
                .map(|page| (from.0, from.1 + page))
                .filter(|&(space, page)| model.0.contains_key(&(space, page)))
                .collect::<Vec<_>>()
            {
                if writable { model.protect(place, flush) } else { model.revoke(place, flush) }
            }
        } else if from.0 != to.0 {
            // A message of up to four items, which can name the same pages twice, or go where an earlier one has gone.
            let mut items = Vec::new();
            for _ in 0..=random.below(4) {
                let [from, to] = [from, to].map(|(space, _)| (space, aligned(random.below(PAGES))));
                let grant = from.0 != ROOT && random.below(4) == 0;
                let fpage = Fpage::new(address(from), log2, u32::from(rights.0));
                items.push(MapItem { fpage, hot_spot: address(to) / FRAME, grant });
                (0..count).for_each(|page| {
                    model.map((from.0, from.1 + page), (to.0, to.1 + page), writable, grant)
                });
            }
            let result = match from.0 {
                ROOT => ps[to.0].take(&items),
                space => ps[space].pass(&ps[to.0], &items),
            };
            check_eq!(result, Ok(()));
        }
        for (space, party) in ps.iter().enumerate() {
            let mappings = model.0.keys().filter(|place| place.0 == space).count();
            check_eq!(party.account().mappings, mappings as u32);
            compare(&model, party, (space, random.below(PAGES)));
        }
    }
    for place in (0..SPACES).flat_map(|space| (0..PAGES).map(move |page| (space, page))) {
        compare(&model, &ps[place.0], place);
    }
}
