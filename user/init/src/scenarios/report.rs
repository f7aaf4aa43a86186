//! The records of cells, and what is claimed about all of them together.

use alloc::format;
use alloc::string::String;

use freehold_protocol::caller::Measured;
use freehold_rt::abi::designs::Design;
use freehold_rt::buffer::{Trust, Way};
use freehold_rt::serde::Serialize;
use freehold_rt::{Error, calls, println, records};

use super::cell::Cell;
use super::pair::{Beside, Ended};
use crate::claims::Claims;

const UNIT: &str = "instructions";

/// A cell that was measured. Field by field as docs/transfer-scenarios.md reads it.
#[derive(Serialize)]
#[serde(crate = "freehold_rt::serde")]
struct Figures {
    bench: String,
    design: &'static str,
    unit: &'static str,
    n: u32,
    min: u32,
    median: u32,
    p99: u32,
    max: u32,
    bytes: u32,
    messages: u32,
    switches: u32,
    client_faults: u32,
    server_faults: u32,
    retries: u32,
    /// Pages that came into memory, by faults or because they were asked for.
    client_pages: u32,
    server_pages: u32,
    /// Of the instructions, those between the whole request and the reply at the server, its page faults included.
    work: u32,
}

/// A cell that is not possible.
#[derive(Serialize)]
#[serde(crate = "freehold_rt::serde")]
struct Impossible<'a> {
    bench: String,
    design: &'static str,
    outcome: &'static str,
    detail: &'a str,
}

/// Writes a cell's record.
///
/// # Errors
/// Those of the port.
pub fn cell(cell: Cell, ended: &Ended) -> Result<(), Error> {
    let bench = format!("transfer.{}", cell.name());
    match ended {
        Ended::Measured(measured) => figures(bench, measured),
        Ended::Refused(detail) => impossible(bench, "refused", detail),
        Ended::Failed(detail) => impossible(bench, "failed", detail),
    }
}

/// Writes the record of an empty call.
///
/// # Errors
/// Those of the port.
pub fn null(measured: &Measured, trust: Trust) -> Result<(), Error> {
    figures(format!("transfer-null.{}", trust.name()), measured)
}

fn figures(bench: String, measured: &Measured) -> Result<(), Error> {
    records::write(&Figures {
        bench,
        design: calls::design().name(),
        unit: UNIT,
        n: measured.rounds,
        min: measured.min,
        median: measured.median,
        p99: measured.p99,
        max: measured.max,
        bytes: measured.bytes,
        messages: measured.messages,
        switches: measured.switches,
        client_faults: measured.client_faults,
        server_faults: measured.server_faults,
        retries: measured.retries,
        client_pages: measured.client_pages,
        server_pages: measured.server_pages,
        work: measured.work,
    })
}

fn impossible(bench: String, outcome: &'static str, detail: &str) -> Result<(), Error> {
    records::write(&Impossible { bench, design: calls::design().name(), outcome, detail })
}

/// How many cells there were of each kind. Each cell that is not as it must be is a claim of its own that fails.
#[derive(Default)]
pub struct Tally {
    measured: u32,
    refused: u32,
    right: u32,
    as_said: u32,
    must_wait: u32,
    waited_as_must: u32,
    waited: u32,
    not_held_up: u32,
    trusted: u32,
    trusted_not_held_up: u32,
}

impl Tally {
    /// Adds a cell.
    pub fn add(&mut self, claims: &mut Claims, cell: Cell, ended: &Ended) {
        let measured = match ended {
            Ended::Measured(measured) => measured,
            Ended::Refused(_) if cell.trust() == Trust::Distrusting || is_forbidden(cell.way()) => {
                self.refused += 1;
                return;
            }
            Ended::Refused(detail) | Ended::Failed(detail) => {
                claims.holds(format_args!("{}: {detail}", cell.name()), false);
                return;
            }
        };
        self.measured += 1;
        self.right += as_it_must(claims, cell, "rounds with a wrong reply", measured.wrong, 0);
        // A container leads past the server's buffers.
        let (client, server) = cell.is_missing();
        let expected = (client, server && cell.way() != Way::Container);
        let came = (measured.client_pages != 0, measured.server_pages != 0);
        self.as_said += as_it_must(claims, cell, "did pages come to client and server", came, expected);
    }

    /// Adds what a bystander found.
    pub fn add_beside(&mut self, claims: &mut Claims, cell: Cell, found: Beside) {
        // In these ways nothing is touched before: the copy itself, or the worker's, meets the missing page. In the
        // others a client that does not trust brings its pages first, by itself, and waits for nobody.
        let must_wait = matches!(cell.way(), Way::Registers | Way::Service);
        if must_wait && cell.trust() == Trust::Distrusting {
            self.must_wait += 1;
            self.waited_as_must +=
                as_it_must(claims, cell, "the client waits for its page", found.meanwhile, true);
        }
        if found.meanwhile && cell.trust() == Trust::Trusting {
            // Here the server may wait.
            self.trusted += 1;
            self.trusted_not_held_up += u32::from(found.at_once);
        } else if found.meanwhile {
            self.waited += 1;
            let what = "the server answers a bystander before the client has its page";
            self.not_held_up += as_it_must(claims, cell, what, found.at_once, true);
        }
    }

    /// Makes the claims about all of them.
    pub fn claim(&self, claims: &mut Claims) {
        let Tally { measured, refused, must_wait, waited, .. } = *self;
        claims.holds(format_args!("{measured} cells measured, {refused} refused"), measured != 0);
        claims.equal(format_args!("cells with every reply right: {measured}"), self.right, measured);
        let what = "cells in which pages were missing where their names say, and nowhere else";
        claims.equal(format_args!("{what}: {measured}"), self.as_said, measured);
        let what = "cells in which a client waited for a page, and a distrusting server for nobody";
        claims.equal(format_args!("{what}: {waited}"), self.not_held_up, waited);
        let what = "cells by registers and by the service in which that was seen";
        claims.equal(format_args!("{what}: {must_wait}"), self.waited_as_must, must_wait);
        let waited = self.trusted - self.trusted_not_held_up;
        println!("  note   a trusting server, which may, waited in {waited} of {} such cells", self.trusted);
    }
}

/// Whether the design does not allow this way, whoever trusts whom: under `root-only` nobody but the first program maps.
fn is_forbidden(way: Way) -> bool {
    way == Way::Container && calls::design() == Design::RootOnly
}

/// 1 if a cell is as it must be; if not, that is a claim that fails.
fn as_it_must<T: PartialEq + core::fmt::Debug>(
    claims: &mut Claims,
    cell: Cell,
    what: &str,
    found: T,
    expected: T,
) -> u32 {
    let good = found == expected;
    if !good {
        claims.equal(format_args!("{}: {what}", cell.name()), found, expected);
    }
    good.into()
}
