//! Which way to go: the first row of the table of crossovers that covers the case and can be gone.

use super::crossover::TABLE;
use super::{Trust, Way};

/// Whether the buffer goes to the server or comes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A request.
    Send,
    /// A reply.
    Receive,
}

/// A row: up to so many bytes this way costs least. Rows of one case stand together, sorted by `up_to`; the
/// last one has `u32::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Of the buffer.
    pub direction: Direction,
    /// Of the two parties in each other.
    pub trust: Trust,
    /// Whether the client's buffer was resident.
    pub resident: bool,
    /// Bytes of the buffer, at most.
    pub up_to: u32,
    /// The way that cost least.
    pub way: Way,
}

/// The way that costs least for a buffer of `bytes`, among those that are `usable`; [`Way::Pull`] if the table has
/// none.
pub fn way(
    direction: Direction,
    trust: Trust,
    resident: bool,
    bytes: u32,
    usable: impl Fn(Way) -> bool,
) -> Way {
    way_of(TABLE, direction, trust, resident, bytes, usable)
}

/// The same by any table.
fn way_of(
    table: &[Row],
    direction: Direction,
    trust: Trust,
    resident: bool,
    bytes: u32,
    usable: impl Fn(Way) -> bool,
) -> Way {
    let case = |row: &&Row| (row.direction, row.trust, row.resident) == (direction, trust, resident);
    let row = table.iter().filter(case).find(|row| bytes <= row.up_to && usable(row.way));
    row.map_or(Way::Pull, |row| row.way)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTIONS: [Direction; 2] = [Direction::Send, Direction::Receive];
    const TRUSTS: [Trust; 2] = [Trust::Trusting, Trust::Distrusting];

    #[test]
    fn every_case_is_sorted_and_open_at_its_end() {
        for direction in DIRECTIONS {
            for trust in TRUSTS {
                for resident in [true, false] {
                    let case =
                        |row: &&Row| (row.direction, row.trust, row.resident) == (direction, trust, resident);
                    let rows: Vec<&Row> = TABLE.iter().filter(case).collect();
                    assert!(rows.is_sorted_by_key(|row| row.up_to), "{direction:?} {trust:?} {resident}");
                    assert_eq!(rows.last().map(|row| row.up_to), Some(u32::MAX));
                }
            }
        }
    }

    #[test]
    fn no_row_gives_memory_to_who_is_not_trusted() {
        assert!(!TABLE.iter().any(|row| row.trust == Trust::Distrusting && row.way == Way::Container));
    }

    #[test]
    fn what_cannot_be_gone_is_passed_over() {
        for bytes in [0, 1, 1 << 20, u32::MAX] {
            assert_eq!(way(Direction::Send, Trust::Trusting, true, bytes, |_| false), Way::Pull);
            let any = way(Direction::Send, Trust::Trusting, true, bytes, |_| true);
            assert_ne!(way(Direction::Send, Trust::Trusting, true, bytes, |way| way != any), any);
        }
    }

    use Direction::{Receive, Send};
    use Trust::{Distrusting, Trusting};
    use Way::{Container, Pull, Registers, Service, Touched, Wired};

    /// One case with three sizes, and each case that differs from it in one thing.
    #[rustfmt::skip]
    const SMALL: &[Row] = &[
        Row { direction: Receive, trust: Trusting, resident: true, up_to: u32::MAX, way: Service },
        Row { direction: Send, trust: Trusting, resident: true, up_to: 10, way: Registers },
        Row { direction: Send, trust: Trusting, resident: true, up_to: 100, way: Wired },
        Row { direction: Send, trust: Trusting, resident: true, up_to: u32::MAX, way: Container },
        Row { direction: Send, trust: Trusting, resident: true, up_to: u32::MAX, way: Touched },
        Row { direction: Send, trust: Trusting, resident: false, up_to: u32::MAX, way: Touched },
        Row { direction: Send, trust: Distrusting, resident: true, up_to: u32::MAX, way: Service },
    ];

    #[test]
    fn the_size_counts() {
        for (bytes, expected) in [
            (0, Registers),
            (10, Registers),
            (11, Wired),
            (100, Wired),
            (101, Container),
            (u32::MAX, Container),
        ] {
            assert_eq!(way_of(SMALL, Send, Trusting, true, bytes, |_| true), expected, "{bytes}");
        }
    }

    #[test]
    fn direction_trust_and_residency_count() {
        for (direction, trust, resident, expected) in [
            (Send, Trusting, true, Registers),
            (Receive, Trusting, true, Service),
            (Send, Distrusting, true, Service),
            (Send, Trusting, false, Touched),
            // None of these is in the table.
            (Receive, Distrusting, true, Pull),
            (Receive, Trusting, false, Pull),
            (Send, Distrusting, false, Pull),
            (Receive, Distrusting, false, Pull),
        ] {
            let found = way_of(SMALL, direction, trust, resident, 10, |_| true);
            assert_eq!(found, expected, "{direction:?} {trust:?} {resident}");
        }
    }

    #[test]
    fn what_cannot_be_gone_gives_way_to_the_next_row_of_its_case() {
        for (bytes, without, expected) in [
            (10, &[Registers][..], Wired),
            (10, &[Registers, Wired], Container),
            (11, &[Registers], Wired),
            (101, &[Container], Touched),
            (101, &[Container, Touched], Pull),
        ] {
            let found = way_of(SMALL, Send, Trusting, true, bytes, |way| !without.contains(&way));
            assert_eq!(found, expected, "{bytes} {without:?}");
        }
    }
}
