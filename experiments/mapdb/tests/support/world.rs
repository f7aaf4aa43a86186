//! Operations, each done by the library and by the model.

use freehold_mapdb::{Account, Database, MAX_DEPTH, MapFault, Need, Pages, Pool, Run, quota};
use freehold_user_pagetables::{
    Budget, Flush, FrameType, FreshRoot, Memory, Progress, Tables, Tlb, layout, total,
};

use super::machine::{Mmu, Physical};
use super::model::{Mapping, Model, Place};

pub const BLOCKS: u32 = 2;
pub const PLACE: u32 = 0x8_0000;
pub const POOL: u32 = 0x10_0000;
pub const SPACES: usize = 4;
pub const FRAMES: u32 = 6;
/// Pages of each space that are used: in the first and the last of its tables.
pub const PAGES: [u32; 2] = [0x40_0000, 0xBFC0_0000 - 0x40_0000];
pub const PAGES_EACH: u32 = 8;

/// A machine, a database, a model and a processor that remembers what it may.
pub struct World {
    pub tables: Tables<Physical>,
    pub database: Database,
    pub spaces: [u32; SPACES],
    pub model: Model,
    pub random: u32,
    pub mmu: Mmu,
    /// How often the pool was used up.
    pub refused: u32,
    pub steps: u32,
    /// What a new space is given of the pool.
    pub quota: u32,
}

/// A budget without an end.
pub struct Undivided;

impl Budget for Undivided {
    fn spend(&mut self, _: u32) -> bool {
        true
    }
    fn take(&mut self, most: u32) -> u32 {
        most
    }
    fn give_back(&mut self, _: u32) {}
}

/// A budget that stops every so often.
struct Stops(u32);

impl Budget for Stops {
    fn spend(&mut self, units: u32) -> bool {
        let enough = units <= self.0;
        if enough {
            self.0 -= units;
        }
        enough
    }
    fn take(&mut self, most: u32) -> u32 {
        let taken = most.min(self.0);
        self.0 -= taken;
        taken
    }
    fn give_back(&mut self, units: u32) {
        self.0 += units;
    }
}

impl World {
    pub fn new(seed: u32, pool_bytes: u32) -> World {
        let mut tables = Tables::new(Physical::new(BLOCKS << 22), BLOCKS, PLACE);
        for block in 0..BLOCKS {
            tables.reserve_table(PLACE + block * layout::TABLE);
        }
        for frame in (POOL..POOL + pool_bytes).step_by(0x1000) {
            tables.reserve(frame);
        }
        for frame in (0x40_0000..0x80_0000).step_by(0x1000) {
            tables.adopt(frame);
        }
        let mut database = Database::nowhere();
        database.pool = Pool::new(POOL, pool_bytes);
        let mut world = World {
            tables,
            database,
            spaces: [0; SPACES],
            model: Model::default(),
            random: seed,
            mmu: Mmu::default(),
            refused: 0,
            steps: 0,
            quota: u32::MAX,
        };
        for space in 0..SPACES {
            world.make_space(space);
        }
        world.tables.current = world.spaces[0];
        world
    }

    /// The processor forgets what it is told to, and nothing else.
    pub fn pay(&mut self, flush: Flush) {
        match flush {
            Flush::None => {}
            Flush::Pages(first, count) => {
                (0..count).for_each(|page| self.mmu.forget_page(first + page * 0x1000))
            }
            Flush::All => self.mmu.forget_all(),
        }
    }

    /// A program of the current space uses some pages; now and then another space becomes current.
    pub fn run_programs(&mut self) {
        if self.below(8) == 0 {
            self.tables.current = self.spaces[self.below(SPACES as u32) as usize];
            self.mmu.forget_all();
        }
        for _ in 0..8 {
            let page = self.page();
            self.mmu.access(&mut self.tables.memory, self.tables.current, page >> 12);
        }
    }

    /// What the processor remembers is there.
    pub fn check_translations(&self) {
        for (&page, &translation) in self.mmu.cached() {
            let there = machine_entry(&self.tables.memory, self.tables.current, page << 12);
            assert_eq!(Some(translation), there, "page {page:#x}");
        }
        for (index, (table, _)) in self.mmu.cached_directory() {
            assert_eq!(self.tables.memory.load(self.tables.current + 4 * index) & !0xFFF, table);
        }
    }

