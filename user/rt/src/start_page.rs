//! The start page: what a program is told by whoever starts it.
//!
//! It lies where the first program finds the boot information, and its first word tells the two apart.
//! What must hold: it fits into a page; names are unique and not empty. It is a program's own copy, so
//! it is believed as far as the parent is.

use freehold_abi::CapName;

/// First word of a start page.
pub const MAGIC: u32 = 0x5374_6172;
/// Bytes of a capability's name.
pub const NAME_MAX: usize = 16;
/// Capabilities that can be named.
pub const NAMED_MAX: usize = 64;
/// Containers that can be given as memory.
pub const MEMORY_MAX: usize = 32;
/// Bytes of the arguments.
pub const ARGUMENTS_MAX: usize = 2048;

/// A capability under its name.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Named {
    name: [u8; NAME_MAX],
    slot: u32,
}

/// A container of free roots: the capability, and how many entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Memory {
    /// Name of the container.
    pub container: CapName,
    /// Entries, all free.
    pub count: u32,
}

/// The page.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct StartPage {
    magic: u32,
    /// Features of the processor, as in the boot information.
    pub cpu: u32,
    /// First of the slots that are free.
    pub first_slot: u32,
    /// Slots that the space has.
    pub slots: u32,
    named_count: u32,
    memory_count: u32,
    arguments_len: u32,
    named: [Named; NAMED_MAX],
    memory: [Memory; MEMORY_MAX],
    arguments: [u8; ARGUMENTS_MAX],
}

const _: () = assert!(size_of::<StartPage>() <= 4096);

/// Why something did not fit into a start page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The name is empty, too long or used already.
    Name,
    /// Too many capabilities.
    Capabilities,
    /// Too many containers.
    Memory,
    /// The arguments are too long.
    Arguments,
}

impl StartPage {
    /// An empty page.
    pub const fn new(cpu: u32) -> StartPage {
        StartPage {
            magic: MAGIC,
            cpu,
            first_slot: 0,
            slots: 0,
            named_count: 0,
            memory_count: 0,
            arguments_len: 0,
            named: [Named { name: [0; NAME_MAX], slot: 0 }; NAMED_MAX],
            memory: [Memory { container: CapName::NONE, count: 0 }; MEMORY_MAX],
            arguments: [0; ARGUMENTS_MAX],
        }
    }

    /// Gives a capability a name.
    ///
    /// # Errors
    /// [`Full`], with nothing changed.
    pub fn name(&mut self, name: &str, slot: CapName) -> Result<(), Full> {
        if name.is_empty() || name.len() > NAME_MAX || self.capability(name).is_some() {
            return Err(Full::Name);
        }
        let place = self.named.get_mut(self.named_count as usize).ok_or(Full::Capabilities)?;
        place.name[..name.len()].copy_from_slice(name.as_bytes());
        place.slot = slot.0;
        self.named_count += 1;
        Ok(())
    }

    /// Gives a container of free roots.
    ///
    /// # Errors
    /// [`Full::Memory`].
    pub fn give(&mut self, memory: Memory) -> Result<(), Full> {
        let place = self.memory.get_mut(self.memory_count as usize).ok_or(Full::Memory)?;
        *place = memory;
        self.memory_count += 1;
        Ok(())
    }

    /// Sets the arguments.
    ///
    /// # Errors
    /// [`Full::Arguments`].
    pub fn set_arguments(&mut self, arguments: &str) -> Result<(), Full> {
        let place = self.arguments.get_mut(..arguments.len()).ok_or(Full::Arguments)?;
        place.copy_from_slice(arguments.as_bytes());
        self.arguments_len = arguments.len() as u32;
        Ok(())
    }

    /// The capability of that name.
    pub fn capability(&self, name: &str) -> Option<CapName> {
        self.named().find(|(known, _)| *known == name).map(|(_, slot)| slot)
    }

    /// All capabilities with their names.
    pub fn named(&self) -> impl Iterator<Item = (&str, CapName)> {
        self.named.iter().take(self.named_count as usize).map(|named| {
            let length = named.name.iter().position(|&byte| byte == 0).unwrap_or(NAME_MAX);
            (core::str::from_utf8(&named.name[..length]).unwrap_or(""), CapName(named.slot))
        })
    }

    /// The containers.
    pub fn memory(&self) -> &[Memory] {
        &self.memory[..(self.memory_count as usize).min(MEMORY_MAX)]
    }

    /// The arguments.
    pub fn arguments(&self) -> &str {
        let length = (self.arguments_len as usize).min(ARGUMENTS_MAX);
        core::str::from_utf8(&self.arguments[..length]).unwrap_or("")
    }

    /// The page as the words that go into its frame.
    pub fn words(&self) -> &[u32] {
        // SAFETY: all fields are words or arrays of bytes whose length is a multiple of four, without
        // padding between them.
        unsafe { core::slice::from_raw_parts((&raw const *self).cast(), size_of::<StartPage>() / 4) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let mut page = StartPage::new(1);
        page.name("console", CapName(8)).expect("fits");
        page.name("sixteen-letters-", CapName(9)).expect("fits");
        page.give(Memory { container: CapName(10), count: 77 }).expect("fits");
        page.set_arguments("a b").expect("fits");
        assert_eq!(page.capability("console"), Some(CapName(8)));
        assert_eq!(page.capability("sixteen-letters-"), Some(CapName(9)));
        assert_eq!(page.capability("pager"), None);
        assert_eq!(page.memory(), &[Memory { container: CapName(10), count: 77 }]);
        assert_eq!(page.arguments(), "a b");
        assert_eq!((page.words()[0], page.words()[1]), (MAGIC, 1));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut page = StartPage::new(0);
        page.name("x", CapName(1)).expect("fits");
        assert_eq!(page.name("x", CapName(2)), Err(Full::Name));
        assert_eq!(page.name("", CapName(2)), Err(Full::Name));
        assert_eq!(page.name("seventeen-letters", CapName(2)), Err(Full::Name));
        for index in 1..NAMED_MAX {
            page.name(&format!("n{index}"), CapName(1)).expect("fits");
        }
        assert_eq!(page.name("y", CapName(1)), Err(Full::Capabilities));
        assert_eq!(page.set_arguments(&"a".repeat(ARGUMENTS_MAX + 1)), Err(Full::Arguments));
    }
}
