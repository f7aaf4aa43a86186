//! Words of a Validate changed while it is interrupted.
//!
//! A thread of low priority fills a Table by Validate, from words that all name a page which is its own to write. Its other
//! thread wakes with every tick of the clock; when it finds the Table filled in part, the call has been interrupted, and it
//! changes the words that are still to be read: to a page that may only be read, with Write; to the page-table area; to the
//! kernel's addresses; to a page that is not mapped. It does the same to words that were read already.
//!
//! Success would mean: what was checked is not what is used (XSA-299, -310). Evidence: a page that may only be read is
//! written through the Table, or an entry shows a frame that none of its pages has.
//!
//! What stops it: invariants 4, 18, 20. Each word is read once, in the unit that makes its entry, and all of it is checked
//! then; what an interrupted call still lacks is checked anew.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use freehold_attacks::edge::{self, Ground, probe};
use freehold_attacks::rt::abi::layout::{ENTRIES, FRAME};
use freehold_attacks::rt::thread::{self, Options};
use freehold_attacks::rt::{CapName, Rights, calls, memory, time};
use freehold_attacks::{Evidence, Kit, attack, format, idle};

attack!("validation-restart", attacker, idle);

fn attacker(kit: &mut Kit) -> Evidence {
    edge::guarded(kit, work)
}

/// Code of a total that allows a Table full of mappings.
const MANY: u32 = 59;
/// Pages: what may be written, what may only be read, the words.
const OWN: u32 = 0;
const READ: u32 = 1;
const WORDS: u32 = 2;
const MARK: u32 = 0x7E57_0001;
const ADDRESS: u32 = !(FRAME - 1);
const WRITABLE: u32 = 2;

static TABLE: AtomicU32 = AtomicU32::new(0);
static AT: AtomicU32 = AtomicU32::new(0);
static WORD: AtomicU32 = AtomicU32::new(0);
/// 1: the Validate is under way.
static UNDER_WAY: AtomicU32 = AtomicU32::new(0);
/// 1: the words were changed; 2: the Validate is over, and its entries wait to be looked at.
static STAGE: AtomicU32 = AtomicU32::new(0);

fn work(kit: &mut Kit) -> Evidence {
    let scene = (Ground::new(0), Ground::new(1), memory::take(1, 1), memory::take(1, 1), memory::take(1, 1));
    let (Some(ground), Some(target), Some(own), Some(read), Some(words)) = scene else {
        return kit.untried("no memory to try it with");
    };
    let mapped = ground
        .map(own, OWN, Rights::WRITE, MANY)
        .and_then(|()| ground.map(read, READ, Rights::NONE, MANY))
        .and_then(|()| ground.map(words, WORDS, Rights::WRITE, 0));
    if let Err(stop) = mapped {
        return kit.untried(format!("no pages of its own: {:?}", stop.error));
    }
    let [own, read, words] = [OWN, READ, WORDS].map(|page| ground.address(page));
    TABLE.store(target.table().0, Relaxed);
    AT.store(words, Relaxed);
    WORD.store(own | Rights::WRITE.bits(), Relaxed);
    let frames = [ground.entry(OWN), ground.entry(READ)].map(|entry| entry & ADDRESS);
    let options = Options { stack_pages: 2, ..Options::new(probe::priority().saturating_sub(1)) };
    let Ok(validator) = thread::spawn(validate, 0, options) else {
        return kit.untried("no memory for a thread");
    };
    let evil = [
        read | Rights::WRITE.bits(),
        freehold_attacks::rt::abi::info::place::AREA | Rights::WRITE.bits(),
        0xC000_0000 | Rights::WRITE.bits(),
        ground.address(900) | Rights::WRITE.bits(),
    ];
    let mut caught = 0;
    let mut found = None;
    while found.is_none() && !kit.pause(1) {
        let Some(view) = target.view() else { continue };
        let is_there = |page: u32| probe::read(view + 4 * page).is_some_and(|entry| entry != 0);
        if UNDER_WAY.load(Relaxed) == 0 || !is_there(0) || is_there(ENTRIES - 1) {
            continue;
        }
        let word = evil[caught as usize % evil.len()];
        probe::fill(words, ENTRIES, word);
        caught += 1;
        kit.tries += 1;
        STAGE.store(1, Relaxed);
        while STAGE.load(Relaxed) != 2 {
            time::sleep(1);
        }
        found = (0..ENTRIES).find_map(|page| {
            let entry = probe::read(view + 4 * page).unwrap_or(0);
            let stranger = entry != 0 && !frames.contains(&(entry & ADDRESS));
            let raised = entry & ADDRESS == frames[1] && entry & WRITABLE != 0;
            let written = raised && probe::write(target.address(page), MARK);
            (stranger || written).then_some((page, entry))
        });
        STAGE.store(0, Relaxed);
    }
    let _ = validator.destroy();
    match found {
        Some((page, entry)) => {
            kit.successes += 1;
            kit.broken(format!(
                "a word changed in the middle made entry {page} {entry:#x}; a page to be read was written"
            ))
        }
        None => kit.held(format!("{caught} Validates were caught half-way and their words changed")),
    }
}

/// The validator's part.
fn validate(_: u32) {
    let (table, words) = (CapName(TABLE.load(Relaxed)), AT.load(Relaxed));
    loop {
        for index in 0..ENTRIES {
            // SAFETY: the attack's own page, which is mapped and which no reference covers.
            unsafe { ((words + 4 * index) as *mut u32).write_volatile(WORD.load(Relaxed)) };
        }
        UNDER_WAY.store(1, Relaxed);
        let _ = calls::validate(table, 0, ENTRIES, words);
        UNDER_WAY.store(0, Relaxed);
        if STAGE.load(Relaxed) == 1 {
            STAGE.store(2, Relaxed);
            while STAGE.load(Relaxed) == 2 {
                time::sleep(1);
            }
        }
        let _ = calls::unmap(table, 0, ENTRIES);
    }
}
