//! Events that a program notes about its own messages and pages (`rt::trace`), for whoever tells the story of a
//! transfer. An event is five words: the clock's low and high half, one of these numbers, and two words more.

/// Words of an event.
pub const EVENT_WORDS: usize = 5;
/// Events in one answer at most.
pub const EVENTS_MAX: usize = 12;

/// Order of every program that can be watched, `[1 or 0]`: what happens is noted from now on, or no more. Events of
/// an earlier watch are forgotten.
pub const WATCH: u16 = 0x200;
/// Order `[first]`. Answer: DONE with `[events noted so far]`, then the events from number `first` on, as many as
/// there is room for. Those in the middle of many are not kept: their words are 0.
pub const EVENTS: u16 = 0x201;

/// `[pages, 0 or 1]`: so many pages went out of memory, the program's own (0), or its server's (1).
pub const EVICTED: u32 = 1;
/// `[address, 0]`: a page fault; its pager brought the page.
pub const FAULT: u32 = 2;
/// `[bytes, pages]`: it made so many bytes present, for which so many pages had to come.
pub const TOUCHED: u32 = 3;
/// `[bytes, pages]`: likewise, and keeps them present.
pub const PINNED: u32 = 4;
/// `[operation, bytes of the request]`: a client begins a call.
pub const CALLS: u32 = 5;
/// `[status, bytes of the reply]`: the call is over.
pub const RETURNS: u32 = 6;
/// The call failed.
pub const FAILS: u32 = 7;
/// `[label, 1 with strings, else 0]`: a client sends a message.
pub const SENDS: u32 = 8;
/// `[number of the error, bytes done]`: a missing page, its own (FaultMine) or its partner's (FaultTheirs), stopped a
/// client's message after so many bytes of the strings, or of the ranges, that were under way.
pub const STOPPED: u32 = 9;
/// `[operation, bytes of the request]`: a server has a request, whole, and begins its work on it.
pub const WORKS: u32 = 10;
/// `[status, bytes of the reply]`: the work is done.
pub const WORKED: u32 = 11;
/// `[bytes, 0 from the client, 1 to it]`: a server copied.
pub const COPIED: u32 = 12;
/// `[bytes of the request, bytes of room for the reply]`: a server hooked a client's container.
pub const HOOKED: u32 = 13;
