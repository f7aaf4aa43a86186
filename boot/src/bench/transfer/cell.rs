//! What the group `transfer` measures: each case in each way, with each residency, for each kind of pair.
//!
//! What must hold: these are the names that the guest writes; each cell has one name and each name one cell.

use std::fmt;

/// The group's name, the first part of every cell's.
pub const GROUP: &str = "transfer";

/// What is asked of the server, and how much goes with it: SCENARIO-SIZE.
pub const CASES: [&str; 25] = [
    "open-8",
    "open-64",
    "open-255",
    "open-1024",
    "open-4096",
    "read-1",
    "read-64",
    "read-1024",
    "read-4096",
    "read-65536",
    "read-1048576",
    "write-1",
    "write-64",
    "write-1024",
    "write-4096",
    "write-65536",
    "write-1048576",
    "readdir-10",
    "readdir-1000",
    "readdir-10000",
    "exec-1k",
    "exec-16k",
    "exec-128k",
    "control-8",
    "control-32",
];

/// The case of an empty call, which is measured by registers only: what a call costs that moves nothing.
pub const NULL: &str = "null";
/// The name of such a cell is this, a dot, and the trust.
const NULL_GROUP: &str = "transfer-null";

/// The scenarios, in the order of [`CASES`].
pub const SCENARIOS: [&str; 6] = ["open", "read", "write", "readdir", "exec", "control"];

/// The scenario of a case.
pub fn scenario(case: &str) -> &str {
    case.split_once('-').map_or(case, |(scenario, _)| scenario)
}

/// The cases of a scenario, from small to large.
pub fn cases_of(scenario_name: &str) -> impl Iterator<Item = &'static str> {
    CASES.into_iter().filter(move |case| scenario(case) == scenario_name)
}

/// An enumeration whose values have names that are part of a cell's name.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$value_doc])* $value),+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[$name] = &[$($name::$value),+];

            /// The name in records, figures and tables.
            pub const fn name(self) -> &'static str {
                match self { $($name::$value => $text),+ }
            }
        }
    };
}

named! {
    /// How the bytes travel.
    Way {
        /// In the message's words, as many messages as it takes.
        Registers = "registers",
        /// As a string, pinned for as long as the message travels.
        Wired = "wired",
        /// As a string, made present beforehand; sent again after a fault, and pinned after three.
        Touched = "touched",
        /// In a container that is lent to the server.
        Container = "container",
        /// By the transfer service, which copies between the client and its slice of the server's memory.
        Service = "service",
        /// By Copy: the server takes them from its blocked caller, or puts them there.
        Pull = "pull",
    }
}

named! {
    /// Whose pages are missing when the call begins.
    Residency {
        /// Nobody's.
        Resident = "resident",
        /// The client's.
        ClientFaults = "client-faults",
        /// The server's.
        ServerFaults = "server-faults",
        /// Both sides'.
        BothFault = "both-fault",
    }
}

named! {
    /// Whether the two rely on each other's memory.
    Trust {
        /// Each waits for the other's pager, and uses memory that the other gave.
        Trusting = "trusting",
        /// Neither does.
        Distrusting = "distrusting",
    }
}

/// One thing that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// One of [`CASES`].
    pub case: &'static str,
    /// How the bytes travel.
    pub way: Way,
    /// Whose pages are missing.
    pub residency: Residency,
    /// What kind of pair.
    pub trust: Trust,
}

impl Cell {
    /// All cells, case by case.
    pub fn all() -> impl Iterator<Item = Cell> {
        CASES.into_iter().flat_map(Cell::of_case)
    }

    /// The cells of the empty call, beside all others.
    pub fn nulls() -> impl Iterator<Item = Cell> {
        Trust::ALL.iter().map(|&trust| Cell {
            case: NULL,
            way: Way::Registers,
            residency: Residency::Resident,
            trust,
        })
    }

    /// The cells of a case.
    pub fn of_case(case: &'static str) -> impl Iterator<Item = Cell> {
        Way::ALL.iter().flat_map(move |&way| {
            Residency::ALL.iter().flat_map(move |&residency| {
                Trust::ALL.iter().map(move |&trust| Cell { case, way, residency, trust })
            })
        })
    }

