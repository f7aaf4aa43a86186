//! The operations: each is done by the library and by the model, and both must say the same. What is
//! refused changes no word of memory.

use freehold_captree::{DeriveError, derive, remove};
use freehold_user_pagetables::layout;
use freehold_user_pagetables::meta::SOLE;
use freehold_user_pagetables::{
    AreaError, DonateError, Flush, FrameType, FreshRoot, MapError, Memory, Progress, frames_of,
};

use super::forest::Refusal;
use super::model::{At, Space, total_of};
use super::world::{Units, World};

/// An operation. Places may hold anything: what then happens is part of the test.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    Donate { frame: u32, kind: FrameType, area: u32, pages: u32 },
    Derive { parent: At, cap: u32, rights: u8, total: u32 },
    Drop { cap: u32 },
    Attach { directory: u32, table: u32 },
    Detach { table: u32 },
    Withdraw { table: u32 },
    Hook { cap: u32, directory: u32, index: u32, rights: u8 },
    Unhook { directory: u32, index: u32 },
    Map { source: At, table: u32, index: u32, rights: u8, code: u32 },
    MapUtcb { frame: u32, table: u32, index: u32 },
    Unmap { table: u32, index: u32 },
    UnmapAt { hook: u32, index: u32 },
    Revoke { at: At, units: u32 },
    FixTotal { frame: u32, code: u32 },
    Switch { directory: u32 },
    Condemn { frame: u32 },
    Finish { frame: u32, units: u32, code: u32 },
}

impl From<Refusal> for MapError {
    fn from(refusal: Refusal) -> MapError {
        match refusal {
            Refusal::Busy => MapError::Busy,
            Refusal::TooDeep => MapError::TooDeep,
            Refusal::NoCredits => MapError::NoCredits,
        }
    }
}

impl From<Refusal> for AreaError {
    fn from(refusal: Refusal) -> AreaError {
        match refusal {
            Refusal::Busy => AreaError::Busy,
            Refusal::TooDeep => AreaError::TooDeep,
            Refusal::NoCredits => AreaError::NoCredits,
        }
    }
}

/// What both said, as one text; and whether that was a refusal.
type Outcome = Result<String, String>;

fn same<T: PartialEq + std::fmt::Debug, E: PartialEq + std::fmt::Debug>(
    found: Result<T, E>,
    wanted: Result<T, E>,
) -> Outcome {
    assert_eq!(found, wanted, "left: the library, right: the model");
    found.map(|value| format!("{value:?}")).map_err(|error| format!("{error:?}"))
}

impl World {
    /// Does `op` here and there; `None` if it makes no sense now, as no kernel would ask for it.
    /// Otherwise what came of it.
    pub fn apply(&mut self, op: Op) -> Option<Outcome> {
        self.tables.memory.mark();
        let outcome = self.perform(op)?;
        if outcome.is_err() {
            let changes = self.tables.memory.changes();
            assert!(changes.is_empty(), "{op:x?}: {outcome:?}, but words changed: {changes:x?}");
        }
        Some(outcome)
    }

    fn alive(&self, frame: u32, kind: FrameType) -> bool {
        self.model.types.get(&frame) == Some(&kind)
    }

    fn natured(&self, frame: u32, kind: FrameType) -> bool {
        self.model.types.contains_key(&frame) && self.model.nature(frame) == kind
    }

