//! Boot: memory is taken stock of, and the first program gets all of it.
//!
//! What must hold: nothing of what the boot loader left is read after the boot containers and the
//! frame table are laid over it; every frame of RAM is either the kernel's, since now and for
//! ever, or the first program's; what is handed over as free is clear.

use arrayvec::ArrayVec;
use elf::ElfBytes;
use elf::abi::{EM_386, PF_W, PT_LOAD};
use elf::endian::LittleEndian;
use freehold_abi::info::{Kind, Range, place, start};
use freehold_abi::layout::{BLOCK, ENTRIES, FRAME, MAX_PRIORITY, UNLIMITED, USER_END};
use freehold_abi::{Rights, info};
use freehold_captree::{Link, plant};
use freehold_user_pagetables::{FrameType, Kind as EntryKind, Memory, Tables, layout, total};

use crate::arch::paging;
use crate::caps::Content;
use crate::designs;
use crate::kernel::Kernel;
use crate::multiboot::Loaded;
use crate::physical::{self, Physical};
use crate::thread::ThreadRef;

/// RAM below this stays with the board: BIOS data, video memory, the boot loader's leftovers.
const LOW_END: u32 = 1 << 20;

/// Bytes kept for the first program's objects and image.
const FIRST_PROGRAM: u32 = 2 << 20;

/// A stretch of RAM of at least `bytes`, aligned for Tables, that neither the kernel nor a module is in.
fn find_room(loaded: &Loaded, image: &core::ops::Range<u32>, bytes: u32) -> Option<Range> {
    let image = Range { start: image.start, end: image.end };
    let taken = || loaded.modules.iter().map(|module| module.memory).chain([image]);
    loaded.available.iter().find_map(|range| {
        let mut start = range.start.max(LOW_END).next_multiple_of(layout::TABLE);
        loop {
            let limit = taken().map(|used| used.start).filter(|&used| used >= start);
            let end = limit.fold(range.end, u32::min);
            let inside = taken().find(|used| used.start < start && start < used.end);
            match inside {
                None if end.saturating_sub(start) >= bytes => break Some(Range { start, end }),
                None if end == range.end || start >= range.end => break None,
                // Behind whatever is in the way.
                None => start = (end + FRAME).next_multiple_of(layout::TABLE),
                Some(used) => start = used.end.next_multiple_of(layout::TABLE),
            }
        }
    })
}

/// Frames for the first program's objects, one after the other.
struct Bump {
    next: u32,
    end: u32,
}

impl Bump {
    fn take(&mut self, frames: u32) -> u32 {
        let at = self.next.next_multiple_of(frames * FRAME);
        self.next = at + frames * FRAME;
        assert!(self.next <= self.end, "not enough memory behind the modules for the first program");
        at
    }
}

/// Sets everything up, and leaves the first program ready to run.
///
/// # Panics
/// If the machine or its modules do not allow that; the message says what is missing.
pub fn boot(loaded: &Loaded, design: designs::State) -> &'static mut Kernel {
    let blocks = loaded.ram_end.div_ceil(BLOCK);
    let image = paging::kernel_image();
    let (table_bytes, pool_bytes) = (Tables::<Physical>::boot_bytes(blocks), design.pool_bytes());
    let bytes = table_bytes + pool_bytes.next_multiple_of(layout::TABLE);
    let room = find_room(loaded, &image, bytes + FIRST_PROGRAM).unwrap_or_else(|| match pool_bytes {
        0 => panic!("no room for the frame table and the first program: give the machine more memory"),
        _ => panic!("no room for a pool of {} KiB: give the machine more memory", pool_bytes >> 10),
    });
    let place = room.start;

    let mut tables = Tables::new(Physical, blocks, place);
    tables.current = paging::boot_directory();
    for range in &loaded.available {
        for frame in (range.start.max(LOW_END)..range.end).step_by(FRAME as usize) {
            if image.contains(&frame) {
                tables.reserve(frame);
            } else if !(place..place + bytes).contains(&frame) {
                tables.adopt(frame);
                if !loaded.modules.iter().any(|module| module.contains(frame)) {
                    tables.memory.clear(frame, FRAME);
                }
            }
        }
    }
    for block in 0..blocks {
        tables.reserve_table(place + block * layout::TABLE);
    }
    for frame in (place + blocks * layout::TABLE..place + bytes).step_by(FRAME as usize) {
        tables.reserve(frame);
    }

    let k = Kernel::found(tables);
    k.designs = design;
    let mut bump = Bump { next: place + bytes, end: room.end };
    let directory = first_program(k, loaded, blocks, &mut bump);
    designs::found(k, place + table_bytes, directory);
    k.boot_kernel_bytes = k.kernel_bytes();
    k
}

