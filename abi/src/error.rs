//! Why a call failed. Each cause has one name, so that a report leads to the line that raised it.

/// Declares [`Error`] with its numbers, names and one-line causes.
macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// The status of a call that did not succeed, as found in EAX.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Error { $($(#[doc = $doc])+ $name = $code,)+ }

        impl Error {
            /// Every error, in the order of their numbers.
            pub const ALL: &'static [Error] = &[$(Error::$name,)+];

            /// The error with this number; `None` for 0 (success) and for unknown numbers.
            pub const fn from_status(status: u32) -> Option<Error> {
                match status {
                    $($code => Some(Error::$name),)+
                    _ => None,
                }
            }

            /// The name as it is written in this file.
            pub const fn name(self) -> &'static str {
                match self { $(Error::$name => stringify!($name),)+ }
            }
        }
    };
}

errors! {
    /// The call number is not one of [`crate::Call`].
    UnknownCall = 1,
    /// The capability name is 0, lies in a node that the space does not have, or its slot is empty.
    NoCapability = 2,
    /// The capability is of another kind than the call needs.
    WrongKind = 3,
    /// The capability does not carry the right that the call needs.
    NoRight = 4,
    /// An argument is outside its range (index, count, part, ports, priority, width, kind of
    /// information), or a container does not cover the whole Table or object that the call needs.
    OutOfRange = 5,
    /// An index or address is not aligned as the object needs.
    Misaligned = 6,
    /// An address is not below 3 GiB, or a range wraps.
    BadAddress = 7,
    /// No Table of this space is hooked at the address (to unhook: none at all).
    NoTable = 8,
    /// The destination slot, entry or node number is in use.
    Occupied = 9,
    /// The new node would lie deeper than [`crate::layout::MAX_DEPTH`].
    TooDeep = 10,
    /// The parent has too few credits left for the requested total, or the destination's memory (when
    /// lending: the source's roots) was lent with a smaller one.
    NoCredits = 11,
    /// The node is being revoked; nothing can be derived from it until that is finished.
    Busy = 12,
    /// The object is being destroyed.
    Gone = 13,
    /// The source entry holds no frame.
    EmptySource = 14,
    /// The root has descendants and so cannot be donated, or lent.
    HasDescendants = 15,
    /// The container is not a boot container: its slots are not roots.
    NotRoots = 16,
    /// The root has been donated already, or its frame is not data, or is asked for twice.
    NotData = 17,
    /// The Table holds live entries.
    NotEmpty = 18,
    /// The page-table area has no room for another Table.
    AreaFull = 19,
    /// The Table is in no space's page-table area.
    NotInArea = 20,
    /// The Table or address belongs to the page-table area, which only the kernel writes.
    PageTableArea = 21,
    /// The slot cannot be moved or unmapped: an object lives there, or it is a frame's root.
    Unmovable = 22,
    /// The badge is already set, so it cannot be set again.
    Badged = 23,
    /// The time limit passed before the partner was ready, or had replied.
    Timeout = 24,
    /// The wait was ended by somebody entitled to (thread stopped, endpoint deleted).
    Canceled = 25,
    /// The partner of this exchange was destroyed, dropped the reply capability, or left in the middle of a
    /// transfer of strings.
    PeerGone = 26,
    /// The receiver named too few slots for the capability items, or one that is not empty.
    NoSlots = 27,
    /// A capability item names a slot that is empty or cannot be sent so: an object lives there and is
    /// to move, or a reply capability is to be copied.
    BadItem = 28,
    /// The thread holds no reply capability.
    NoReply = 29,
    /// The message counts do not fit (words, items, ranges, strings, buffers).
    BadMessage = 30,
    /// A transfer met a fault on the caller's own side; EBP (in Validate: EDI) is the address. Of strings: EDI
    /// is how many bytes were transferred.
    FaultMine = 31,
    /// A transfer met a fault on the other side; EBP is the address. Of strings: EDI is how many bytes were
    /// transferred.
    FaultTheirs = 32,
    /// The range is not one that the other side declared, runs past its end, or is not writable.
    BadRange = 33,
    /// The thread is not in a state that allows this.
    BadState = 34,
    /// The line is bound to a notification already, is not bound, or is the kernel's timer.
    BadBinding = 35,
    /// The thread's space or UTCB no longer exists.
    NoSpace = 36,
    /// A string, or a buffer for strings, has no bytes.
    EmptyString = 37,
    /// Two buffers for strings overlap.
    Overlap = 38,
    /// The strings of a message have more than 4 MiB.
    TooLong = 39,
    /// The receiver accepts no strings, or its buffers have fewer bytes than the strings.
    NoRoom = 40,
    /// The kernel's pool has no memory left (designs with a pool).
    PoolExhausted = 41,
    /// The receiver's space has used up its quota of the kernel's pool (kernel-quota).
    OverQuota = 42,
    /// The design lets this sender map nothing there (local-only, root-only), or the redirector refuses it.
    MapRefused = 43,
    /// The receiver's window takes no map item, or not these pages.
    NoWindow = 44,
}

/// Reads a status word: `Ok` for 0.
///
/// # Errors
/// The error with that number. A number that no kernel returns reads as [`Error::UnknownCall`].
pub const fn status(word: u32) -> Result<(), Error> {
    match word {
        0 => Ok(()),
        _ => match Error::from_status(word) {
            Some(error) => Err(error),
            None => Err(Error::UnknownCall),
        },
    }
}