    fn perform(&mut self, op: Op) -> Option<Outcome> {
        let forest = &self.model.forest;
        Some(match op {
            Op::Donate { frame, kind, area, pages } => self.donate(frame, kind, area, pages),
            Op::Derive { parent, cap, rights, total } => {
                let source = match parent {
                    At::Root(frame) => self.alive(frame, FrameType::Table),
                    At::Cap(_) => true,
                    _ => false,
                };
                if !source || !forest.has(parent) || forest.has(At::Cap(cap)) {
                    return None;
                }
                self.derive(parent, cap, rights, total)
            }
            Op::Drop { cap } => {
                if cap < 2 || !forest.has(At::Cap(cap)) {
                    return None;
                }
                let (slot, wanted) = (layout::in_node(super::world::NODE, cap), forest.below(At::Cap(cap)));
                let removed = remove(&mut self.tables, slot);
                assert_eq!(removed.is_ok(), self.model.forest.remove(At::Cap(cap)));
                assert_eq!(removed.is_ok(), wanted == 0);
                if removed.is_ok() {
                    self.tables.memory.clear(slot.address(), layout::SLOT);
                }
                removed.map(|()| String::new()).map_err(|error| format!("{error:?}"))
            }
            Op::Attach { directory, table } => {
                let known = self.natured(table, FrameType::Table) || self.model.boot.contains(&table);
                if !known || !self.alive(directory, FrameType::Directory) {
                    return None;
                }
                self.attach(directory, table)
            }
            Op::Detach { table } if self.natured(table, FrameType::Table) => self.detach(table, false),
            Op::Withdraw { table } if self.alive(table, FrameType::Table) => self.detach(table, true),
            Op::Hook { cap, directory, index, rights } => {
                if !forest.has(At::Cap(cap)) || !self.alive(directory, FrameType::Directory) {
                    return None;
                }
                self.hook(At::Cap(cap), directory, index, rights)
            }
            Op::Unhook { directory, index } if self.alive(directory, FrameType::Directory) => {
                self.unhook(directory, index)
            }
            Op::Map { source, table, index, rights, code } => {
                let known = match source {
                    At::Root(frame) => self.model.types.contains_key(&frame),
                    At::Entry(table, _) => self.natured(table, FrameType::Table),
                    _ => false,
                };
                if !known || !self.natured(table, FrameType::Table) {
                    return None;
                }
                self.map(source, At::Entry(table, index), rights, code)
            }
            Op::MapUtcb { frame, table, index } => {
                if !self.alive(frame, FrameType::Utcb) || !self.natured(table, FrameType::Table) {
                    return None;
                }
                self.map_utcb(frame, At::Entry(table, index))
            }
            Op::Unmap { table, index } if self.natured(table, FrameType::Table) => {
                self.unmap(At::Entry(table, index), None)
            }
            Op::UnmapAt { hook, index } => return self.unmap_at(hook, index),
            Op::Revoke { at, units } if forest.has(at) => self.revoke(at, units),
            Op::FixTotal { frame, code } if self.model.types.contains_key(&frame) => {
                self.fix_total(frame, code)
            }
            Op::Switch { directory } if self.alive(directory, FrameType::Directory) => {
                self.switch(directory);
                Ok(String::new())
            }
            Op::Condemn { frame } => {
                let kind = *self.model.types.get(&frame)?;
                if !matches!(kind, FrameType::Table | FrameType::Directory | FrameType::Utcb) {
                    return None;
                }
                self.tables.condemn(frame, kind);
                assert_eq!(self.tables.was(frame), kind);
                self.model.types.insert(frame, FrameType::Dying);
                self.model.was.insert(frame, kind);
                self.cursors.insert(frame, 0);
                Ok(String::new())
            }
            Op::Finish { frame, units, code } if self.model.was.contains_key(&frame) => {
                Ok(format!("{:?}", self.finish(frame, units, code)))
            }
            _ => return None,
        })
    }

    fn donate(&mut self, frame: u32, kind: FrameType, area: u32, pages: u32) -> Outcome {
        let parts: Vec<_> = (0..frames_of(kind)).map(|part| frame + part * 4096).collect();
        let wanted = if !(frame / 4096).is_multiple_of(parts.len() as u32) {
            Err(DonateError::Misaligned)
        } else {
            let refusal = parts.iter().find_map(|part| match self.model.types.get(part) {
                Some(FrameType::Data) if self.model.forest.below(At::Root(*part)) > 0 => {
                    Some(DonateError::HasDescendants)
                }
                Some(FrameType::Data) => None,
                _ => Some(DonateError::NotData),
            });
            refusal.map_or(Ok(()), Err)
        };
        let donation = self.tables.check_donation(frame, kind);
        let outcome = same(donation.as_ref().map(|_| ()).map_err(|&error| error), wanted);
        if let Ok(donation) = donation {
            let flush = self.tables.donate(donation);
            for part in parts {
                self.model.forest.settle(At::Root(part));
                self.model.types.insert(part, if part == frame { kind } else { FrameType::Sidecar });
            }
            self.pay(flush);
            self.tables.memory.clear(frame, 4096 * frames_of(kind));
            if kind == FrameType::Directory {
                self.tables.declare_area(frame, area << 22, pages);
                self.model.spaces.insert(frame, Space { area, pages, tables: Vec::new() });
            }
        }
        outcome
    }

