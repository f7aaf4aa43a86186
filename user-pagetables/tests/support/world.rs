//! The library on a software machine, and the model beside it. After every operation the two are
//! compared in all that can be seen: types, nodes, links, mappings, and the machine's TLB.

use std::collections::BTreeMap;

use freehold_captree::{Link, Slots, UNLIMITED, plant};
use freehold_user_pagetables::layout::{self, AREA_TABLES};
use freehold_user_pagetables::{Budget, Flush, FrameType, Settled, Tables, Tlb};

use super::forest::Forest;
use super::machine::{Mmu, Physical, walk};
use super::model::{At, BLOCK, Model};

/// 4 MiB blocks of the machine.
pub const BLOCKS: u32 = 2;
/// Where boot containers and the frame table lie.
pub const PLACE: u32 = 0x70_0000;
/// A Directory of the kernel: the processor stands there when no space is left.
pub const IDLE: u32 = 0x6F_C000;
/// Groups of four frames that can become Tables and Directories, by number.
pub const QUADS: u32 = 10;
/// Single frames.
pub const SINGLES: u32 = 4;
/// The capability node.
pub const NODE: u32 = 0x20_0000;
/// Its slots that the tests use. The first are the capabilities of the boot containers.
pub const CAPS: u32 = 12;

/// The first frame of a group: half of them lie in each block.
pub const fn quad(number: u32) -> u32 {
    number % 2 * BLOCK + 0x10_0000 + number / 2 * 0x4000
}

/// A single frame.
pub const fn single(number: u32) -> u32 {
    number % 2 * BLOCK + 0x18_0000 + number / 2 * 0x1000
}

/// A budget of so many units that says when it was exceeded.
pub struct Units {
    /// What may still be spent.
    pub left: u32,
    /// What was.
    pub spent: u32,
}

impl Units {
    /// `left` units.
    pub fn new(left: u32) -> Units {
        Units { left, spent: 0 }
    }
}

impl Budget for Units {
    fn spend(&mut self, units: u32) -> bool {
        if self.left < units {
            return false;
        }
        self.left -= units;
        self.spent += units;
        true
    }

    fn take(&mut self, most: u32) -> u32 {
        let taken = most.min(self.left);
        self.left -= taken;
        self.spent += taken;
        taken
    }

    fn give_back(&mut self, units: u32) {
        self.left += units;
        self.spent -= units;
    }
}

/// Everything.
pub struct World {
    /// The library.
    pub tables: Tables<Physical>,
    /// The processor.
    pub mmu: Mmu,
    /// What it is owed.
    pub tlb: Tlb,
    /// What should be.
    pub model: Model,
    /// Flushes are lost: for tests that want to see that found.
    pub deaf: bool,
    /// Where the cursors of dying objects are.
    pub cursors: BTreeMap<u32, u32>,
}

impl World {
    /// All frames data, and the capabilities of the boot containers in a capability node.
    pub fn new() -> World {
        let mut tables = Tables::new(Physical::new(BLOCKS * BLOCK), BLOCKS, PLACE);
        let mut model = Model {
            forest: Forest::new(),
            types: BTreeMap::new(),
            was: BTreeMap::new(),
            spaces: BTreeMap::new(),
            boot: (0..BLOCKS).map(|block| PLACE + block * layout::TABLE).collect(),
        };
        for block in 0..BLOCKS {
            tables.reserve_table(tables.boot_table(block));
        }
        for part in 0..4 {
            tables.reserve(IDLE + part * layout::FRAME);
        }
        let quads = (0..QUADS).flat_map(|number| (0..4).map(move |part| quad(number) + part * layout::FRAME));
        for frame in quads.chain((0..SINGLES).map(single)).chain([NODE]) {
            tables.adopt(frame);
            model.types.insert(frame, FrameType::Data);
            model.forest.plant(At::Root(frame), 7, None);
        }
        tables.current = IDLE;
        let mut world = World {
            tables,
            mmu: Mmu::default(),
            tlb: Tlb::new(),
            model,
            deaf: false,
            cursors: BTreeMap::new(),
        };
        let donation = world.tables.check_donation(NODE, FrameType::CapNode).expect("a fresh frame");
        let flush = world.tables.donate(donation);
        world.pay(flush);
        world.model.types.insert(NODE, FrameType::CapNode);
        for block in 0..BLOCKS {
            let slot = layout::in_node(NODE, block);
            plant(&mut world.tables, slot, 7, UNLIMITED);
            world.tables.set_cap_kind(slot, 3, false);
            world.model.forest.plant(At::Cap(block), 7, None);
        }
        world
    }

    /// The slot of a place.
    pub fn link(&self, at: At) -> Link {
        match at {
            At::Root(frame) => self.tables.root(frame),
            At::Entry(table, index) => layout::in_table(table, index),
            At::Hook(directory, index) => layout::in_directory(directory, index),
            At::Cap(slot) => layout::in_node(NODE, slot),
        }
    }

