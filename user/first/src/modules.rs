//! Boot modules: found by name, seen through hooks on the boot containers that they lie in.
//!
//! What must hold: only one module is seen at a time; its frames are nobody else's.

use core::ops::Deref;

use freehold_rt::abi::info::start::BLOCKS;
use freehold_rt::abi::info::{BootInfo, Module};
use freehold_rt::abi::layout::BLOCK;
use freehold_rt::layout::OWN;
use freehold_rt::{CapName, Error, Rights, calls, start};

/// Where a module is seen.
const WINDOW: u32 = OWN;

/// A module's contents. They are out of sight when this is dropped.
#[derive(Debug)]
pub struct View {
    module: Module,
    hooks: u32,
}

/// A module's name (the first word of its command line, without directories) and arguments.
fn command(boot: &'static BootInfo, module: &Module) -> (&'static str, &'static str) {
    let (start, length) = (module.text_at as usize, module.text_len as usize);
    let text = boot.text.get(start..start + length).unwrap_or(&[]);
    let line = core::str::from_utf8(text).unwrap_or("").trim();
    let (path, arguments) = line.split_once(' ').unwrap_or((line, ""));
    (path.rsplit('/').next().unwrap_or(path), arguments.trim())
}

/// The modules with their names and arguments, in the order in which they were loaded.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str, Module)> {
    start::boot_info().into_iter().flat_map(|boot| {
        boot.modules.iter().take(boot.module_count as usize).map(|module| {
            let (name, arguments) = command(boot, module);
            (name, arguments, *module)
        })
    })
}

/// Brings the module of that name into sight. `Ok(None)`: there is none.
///
/// # Errors
/// Occupied while another one is seen; what else a hook can meet.
pub fn open(name: &str) -> Result<Option<View>, Error> {
    let Some((_, _, module)) = all().find(|(known, ..)| *known == name) else { return Ok(None) };
    let mut view = View { module, hooks: 0 };
    let (first, end) = (module.memory.start / BLOCK, module.memory.end.div_ceil(BLOCK));
    for block in first..end.max(first) {
        let container = CapName(BLOCKS.0 + block);
        calls::hook(container, CapName::NONE, WINDOW / BLOCK + view.hooks, Rights::NONE)?;
        view.hooks += 1;
    }
    Ok(Some(view))
}

impl Deref for View {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let start = WINDOW + self.module.memory.start % BLOCK;
        let length = self.module.memory.end.saturating_sub(self.module.memory.start);
        // SAFETY: the blocks are hooked one behind the other from WINDOW on, read-only, for as long as
        // this lives; the kernel keeps a module's frames out of the free ranges, so nobody writes them.
        unsafe { core::slice::from_raw_parts(start as *const u8, length as usize) }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        for index in 0..self.hooks {
            let unhooked = calls::unhook(CapName::NONE, WINDOW / BLOCK + index);
            debug_assert!(unhooked.is_ok(), "{unhooked:?}");
        }
    }
}