    fn derive(&mut self, parent: At, cap: u32, rights: u8, total: u32) -> Outcome {
        let bounded = (total != u32::MAX).then_some(total);
        let wanted = self.model.forest.derive(parent, At::Cap(cap), rights, bounded);
        let wanted = wanted.map(|()| total).map_err(|refusal| match refusal {
            Refusal::Busy => DeriveError::Busy,
            Refusal::TooDeep => DeriveError::TooDeep,
            Refusal::NoCredits => DeriveError::NoCredits,
        });
        let (above, slot) = (self.link(parent), self.link(At::Cap(cap)));
        let found = derive(&mut self.tables, above, slot, rights, total);
        if found.is_ok() {
            self.tables.set_cap_kind(slot, 3, false);
        }
        same(found, wanted)
    }

    fn attach(&mut self, directory: u32, table: u32) -> Outcome {
        let boot = self.model.boot.contains(&table);
        let occupied = self.model.hooked(directory);
        let space = &self.model.spaces[&directory];
        let wanted = if !boot && self.model.kind(table) != FrameType::Table {
            Err(AreaError::Gone)
        } else if boot || self.model.owner(table).is_some() {
            Err(AreaError::Owned)
        } else if space.tables.len() as u32 >= space.pages {
            Err(AreaError::Full)
        } else if space.tables.is_empty() && occupied.contains_key(&space.area) {
            Err(AreaError::Occupied)
        } else if space.tables.is_empty() && self.model.live(table) > 0 {
            Err(AreaError::NotEmpty)
        } else {
            Ok(())
        };
        if wanted.is_ok() {
            self.model.spaces.get_mut(&directory).unwrap().tables.push(table);
        }
        same(self.tables.attach(directory, table), wanted)
    }

    pub(super) fn detach(&mut self, table: u32, withdraw: bool) -> Outcome {
        let (owner, live) = (self.model.owner(table), self.model.live(table));
        let many = owner.is_some_and(|owner| self.model.spaces[&owner].tables.len() > 1);
        let wanted = if withdraw && live > 0 {
            Err(AreaError::NotEmpty)
        } else if owner.is_none() {
            Err(AreaError::NotInArea)
        } else if self.model.is_area(table) && many {
            Err(AreaError::NotEmpty)
        } else {
            Ok(())
        };
        let found = if withdraw { self.tables.withdraw(table) } else { self.tables.detach(table) };
        if let Ok(flush) = found {
            let tables = &mut self.model.spaces.get_mut(&owner.unwrap()).unwrap().tables;
            let place = tables.iter().position(|&listed| listed == table).unwrap();
            tables.swap_remove(place);
            self.pay(flush);
        }
        same(found.map(|_| ()), wanted)
    }

    fn hook(&mut self, cap: At, directory: u32, index: u32, rights: u8) -> Outcome {
        let table = self.model.target(cap);
        let at = At::Hook(directory, index);
        let dying = self.model.types.get(&table) == Some(&FrameType::Dying);
        let wanted = if dying {
            Err(AreaError::Gone)
        } else if index == self.model.spaces[&directory].area {
            Err(AreaError::PageTableArea)
        } else if self.model.forest.has(at) {
            Err(AreaError::Occupied)
        } else {
            self.model.forest.derive(cap, at, rights & 1, Some(0)).map_err(AreaError::from)
        };
        let cap = self.link(cap);
        same(self.tables.hook(cap, table, directory, index, rights), wanted)
    }

    fn unhook(&mut self, directory: u32, index: u32) -> Outcome {
        let space = &self.model.spaces[&directory];
        let wanted = if self.model.forest.has(At::Hook(directory, index)) {
            assert!(self.model.forest.remove(At::Hook(directory, index)));
            Ok(())
        } else if index == space.area && !space.tables.is_empty() {
            Err(AreaError::PageTableArea)
        } else {
            Err(AreaError::NoTable)
        };
        let found = self.tables.unhook(directory, index);
        self.pay(found.unwrap_or(Flush::None));
        same(found.map(|_| ()), wanted)
    }

