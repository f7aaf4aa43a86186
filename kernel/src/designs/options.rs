//! The design that the command line asks for: `design=NAME[,OPTION]…`.

use freehold_abi::designs::Design;
use freehold_mapdb::pool;

use crate::multiboot::Loaded;

/// Bytes of the pool, if the command line says nothing.
const POOL: u32 = 16 << 20;
/// Bytes of it that a space may have, if the command line says nothing.
const QUOTA: u32 = 128 << 10;

/// A design and its numbers.
pub struct Options {
    /// Which one.
    pub design: Design,
    /// Bytes of the pool: whole blocks; 0: the design has none.
    pub pool: u32,
    /// Bytes of it that a space of the first program's making may have.
    pub quota: u32,
}

impl Options {
    /// Reads the command line.
    ///
    /// # Panics
    /// If there is no such design, or not with such options.
    pub fn read(loaded: &Loaded) -> Options {
        let asked = loaded.value("design=").unwrap_or(Design::UserTables.name());
        let (name, rest) = asked.split_once(',').unwrap_or((asked, ""));
        let credits_off = name == Design::UserTables.name() && rest == "credits=off";
        let design = match credits_off {
            true => Some(Design::CreditsOff),
            false => Design::ALL.into_iter().find(|design| design.name() == name),
        };
        let design = design.unwrap_or_else(|| panic!("there is no design {name}"));
        let mut options = Options { design, pool: if design.has_pool() { POOL } else { 0 }, quota: QUOTA };
        for option in rest.split(',').filter(|option| !option.is_empty() && !credits_off) {
            let known = match option.split_once('=') {
                Some(("pool", value)) if design.has_pool() => bytes(value).map(|bytes| options.pool = bytes),
                Some(("quota", value)) if design == Design::KernelQuota => {
                    bytes(value).map(|bytes| options.quota = bytes)
                }
                _ => None,
            };
            assert!(known.is_some(), "the design {name} has no option {option}");
        }
        options.pool = options.pool / pool::BLOCK * pool::BLOCK;
        let most = pool::MOST_BYTES;
        assert!(options.pool <= most, "the pool is larger than the {} MiB that it can be", most >> 20);
        assert!(options.pool != 0 || !design.has_pool(), "a pool of nothing");
        options
    }
}

/// A number of bytes, with K or M behind it or not.
fn bytes(text: &str) -> Option<u32> {
    let (digits, unit) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 1 << 10),
        b'M' => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    digits.parse::<u32>().ok()?.checked_mul(unit)
}
