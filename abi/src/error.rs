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
    /// The capability name lies in a node that the space does not have, or its slot is empty.
    NoCapability = 2,
    /// The capability is of another kind than the call needs.
    WrongKind = 3,
    /// The capability does not carry the right that the call needs.
    NoRight = 4,
    /// An argument is outside its range (index, count, priority, width, kind of information).
    OutOfRange = 5,
    /// An index or address is not aligned as the object needs.
    Misaligned = 6,
    /// An address is not below 3 GiB, or a range wraps.
    BadAddress = 7,
    /// No Table of this space is hooked at the address.
    NoTable = 8,
    /// The destination slot, entry or range is in use.
    Occupied = 9,
    /// The new node would lie deeper than [`crate::layout::MAX_DEPTH`].
    TooDeep = 10,
    /// The parent has too few credits left for the requested total.
    NoCredits = 11,
    /// The node is being revoked; nothing can be derived from it until that is finished.
    Busy = 12,
    /// The object is being destroyed.
    Gone = 13,
    /// The source entry holds no frame.
    EmptySource = 14,
    /// The root has descendants and so cannot be donated.
    HasDescendants = 15,
    /// The container is not a boot container: its slots are not roots.
    NotRoots = 16,
    /// The root has been donated already, or its frame is not data.
    NotData = 17,
    /// The Table holds live entries.
    NotEmpty = 18,
    /// The page-table area has no room for another Table.
    AreaFull = 19,
    /// The object already belongs to a space.
    Owned = 20,
    /// The Table or address belongs to the page-table area, which only the kernel writes.
    PageTableArea = 21,
    /// The slot cannot be moved, sent or unmapped: an object lives there, or it is a frame's root.
    Unmovable = 22,
    /// The badge is already set, so it cannot be set again.
    Badged = 23,
    /// The time limit passed before the partner was ready.
    Timeout = 24,
    /// The wait was ended by somebody entitled to (thread stopped, endpoint deleted).
    Canceled = 25,
    /// The partner of this exchange was destroyed, or dropped the reply capability.
    PeerGone = 26,
    /// The receiver named too few empty slots for the capability items.
    NoSlots = 27,
    /// A capability item names a slot that cannot be sent.
    BadItem = 28,
    /// There is no reply capability in the place named.
    NoReply = 29,
    /// The message counts do not fit (words, items, ranges).
    BadMessage = 30,
    /// A transfer met a fault on the caller's own side; EBP is the address.
    FaultMine = 31,
    /// A transfer met a fault on the other side; EBP is the address.
    FaultTheirs = 32,
    /// The range is not one that the other side declared, or runs past its end.
    BadRange = 33,
    /// The thread is not in a state that allows this.
    BadState = 34,
    /// The line is bound to a notification already, or is not bound.
    BadBinding = 35,
    /// The thread has not been given a space that still exists.
    NoSpace = 36,
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
