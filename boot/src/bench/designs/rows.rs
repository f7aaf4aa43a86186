//! What is measured under every design: names, as the program `bench` gives them, and what they are.

/// Rows that belong together: the beginnings of their names, how the names end, what they are.
pub struct Family {
    /// Beginnings.
    pub prefixes: &'static [&'static str],
    /// Ends, behind a dot; none: the beginnings are names.
    pub ends: &'static [&'static str],
    /// What they are.
    pub what: &'static str,
    /// Which designs have them.
    pub of: Of,
}

/// Which designs have a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All.
    All,
    /// Those in which spaces bring their tables.
    Tables,
    /// Those with a pool.
    Pool,
}

const PAGES: &[&str] = &["1", "4", "16", "64", "256", "1024"];
const STRINGS: &[&str] = &["64", "1024", "4096", "65536"];
const STALLS: &[&str] = &["two-sided", "one-timeout", "wait"];

/// All of them, in the order in which they are shown, but for [`revokes`].
pub const FAMILIES: &[Family] = &[
    Family { prefixes: &["call.null"], ends: &[], what: "null call", of: Of::All },
    Family {
        prefixes: &["ipc.inter"],
        ends: &["0", "4", "16", "62"],
        what: "round trip, by words",
        of: Of::All,
    },
    Family { prefixes: &["string"], ends: STRINGS, what: "round trip with a string, by bytes", of: Of::All },
    Family {
        prefixes: &["string.fault.sender", "string.fault.receiver"],
        ends: &["64", "4096", "65536"],
        what: "the same, whose pages are missing on one side",
        of: Of::All,
    },
    Family {
        prefixes: &["map", "unmap", "protect"],
        ends: PAGES,
        what: "of one's own, by pages",
        of: Of::All,
    },
    Family {
        prefixes: &["delegate", "undelegate"],
        ends: PAGES,
        what: "to another space, by pages",
        of: Of::All,
    },
    Family {
        prefixes: &["delegate.new"],
        ends: &["1"],
        what: "to where the receiver has no table yet",
        of: Of::All,
    },
    Family {
        prefixes: &["delegate.session", "undelegate.session"],
        ends: PAGES,
        what: "where the receiver has the capability already",
        of: Of::Tables,
    },
    Family {
        prefixes: &["delegate.hook", "undelegate.hook"],
        ends: &["1024"],
        what: "a whole Table, hooked",
        of: Of::Tables,
    },
    Family { prefixes: &["fault.pager"], ends: &[], what: "page fault, pager in another space", of: Of::All },
    Family { prefixes: &["space.create", "space.delete"], ends: &[], what: "an empty space", of: Of::All },
    Family {
        prefixes: &["latency.revoke"],
        ends: &["1", "16", "256", "4096", "16384", "65536"],
        what: "delay of a wake-up beside a revoke, by mappings",
        of: Of::All,
    },
    Family {
        prefixes: &["stall.0", "stall.1", "stall.4", "stall.16"],
        ends: STALLS,
        what: "a server's answer while clients stall, by clients and policy",
        of: Of::All,
    },
    Family {
        prefixes: &["kernel.bytes.dense", "space.bytes.dense"],
        ends: &["1", "16", "256", "1024", "10000", "100000"],
        what: "bytes, by mappings side by side",
        of: Of::All,
    },
    Family {
        prefixes: &["kernel.bytes.sparse", "space.bytes.sparse"],
        ends: &["1", "4", "16", "64", "256", "1024"],
        what: "bytes, by mappings 4 MiB apart in three spaces",
        of: Of::All,
    },
    Family {
        prefixes: &["first-service"],
        ends: &[],
        what: "from reset to a server's first answer",
        of: Of::All,
    },
    Family {
        prefixes: &["heap.map", "heap.unmap"],
        ends: &["1", "large"],
        what: "a map item of a page, and of 1,024",
        of: Of::Pool,
    },
    Family {
        prefixes: &["heap.unmap.child", "heap.fault"],
        ends: &[],
        what: "as the original's",
        of: Of::Pool,
    },
];

/// Mappings derived from a page, and one below the other, whose revoke is measured; and the most of both together.
const FANOUTS: [u32; 8] = [1, 4, 16, 64, 256, 1024, 4096, 16384];
const DEPTHS: [u32; 7] = [1, 2, 4, 8, 16, 32, 63];
const MOST: u32 = 262_144;

/// The revokes by fan-out and depth.
pub fn revokes() -> impl Iterator<Item = String> {
    let all = FANOUTS.into_iter().flat_map(|fanout| DEPTHS.map(|depth| (fanout, depth)));
    all.filter(|(fanout, depth)| fanout * depth <= MOST)
        .map(|(fanout, depth)| format!("revoke.{fanout}.{depth}"))
}

impl Family {
    /// The names.
    pub fn names(&self) -> Vec<String> {
        let of = |prefix: &&str| match self.ends {
            [] => vec![(*prefix).to_string()],
            ends => ends.iter().map(|end| format!("{prefix}.{end}")).collect(),
        };
        self.prefixes.iter().flat_map(of).collect()
    }
}

/// The names of what is measured under a design.
pub fn names(has_pool: bool) -> impl Iterator<Item = String> {
    let has = move |family: &&Family| match family.of {
        Of::All => true,
        Of::Tables => !has_pool,
        Of::Pool => has_pool,
    };
    FAMILIES.iter().filter(has).flat_map(Family::names).chain(revokes())
}
