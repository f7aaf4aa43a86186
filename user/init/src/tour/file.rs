//! A file through faults: the client sends the boot module `file` to the server, with none of the pages
//! present on either side, and the server answers with its SHA-256.
//!
//! Short pieces of the file go first, whose sizes lie around those of a page: what the server says about
//! each is compared with what the first program computes itself.

use freehold_rt::abi::layout::FRAME;
use freehold_rt::{println, records, serde_json};

use super::carried::{Carried, digest, file_bytes, hexadecimal};
use super::troupe::{Size, Troupe};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::services::Services;

/// Bytes that are sent before the whole file, as far as it has so many.
const PARTS: [u32; 5] = [0, 1, FRAME - 1, FRAME, FRAME + 1];

/// The only client's number.
const CLIENT: u32 = 1;

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let bytes = file_bytes()?;
    let size = Size { clients: 1, slices: 1, bytes, frames: bytes.max(2 * FRAME).div_ceil(FRAME) };
    let troupe = Troupe::start(services, size)?;
    for part in PARTS.into_iter().filter(|&part| part < bytes) {
        Carried::of(&troupe, CLIENT, part)?.claim(claims, &digest(part)?);
    }
    let carried = Carried::of(&troupe, CLIENT, bytes)?;
    carried.claim(claims, &digest(bytes)?);
    report(&carried)?;
    claims.succeeds("all frames of the programs come back", troupe.destroy());
    Ok(())
}

fn report(carried: &Carried) -> Result<(), Failure> {
    let digest = hexadecimal(&carried.digest);
    println!("  {} bytes in {} ms: sha256 {digest}", carried.bytes, carried.milliseconds);
    Ok(records::write(&serde_json::json!({
        "tour": "file",
        "bytes": carried.bytes,
        "sha256": digest,
        "client_faults": carried.faults.0,
        "server_faults": carried.faults.1,
        "pages": carried.pages(),
        "resumed": carried.resumed,
        "milliseconds": carried.milliseconds,
    }))?)
}
