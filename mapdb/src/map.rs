//! Pages mapped onward, or granted: first surveyed, then done, so that what cannot be done whole is not begun.

use freehold_user_pagetables::{Entry, Flush, FrameType, Memory, PoolPlace, Tables, layout};

use crate::list::{MAX_DEPTH, NODE_OF, due};
use crate::pool::Need;
use crate::{Database, MapFault, Undivided};

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

/// End of the addresses that are a space's own.
const USER_END: u64 = (layout::USER_TABLES as u64) << 22;

impl Run {
    /// The part of the run that begins at page `done`, if anything of the pool's is there to be mapped, and pages up to
    /// where the next begins. Both sides are aligned alike, so no table ends within it.
    #[inline(always)]
    fn piece<M: Memory>(&self, t: &Tables<M>, done: u32) -> (Option<Piece>, u32) {
        let entries = self.pages.min(layout::ENTRIES);
        let source = u64::from(self.from.1) + u64::from(done) * u64::from(layout::FRAME);
        if source >= USER_END {
            return (None, self.pages - done);
        }
        let (source, address) = (source as u32, self.to.1.wrapping_add(done * layout::FRAME));
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

impl Database {
    /// What a run takes of the pool, and of what is charged to the receiver's space. Changes nothing.
    ///
    /// # Errors
    /// Taken, TooDeep.
    pub fn survey<M: Memory>(&self, t: &Tables<M>, run: &Run) -> Result<(Need, Need), MapFault> {
        let (mut pool, mut charged) = (Need::default(), Need::default());
        let mut done = 0;
        while done < run.pages {
            let (piece, pages) = run.piece(t, done);
            done += pages;
            let Some(piece) = piece else { continue };
            let (mapped, granted, any) = self.survey_piece(t, run, piece)?;
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
            if !Entry(t.memory.load(piece.source + offset)).is_present() {
                continue;
            }
            any = true;
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
    pub fn map<M: Memory>(&mut self, t: &mut Tables<M>, run: &Run) -> Flush {
        let (mut flush, mut done) = (Flush::None, 0);
        while done < run.pages {
            let (piece, pages) = run.piece(t, done);
            done += pages;
            if let Some(piece) = piece {
                flush = flush.and(self.map_piece(t, run, piece));
            }
        }
        flush
    }

    fn map_piece<M: Memory>(&mut self, t: &mut Tables<M>, run: &Run, piece: Piece) -> Flush {
        let (mut flush, mut destination, mut made) = (Flush::None, None, 0);
        for offset in (0..4 * piece.entries).step_by(4) {
            let source = piece.source + offset;
            let mut entry = Entry(t.memory.load(source));
            if !entry.is_present() {
                continue;
            }
            let first = match destination {
                Some(first) => first,
                None => match self.destination(t, piece) {
                    Some(first) => *destination.insert(first),
                    None => break,
                },
            };
            let there = first + offset;
            if t.memory.load(there) != 0 {
                let (due, go_on) = self.make_room(t, run, source, there);
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
                flush = flush.and(self.grant(t, run, source, there));
                continue;
            }
            let Some(node) = self.pool.take_node(t) else { break };
            let parent = self.node_of(t, source);
            self.insert(t, parent, node);
            self.bind(t, node, there);
            t.memory.store(there, run.child(entry).0);
            made += 1;
        }
        self.charge_mappings(t, run.to.0, made);
        flush
    }

    /// The entry that the first page of a piece is to be seen by. The survey has seen to it that there can be one.
    #[inline(always)]
    fn destination<M: Memory>(&mut self, t: &mut Tables<M>, piece: Piece) -> Option<u32> {
        let (directory, index) = (piece.to.0, piece.to.1 >> 22);
        let table = match t.pool_place(directory, index) {
            PoolPlace::Table(table) => table,
            PoolPlace::Free => self.new_table(t, directory, index)?,
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
    ) -> (Flush, bool) {
        let wanted = run.child(Entry(t.memory.load(source)));
        let same = source == there || !run.grant && suffices(Entry(t.memory.load(there)), wanted);
        if same {
            return (Flush::None, false);
        }
        let node = self.node_of(t, there);
        let (_, flush) = self.revoke(t, node, &mut Undivided);
        (flush.and(self.take(t, node)), true)
    }

    /// The mapping in `source` moves to the empty entry `there`, with all that hangs on it.
    fn grant<M: Memory>(&mut self, t: &mut Tables<M>, run: &Run, source: u32, there: u32) -> Flush {
        let node = self.node_of(t, source);
        let was = Entry(t.memory.swap(source, 0));
        let mut flush = due(t, was, t.seen(source));
        t.memory.store(there, run.child(was).0);
        self.bind(t, node, there);
        self.uncharge_mapping(t, run.from.0);
        self.charge_mappings(t, run.to.0, 1);
        if was.is_writable() && !run.writable {
            flush = flush.and(self.protect(t, node, &mut Undivided).1);
        }
        flush
    }
}

const _: () = assert!(NODE_OF == layout::FRAME);
