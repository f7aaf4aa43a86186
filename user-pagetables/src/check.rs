//! The invariants as predicates, by their numbers in docs/invariants.md. For tests: they look at
//! everything, and take as long as that takes.

use freehold_captree::check::tree;
use freehold_captree::{Link, Slots};

use crate::frames::TYPES;
use crate::layout::{self, AREA_BASE, AREA_HIDDEN, AREA_TABLES, ENTRIES, TABLE, USER_TABLES};
use crate::{Entry, FrameType, Kind, Memory, Tables};

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// (1) The counts by type differ from the types.
    Counts(FrameType),
    /// (1) A mapping leads to a frame whose type must not be mapped so.
    Mapped(Link, FrameType),
    /// (1) The root of this frame is not what the frame's type makes it.
    Type(u32),
    /// (2) The links of a frame differ from the hooks or threads that hold it.
    Links(u32),
    /// (3, 4, 8) The derivation tree of this root.
    Tree(Link, freehold_captree::check::Fault),
    /// (5) Entry and node disagree.
    Entry(Link),
    /// (5) There is an entry in no list of its frame, or a node without an entry.
    Nodes,
    /// (7) The live entries of a Table or Directory are miscounted.
    Live(u32),
    /// (7) A page-table area's own Table maps something else than views.
    Bound(u32),
    /// (11) A directory entry leads to something else than a Table.
    Level(Link),
    /// (13) An entry is not present and not zero.
    Residue(Link),
    /// A view, or the owner of a Table, does not fit the space's area.
    Area(u32),
}

/// Entries found on one way and nodes found on the other: mappings, and hooks of donated Tables.
#[derive(Default, PartialEq, Eq)]
struct Census {
    mappings: usize,
    hooks: usize,
}

impl<M: Memory> Tables<M> {
    /// Checks every frame, table and tree.
    ///
    /// # Errors
    /// The first thing found [`Broken`].
    pub fn check(&self) -> Result<(), Broken> {
        let (mut entries, mut nodes) = (Census::default(), Census::default());
        let mut counts = [0; TYPES];
        for number in 0..self.frame_count() {
            let frame = number << 12;
            let kind = self.frame_type(frame);
            counts[kind as usize] += 1;
            self.check_root(frame, kind, &mut nodes)?;
            match self.nature(frame) {
                FrameType::Table => self.check_table(frame, &mut entries)?,
                FrameType::Directory => self.check_directory(frame, &mut entries)?,
                _ => {}
            }
        }
        if let Some(kind) = FrameType::ALL.into_iter().find(|&kind| counts[kind as usize] != self.count(kind))
        {
            return Err(Broken::Counts(kind));
        }
        // Lists are well formed and apart, and their nodes are entries: equal numbers mean the same.
        if entries == nodes { Ok(()) } else { Err(Broken::Nodes) }
    }

    fn check_root(&self, frame: u32, kind: FrameType, nodes: &mut Census) -> Result<(), Broken> {
        let root = self.root(frame);
        let own = self.meta(root).kind();
        let fits = match kind {
            FrameType::Data | FrameType::Device => own == Kind::Root,
            FrameType::Kernel | FrameType::Hole => own == Kind::Hole,
            // Of a boot container or of an object.
            FrameType::Table if self.is_boot_table(frame) => own == Kind::Hole,
            FrameType::Sidecar if self.is_boot_table(layout::table_of(frame)) => own == Kind::Hole,
            FrameType::Sidecar => own == Kind::Part && self.root_is_leaf(root),
            _ => own == Kind::Donated,
        };
        if !fits {
            return Err(Broken::Type(frame));
        }
        if !matches!(own, Kind::Root | Kind::Donated) {
            return Ok(());
        }
        tree(self, root).map_err(|fault| Broken::Tree(root, fault))?;
        let mut at = self.next(root);
        while !at.is_none() {
            let (role, found) = match at.kind() {
                layout::IN_TABLE => (Kind::Mapping, &mut nodes.mappings),
                layout::IN_DIRECTORY => (Kind::Hook, &mut nodes.hooks),
                // Data is named by mappings alone: whoever takes a list of it apart relies on that.
                _ if own == Kind::Root => return Err(Broken::Entry(at)),
                _ => {
                    at = self.next(at);
                    continue;
                }
            };
            if self.meta(at).kind() != role || self.entry(at).address() != frame {
                return Err(Broken::Entry(at));
            }
            *found += 1;
            at = self.next(at);
        }
        Ok(())
    }

    fn check_table(&self, table: u32, entries: &mut Census) -> Result<(), Broken> {
        let (mut live, mut views) = (0, 0);
        for index in 0..ENTRIES {
            let slot = layout::in_table(table, index);
            let (entry, kind) = (self.entry(slot), self.meta(slot).kind());
            if !entry.is_present() && entry != Entry::ZERO {
                return Err(Broken::Residue(slot));
            }
            let maps = matches!(kind, Kind::Root | Kind::Mapping | Kind::View);
            if maps != entry.is_present() {
                return Err(Broken::Entry(slot));
            }
            if matches!(kind, Kind::Root | Kind::Donated | Kind::Part | Kind::Hole)
                != self.is_boot_table(table)
            {
                return Err(Broken::Entry(slot));
            }
            match kind {
                Kind::Root if self.frame_of_root(slot) != entry.address() => {
                    return Err(Broken::Entry(slot));
                }
                Kind::Mapping => {
                    live += 1;
                    self.check_mapping(slot, entry)?;
                }
                Kind::View if entry.is_writable() => return Err(Broken::Entry(slot)),
                Kind::View => {
                    views += 1;
                    self.check_view(table, index, entry)?;
                }
                Kind::Root => self.check_mapping(slot, entry)?,
                _ => {}
            }
        }
        entries.mappings += live as usize;
        if live != self.aux(table) {
            return Err(Broken::Live(table));
        }
        if self.count_hooks(table) != self.links(table) {
            return Err(Broken::Links(table));
        }
        self.check_area(table, live, views)
    }