    /// What the model says of a destination.
    fn takes_mapping(&self, at: At, total: Option<u32>) -> Result<(), MapError> {
        let At::Entry(table, _) = at else { panic!("no entry: {at:?}") };
        if self.model.kind(table) != FrameType::Table
            || self.model.is_area(table)
            || self.model.forest.has(at)
        {
            return Err(MapError::Occupied);
        }
        match (self.model.forest.item(At::Root(table)).total, total) {
            (None, _) => Ok(()),
            (Some(limit), Some(total)) if total <= limit => Ok(()),
            _ => Err(MapError::NoCredits),
        }
    }

    fn map(&mut self, source: At, at: At, rights: u8, code: u32) -> Outcome {
        let holds = match source {
            At::Root(frame) => self.model.kind(frame) == FrameType::Data,
            source => self.model.forest.has(source),
        };
        let wanted = if holds { self.takes_mapping(at, total_of(code)) } else { Err(MapError::EmptySource) };
        let wanted =
            wanted.and_then(|()| Ok(self.model.forest.derive(source, at, rights & 1, total_of(code))?));
        let (source, destination) = (self.link(source), self.link(at));
        same(self.tables.map(source, destination, rights, code), wanted)
    }

    fn map_utcb(&mut self, frame: u32, at: At) -> Outcome {
        let wanted = if self.model.forest.below(At::Root(frame)) > 0 {
            Err(MapError::Occupied)
        } else {
            self.takes_mapping(at, Some(0))
        };
        let root = At::Root(frame);
        let wanted = wanted.and_then(|()| Ok(self.model.forest.derive(root, at, 1 | SOLE, Some(0))?));
        let destination = self.link(at);
        same(self.tables.map_utcb(frame, destination), wanted)
    }

    fn unmap(&mut self, at: At, address: Option<u32>) -> Outcome {
        // What is no mapping stays as it is.
        let other = self.tables.entry(self.link(at)).is_present() && !self.model.forest.has(at);
        let leaf = !self.model.forest.has(at) || self.model.forest.remove(at);
        let found = self.tables.unmap_run(self.link(at), 1, address);
        self.pay(found.flush);
        assert_eq!(found.done, u32::from(leaf && !other));
        if leaf { Ok(String::new()) } else { Err("HasDescendants".into()) }
    }

    fn unmap_at(&mut self, hook: u32, index: u32) -> Option<Outcome> {
        let space = self.tables.current;
        let area = self.model.spaces.get(&space)?.area;
        let address = hook << 22 | index << 12;
        let wanted = match self.model.hooked(space).get(&hook) {
            _ if hook == area => Err(AreaError::PageTableArea),
            Some(&(table, _)) if self.model.owner(table) == Some(space) => match self.model.types[&table] {
                FrameType::Dying => Err(AreaError::NoTable),
                _ if self.model.is_area(table) => Err(AreaError::PageTableArea),
                _ => Ok(At::Entry(table, index)),
            },
            _ => Err(AreaError::NoTable),
        };
        assert_eq!(self.tables.slot_at(space, address), wanted.map(|at| self.link(at)));
        Some(match wanted {
            Ok(at) => self.unmap(at, Some(address)),
            Err(error) => Err(format!("{error:?}")),
        })
    }

    fn revoke(&mut self, at: At, units: u32) -> Outcome {
        let mut left = units;
        let wanted = loop {
            if self.model.forest.item(at).children.is_empty() {
                self.model.forest.settle(at);
                break Progress::Done;
            }
            if left == 0 {
                break Progress::Preempted;
            }
            self.model.forest.revoke_step(at);
            left -= 1;
        };
        let slot = self.link(at);
        let mut budget = Units::new(units);
        let (found, flush) = self.tables.revoke(slot, &mut budget);
        assert_eq!(found, wanted);
        self.pay(flush);
        Ok(format!("{found:?}"))
    }

    fn fix_total(&mut self, frame: u32, code: u32) -> Outcome {
        let root = At::Root(frame);
        let free = self.model.kind(frame) == FrameType::Data && self.model.forest.below(root) == 0;
        if free {
            self.model.forest.uproot(root);
            self.model.forest.plant(root, 7, total_of(code));
        }
        let slot = self.link(root);
        assert_eq!(self.tables.fix_total(slot, FreshRoot::new(code)), free);
        if free { Ok(String::new()) } else { Err("not a free root".into()) }
    }
}
