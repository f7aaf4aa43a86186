//! Hardware entries of tables and directories (SDM vol. 3, 4.3, table 4-5 and 4-6).

/// A page-table or directory entry of 32-bit paging. An entry that is not present is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(pub u32);

impl Entry {
    /// No mapping.
    pub const ZERO: Entry = Entry(0);
    /// The entry maps.
    pub const PRESENT: u32 = 1;
    /// Writes are allowed, if the directory entry allows them as well.
    pub const WRITABLE: u32 = 2;
    /// Programs may use it.
    pub const USER: u32 = 4;
    /// Set by the processor on use.
    pub const ACCESSED: u32 = 1 << 5;
    /// Set by the processor on a write.
    pub const DIRTY: u32 = 1 << 6;
    /// Directory entry that maps 4 MiB.
    pub const LARGE: u32 = 1 << 7;
    /// Survives a load of CR3.
    pub const GLOBAL: u32 = 1 << 8;

    /// A present user entry for the frame or Table at `address`.
    pub const fn user(address: u32, writable: bool) -> Entry {
        let write = if writable { Entry::WRITABLE } else { 0 };
        Entry(address & !0xFFF | Entry::PRESENT | Entry::USER | write)
    }

    /// The bits that [`Entry::child`] leaves of an entry if its children may be writable, or not.
    pub const fn inherited(writable: bool) -> u32 {
        if writable { !0xFFF | Entry::WRITABLE } else { !0xFFF }
    }

    /// The entry of a mapping of the same frame: writable if this one is and it may be
    /// ([`Entry::inherited`]); nobody has used it yet.
    #[inline(always)]
    pub const fn child(self, inherited: u32) -> Entry {
        Entry(self.0 & inherited | Entry::PRESENT | Entry::USER)
    }

    /// The physical address that it names.
    pub const fn address(self) -> u32 {
        self.0 & !0xFFF
    }

    /// Whether it maps.
    pub const fn is_present(self) -> bool {
        self.0 & Entry::PRESENT != 0
    }

    /// Whether it allows writes.
    pub const fn is_writable(self) -> bool {
        self.0 & Entry::WRITABLE != 0
    }
}
