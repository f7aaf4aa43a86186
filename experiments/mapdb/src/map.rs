//! Pages mapped onward, or granted: first surveyed, then done, so that what cannot be done whole is not begun.
//!
//! What must hold: neither stops before its end, so a budget here is one that always goes on; it says when interrupts
//! are let in.

use freehold_user_pagetables::{Budget, Entry, Flush, FrameType, Memory, PoolPlace, Tables, layout};

use crate::list::{MAX_DEPTH, NODE_OF, due};
use crate::pool::Need;
use crate::unmap::NODE_UNITS;
use crate::{Database, MapFault};

/// Pages of one space that are to be seen in another. Both begin at multiples of their size, a power of two.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Directory and address that they are mapped from.
    pub from: (u32, u32),
    /// Directory and address that they are mapped to.
    pub to: (u32, u32),
    /// How many.
    pub pages: u32,
    /// Whether they may be written there, if they may here.
    pub writable: bool,
    /// The mappings here go, and those there take their places.
    pub grant: bool,
}

/// A part of a run within one table on each side.
#[derive(Clone, Copy)]
struct Piece {
    source: u32,
    to: (u32, u32),
    entries: u32,
}

impl Piece {
    /// The entry that the first page is to be seen by, once there is a table.
    fn destination(self, table: u32) -> u32 {
        table + (self.to.1 >> 10 & 0xFFC)
    }
}

impl Run {
    /// Whether `later` begins where this run ends: among the pages that are to be mapped from there are some that this
    /// one brings. What a survey says of `later` is not true then once this one is mapped.
    #[inline(always)]
    pub fn feeds(&self, later: &Run) -> bool {
        let last = |address: u32, pages: u32| (address >> 12) + (pages - 1);
        self.to.0 == later.from.0
            && self.to.1 >> 12 <= last(later.from.1, later.pages)
            && later.from.1 >> 12 <= last(self.to.1, self.pages)
    }

    /// The part of the run that begins at page `done`, if anything of the pool's is there to be mapped, and pages up to
    /// where the next begins. Both sides are aligned alike, so no table ends within it.
    #[inline(always)]
    fn piece<M: Memory>(&self, t: &Tables<M>, done: u32) -> (Option<Piece>, u32) {
        let entries = self.pages.min(layout::ENTRIES);
        let (source, address) = (self.from.1 + done * layout::FRAME, self.to.1 + done * layout::FRAME);
        if source >> 22 >= layout::USER_TABLES {
            return (None, self.pages - done);
        }
        match t.pool_place(self.from.0, source >> 22) {
            PoolPlace::Table(table) => {
                let source = table + (source >> 10 & 0xFFC);
                (Some(Piece { source, to: (self.to.0, address), entries }), entries)
            }
            _ => (None, entries),
        }
    }

    /// What a page's entry allows that is mapped with this run.
    #[inline(always)]
    fn child(&self, source: Entry) -> Entry {
        source.child(Entry::inherited(self.writable))
    }
}

/// Whether `entry` shows the frame of `wanted`, and allows as much.
#[inline(always)]
fn suffices(entry: Entry, wanted: Entry) -> bool {
    entry.address() == wanted.address() && (entry.is_writable() || !wanted.is_writable())
}

/// Bytes of entries that are looked at for a unit.
const STRETCH: u32 = 64;
/// Units that a new table costs: it is cleared.
const TABLE_UNITS: u32 = 20;

/// Spends units of work that does not stop.
#[inline(always)]
pub(crate) fn go_on(budget: &mut impl Budget, units: u32) {
    let goes_on = budget.spend(units);
    debug_assert!(goes_on, "what is begun here is done");
}

