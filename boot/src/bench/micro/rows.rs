//! What is measured: names, what they are, and what other kernels need for the same.
//!
//! The peers' figures and the targets are data, bench/peers.json, with their source.

use std::sync::LazyLock;

use serde::Deserialize;

/// An operation that others have too, or that has a target.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The measurement's name.
    pub name: String,
    /// The operation.
    pub what: String,
    /// What L4Ka::Pistachio needs.
    pub pistachio: Option<Peer>,
    /// What seL4 needs.
    pub sel4: Option<Peer>,
    /// What it is to need here at most.
    pub target: u64,
    /// Whether that is without the clearing of frames.
    #[serde(default)]
    pub apart: bool,
}

/// A peer's figure.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Instructions, at least.
    pub least: u64,
    /// At most, if that is another number.
    pub most: Option<u64>,
    /// What must be known about it.
    pub note: Option<String>,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peers {
    /// How the figures were taken.
    pub source: String,
    /// The operations, in the order in which they are shown.
    pub rows: Vec<Row>,
    /// What L4Ka::Pistachio needs for what the design kernel-heap does as it does, by the names of that design's rows.
    pub originals: Vec<Original>,
}

/// An operation whose cost under another kernel is what it is to cost here.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// The measurement's name.
    pub name: String,
    /// The operation.
    pub what: String,
    /// What it needs.
    pub pistachio: Peer,
}

/// The peers' figures. The file is part of the program, and a test reads it.
pub static PEERS: LazyLock<Peers> = LazyLock::new(|| {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/peers.json"));
    serde_json::from_str(text).expect("bench/peers.json is as it must be")
});

/// Operations without a peer and a target.
pub const FURTHER: &[(&str, &str)] = &[
    ("ipc.read.4", "round trip between spaces; 4 words written, and read by the server"),
    ("ipc.read.16", "16 words"),
    ("ipc.read.62", "62 words"),
    ("ipc.limited.0", "round trip between spaces, the caller limits its wait: no short path takes it"),
    ("ipc.above.0", "round trip between spaces, the server's priority is higher: no short path takes it"),
    ("string.256", "round trip with a string of 256 bytes"),
    ("string.parts.4096", "4 KiB in four strings"),
    ("string.back.1024", "1 KiB in the answer"),
    ("revoke.used.1", "revoke one derivation, which the other space has used"),
    ("revoke.used.1024", "revoke 1,024 derivations, which the other space has used"),
    ("unshare.1024", "take 1,024 shared frames back"),
    ("table.remove", "take a Table's frames back"),
    ("space.furnish", "make a space with page-table area, Table, hook and capability node"),
    ("space.strip", "take all that back"),
];

/// Measurements that are made again with more of something around: the beginning of their names, what there is more
/// of, how many.
pub const GROWTH: &[(&str, &str, &[u32])] = &[
    (
        "ipc.threads",
        "round trip between spaces, by threads that wait elsewhere",
        &[1, 10, 100, 1_000, 10_000],
    ),
    ("ipc.spaces", "round trip between spaces, by other spaces", &[1, 10, 100, 1_000]),
    ("map.live", "map a frame, by its live mappings", &[1, 10, 100, 1_000, 10_000, 100_000]),
    (
        "revoke.live",
        "revoke one derivation, by the frame's live mappings",
        &[1, 10, 100, 1_000, 10_000, 100_000],
    ),
    ("map.depth", "map a frame, by depth of derivation", &[1, 2, 4, 8, 16, 32, 63]),
    (
        "map.unlimited",
        "map a frame from which more can be derived, by depth of derivation",
        &[1, 2, 4, 8, 16, 32, 63],
    ),
    ("revoke.depth", "revoke one derivation, by its depth", &[1, 2, 4, 8, 16, 32, 63]),
];

/// Sizes, in bytes.
pub const SIZES: &[(&str, &str)] = &[
    ("size.program", "memory of the smallest program: a space, a thread, a page of code"),
    ("size.mapping", "a mapping: entry, derivation links, depth, rights, credits"),
    ("size.kernel.image", "the kernel in memory, with its stack"),
    ("size.kernel.boot", "frame table and boot containers, at 256 MiB"),
];

/// The names of all measurements.
pub fn names() -> impl Iterator<Item = String> {
    let rows = PEERS.rows.iter().map(|row| row.name.clone());
    let others = FURTHER.iter().chain(SIZES).map(|(name, _)| (*name).to_string());
    let growing =
        GROWTH.iter().flat_map(|(name, _, counts)| counts.iter().map(move |count| format!("{name}.{count}")));
    rows.chain(others).chain(growing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peers_figures_can_be_read_and_no_name_comes_twice() {
        assert!(!PEERS.source.is_empty());
        let mut names: Vec<String> = names().collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        for row in &PEERS.rows {
            for peer in [&row.pistachio, &row.sel4].into_iter().flatten() {
                assert!(peer.most.is_none_or(|most| most > peer.least), "{}", row.name);
            }
        }
    }
}