    /// Does what a flush asks for.
    pub fn pay(&mut self, flush: Flush) {
        if self.deaf {
            return;
        }
        self.tlb.owe(flush, |address| self.mmu.forget_page(address));
        let _settled = self.settle();
    }

    /// What the kernel does before memory changes hands.
    pub fn settle(&mut self) -> Settled {
        self.tlb.settle(|| self.mmu.forget_all())
    }

    /// Enters another space.
    pub fn switch(&mut self, directory: u32) {
        self.tables.current = directory;
        self.mmu.forget_all();
        let _settled = self.tlb.reloaded();
    }

    /// Compares everything.
    pub fn compare(&mut self) -> Result<(), String> {
        self.tables.check().map_err(|broken| format!("{broken:x?}"))?;
        self.compare_frames()?;
        self.compare_nodes()?;
        for (&directory, space) in &self.model.spaces {
            let listed = self.tables.space_field(directory, AREA_TABLES);
            if listed != space.tables.len() as u32 {
                return Err(format!("{directory:#x} lists {listed} Tables, not {:x?}", space.tables));
            }
            let (found, wanted) = (walk(&self.tables.memory, directory), self.model.visible(directory));
            if found != wanted {
                return Err(format!("{directory:#x} maps {found:x?}, not {wanted:x?}"));
            }
        }
        self.compare_tlb()
    }

    fn compare_frames(&self) -> Result<(), String> {
        for (&frame, &kind) in &self.model.types {
            if self.tables.frame_type(frame) != kind {
                return Err(format!("{frame:#x} is {:?}, not {kind:?}", self.tables.frame_type(frame)));
            }
            if self.model.nature(frame) == FrameType::Table {
                let (live, links) = (self.tables.aux(frame), self.tables.links(frame));
                let wanted = (self.model.live(frame), self.model.links(frame));
                if (live, links) != wanted {
                    return Err(format!("{frame:#x}: live, links {:?}, not {wanted:?}", (live, links)));
                }
            }
            if self.model.nature(frame) == FrameType::Directory {
                let (live, wanted) = (self.tables.aux(frame), self.model.hooks(frame));
                if live != wanted {
                    return Err(format!("{frame:#x}: {live} hooks, not {wanted}"));
                }
            }
        }
        for (directory, space) in &self.model.spaces {
            let live: usize = space.tables.iter().map(|&table| self.tables.aux(table) as usize).sum();
            if live > 1024 * space.tables.len().saturating_sub(1) {
                return Err(format!("{directory:#x}: {live} mappings in {:x?}", space.tables));
            }
        }
        Ok(())
    }

    fn compare_nodes(&self) -> Result<(), String> {
        for (&at, item) in &self.model.forest.items {
            let node = self.tables.node(self.link(at));
            // The root of a dying object gets another node when that has ended; until then only its place counts.
            let dying = matches!(at, At::Root(frame) if self.model.types[&frame] == FrameType::Dying);
            let found = (node.depth, node.rights, node.revoking || dying);
            if found != (item.depth, item.rights, item.revoking || dying) {
                return Err(format!("{at:x?} is {node:?}, not {item:x?}"));
            }
            let bounded = (node.total != UNLIMITED).then_some((node.total, node.credits));
            if !dying && bounded != item.total.map(|total| (total, item.credits)) {
                return Err(format!("{at:x?} is {node:?}, not {item:x?}"));
            }
            if item.parent.is_none() {
                let order = self.model.forest.preorder(at).into_iter().map(|at| self.link(at));
                let next = |&slot: &Link| Some(self.tables.next(slot)).filter(|next| !next.is_none());
                if !std::iter::successors(Some(self.link(at)), next).eq(order) {
                    return Err(format!("the list of {at:x?} is not its tree"));
                }
            }
        }
        Ok(())
    }

    /// A program touches everything that it may: through the TLB it must see what is there, and the
    /// TLB must remember nothing that is not.
    fn compare_tlb(&mut self) -> Result<(), String> {
        let space = self.tables.current;
        let wanted = self.model.visible(space);
        for (page, found) in self.mmu.cached() {
            if wanted.get(page) != Some(found) {
                let wanted = wanted.get(page);
                return Err(format!("stale: page {page:#x} is {found:x?} in the TLB, not {wanted:x?}"));
            }
        }
        let hooked = self.model.hooked(space);
        for (index, found) in self.mmu.cached_directory() {
            if hooked.get(&index) != Some(&found) {
                return Err(format!("stale: directory entry {index} is {found:x?} in the TLB"));
            }
        }
        for (&page, &wanted) in &wanted {
            let found = self.mmu.access(&mut self.tables.memory, space, page);
            if found != Some(wanted) {
                return Err(format!("page {page:#x} is {found:x?}, not {wanted:x?}"));
            }
        }
        Ok(())
    }
}