impl Database {
    /// What a run takes of the pool, and of what is charged to the receiver's space. Changes nothing.
    ///
    /// # Errors
    /// Taken, TooDeep.
    pub fn survey<M: Memory>(
        &self,
        t: &Tables<M>,
        run: &Run,
        budget: &mut impl Budget,
    ) -> Result<(Need, Need), MapFault> {
        let (mut pool, mut charged) = (Need::default(), Need::default());
        let mut done = 0;
        while done < run.pages {
            let (piece, pages) = run.piece(t, done);
            done += pages;
            go_on(budget, 1);
            let Some(piece) = piece else { continue };
            let (mapped, granted, any) = self.survey_piece(t, run, piece, budget)?;
            if !any {
                continue;
            }
            if piece.to.1 >> 22 >= layout::USER_TABLES {
                return Err(MapFault::Taken);
            }
            match t.pool_place(piece.to.0, piece.to.1 >> 22) {
                PoolPlace::Table(_) => {}
                PoolPlace::Free => {
                    pool.tables += 1;
                    charged.tables += 1;
                }
                PoolPlace::Taken => return Err(MapFault::Taken),
            }
            pool.nodes += mapped;
            charged.nodes += mapped + granted;
        }
        Ok((pool, charged))
    }

    /// How many pages take a node more, how many bring their own, and whether there is any page.
    #[inline(always)]
    fn survey_piece<M: Memory>(
        &self,
        t: &Tables<M>,
        run: &Run,
        piece: Piece,
        budget: &mut impl Budget,
    ) -> Result<(u32, u32, bool), MapFault> {
        let table = match piece.to.1 >> 22 {
            index if index >= layout::USER_TABLES => None,
            index => match t.pool_place(piece.to.0, index) {
                PoolPlace::Table(table) => Some(piece.destination(table)),
                _ => None,
            },
        };
        let (mut mapped, mut granted, mut any) = (0, 0, false);
        for offset in (0..4 * piece.entries).step_by(4) {
            if offset % STRETCH == 0 {
                go_on(budget, 1);
            }
            if !Entry(t.memory.load(piece.source + offset)).is_present() {
                continue;
            }
            any = true;
            go_on(budget, 1);
            // What is there already goes, and leaves its node.
            let vacant = table.is_none_or(|table| t.memory.load(table + offset) == 0);
            if run.grant {
                granted += u32::from(vacant && run.from.0 != run.to.0);
                continue;
            }
            if self.depth(t, self.node_of(t, piece.source + offset)) == MAX_DEPTH {
                return Err(MapFault::TooDeep);
            }
            mapped += u32::from(vacant);
        }
        Ok((mapped, granted, any))
    }

    /// Maps a run that was surveyed, and whose need the pool has: all pages of the pool's that are present. Returns
    /// what is due for those that were there before.
    pub fn map<M: Memory>(&mut self, t: &mut Tables<M>, run: &Run, budget: &mut impl Budget) -> Flush {
        let (mut flush, mut done) = (Flush::None, 0);
        while done < run.pages {
            let (piece, pages) = run.piece(t, done);
            done += pages;
            go_on(budget, 1);
            if let Some(piece) = piece {
                flush = flush.and(self.map_piece(t, run, piece, budget));
            }
        }
        flush
    }

    /// Maps a run of one page if that takes nothing but a node: there are tables, and nothing is in the way. `false`:
    /// nothing has changed; to survey and map it does the same, or tells why not.
    #[inline(always)]
    pub fn map_page<M: Memory>(&mut self, t: &mut Tables<M>, run: &Run) -> bool {
        let [from, to] =
            [run.from, run.to].map(|(directory, address)| match address >> 22 < layout::USER_TABLES {
                true => t.pool_place(directory, address >> 22),
                false => PoolPlace::Taken,
            });
        let (PoolPlace::Table(source), PoolPlace::Table(there)) = (from, to) else { return false };
        let [source, there] =
            [(source, run.from.1), (there, run.to.1)].map(|(table, address)| table + (address >> 10 & 0xFFC));
        let entry = Entry(t.memory.load(source));
        if run.pages != 1 || run.grant || !entry.is_present() || t.memory.load(there) != 0 {
            return false;
        }
        let parent = self.node_of(t, source);
        if self.depth(t, parent) == MAX_DEPTH || !t.is(entry.address(), FrameType::Pooled) {
            return false;
        }
        let Some(node) = self.pool.take_node(t) else { return false };
        self.add_child(t, parent, node, (run.to.0, there), run.child(entry));
        true
    }

