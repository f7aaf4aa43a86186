//! The scenarios of message transfer: calls between an untrusted client and a server (here `caller` and `files`),
//! each to be carried in every way, with memory present or missing on either side.
//!
//! A *cell* is a case, a way and a trust (both `rt::buffer`'s) and a residency; it is called
//! `CASE.WAY.RESIDENCY.TRUST`.

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// [`OPEN`](super::files::OPEN) of a path of so many bytes.
    Open,
    /// [`READ`](super::files::READ) of so many bytes of `/data`.
    Read,
    /// [`WRITE`](super::files::WRITE) of so many bytes to `/scratch`.
    Write,
    /// [`LIST`](super::files::LIST) of a directory of so many entries.
    List,
    /// [`EXECUTE`](super::files::EXECUTE) with argv and environment of so many bytes.
    Execute,
    /// [`SET`](super::files::SET) with so many bytes.
    Control,
}

/// A case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What is called.
    pub call: Call,
    /// How much of it: bytes, or entries.
    pub size: u32,
}

const fn case(name: &'static str, call: Call, size: u32) -> Case {
    Case { name, call, size }
}

/// All cases.
pub const CASES: [Case; 25] = [
    case("open-8", Call::Open, 8),
    case("open-64", Call::Open, 64),
    case("open-255", Call::Open, 255),
    case("open-1024", Call::Open, 1_024),
    case("open-4096", Call::Open, 4_096),
    case("read-1", Call::Read, 1),
    case("read-64", Call::Read, 64),
    case("read-1024", Call::Read, 1_024),
    case("read-4096", Call::Read, 4_096),
    case("read-65536", Call::Read, 65_536),
    case("read-1048576", Call::Read, 1_048_576),
    case("write-1", Call::Write, 1),
    case("write-64", Call::Write, 64),
    case("write-1024", Call::Write, 1_024),
    case("write-4096", Call::Write, 4_096),
    case("write-65536", Call::Write, 65_536),
    case("write-1048576", Call::Write, 1_048_576),
    case("readdir-10", Call::List, 10),
    case("readdir-1000", Call::List, 1_000),
    case("readdir-10000", Call::List, 10_000),
    case("exec-1k", Call::Execute, 1 << 10),
    case("exec-16k", Call::Execute, 16 << 10),
    case("exec-128k", Call::Execute, 128 << 10),
    case("control-8", Call::Control, 8),
    case("control-32", Call::Control, 32),
];

/// Whose buffer is not in memory when the call begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residency {
    /// Nobody's.
    Resident,
    /// The client's.
    ClientFaults,
    /// The server's.
    ServerFaults,
    /// Both.
    BothFault,
}

/// All residencies with their names, in the order of their numbers in messages.
pub const RESIDENCIES: [(&str, Residency); 4] = [
    ("resident", Residency::Resident),
    ("client-faults", Residency::ClientFaults),
    ("server-faults", Residency::ServerFaults),
    ("both-fault", Residency::BothFault),
];
