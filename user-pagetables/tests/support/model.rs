//! What the page tables mean, without a page table: trees of capabilities, spaces with lists of
//! Tables, and from those the address, frame and rights of every mapping.

use std::collections::BTreeMap;

use freehold_user_pagetables::FrameType;

use super::forest::Forest;
use super::machine::Translation;

/// Where a capability lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// The root of a frame.
    Root(u32),
    /// An entry of a Table.
    Entry(u32, u32),
    /// An entry of a Directory.
    Hook(u32, u32),
    /// A slot of the one capability node.
    Cap(u32),
}

/// A space.
#[derive(Clone, Debug)]
pub struct Space {
    /// Directory index of its page-table area.
    pub area: u32,
    /// The most Tables that it can list.
    pub pages: u32,
    /// Its Tables; the first is the area's own.
    pub tables: Vec<u32>,
}

/// Everything.
pub struct Model {
    /// Who has what from whom.
    pub forest: Forest<At>,
    /// Types of the adopted frames.
    pub types: BTreeMap<u32, FrameType>,
    /// What the dying ones were.
    pub was: BTreeMap<u32, FrameType>,
    /// The spaces by Directory.
    pub spaces: BTreeMap<u32, Space>,
    /// The boot containers, by block; capability slot i is the boot capability of block i.
    pub boot: Vec<u32>,
}

/// Bytes that a block spans.
pub const BLOCK: u32 = 4 << 20;

impl Model {
    /// The type of an adopted frame.
    pub fn kind(&self, frame: u32) -> FrameType {
        self.types[&frame]
    }

    /// The type, or what it was for one that is dying.
    pub fn nature(&self, frame: u32) -> FrameType {
        self.was.get(&frame).copied().unwrap_or(self.types[&frame])
    }

    /// The frame or Table that a capability leads to.
    pub fn target(&self, at: At) -> u32 {
        match self.forest.root(at) {
            At::Root(frame) => frame,
            At::Cap(block) => self.boot[block as usize],
            at => panic!("{at:?} is no root"),
        }
    }

    /// The space that a Table was donated to.
    pub fn owner(&self, table: u32) -> Option<u32> {
        let owner = self.spaces.iter().find(|(_, space)| space.tables.contains(&table));
        owner.map(|(&directory, _)| directory)
    }

    /// Whether a Table is an area's own.
    pub fn is_area(&self, table: u32) -> bool {
        self.spaces.values().any(|space| space.tables.first() == Some(&table))
    }

    /// Live mappings of a Table.
    pub fn live(&self, table: u32) -> u32 {
        self.forest.items.keys().filter(|at| matches!(at, At::Entry(found, _) if *found == table)).count()
            as u32
    }

    /// Live hooks of a Directory.
    pub fn hooks(&self, directory: u32) -> u32 {
        self.forest.items.keys().filter(|at| matches!(at, At::Hook(found, _) if *found == directory)).count()
            as u32
    }

    /// Directory entries that lead to a Table.
    pub fn links(&self, table: u32) -> u32 {
        let hooks = self.forest.items.keys().filter(|at| matches!(at, At::Hook(..)));
        hooks.filter(|&&at| self.target(at) == table).count() as u32 + u32::from(self.is_area(table))
    }

    /// What a Table maps.
    fn contents(&self, table: u32) -> BTreeMap<u32, Translation> {
        if let Some(block) = self.boot.iter().position(|&boot| boot == table) {
            let data = self
                .types
                .iter()
                .filter(|&(&frame, &kind)| frame / BLOCK == block as u32 && kind == FrameType::Data);
            return data.map(|(&frame, _)| (frame / 4096 % 1024, (frame, true))).collect();
        }
        if let Some(space) = self.spaces.values().find(|space| space.tables.first() == Some(&table)) {
            return space.tables.iter().zip(0..).map(|(&view, place)| (place, (view, false))).collect();
        }
        let entries = self.forest.items.iter().filter_map(|(&at, item)| match at {
            At::Entry(found, index) if found == table => {
                Some((index, (self.target(at), item.rights & 1 != 0)))
            }
            _ => None,
        });
        entries.collect()
    }

    /// What is hooked in a space: directory index, Table, writable.
    pub fn hooked(&self, directory: u32) -> BTreeMap<u32, Translation> {
        let hooks = self.forest.items.iter().filter_map(|(&at, item)| match at {
            At::Hook(found, index) if found == directory => {
                Some((index, (self.target(at), item.rights & 1 != 0)))
            }
            _ => None,
        });
        let mut found: BTreeMap<_, _> = hooks.collect();
        if let Some(space) = self.spaces.get(&directory)
            && let Some(&area) = space.tables.first()
        {
            assert!(found.insert(space.area, (area, false)).is_none());
        }
        found
    }

    /// What a space sees, by page number.
    pub fn visible(&self, directory: u32) -> BTreeMap<u32, Translation> {
        let mut found = BTreeMap::new();
        for (index, (table, above)) in self.hooked(directory) {
            for (page, (frame, below)) in self.contents(table) {
                found.insert(index << 10 | page, (frame, above && below));
            }
        }
        found
    }
}

/// Totals that an entry can hold, by code.
pub fn total_of(code: u32) -> Option<u32> {
    let growing = [56, 64, 96, 128, 192, 256, 384, 512, 640, 768, 1024, 1536, 2048, 2560, 3072, 4095];
    match code {
        0..=46 => Some(code),
        47..=62 => Some(growing[code as usize - 47]),
        _ => None,
    }
}