    /// Makes `entry`, in a table of a Directory, a child of `parent`. It is charged at once: what is mapped next may take
    /// it back.
    #[inline(always)]
    fn add_child<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        parent: u32,
        node: u32,
        (directory, place): (u32, u32),
        entry: Entry,
    ) {
        self.insert(t, parent, node);
        self.bind(t, node, place);
        t.memory.store(place, entry.0);
        self.charge_mapping(t, directory);
    }

    fn map_piece<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        run: &Run,
        piece: Piece,
        budget: &mut impl Budget,
    ) -> Flush {
        let (mut flush, mut destination) = (Flush::None, None);
        for offset in (0..4 * piece.entries).step_by(4) {
            if offset % STRETCH == 0 {
                go_on(budget, 1);
            }
            let source = piece.source + offset;
            let mut entry = Entry(t.memory.load(source));
            if !entry.is_present() {
                continue;
            }
            go_on(budget, NODE_UNITS);
            let first = match destination {
                Some(first) => first,
                None => match self.destination(t, piece, budget) {
                    Some(first) => *destination.insert(first),
                    None => break,
                },
            };
            let there = first + offset;
            if t.memory.load(there) != 0 {
                let (due, go_on) = self.make_room(t, run, source, there, budget);
                flush = flush.and(due);
                // What was there may have been what this was mapped from.
                entry = Entry(t.memory.load(source));
                if !go_on || !entry.is_present() {
                    continue;
                }
            }
            // Nothing is derived from a frame that is being taken back.
            if !t.is(entry.address(), FrameType::Pooled) {
                continue;
            }
            if run.grant {
                flush = flush.and(self.grant(t, run, source, there, budget));
                continue;
            }
            let Some(node) = self.pool.take_node(t) else { break };
            let parent = self.node_of(t, source);
            self.add_child(t, parent, node, (run.to.0, there), run.child(entry));
        }
        flush
    }

    /// The entry that the first page of a piece is to be seen by. The survey has seen to it that there can be one.
    #[inline(always)]
    fn destination<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        piece: Piece,
        budget: &mut impl Budget,
    ) -> Option<u32> {
        let (directory, index) = (piece.to.0, piece.to.1 >> 22);
        let table = match t.pool_place(directory, index) {
            PoolPlace::Table(table) => table,
            PoolPlace::Free => {
                go_on(budget, TABLE_UNITS);
                self.new_table(t, directory, index)?
            }
            PoolPlace::Taken => return None,
        };
        Some(piece.destination(table))
    }

    /// Deals with what is in the entry `there` that the page in `source` is to be seen by: it goes, with all that hangs
    /// on it. `false`: it stays, for it is that page, and allows as much.
    #[cold]
    fn make_room<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        run: &Run,
        source: u32,
        there: u32,
        budget: &mut impl Budget,
    ) -> (Flush, bool) {
        let wanted = run.child(Entry(t.memory.load(source)));
        let same = source == there || !run.grant && suffices(Entry(t.memory.load(there)), wanted);
        if same {
            return (Flush::None, false);
        }
        let node = self.node_of(t, there);
        let (_, flush) = self.revoke(t, node, budget);
        (flush.and(self.take(t, node)), true)
    }

    /// The mapping in `source` moves to the empty entry `there`, with all that hangs on it.
    fn grant<M: Memory>(
        &mut self,
        t: &mut Tables<M>,
        run: &Run,
        source: u32,
        there: u32,
        budget: &mut impl Budget,
    ) -> Flush {
        let node = self.node_of(t, source);
        let was = Entry(t.memory.swap(source, 0));
        let mut flush = due(t, was, t.seen(source));
        t.memory.store(there, run.child(was).0);
        self.bind(t, node, there);
        self.uncharge_mapping(t, run.from.0);
        self.charge_mapping(t, run.to.0);
        if was.is_writable() && !run.writable {
            flush = flush.and(self.protect(t, node, budget));
        }
        flush
    }
}

const _: () = assert!(NODE_OF == layout::FRAME);