    /// The cell of a record's name; `None` if there is no such cell.
    pub fn parse(name: &str) -> Option<Cell> {
        let parts: Vec<&str> = name.split('.').collect();
        if let [NULL_GROUP, _] = parts[..] {
            return Cell::nulls().find(|cell| cell.to_string() == name);
        }
        let [GROUP, case, way, residency, trust] = parts[..] else { return None };
        Some(Cell {
            case: CASES.into_iter().find(|own| *own == case)?,
            way: *Way::ALL.iter().find(|own| own.name() == way)?,
            residency: *Residency::ALL.iter().find(|own| own.name() == residency)?,
            trust: *Trust::ALL.iter().find(|own| own.name() == trust)?,
        })
    }

    /// Whether its name, without the group's, begins so.
    pub fn begins(self, beginning: &str) -> bool {
        let name = self.to_string();
        name.strip_prefix(GROUP)
            .and_then(|name| name.strip_prefix('.'))
            .is_some_and(|name| name.starts_with(beginning))
    }
}

/// The beginnings of cells' names that a selection stands for, without the group's, each of them ended by a dot or
/// whole. A selection, what is typed behind `transfer.`, has the parts CASE (or the scenario, for all sizes), WAY,
/// RESIDENCY and TRUST, in this order; those left out at the end stand for all. None: it selects nothing.
pub fn beginnings(selection: &str) -> Vec<String> {
    let (first, rest) =
        selection.split_once('.').map_or((selection, None), |(first, rest)| (first, Some(rest)));
    let cases = CASES.into_iter().filter(|case| *case == first || scenario(case) == first);
    let beginnings = cases.map(|case| match rest {
        None => format!("{case}."),
        Some(rest) if rest.split('.').count() < 3 => format!("{case}.{rest}."),
        Some(rest) => format!("{case}.{rest}"),
    });
    beginnings.filter(|beginning| Cell::all().any(|cell| cell.begins(beginning))).collect()
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (way, residency, trust) = (self.way.name(), self.residency.name(), self.trust.name());
        if self.case == NULL {
            return write!(f, "{NULL_GROUP}.{trust}");
        }
        write!(f, "{GROUP}.{}.{way}.{residency}.{trust}", self.case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_cells_are_one_to_one() {
        let names: BTreeSet<String> = Cell::all().map(|cell| cell.to_string()).collect();
        assert_eq!(names.len(), CASES.len() * Way::ALL.len() * Residency::ALL.len() * Trust::ALL.len());
        for cell in Cell::all().chain(Cell::nulls()) {
            assert_eq!(Cell::parse(&cell.to_string()), Some(cell));
        }
        for name in [
            "",
            "transfer",
            "transfer.open-9.wired.resident.trusting",
            "transfer.open-8.wired.resident",
            "transfer.null.registers.resident.trusting",
            "transfer-null.other",
        ] {
            assert_eq!(Cell::parse(name), None, "{name}");
        }
    }

    #[test]
    fn every_case_belongs_to_a_scenario() {
        let sum: usize = SCENARIOS.iter().map(|scenario| cases_of(scenario).count()).sum();
        assert_eq!(sum, CASES.len());
    }

    #[test]
    fn a_selection_names_parts_from_the_left() {
        let count = |selection: &str| {
            let beginnings = beginnings(selection);
            Cell::all().filter(|cell| beginnings.iter().any(|beginning| cell.begins(beginning))).count()
        };
        assert_eq!(count("read-1"), 48, "and not read-1024");
        assert_eq!(count("read"), 6 * 48, "and not readdir");
        assert_eq!(count("open-64.wired"), 8);
        assert_eq!(count("open.wired.resident"), 5 * 2);
        assert_eq!(count("open-64.wired.resident.trusting"), 1);
        for wrong in
            ["", "op", "wired", "open-64.wire", "open-64.wired.resident.trusting.x", "open-64.", "open-64.."]
        {
            assert_eq!(count(wrong), 0, "{wrong}");
        }
    }

    /// The guest takes cells whose name contains what it is told.
    #[test]
    fn no_beginning_is_contained_in_another_name() {
        for selection in
            CASES.iter().chain(&SCENARIOS).chain(&["read-1.pull", "open.wired.resident.trusting"])
        {
            for beginning in beginnings(selection) {
                for cell in Cell::all() {
                    assert_eq!(
                        cell.to_string().contains(&beginning),
                        cell.begins(&beginning),
                        "{cell} {beginning}"
                    );
                }
            }
        }
    }
}
