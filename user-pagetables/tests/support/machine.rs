//! A machine on the host: physical memory, and an MMU that walks it and remembers what it found for
//! as long as it may (SDM vol. 3, 4.3 and 4.10). Shares nothing with the library but the trait.

use std::collections::BTreeMap;

use freehold_user_pagetables::Memory;

/// Words of memory, and what they were before they were written.
pub struct Physical {
    words: Vec<u32>,
    journal: BTreeMap<u32, u32>,
    /// Whether totals are no bounds.
    pub unbounded: bool,
}

impl Physical {
    /// `bytes` of zeros.
    pub fn new(bytes: u32) -> Physical {
        Physical { words: vec![0; bytes as usize / 4], journal: BTreeMap::new(), unbounded: false }
    }

    /// From now on, what changes is remembered.
    pub fn mark(&mut self) {
        self.journal.clear();
    }

    /// Addresses of words that differ from what they were at the mark.
    pub fn changes(&self) -> Vec<u32> {
        let changed = self.journal.iter().filter(|&(&address, &old)| self.load(address) != old);
        changed.map(|(&address, _)| address).collect()
    }

    /// Where the words differ: address, here, there.
    pub fn differences(&self, other: &Physical) -> Vec<(u32, u32, u32)> {
        let pairs = (0..).step_by(4).zip(self.words.iter().zip(&other.words));
        pairs.filter(|(_, (a, b))| a != b).map(|(address, (&a, &b))| (address, a, b)).collect()
    }

    fn word(&mut self, address: u32) -> &mut u32 {
        assert!(address.is_multiple_of(4));
        let word = &mut self.words[address as usize / 4];
        self.journal.entry(address).or_insert(*word);
        word
    }
}

impl Memory for Physical {
    fn load(&self, address: u32) -> u32 {
        assert!(address.is_multiple_of(4));
        self.words[address as usize / 4]
    }

    fn store(&mut self, address: u32, word: u32) {
        *self.word(address) = word;
    }

    fn swap(&mut self, address: u32, word: u32) -> u32 {
        std::mem::replace(self.word(address), word)
    }

    fn clear(&mut self, address: u32, bytes: u32) {
        for offset in (0..bytes).step_by(4) {
            self.store(address + offset, 0);
        }
    }

    fn is_bounded(&self) -> bool {
        !self.unbounded
    }
}

/// Where an access ends: physical page, and whether it can be written.
pub type Translation = (u32, bool);

const PRESENT: u32 = 1 << 0;
const WRITE: u32 = 1 << 1;
const USER: u32 = 1 << 2;
/// The processor used the entry.
pub const ACCESSED: u32 = 1 << 5;
/// The processor wrote through it.
pub const DIRTY: u32 = 1 << 6;

/// Walks tables. Forgets nothing by itself: what a processor may keep, this one keeps.
#[derive(Default)]
pub struct Mmu {
    pages: BTreeMap<u32, Translation>,
    directory: BTreeMap<u32, u32>,
}

impl Mmu {
    /// An access of a program to page number `page` in the space of `cr3`.
    pub fn access(&mut self, memory: &mut Physical, cr3: u32, page: u32) -> Option<Translation> {
        if let Some(&found) = self.pages.get(&page) {
            return Some(found);
        }
        let above = match self.directory.get(&(page >> 10)) {
            Some(&cached) => cached,
            None => {
                let at = cr3 + (page >> 10) * 4;
                let entry = memory.load(at);
                if entry & PRESENT == 0 {
                    return None;
                }
                memory.store(at, entry | ACCESSED);
                self.directory.insert(page >> 10, entry);
                entry
            }
        };
        let at = (above & 0xFFFF_F000) + (page & 1023) * 4;
        let entry = memory.load(at);
        if entry & PRESENT == 0 || entry & above & USER == 0 {
            return None;
        }
        let writable = entry & above & WRITE != 0;
        memory.store(at, entry | ACCESSED | if writable { DIRTY } else { 0 });
        let found = (entry & 0xFFFF_F000, writable);
        self.pages.insert(page, found);
        Some(found)
    }

    /// INVLPG.
    pub fn forget_page(&mut self, address: u32) {
        self.pages.remove(&(address >> 12));
        self.directory.remove(&(address >> 22));
    }

    /// A load of CR3.
    pub fn forget_all(&mut self) {
        *self = Mmu::default();
    }

    /// The translations that are remembered.
    pub fn cached(&self) -> &BTreeMap<u32, Translation> {
        &self.pages
    }

    /// The directory entries that are remembered: index, table, writable.
    pub fn cached_directory(&self) -> impl Iterator<Item = (u32, Translation)> {
        self.directory.iter().map(|(&index, &entry)| (index, (entry & 0xFFFF_F000, entry & WRITE != 0)))
    }
}

/// Everything that the tables of `cr3` map below 3 GiB, by page number, without a TLB.
pub fn walk(memory: &Physical, cr3: u32) -> BTreeMap<u32, Translation> {
    let mut found = BTreeMap::new();
    for index in 0..768 {
        let above = memory.load(cr3 + 4 * index);
        if above & PRESENT == 0 {
            continue;
        }
        for page in 0..1024 {
            let entry = memory.load((above & 0xFFFF_F000) + 4 * page);
            if entry & PRESENT != 0 && entry & above & USER != 0 {
                found.insert(index << 10 | page, (entry & 0xFFFF_F000, entry & above & WRITE != 0));
            }
        }
    }
    found
}
