//! Messages that the kernel sends to a thread's pager, in the thread's name, when it faults.
//!
//! They are calls: the pager receives a reply capability, and its reply lets the thread go on.

/// Label of a page fault: three words, address, access, EIP.
pub const PAGE_FAULT: u16 = 0xFFF0;
/// Label of any other fault: five words, vector, error code, EIP, ESP, EFLAGS.
pub const EXCEPTION: u16 = 0xFFF1;

/// Access bits of a page fault (SDM vol. 3, 4.7): the page was present.
pub const ACCESS_PRESENT: u32 = 1;
/// Access bits of a page fault: it was a write.
pub const ACCESS_WRITE: u32 = 2;

/// Label of a reply that resumes where the thread faulted.
pub const RESUME: u16 = 0;
/// Label of a reply that resumes elsewhere: two words, EIP and ESP.
pub const RESUME_AT: u16 = 1;
/// Label of a reply that leaves the thread stopped.
pub const STOP: u16 = 2;

/// In place of a pager's name: faults go to the thread itself. It goes on at the UTCB's UPCALL_EIP, and what
/// happened stands in UPCALL. A fault while an upcall is not finished stops the thread.
pub const UPCALL: u32 = 1 << 31;