    /// What the area of the Table's owner says of it. `live` and `views` are what the Table holds.
    fn check_area(&self, table: u32, live: u32, views: u32) -> Result<(), Broken> {
        let owner = self.owner(table);
        let (directory, place) = (owner & !(TABLE - 1), owner & (TABLE - 1));
        if owner == 0 {
            return if views == 0 { Ok(()) } else { Err(Broken::Area(table)) };
        }
        let listed = self.nature(directory) == FrameType::Directory
            && self.area_table(directory).is_some_and(|area| {
                self.entry(layout::in_table(area, place)).address() == table && (place != 0 || area == table)
            });
        let whole = if place == 0 { self.space_field(directory, AREA_TABLES) } else { 0 };
        if !listed || views != whole {
            return Err(Broken::Area(table));
        }
        if place == 0 && live != 0 { Err(Broken::Bound(table)) } else { Ok(()) }
    }

    fn check_mapping(&self, slot: Link, entry: Entry) -> Result<(), Broken> {
        let node = self.node(slot);
        if entry.is_writable() != (node.rights & 1 != 0) {
            return Err(Broken::Entry(slot));
        }
        if self.meta(slot).is_sole() != (self.nature(entry.address()) == FrameType::Utcb) {
            return Err(Broken::Entry(slot));
        }
        match self.frame_type(entry.address()) {
            FrameType::Data => Ok(()),
            FrameType::Utcb => {
                let root = self.root(entry.address());
                if self.next(root) == slot && self.next(slot).is_none() {
                    return Ok(());
                }
                Err(Broken::Mapped(slot, FrameType::Utcb))
            }
            // The object's list is being revoked; its last mapping may still stand.
            FrameType::Dying if self.was(entry.address()) == FrameType::Utcb => Ok(()),
            kind => Err(Broken::Mapped(slot, kind)),
        }
    }

    fn check_view(&self, area: u32, index: u32, entry: Entry) -> Result<(), Broken> {
        let directory = self.owner(area) & !(TABLE - 1);
        let fits = directory != 0
            && self.area_table(directory) == Some(area)
            && index < self.space_field(directory, AREA_TABLES)
            && self.nature(entry.address()) == FrameType::Table
            && self.owner(entry.address()) == directory | index;
        if fits { Ok(()) } else { Err(Broken::Area(area)) }
    }

    fn check_directory(&self, directory: u32, entries: &mut Census) -> Result<(), Broken> {
        let tables = self.space_field(directory, AREA_TABLES);
        let shown = tables != 0 && self.space_field(directory, AREA_HIDDEN) == 0;
        let mut live = 0;
        for index in 0..USER_TABLES {
            let slot = layout::in_directory(directory, index);
            let (entry, kind) = (self.entry(slot), self.meta(slot).kind());
            if !entry.is_present() && entry != Entry::ZERO {
                return Err(Broken::Residue(slot));
            }
            if matches!(kind, Kind::Hook | Kind::View | Kind::Pool) != entry.is_present()
                || !matches!(kind, Kind::Hook | Kind::View | Kind::Pool | Kind::Empty)
            {
                return Err(Broken::Entry(slot));
            }
            let area = shown && self.space_field(directory, AREA_BASE) >> 22 == index;
            if area != (kind == Kind::View) {
                return Err(Broken::Area(directory));
            }
            if !entry.is_present() {
                continue;
            }
            let target = entry.address();
            if kind == Kind::Pool {
                if self.frame_type(target) != FrameType::Kernel || self.owner(target) != directory | index {
                    return Err(Broken::Level(slot));
                }
                continue;
            }
            if self.nature(target) != FrameType::Table {
                return Err(Broken::Level(slot));
            }
            if kind == Kind::View && (entry.is_writable() || self.owner(target) != directory) {
                return Err(Broken::Area(directory));
            }
            if kind == Kind::Hook {
                live += 1;
                self.check_hook(slot, entry)?;
                entries.hooks += usize::from(!self.is_boot_table(target));
            }
        }
        if live == self.aux(directory) { Ok(()) } else { Err(Broken::Live(directory)) }
    }

    fn check_hook(&self, slot: Link, entry: Entry) -> Result<(), Broken> {
        // The list of a boot container begins in a capability slot, so it is not among those walked.
        let linked = !self.prev(slot).is_none() && self.next(self.prev(slot)) == slot;
        let writable = self.node(slot).rights & 1 != 0;
        if linked && entry.is_writable() == writable { Ok(()) } else { Err(Broken::Entry(slot)) }
    }

    /// Directory entries that lead to `table`.
    fn count_hooks(&self, table: u32) -> u32 {
        let directories = (0..self.frame_count())
            .map(|number| number << 12)
            .filter(|&frame| self.nature(frame) == FrameType::Directory);
        let slots = directories
            .flat_map(|directory| (0..USER_TABLES).map(move |index| layout::in_directory(directory, index)));
        let entries = slots.map(|slot| self.entry(slot));
        entries.filter(|entry| entry.is_present() && entry.address() == table).count() as u32
    }
}
