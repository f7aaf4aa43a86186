//! One transfer of the file's first bytes, from nothing present to everything given back, and what it
//! came to.

use alloc::string::String;
use alloc::vec::Vec;

use freehold_protocol::client::{CARRIED, CLOSE, TRANSFER};
use freehold_rt::abi::layout::FRAME;
use freehold_rt::{Message, time};
use sha2::{Digest, Sha256};

use super::troupe::{FILE, Troupe};
use crate::actor::expect;
use crate::claims::Claims;
use crate::failure::Failure;
use crate::modules;

/// Words of a digest.
const DIGEST: usize = 8;

/// Bytes of the file.
///
/// # Errors
/// [`Failure`].
pub fn file_bytes() -> Result<u32, Failure> {
    Ok(modules::open(FILE)?.ok_or(Failure::NoModule)?.len() as u32)
}

/// The SHA-256 of the file's first `bytes` bytes, in words as the server answers it.
///
/// # Errors
/// [`Failure`].
pub fn digest(bytes: u32) -> Result<Vec<u32>, Failure> {
    let file = modules::open(FILE)?.ok_or(Failure::NoModule)?;
    let digest = Sha256::digest(&file[..file.len().min(bytes as usize)]);
    let word = |bytes: &[u8]| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    Ok(digest.chunks_exact(4).map(word).collect())
}

/// A digest in hexadecimal.
pub fn hexadecimal(digest: &[u32]) -> String {
    use core::fmt::Write;
    digest.iter().fold(String::new(), |mut text, word| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{word:08x}");
        text
    })
}

/// The digest in a client's answer.
pub fn digest_in(answer: &Message) -> Vec<u32> {
    answer.words().iter().copied().take(DIGEST).collect()
}

/// What a transfer came to.
pub struct Carried {
    /// Bytes carried.
    pub bytes: u32,
    /// What the server answered.
    pub digest: Vec<u32>,
    /// How often the client was told to make a page present.
    pub resumed: u32,
    /// Pages present before: the client's, the server's.
    pub present: (u32, u32),
    /// Faults dealt with: the client's, the server's.
    pub faults: (u32, u32),
    /// Frames in the slice when the transfer was complete, and when the session was closed.
    pub held: (u32, u32),
    /// Milliseconds of the machine's time.
    pub milliseconds: u32,
    /// Cycles.
    pub cycles: u64,
}

impl Carried {
    /// Has a client carry the file's first `bytes` bytes.
    ///
    /// # Errors
    /// [`Failure`]: the transfer was not completed.
    pub fn of(troupe: &Troupe, client: u32, bytes: u32) -> Result<Carried, Failure> {
        let member = troupe.client(client)?;
        troupe.set_source(client, bytes)?;
        let (slice, worker) = troupe.open(client, bytes)?;
        let present = troupe.present(client, bytes)?;
        let before = troupe.slice(slice)?;
        let (ticks, cycles) = (time::ticks(), time::cycles());
        let answer = expect(member.order(TRANSFER, &[bytes])?, CARRIED)?;
        let (ticks, cycles) = (time::ticks().wrapping_sub(ticks), time::cycles() - cycles);
        let complete = troupe.slice(slice)?;
        drop(worker);
        member.obeys(CLOSE, &[])?;
        Ok(Carried {
            bytes,
            digest: digest_in(&answer),
            resumed: answer.word(DIGEST),
            present: (present, before.frames),
            faults: (troupe.faults(client)?.0, complete.fills - before.fills),
            held: (complete.frames, troupe.slice(slice)?.frames),
            milliseconds: ticks,
            cycles,
        })
    }

    /// Pages that the bytes take.
    pub fn pages(&self) -> u32 {
        self.bytes.div_ceil(FRAME)
    }

    /// Claims that all is as it must be.
    pub fn claim(&self, claims: &mut Claims, digest: &[u32]) {
        let (bytes, pages) = (self.bytes, self.pages());
        claims.equal(format_args!("{bytes} bytes: pages present at first"), self.present, (0, 0));
        let what = format_args!("{bytes} bytes: the server's SHA-256 of what arrived");
        claims.equal(what, &self.digest[..], digest);
        // The reply, which is the digest, takes a page as well.
        let slice = pages.max(1);
        let what = format_args!("{bytes} bytes: {pages} client's and {slice} server's faults, one a page");
        claims.equal(what, self.faults, (pages, slice));
        claims.equal(format_args!("{bytes} bytes: as many pieces more"), self.resumed, pages);
        let what = format_args!("{bytes} bytes: the slice held as many frames, and holds none now");
        claims.equal(what, self.held, (slice, 0));
    }
}
