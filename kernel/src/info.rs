//! What the kernel tells about spaces, capabilities and itself.

use freehold_abi::info::{Kernel as Question, SPACE_SUMMARY};
use freehold_abi::layout::{NODES, UNITS};
use freehold_abi::{CapName, Error};
use freehold_captree::Slots;
use freehold_user_pagetables::layout::{self, AREA_BASE, AREA_PAGES, AREA_TABLES, SPACE_NODES};
use freehold_user_pagetables::{Budget, FrameType, Tables};

use crate::arch::{self, cpu, paging};
use crate::kernel::Kernel;
use crate::physical::Physical;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{ThreadRef, reg};
use crate::units;

// Their names are part of the call interface.
const _: () = assert!(FrameType::ALL.len() == freehold_abi::info::FRAME_TYPES.len());

/// SpaceInfo: the summary, or one Table.
pub fn space(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [name, index, ..] = t.args();
    let directory = k.space(t, CapName::from_word(name))?;
    let count = k.tables.space_field(directory, AREA_TABLES);
    let answer = if index == SPACE_SUMMARY {
        let base = k.tables.space_field(directory, AREA_BASE);
        let pages = k.tables.space_field(directory, AREA_PAGES);
        let node = |node: &u32| k.tables.space_field(directory, SPACE_NODES + 4 * node) != 0;
        let nodes = (0..NODES).filter(node).count() as u32;
        [count, base | (pages - 1), k.tables.links(directory), nodes]
    } else {
        let area = k.tables.area_table(directory).filter(|_| index < count);
        let area = area.ok_or(Error::OutOfRange)?;
        let table = k.tables.entry(layout::in_table(area, index)).address();
        [k.tables.aux(table), k.tables.links(table), table / layout::FRAME, 0]
    };
    answer_with(t, answer)
}

/// CapInfo: kind, rights, depth, total, credits, badge.
pub fn capability(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let slot = k.slot_ref(t, t.args()[0])?;
    let cap = k.read(slot);
    let node = k.tables.node(slot);
    let word = cap.kind as u32 | cap.rights.bits() << 8 | node.depth << 16;
    let badge = k.badge_of(cap);
    answer_with(t, [word, node.total, node.credits, badge])
}

/// KernelInfo: one number.
pub fn kernel(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let question = t.get(reg::ESI);
    let is = |known: Question| question == known as u32;
    let types = Question::FrameType as u32;
    let answer = if is(Question::ImageBytes) {
        paging::kernel_image().end - paging::kernel_image().start
    } else if is(Question::BootBytes) {
        Tables::<Physical>::boot_bytes(k.tables.blocks())
    } else if is(Question::AllocatedBytes) {
        k.kernel_bytes().wrapping_sub(k.boot_kernel_bytes)
    } else if is(Question::Ticks) {
        units::ticks()
    } else if is(Question::MaxUnits) {
        k.units.most()
    } else if is(Question::Frames) {
        k.tables.frame_count() - k.tables.count(FrameType::Hole)
    } else if is(Question::Sysenter) {
        u32::from(cpu::features().sep)
    } else if is(Question::SpaceSwitches) {
        k.space_switches
    } else if is(Question::OrdinaryCalls) {
        k.ordinary_calls
    } else if let Some(answer) = k.designs.info(question) {
        answer
    } else if is(Question::StackUnused) {
        if !k.units.spend(UNITS) {
            return Ok(Outcome::Again);
        }
        arch::stack_unused()
    } else {
        let index = question.wrapping_sub(types) as usize;
        let kind = FrameType::ALL.get(index).ok_or(Error::OutOfRange)?;
        k.tables.count(*kind)
    };
    t.set(reg::EBX, answer);
    Ok(Outcome::Done)
}

fn answer_with(t: ThreadRef, [ebx, esi, edi, ebp]: [u32; 4]) -> CallResult {
    t.set(reg::EBX, ebx);
    t.set(reg::ESI, esi);
    t.set(reg::EDI, edi);
    t.set(reg::EBP, ebp);
    Ok(Outcome::Done)
}

impl Kernel {
    /// Bytes of frames that are the kernel's own. A frame becomes that only by its type, which is
    /// counted where it changes, so a kernel that helped itself to memory would show here.
    pub fn kernel_bytes(&self) -> u32 {
        let boot_tables = self.tables.blocks() * layout::TABLE;
        self.tables.count(FrameType::Kernel) * layout::FRAME + boot_tables
    }
}
