//! What the boot loader passed (Multiboot 0.6.96), copied before anything is laid over it.

use arrayvec::ArrayVec;
use freehold_abi::info::{MODULES_MAX, Module, RANGES_MAX, Range, TEXT_MAX};
use freehold_abi::layout::FRAME;
use multiboot::information::{MemoryManagement, MemoryType, Multiboot, PAddr, SIGNATURE_EAX};
use spin::Mutex;

use crate::arch::paging::DIRECT_MAP_END;
use crate::physical;
use crate::println;

/// The boot loader's information, as far as it is used.
pub struct Loaded {
    /// RAM that may be used, whole frames, within the direct map.
    pub available: ArrayVec<Range, RANGES_MAX>,
    /// End of the highest of these ranges.
    pub ram_end: u32,
    /// Frames of RAM above what the kernel can reach.
    pub unreachable_frames: u32,
    /// The modules, the first program first.
    pub modules: ArrayVec<Module, { MODULES_MAX + 1 }>,
    /// Bytes of the kernel's command line, at the beginning of `text`.
    pub command_len: u32,
    /// Command lines.
    pub text: [u8; TEXT_MAX],
}

/// The one copy: too large for the kernel's stack.
pub static LOADED: Mutex<Loaded> = Mutex::new(Loaded::new());

/// Physical addresses as slices of the direct map.
struct DirectMap;

impl MemoryManagement for DirectMap {
    unsafe fn paddr_to_slice(&self, address: PAddr, bytes: usize) -> Option<&'static [u8]> {
        let end = address.checked_add(bytes as u64)?;
        if end > DIRECT_MAP_END.into() {
            return None;
        }
        // SAFETY: mapped, by the check; the boot loader's data stays as it is until it is copied.
        Some(unsafe { physical::boot_bytes(address as u32, bytes) })
    }

    unsafe fn allocate(&mut self, _: usize) -> Option<(PAddr, &mut [u8])> {
        None
    }

    unsafe fn deallocate(&mut self, _: PAddr) {}
}

impl Loaded {
    /// Nothing read yet.
    const fn new() -> Loaded {
        Loaded {
            available: ArrayVec::new_const(),
            ram_end: 0,
            unreachable_frames: 0,
            modules: ArrayVec::new_const(),
            command_len: 0,
            text: [0; TEXT_MAX],
        }
    }

    /// Reads the information at `info`, as its signature `magic` promises.
    ///
    /// # Panics
    /// If the boot loader is none, or passed no memory map.
    pub fn read(&mut self, magic: u32, info: u32) {
        assert!(magic == SIGNATURE_EAX, "not started by a multiboot 1 loader (EAX {magic:#x})");
        let mut memory = DirectMap;
        // SAFETY: the loader promises the structure by its signature.
        let boot = unsafe { Multiboot::from_ptr(info.into(), &mut memory) }
            .expect("the boot loader's information lies out of reach");
        self.command_len = self.add_text(0, boot.command_line().unwrap_or("")).1;
        let mut used = self.command_len;
        for module in boot.modules().into_iter().flatten() {
            let (text_at, text_len) = self.add_text(used, module.string.unwrap_or(""));
            used += text_len;
            let memory = Range { start: module.start as u32, end: module.end as u32 };
            assert!(memory.start.is_multiple_of(FRAME), "a module does not begin at a page");
            self.modules.try_push(Module { memory, text_at, text_len }).expect("too many modules");
        }
        let regions = boot.memory_regions().expect("the boot loader passed no memory map");
        for region in regions.filter(|region| region.memory_type() == MemoryType::Available) {
            let (start, end) = (region.base_address(), region.base_address() + region.length());
            let reach = end.min(DIRECT_MAP_END.into());
            let beyond = end.saturating_sub(start.max(reach)) / u64::from(FRAME);
            self.unreachable_frames += beyond as u32;
            let start = start.next_multiple_of(FRAME.into());
            let reach = reach / u64::from(FRAME) * u64::from(FRAME);
            if start < reach {
                let range = Range { start: start as u32, end: reach as u32 };
                self.ram_end = self.ram_end.max(range.end);
                if self.available.try_push(range).is_err() {
                    println!("freehold: more than {RANGES_MAX} ranges of RAM: the rest stays unused");
                }
            }
        }
    }

    /// Whether the kernel's command line has this word.
    pub fn says(&self, word: &str) -> bool {
        let line = &self.text[..self.command_len as usize];
        line.split(|&byte| byte == b' ').any(|said| said == word.as_bytes())
    }

    /// What stands behind `key` in the first word of the kernel's command line that begins with it.
    pub fn value(&self, key: &str) -> Option<&str> {
        let line = core::str::from_utf8(&self.text[..self.command_len as usize]).ok()?;
        line.split(' ').find_map(|word| word.strip_prefix(key))
    }

    /// Appends a command line, as far as there is room. Returns where it is and how long.
    fn add_text(&mut self, at: u32, text: &str) -> (u32, u32) {
        let room = &mut self.text[at as usize..];
        let bytes = text.len().min(room.len());
        room[..bytes].copy_from_slice(&text.as_bytes()[..bytes]);
        (at, bytes as u32)
    }
}