/// The first program: space, nodes, tables, image, stack, boot information, thread, capabilities.
/// Returns its Directory.
fn first_program(k: &mut Kernel, loaded: &Loaded, blocks: u32, bump: &mut Bump) -> u32 {
    // Nothing can fail that was not provided for: the memory is fresh and unlimited.
    const FRESH: &str = "fresh memory allows everything";
    let directory = bump.take(layout::TABLE_FRAMES);
    // The slots that name the space lie in nodes of that space, so those are filled afterwards.
    let nodes: [u32; start::NODES as usize] = core::array::from_fn(|_| bump.take(1));
    k.make_bare_space(directory, place::AREA, place::AREA_PAGES).expect(FRESH);
    for (index, node) in nodes.into_iter().enumerate() {
        k.make_cap_node(node, directory, index as u32).expect(FRESH);
    }
    let slot = |k: &Kernel, name| k.slot(directory, name).expect(FRESH);
    let own = slot(k, start::SPACE);
    k.name_object(directory, own, Kind::Space, 0).expect(FRESH);

    let area = bump.take(layout::TABLE_FRAMES);
    k.make_table(area, None, Some(directory)).expect(FRESH);
    let table = bump.take(layout::TABLE_FRAMES);
    let table_slot = slot(k, start::TABLE);
    k.make_table(table, Some(table_slot), Some(directory)).expect(FRESH);
    k.tables.hook(table_slot, table, directory, place::IMAGE / BLOCK, Rights::WRITE.0).expect(FRESH);

    let entry = load_image(k, loaded, directory, bump);
    // Where the image was loaded from is handed over as free memory, and so must be clear.
    for frame in loaded.modules[0].frames() {
        k.tables.memory.clear(frame, FRAME);
    }
    for page in 1..=place::STACK_BYTES / FRAME {
        let frame = bump.take(1);
        map(k, directory, frame, place::STACK_END - page * FRAME, true);
    }
    let info = bump.take(1);
    map(k, directory, info, place::BOOT_INFO, false);

    for block in 0..blocks {
        let slot = slot(k, freehold_abi::CapName(start::BLOCKS.0 + block));
        plant(&mut k.tables, slot, Rights::ALL.0, UNLIMITED);
        let (object, badge) = (k.tables.boot_table(block), (ENTRIES - 1) << 10);
        let content = Content { kind: Kind::Container, object, badge, spare: total::UNLIMITED_CODE };
        k.fill(slot, content, false);
    }
    let ports = slot(k, start::PORTS);
    k.make_in_slot(ports, Kind::IoPorts, 0xFFFF << 16, 0);
    for line in 0..crate::arch::pic::LINES {
        let slot = slot(k, freehold_abi::CapName(start::IRQ.0 + line));
        k.make_in_slot(slot, Kind::Irq, line, 0);
    }

    let (frame, utcb) = (bump.take(1), bump.take(1));
    let name = slot(k, start::THREAD);
    let thread: ThreadRef = k.make_thread(frame, utcb, name, directory, place::UTCB).expect(FRESH);
    thread.max_priority.set(MAX_PRIORITY as u8);
    thread.set_priority(MAX_PRIORITY as u8 / 2);
    thread.resume_at(entry, place::STACK_END);
    thread.set(crate::thread::reg::EBX, place::BOOT_INFO);
    k.scheduler.make_ready(thread);

    write_info(k, loaded, blocks, info);
    directory
}

