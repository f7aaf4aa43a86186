//! What is explored: sizes, what the trusted parties may do, and which bug is planted.

use crate::client::Move;

/// All that the evil client can do.
pub const ALL: &[Move] = &[
    Move::Call,
    Move::GiveUpCall,
    Move::Open,
    Move::Close,
    Move::Ping,
    Move::GiveUpSide,
    Move::TakeBackCapability,
    Move::TakeBackFrames,
];

/// What it does to its sessions, where it is the other client that matters: OPEN ends a session as CLOSE does; who
/// gives up waiting for one is no better for the others than one whose frames are gone; and a worker whose
/// frames the manager cannot take back is stopped all the same.
pub const SESSIONS: &[Move] = &[Move::Call, Move::GiveUpCall, Move::Open, Move::TakeBackFrames];

/// Slices at most.
pub const SLICES: usize = 2;
/// Pages of a slice at most.
pub const PAGES: usize = 2;

/// The size of what is explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Slices that the server has.
    pub slices: u8,
    /// Pages that a session is opened for, and that the good client carries.
    pub pages: u8,
    /// What the evil client may do; nothing: it is not there.
    pub evil: &'static [Move],
    /// The evil client has a session to begin with.
    pub inside: bool,
    /// The good client is there.
    pub good: bool,
    /// The server's pager may leave a page's request unanswered, for ever or for a while.
    pub quiet: bool,
    /// The server may cancel any session at any time.
    pub cancels: bool,
    /// A client has to wait between two sessions.
    pub pauses: bool,
    /// The good client's time never runs out, and nobody cancels its session.
    pub patient: bool,
    /// Nobody's time runs out.
    pub endless: bool,
    /// The bug, if there is one.
    pub mutation: Option<Mutation>,
}

impl Config {
    /// One slice for both clients, a page each way: they follow each other in it.
    pub const CONTENDED: Config = Config {
        slices: 1,
        pages: 1,
        evil: SESSIONS,
        inside: false,
        good: true,
        quiet: false,
        cancels: false,
        pauses: false,
        patient: false,
        endless: false,
        mutation: None,
    };

    /// The evil client alone with the service, and all that it can do; a pager that holds back pages, and a
    /// server that cancels.
    pub const EVIL: Config =
        Config { evil: ALL, good: false, quiet: true, cancels: true, ..Config::CONTENDED };

    /// The evil client alone, two pages each way: copies that stop, and are resumed, in the middle.
    pub const EVIL_PAGES: Config = Config { good: false, pages: 2, ..Config::CONTENDED };

    /// The good client alone, two pages each way, with a pager that holds back pages, a server that cancels, and
    /// a pause between two sessions.
    pub const GOOD: Config =
        Config { evil: &[], pages: 2, quiet: true, cancels: true, pauses: true, ..Config::CONTENDED };

    /// Both clients wait for the slice again and again, and out their pauses.
    pub const PAUSES: Config =
        Config { evil: &[Move::Open, Move::TakeBackFrames], pauses: true, ..Config::CONTENDED };

    /// The good client has all the time that it needs.
    pub const PATIENT: Config = Config { patient: true, ..Config::CONTENDED };

    /// Both clients at once, a slice each, as long as they like. The evil one has its session from the beginning,
    /// and no other after it.
    pub const BESIDE: Config = Config {
        slices: 2,
        evil: &[Move::Call, Move::GiveUpCall, Move::TakeBackCapability, Move::TakeBackFrames],
        inside: true,
        endless: true,
        quiet: true,
        ..Config::CONTENDED
    };

    /// This, with a bug.
    pub fn with(self, mutation: Mutation) -> Config {
        Config { mutation: Some(mutation), ..self }
    }
}

/// A bug that is planted, to show that the properties can fail. Each is something that the code does not do,
/// or that the kernel does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// The server calls the worker's session back for more, and waits.
    ServerCallsBack,
    /// The server begins to work without asking whether the worker that asked still waits.
    ServerTrustsOldRequest,
    /// The server fills the pages for its reply before it asks whether the worker still waits.
    ServerFillsFirst,
    /// The server's pager takes frames out of a slice that is being worked on.
    ReleaseWhileBusy,
    /// The pager answers RELEASE, and leaves the frames where they are.
    ReleaseKeepsFrames,
    /// The pager itself waits when it holds back a page.
    PagerWaits,
    /// The manager asks for RELEASE, and gives the slice on, before the session's worker has ended.
    ReleaseBeforeEnd,
    /// The manager stops a session's worker, but does not reclaim it.
    WorkerNotReclaimed,
    /// The manager waits until the worker has nothing under way before it ends it.
    ManagerWaitsForWorker,
    /// A session has no time limit.
    NoDeadline,
    /// The manager believes the session's number in a BEGIN, whoever sends it.
    BeginFromAnybody,
    /// A session's time begins anew with each transfer, although another client waits for the slice.
    BeginIgnoresWaiting,
    /// The manager looks after its sessions only when there is a message.
    NoPeriod,
    /// The manager waits without a limit if nobody's pause is left when it decides how long to wait, though
    /// somebody waits.
    PauseForgotten,
    /// The worker says COMPLETE when part of the request is not there.
    CompleteTooEarly,
    /// The worker copies out of the slice as much as there is room, whatever the server has answered.
    ReplyBeforeAnswer,
    /// The kernel leaves a reply capability with its holder after its use.
    ReplyWorksTwice,
    /// The kernel leaves a reply capability with its holder when its caller has given up.
    ReplyOutlivesCaller,
}
