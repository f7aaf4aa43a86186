//! Memory that mappings take: of the kernel's, and of the spaces', by mappings, close together or 4 MiB apart in three
//! spaces.
//!
//! `kernel.bytes`: what the kernel has more of in use, whoever it counts it to. `space.bytes`: what the spaces had to bring
//! or are charged with. Under kernel-quota that is the same memory.

use alloc::format;
use alloc::vec::Vec;

use freehold_abi::designs::Design;
use freehold_abi::info::Kernel;
use freehold_abi::layout::{ENTRIES, FRAME, NODE_SLOTS};
use freehold_abi::{CapName, Rights, SlotRef};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::Frames;
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::{calls, memory};

use super::pool::{self, Given};
use super::taker::{Taker, mappings};
use crate::measure::{bytes, wanted};
use crate::revoking::derive;
use crate::stub;

/// Mappings in one space, one behind the other.
const DENSE: [u32; 6] = [1, 16, 256, 1_024, 10_000, 100_000];
/// Mappings in three spaces, each 4 MiB from the next.
const SPARSE: [u32; 6] = [1, 4, 16, 64, 256, 1024];
const SPACES: u32 = 3;
/// First directory index of the mappings.
const INDEX: u32 = 320;
/// Slots of a space's first node that nothing else uses: the first of them, and how many.
const FIRST_SLOT: u32 = 20;
const IN_FIRST: u32 = 32;

/// `kernel.bytes.*.*`, `space.bytes.*.*`.
pub fn run() {
    measure("dense", &DENSE, 1, |mapping| (mapping / ENTRIES, mapping % ENTRIES));
    measure("sparse", &SPARSE, SPACES, |mapping| (mapping, 0));
}

/// Makes more and more mappings; the `n`th one of a space is at the directory index and in the entry that `place` says.
fn measure(name: &str, counts: &[u32], spaces: u32, place: impl Fn(u32) -> (u32, u32)) {
    let names = |count| ["kernel", "space"].map(|whose| format!("{whose}.bytes.{name}.{count}"));
    let most = counts.iter().filter(|&&count| names(count).iter().any(|name| wanted(name))).max();
    let Some(&most) = most else { return };
    let page = Page::new();
    let mut spaces: Vec<Space> = (0..spaces).map(|_| Space::new()).collect();
    let of = |spaces: &[Space]| spaces.iter().map(Space::bytes).sum::<u32>();
    let (kernel, brought) = (kernel_bytes(), of(&spaces));
    let mut there = 0;
    for &count in counts.iter().filter(|&&count| count <= most) {
        while there < count {
            let (number, space) = (there / spaces.len() as u32, there as usize % spaces.len());
            let (index, entry) = place(number);
            // As many as lie side by side, if there is only one space.
            let more = if spaces.len() == 1 { (count - there).min(ENTRIES - entry) } else { 1 };
            spaces[space].map(&page, INDEX + index, entry, more);
            there += more;
        }
        check_eq!(spaces.iter().map(Space::mappings).sum::<u32>(), count);
        let [of_kernel, of_spaces] = names(count);
        bytes(&of_kernel, kernel_bytes() - kernel);
        bytes(&of_spaces, of(&spaces) - brought);
    }
    page.take_back();
    check_eq!(spaces.iter().map(Space::mappings).sum::<u32>(), 0);
}

/// What is mapped.
pub enum Page {
    /// A frame from which mappings are derived.
    Frame(Frames),
    /// One that map items pass on.
    Given(Given),
}

impl Page {
    /// One without mappings.
    pub fn new() -> Page {
        match pool::is_there() {
            true => Page::Given(Given::new(1, super::index() * ENTRIES * FRAME)),
            false => Page::Frame(Frames::take(1, 1)),
        }
    }

    fn take_back(&self) {
        match self {
            Page::Frame(frame) => {
                check_eq!(calls::revoke_range(frame.container(), frame.at(0), 1), Ok(()));
            }
            Page::Given(given) => {
                check_eq!(given.take_back(), stub::OK);
            }
        }
    }
}

/// A space in which a frame is mapped, and what it brought for that.
struct Space {
    home: Home,
    tables: Vec<Extent>,
    nodes: Vec<Extent>,
    taker: Option<Taker>,
    /// Mappings that were there before.
    before: u32,
}

impl Space {
    fn new() -> Space {
        let home = Home::new();
        let taker = pool::is_there().then(|| Taker::start(&home));
        pool::without_quota(home.space());
        let mut space = Space { home, tables: Vec::new(), nodes: Vec::new(), taker, before: 0 };
        space.before = space.mappings();
        space
    }

    /// Maps a page in `count` entries of a directory index, from one on.
    fn map(&mut self, page: &Page, index: u32, entry: u32, count: u32) {
        let first = index * ENTRIES + entry;
        match (page, &self.taker) {
            (Page::Given(given), Some(taker)) => taker.map(given, first, count),
            (Page::Frame(frame), None) => {
                if entry == 0 {
                    self.add_table(index);
                }
                derive((frame.container(), frame.at(0)), self.home.space(), first, count);
            }
            _ => unreachable!("one design at a time"),
        }
    }

    /// A Table that the space is given. The capability on which its hook hangs goes into the space, too: its first node
    /// has room for some, then it takes more nodes.
    fn add_table(&mut self, index: u32) {
        let (space, number) = (self.home.space(), self.tables.len() as u32);
        let (node, slot) = match number.checked_sub(IN_FIRST) {
            None => (0, FIRST_SLOT + number),
            Some(number) => (1 + number / NODE_SLOTS, number % NODE_SLOTS),
        };
        if node > self.nodes.len() as u32 {
            let root = memory::take(1, 1).expect("memory for a node");
            calls::make_cap_node(root.container, root.first, space, node).expect("a node");
            self.nodes.push(root);
        }
        let (frames, name) = (memory::take(4, 4).expect("memory for a Table"), Slot::take().expect("a slot"));
        calls::make_table(frames.container, frames.first, name.reference(), space).expect("a Table");
        calls::hook(name.name(), space, index, Rights::WRITE).expect("a hook");
        let to = SlotRef::of(space, CapName::new(node, slot));
        calls::relocate(name.reference(), to).expect("a capability moved");
        self.tables.push(frames);
    }

    /// Mappings in its Tables, or those of the pool's, but for those that were there before.
    fn mappings(&self) -> u32 {
        let space = self.home.space();
        if self.taker.is_some() {
            return mappings(space) - self.before;
        }
        let tables = calls::space_summary(space).expect("a space").tables;
        (0..tables).map(|table| calls::space_table(space, table).expect("a Table").live).sum::<u32>()
            - self.before
    }

    /// Bytes that it brought, or is charged with.
    fn bytes(&self) -> u32 {
        if calls::design() == Design::KernelQuota {
            return calls::account(self.home.space()).expect("a space").bytes;
        }
        self.tables.iter().chain(&self.nodes).map(|frames| frames.count * FRAME).sum()
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        for frames in self.tables.drain(..).chain(self.nodes.drain(..)) {
            check_eq!(memory::release(frames), Ok(()), "what a space brought");
        }
    }
}

/// Bytes that the kernel has in use beyond what it had after boot.
fn kernel_bytes() -> u32 {
    let of = |question| calls::kernel_info(question).expect("a question that the kernel knows");
    of(Kernel::AllocatedBytes) + of(Kernel::PoolUsed)
}