    pub fn below(&mut self, end: u32) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        (self.random >> 4) % end
    }

    pub fn make_space(&mut self, space: usize) {
        let frame = 0x40_0000 + space as u32 * layout::TABLE;
        let donation = self.tables.check_donation(frame, FrameType::Directory).expect("fresh roots");
        let flush = self.tables.donate(donation);
        self.pay(flush);
        self.tables.declare_area(frame, 0x8000_0000, 1);
        quota::set(&mut self.tables, quota::FIRST, frame, self.quota).expect("nothing is charged to it");
        self.spaces[space] = frame;
    }

    /// The frame with this number.
    pub fn frame(number: u32) -> u32 {
        0x50_0000 + number * 0x1000
    }

    pub fn page(&mut self) -> u32 {
        PAGES[self.below(2) as usize] + self.below(PAGES_EACH) * 0x1000
    }

    pub fn give(&mut self) {
        let (number, space, page) = (self.below(FRAMES), self.below(SPACES as u32) as usize, self.page());
        let frame = World::frame(number);
        let Ok(donation) = self.tables.check_donation(frame, FrameType::Pooled) else { return };
        let directory = self.spaces[space];
        let need = self.database.survey_gift(&self.tables, directory, page);
        let occupied = self.model.mappings.contains_key(&(space, page));
        assert_eq!(need.is_err(), occupied);
        let Ok(need) = need else { return };
        let is_new = !self.model.tables.contains(&(space, page >> 22));
        assert_eq!(need, Need { nodes: 1, tables: u32::from(is_new) });
        if self.database.afford(&self.tables, directory, need, Some(need)).is_err() {
            self.refused += 1;
            return;
        }
        let given = self.database.give(&mut self.tables, donation, (directory, page), true);
        self.pay(given.expect("the pool has what it takes"));
        let mapping = Mapping { frame, parent: None, writable: true, depth: 0 };
        self.model.mappings.insert((space, page), mapping);
        self.model.tables.insert((space, page >> 22));
    }

    pub fn map(&mut self) {
        let pages = 1 << self.below(4);
        let [from, to] = [0; 2].map(|_| {
            let page = self.page() & !(pages * 0x1000 - 1);
            (self.below(SPACES as u32) as usize, page)
        });
        let (writable, grant) = (self.below(3) != 0, self.below(4) == 0);
        let run = Run {
            from: (self.spaces[from.0], from.1),
            to: (self.spaces[to.0], to.1),
            pages,
            writable,
            grant,
        };
        let places = |index: u32| ((from.0, from.1 + index * 0x1000), (to.0, to.1 + index * 0x1000));
        let deepest = (0..pages).filter_map(|index| self.model.mappings.get(&places(index).0));
        let too_deep = !grant && deepest.map(|mapping| mapping.depth).max() == Some(MAX_DEPTH);
        let surveyed = self.database.survey(&self.tables, &run, &mut Undivided);
        assert_eq!(surveyed.err(), too_deep.then_some(MapFault::TooDeep));
        let Ok((need, charged)) = surveyed else { return };
        if self.database.afford(&self.tables, run.to.0, need, Some(charged)).is_err() {
            self.refused += 1;
            return;
        }
        let before = self.database.pool.bytes().1;
        if !(self.below(2) == 0 && self.database.map_page(&mut self.tables, &run)) {
            let flush = self.database.map(&mut self.tables, &run, &mut Undivided);
            self.pay(flush);
        }
        assert!(self.database.pool.bytes().1 <= before + need.bytes(), "more than was surveyed");
        for index in 0..pages {
            let (from, to) = places(index);
            self.model.map(from, to, writable, grant);
        }
    }

    pub fn unmap(&mut self) {
        let count = 1 << self.below(4);
        let (space, address) = (self.below(SPACES as u32) as usize, self.page() & !(count * 0x1000 - 1));
        let pages = Pages { directory: self.spaces[space], address, count };
        let (own, only_write) = (self.below(2) == 0, self.below(3) == 0);
        if only_write {
            let flush = self.database.unmap_write(&mut self.tables, pages, own, &mut Undivided);
            self.pay(flush);
        } else {
            let (mut done, every) = (0, 4 + self.below(20));
            loop {
                let budget = &mut Stops(every);
                let (progress, flush) = self.database.unmap(&mut self.tables, pages, own, &mut done, budget);
                self.pay(flush);
                if progress == Progress::Done {
                    break;
                }
                self.database.check(&self.tables, false).expect("in the middle");
            }
            assert_eq!(done, count);
        }
        for place in (0..count).map(|index| (space, address + index * 0x1000)) {
            match (self.model.mappings.contains_key(&place), only_write) {
                (false, _) => {}
                (true, true) => {
                    self.model.protect(place);
                    let mapping = self.model.mappings.get_mut(&place).unwrap();
                    mapping.writable &= !own;
                }
                (true, false) if own => self.model.remove(place),
                (true, false) => self.model.revoke(place),
            }
        }
    }

    pub fn reclaim(&mut self) {
        let frame = World::frame(self.below(FRAMES));
        if self.tables.frame_type(frame) != FrameType::Pooled {
            return;
        }
        self.tables.condemn(frame, FrameType::Pooled);
        let every = 2 + self.below(10);
        loop {
            let (progress, flush) = self.database.end_frame(&mut self.tables, frame, &mut Stops(every));
            self.pay(flush);
            if progress == Progress::Done {
                break;
            }
            self.database.check(&self.tables, false).expect("in the middle");
        }
        self.restore(frame, FrameType::Pooled);
        self.model.mappings.retain(|_, mapping| mapping.frame != frame);
    }

    pub fn restore(&mut self, frame: u32, kind: FrameType) {
        let settled = Tlb::new().settle(|| {});
        let fresh = FreshRoot::new(total::UNLIMITED_CODE);
        self.tables.memory.clear(frame, if kind == FrameType::Pooled { 0x1000 } else { layout::TABLE });
        self.tables.restore(frame, kind, fresh, &settled);
    }

    /// A space ends, and another begins in its place.
    pub fn end_space(&mut self, space: usize) {
        let frame = self.spaces[space];
        self.tables.condemn(frame, FrameType::Directory);
        let every = 70 + self.below(200);
        loop {
            let (progress, flush) = self.database.end_space(&mut self.tables, frame, &mut Stops(every));
            self.pay(flush);
            if progress == Progress::Done {
                break;
            }
            self.database.check(&self.tables, false).expect("in the middle");
        }
        let fields = frame + layout::POOL_FIELDS;
        assert_eq!(self.tables.memory.zeros(fields, layout::POOL_FIELD_COUNT), layout::POOL_FIELD_COUNT);
        self.restore(frame, FrameType::Directory);
        let gone: Vec<Place> = self.model.mappings.keys().copied().filter(|place| place.0 == space).collect();
        gone.into_iter().for_each(|place| self.model.remove(place));
        self.model.tables.retain(|&(of, _)| of != space);
        self.make_space(space);
    }

    /// What the library has is what the model has.
    pub fn compare(&mut self) {
        self.steps += 1;
        self.check_translations();
        self.database.check(&self.tables, true).expect("all holds");
        if self.steps.is_multiple_of(100) {
            self.tables.check().expect("all holds");
        }
        for (space, &directory) in self.spaces.iter().enumerate() {
            for page in
                PAGES.iter().flat_map(|&first| (0..PAGES_EACH).map(move |index| first + index * 0x1000))
            {
                let seen = machine_entry(&self.tables.memory, directory, page);
                let wanted = self.model.mappings.get(&(space, page));
                assert_eq!(
                    seen,
                    wanted.map(|mapping| (mapping.frame, mapping.writable)),
                    "{space}:{page:#x}"
                );
            }
            let account = Account::of(&self.tables, directory);
            let mappings = self.model.mappings.keys().filter(|place| place.0 == space).count();
            let tables = self.model.tables.iter().filter(|table| table.0 == space).count();
            assert_eq!((account.mappings, account.tables), (mappings as u32, tables as u32));
        }
    }
}

/// The frame that a page is mapped to, and whether it can be written: as the processor walks.
fn machine_entry(memory: &Physical, directory: u32, page: u32) -> Option<(u32, bool)> {
    let table = memory.load(directory + 4 * (page >> 22));
    if table & 1 == 0 {
        return None;
    }
    let entry = memory.load((table & !0xFFF) + 4 * (page >> 12 & 1023));
    (entry & 1 != 0).then_some((entry & !0xFFF, entry & table & 2 != 0))
}
