//! The figures as a table for each case, for a terminal.

use std::fmt::Write as _;

use super::cell::{CASES, Cell, Residency, Trust, Way};
use super::figures::{Found, Results, grouped};

/// The tables of all cases about which something was found.
pub fn tables(results: &Results) -> String {
    let mut text = String::new();
    for case in CASES {
        if Cell::of_case(case).any(|cell| results.found(cell).is_some()) {
            table(results, case, &mut text).expect("a string takes everything");
        }
    }
    text
}

fn table(results: &Results, case: &'static str, text: &mut String) -> std::fmt::Result {
    let bytes = results.bytes(case).map_or(String::new(), |bytes| format!(", {} bytes", grouped(bytes)));
    writeln!(text, "\n{case}{bytes}: instructions (median)")?;
    let columns = || Trust::ALL.iter().flat_map(|&trust| Residency::ALL.iter().map(move |&r| (r, trust)));
    write!(text, "{:10}", "")?;
    for trust in Trust::ALL {
        write!(text, " {:>55}", trust.name())?;
    }
    write!(text, "\n{:10}", "")?;
    for (residency, _) in columns() {
        write!(text, " {:>13}", residency.name())?;
    }
    let mut reasons: Vec<&str> = Vec::new();
    for &way in Way::ALL {
        write!(text, "\n{:10}", way.name())?;
        for (residency, trust) in columns() {
            let shown = match results.found(Cell { case, way, residency, trust }) {
                None => String::new(),
                Some(Found::Measured(figures)) => grouped(figures.rounds.median),
                Some(Found::Refused(reason)) => {
                    let number = reasons.iter().position(|known| known == reason).unwrap_or_else(|| {
                        reasons.push(reason);
                        reasons.len() - 1
                    });
                    format!("refused ({})", number + 1)
                }
            };
            write!(text, " {shown:>13}")?;
        }
    }
    writeln!(text)?;
    for (number, reason) in reasons.iter().enumerate() {
        writeln!(text, "({}) {reason}", number + 1)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::synthetic;
    use super::*;

    #[test]
    fn a_case_is_a_table() {
        let mut results = synthetic::results();
        results.keep(|cell| cell.case == "open-8");
        assert_eq!(
            tables(&results),
            "
open-8, 8 bytes: instructions (median)
                                                          trusting                                             distrusting
                resident client-faults server-faults    both-fault      resident client-faults server-faults    both-fault
registers            531         1,231         1,231         1,931           531         1,231         1,231         1,931
wired              1,502         2,202         2,202         2,902         1,502         2,202         2,202         2,902
touched            1,002         1,702         1,702         2,402         1,002         1,702         1,702         2,402
container         10,000        10,700        10,700        11,400   refused (1)   refused (1)   refused (1)   refused (1)
service            4,002         4,702         4,702         5,402         4,002         4,702         4,702         5,402
pull               1,202         1,902         1,902         2,602         1,202         1,902         1,902         2,602
(1) memory of a client that is not trusted
"
        );
        results.keep(|cell| cell.way == Way::Pull && cell.residency == Residency::Resident);
        assert!(tables(&results).contains("\npull               1,202"));
        results.keep(|_| false);
        assert_eq!(tables(&results), "");
    }
}