/// Maps a frame of the first program at an address of its Table.
fn map(k: &mut Kernel, directory: u32, frame: u32, address: u32, writable: bool) {
    let slot = k.tables.slot_at(directory, address).expect("the first program has one Table");
    let rights = if writable { Rights::WRITE.0 } else { 0 };
    let root = k.tables.root(frame);
    k.tables.map(root, slot, rights, total::UNLIMITED_CODE).expect("a fresh frame, an empty entry");
}

/// Copies the first module's segments into fresh frames and maps them. Returns where it begins.
fn load_image(k: &mut Kernel, loaded: &Loaded, directory: u32, bump: &mut Bump) -> u32 {
    let module = loaded
        .modules
        .first()
        .expect("no first program: the boot loader passed no modules (QEMU: -initrd \"init,…\")");
    let bytes = (module.memory.end - module.memory.start) as usize;
    // SAFETY: modules are data that nobody has been given yet.
    let file = unsafe { physical::boot_bytes(module.memory.start, bytes) };
    let elf = ElfBytes::<LittleEndian>::minimal_parse(file).expect("the first module is not an ELF file");
    assert!(elf.ehdr.e_machine == EM_386, "the first module is not a program for ia32");
    let segments = elf.segments().expect("the first module has no program headers");
    for segment in segments.iter().filter(|segment| segment.p_type == PT_LOAD) {
        let data = elf.segment_data(&segment).expect("a segment of the first module is cut short");
        let (begin, end) = (segment.p_vaddr as u32, (segment.p_vaddr + segment.p_memsz) as u32);
        let inside = begin >= place::IMAGE && end <= place::STACK_END - place::STACK_BYTES - FRAME;
        assert!(inside && begin.is_multiple_of(FRAME), "a segment of the first module lies where it cannot");
        for page in (begin..end).step_by(FRAME as usize) {
            let frame = bump.take(1);
            let from = (page - begin) as usize;
            if from < data.len() {
                physical::fill(frame, 0, &data[from..data.len().min(from + FRAME as usize)]);
            }
            map(k, directory, frame, page, segment.p_flags & PF_W != 0);
        }
    }
    elf.ehdr.e_entry as u32
}

/// The ranges of RAM that the first program finds free: roots from which nothing is derived, and in
/// which no module lies that it has still to read.
fn free_ranges(k: &Kernel, loaded: &Loaded) -> ArrayVec<Range, { info::RANGES_MAX }> {
    let mut free = ArrayVec::<Range, { info::RANGES_MAX }>::new();
    for range in &loaded.available {
        for frame in (range.start..range.end).step_by(FRAME as usize) {
            let root = k.tables.root(frame);
            let is_root = k.tables.meta(root).kind() == EntryKind::Root;
            let in_module = loaded.modules.iter().skip(1).any(|module| module.contains(frame));
            if !is_root || in_module || !k.tables.root_is_leaf(root) {
                continue;
            }
            match free.last_mut() {
                Some(last) if last.end == frame => last.end += FRAME,
                // What does not fit into the list stays with its container, unannounced.
                _ => drop(free.try_push(Range { start: frame, end: frame + FRAME })),
            }
        }
    }
    free
}

/// Writes the boot information into its frame.
fn write_info(k: &Kernel, loaded: &Loaded, blocks: u32, frame: u32) {
    let free = free_ranges(k, loaded);
    let features = crate::arch::cpu::features();
    let flag = |has, flag| if has { flag } else { 0 };
    let boot = physical::boot_info(frame);
    boot.magic = info::BOOT_MAGIC;
    boot.blocks = blocks;
    boot.unreachable_frames = loaded.unreachable_frames;
    boot.cpu = flag(features.sep, info::CPU_SYSENTER)
        | flag(features.fxsr && features.sse, info::CPU_SSE)
        | flag(features.pge, info::CPU_GLOBAL);
    boot.free[..free.len()].copy_from_slice(&free);
    boot.free_count = free.len() as u32;
    for (place, module) in boot.modules.iter_mut().zip(loaded.modules.iter().skip(1)) {
        *place = *module;
        boot.module_count += 1;
    }
    boot.command_len = loaded.command_len;
    boot.text = loaded.text;
}

const _: () = assert!(place::AREA < USER_END && FrameType::Data as u32 == 0);
const _: () = assert!(size_of::<Link>() == 4);
