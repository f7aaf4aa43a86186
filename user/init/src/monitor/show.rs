//! What the monitor shows: numbers that the kernel tells, laid out for people.

use freehold_rt::abi::info::{FRAME_TYPES, Kernel, Kind};
use freehold_rt::abi::layout::{BLOCK, ENTRIES, FRAME, NODE_SLOTS, NODES, UNLIMITED};
use freehold_rt::{CapName, Error, Rights, SlotRef, calls, println};

use alloc::format;
use alloc::string::String;

/// A space under the name that people know it by.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The program's name.
    pub name: &'a str,
    /// Its space; none: the first program's own.
    pub space: CapName,
}

/// Every space: its Tables, live mappings and bound.
///
/// # Errors
/// Those of the questions to the kernel.
pub fn spaces(all: &[Known<'_>]) -> Result<(), Error> {
    println!("{:<10} {:>6} {:>8} {:>8} {:>7} {:>5}", "space", "Tables", "live", "bound", "threads", "nodes");
    for known in all {
        let summary = calls::space_summary(known.space)?;
        let mut live = 0;
        for index in 0..summary.tables {
            live += calls::space_table(known.space, index)?.live;
        }
        let bound = ENTRIES * summary.tables.saturating_sub(1);
        let (tables, threads, nodes) = (summary.tables, summary.threads, summary.nodes);
        println!("{:<10} {tables:>6} {live:>8} {bound:>8} {threads:>7} {nodes:>5}", known.name);
    }
    println!("bound: 1024 x (Tables - 1); the first Table holds only views of the others");
    Ok(())
}

/// Every Table of a space.
///
/// # Errors
/// As above.
pub fn tables(known: Known<'_>) -> Result<(), Error> {
    let summary = calls::space_summary(known.space)?;
    println!("{}: area at {:#010x}, room for {} Tables", known.name, summary.area, summary.area_pages);
    println!("{:>5} {:>10} {:>6} {:>6}", "Table", "at", "live", "hooks");
    for index in 0..summary.tables {
        let table = calls::space_table(known.space, index)?;
        let note = if index == 0 { "  views of the Tables" } else { "" };
        let address = table.frame * FRAME;
        println!("{index:>5} {address:>#10x} {:>6} {:>6}{note}", table.live, table.hooks);
    }
    Ok(())
}

/// Every capability of a space.
///
/// # Errors
/// As above.
pub fn caps(known: Known<'_>) -> Result<(), Error> {
    println!("{}: capabilities", known.name);
    println!(
        "{:>5} {:<12} {:<6} {:>5} {:>9} {:>9}  badge or range",
        "name", "kind", "rights", "depth", "total", "credits"
    );
    let mut count = 0;
    for node in 0..NODES {
        for slot in 0..NODE_SLOTS {
            let name = CapName::new(node, slot);
            let info = match calls::cap_info(SlotRef::of(known.space, name)) {
                // Name 0, or a node that the space does not have.
                Err(Error::NoCapability) => continue,
                other => other?,
            };
            if info.kind == Kind::Empty {
                continue;
            }
            count += 1;
            let (kind, rights) = (format!("{:?}", info.kind), rights(info.kind, info.rights));
            let (total, credits) = (number(info.total), number(info.credits));
            let what = badge(info.kind, info.badge);
            println!(
                "{:>5} {kind:<12} {rights:<6} {:>5} {total:>9} {credits:>9}  {what}",
                name.0, info.depth
            );
        }
    }
    println!("{count} capabilities");
    Ok(())
}

/// How many frames there are of each type, and what the kernel uses.
///
/// # Errors
/// As above.
pub fn frames() -> Result<(), Error> {
    let mut all = 0;
    for (number, name) in FRAME_TYPES.iter().enumerate() {
        let count = calls::frames_of_type(number as u32)?;
        all += count;
        println!("{name:<10} {count:>8}");
    }
    println!("{:<10} {all:>8}", "all");
    let ask = |question| calls::kernel_info(question);
    let (image, boot) = (ask(Kernel::ImageBytes)?, ask(Kernel::BootBytes)?);
    let allocated = ask(Kernel::AllocatedBytes)?;
    println!(
        "kernel: image {image} bytes, frame table and boot containers {boot} bytes, since boot {allocated} bytes"
    );
    println!("ticks {}, at most {} units of work at once", ask(Kernel::Ticks)?, ask(Kernel::MaxUnits)?);
    Ok(())
}

fn number(value: u32) -> String {
    if value == UNLIMITED { "unlimited".into() } else { format!("{value}") }
}

/// A letter for each right, as the kind means it (docs/calls.md, 1.5).
fn rights(kind: Kind, rights: Rights) -> String {
    let letters = match kind {
        Kind::Container => ['w', 's', 'e'],
        Kind::Space => ['-', '-', 'e'],
        Kind::Thread => ['c', '-', '-'],
        Kind::Endpoint | Kind::Notification => ['s', 'r', '-'],
        Kind::Irq | Kind::IoPorts => ['u', '-', '-'],
        Kind::Reply | Kind::Empty => ['-', '-', '-'],
    };
    (0..3).map(|bit| if rights.bits() & 1 << bit != 0 { letters[bit] } else { '-' }).collect()
}

fn badge(kind: Kind, badge: u32) -> String {
    let (low, high) = (badge & 0x3FF, badge >> 10 & 0x3FF);
    match kind {
        Kind::Container if high + 1 == ENTRIES => format!("all {ENTRIES} entries ({} MiB)", BLOCK >> 20),
        Kind::Container => format!("entries {low} to {}", low + high),
        Kind::IoPorts => format!("ports {:#x} to {:#x}", badge & 0xFFFF, badge >> 16),
        Kind::Irq => format!("line {badge}"),
        Kind::Endpoint | Kind::Notification if badge != 0 => format!("badge {badge:#x}"),
        _ => String::new(),
    }
}
