//! What mappings there are, by a set of them, each of which knows the one that it was made from. Shares nothing with the
//! library but the rules.

use std::collections::{BTreeMap, BTreeSet};

/// A page: number of the space, address.
pub type Place = (usize, u32);

/// A mapping as the model knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub frame: u32,
    pub parent: Option<Place>,
    pub writable: bool,
    pub depth: u32,
}

#[derive(Clone, Default)]
pub struct Model {
    pub mappings: BTreeMap<Place, Mapping>,
    pub tables: BTreeSet<(usize, u32)>,
}

impl Model {
    pub fn children(&self, of: Place) -> Vec<Place> {
        let is_child = |mapping: &Mapping| mapping.parent == Some(of);
        self.mappings.iter().filter(|(_, mapping)| is_child(mapping)).map(|(&place, _)| place).collect()
    }

    pub fn revoke(&mut self, of: Place) {
        for child in self.children(of) {
            self.remove(child);
        }
    }

    pub fn remove(&mut self, place: Place) {
        self.revoke(place);
        self.mappings.remove(&place);
    }

    pub fn protect(&mut self, of: Place) {
        for child in self.children(of) {
            self.mappings.get_mut(&child).unwrap().writable = false;
            self.protect(child);
        }
    }

    /// One page of a run.
    pub fn map(&mut self, from: Place, to: Place, writable: bool, grant: bool) {
        let Some(source) = self.mappings.get(&from).copied() else { return };
        self.tables.insert((to.0, to.1 >> 22));
        let child = Mapping {
            parent: Some(from),
            writable: writable && source.writable,
            depth: source.depth + 1,
            ..source
        };
        if let Some(there) = self.mappings.get(&to).copied() {
            let suffices = there.frame == child.frame && (there.writable || !child.writable);
            if from == to || !grant && suffices {
                return;
            }
            self.remove(to);
        }
        if !self.mappings.contains_key(&from) {
            return;
        }
        if !grant {
            self.mappings.insert(to, child);
            return;
        }
        for orphan in self.children(from) {
            self.mappings.get_mut(&orphan).unwrap().parent = Some(to);
        }
        self.mappings.remove(&from);
        self.mappings.insert(to, Mapping { writable: child.writable, ..source });
        if source.writable && !writable {
            self.protect(to);
        }
    }
}
