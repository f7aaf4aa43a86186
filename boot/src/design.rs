//! A design as it stands on command lines: `NAME[,OPTION]…`, as the kernel reads it behind `design=`.

use std::fmt;
use std::str::FromStr;

use anyhow::{Error, Result, bail, ensure};
use freehold_abi::designs::Design;
use serde::{Deserialize, Serialize};

/// The pool of a design that has one, where no other size is asked for: what the attack on its original was made on.
pub const POOL: &str = "pool=16M";

/// A design with its options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Variant {
    /// Which.
    pub design: Design,
    /// `NAME=VALUE`, in the order in which they were given.
    pub options: Vec<String>,
}

impl Variant {
    /// A design with the options that it has unless others are asked for.
    pub fn of(design: Design) -> Variant {
        let options = if design.has_pool() { vec![POOL.into()] } else { Vec::new() };
        Variant { design, options }
    }

    /// All designs so.
    pub fn all() -> Vec<Variant> {
        Design::ALL.map(Variant::of).to_vec()
    }

    /// The same with another pool, in MiB.
    pub fn with_pool(self, mib: u32) -> Variant {
        Variant { options: vec![format!("pool={mib}M")], ..self }
    }

    /// What its records say.
    pub fn name(&self) -> &'static str {
        self.design.name()
    }

    /// Bytes of its pool; `None`: it has none.
    pub fn pool_bytes(&self) -> Option<u64> {
        let text = self.options.iter().find_map(|option| option.strip_prefix("pool="))?;
        size(text)
    }

    /// Reads several, between commas. A word with `=` belongs to the design before it.
    ///
    /// # Errors
    /// There is no such design, or it has no such option.
    pub fn list(text: &str) -> Result<Vec<Variant>> {
        let mut texts: Vec<String> = Vec::new();
        for word in text.split(',') {
            match texts.last_mut().filter(|_| word.contains('=')) {
                Some(last) => *last += &format!(",{word}"),
                None => texts.push(word.into()),
            }
        }
        texts.iter().map(|text| text.parse()).collect()
    }
}

/// Bytes, from `4M`, `128K` or a plain number.
fn size(text: &str) -> Option<u64> {
    let (digits, unit) = match text.strip_suffix('M') {
        Some(digits) => (digits, 1 << 20),
        None => text.strip_suffix('K').map_or((text, 1), |digits| (digits, 1 << 10)),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit).filter(|&bytes| bytes > 0)
}

impl FromStr for Variant {
    type Err = Error;

    fn from_str(text: &str) -> Result<Variant> {
        let names = || Design::ALL.map(Design::name).join(", ");
        let named = |name: &str| Design::ALL.into_iter().find(|design| design.name() == name);
        // One of the names has a comma itself.
        if let Some(design) = named(text) {
            return Ok(Variant::of(design));
        }
        let (name, options) = text.split_once(',').unwrap_or((text, ""));
        let Some(design) = named(name) else { bail!("no design is called {text}; there are {}", names()) };
        let mut variant = Variant { options: Vec::new(), ..Variant::of(design) };
        for option in options.split(',') {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            let known = match key {
                "pool" => design.has_pool(),
                "quota" => design == Design::KernelQuota,
                _ => false,
            };
            ensure!(known, "{name} has no option {option}; there are {}", names());
            ensure!(size(value).is_some(), "{option}: a size is a number, with K or M behind it or nothing");
            variant.options.push(option.into());
        }
        if design.has_pool() && variant.pool_bytes().is_none() {
            variant.options.insert(0, POOL.into());
        }
        Ok(variant)
    }
}

impl TryFrom<String> for Variant {
    type Error = Error;

    fn try_from(text: String) -> Result<Variant> {
        text.parse()
    }
}

impl From<Variant> for String {
    fn from(variant: Variant) -> String {
        variant.to_string()
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let options = self.options.iter().map(|option| format!(",{option}"));
        write!(f, "{}{}", self.design.name(), options.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read_and_a_pool_is_never_left_to_chance() {
        for variant in Variant::all() {
            assert_eq!(variant.to_string().parse::<Variant>().expect("its own name"), variant);
            assert_eq!(variant.pool_bytes().is_some(), variant.design.has_pool(), "{variant}");
        }
        let heap = Variant::of(Design::KernelHeap).with_pool(4);
        assert_eq!((heap.to_string().as_str(), heap.pool_bytes()), ("kernel-heap,pool=4M", Some(4 << 20)));
        let quota: Variant = "kernel-quota,quota=128K".parse().expect("with a quota");
        assert_eq!(quota.to_string(), "kernel-quota,pool=16M,quota=128K");
    }

    #[test]
    fn a_list_gives_options_to_the_design_before_them() {
        let text = "user-tables,user-tables,credits=off,kernel-heap,pool=4M,local-only";
        let list: Vec<String> = Variant::list(text).expect("four").iter().map(ToString::to_string).collect();
        assert_eq!(
            list,
            ["user-tables", "user-tables,credits=off", "kernel-heap,pool=4M", "local-only,pool=16M"]
        );
    }

    #[test]
    fn what_there_is_not_is_refused_with_what_there_is() {
        for (text, hint) in [
            ("", "there are user-tables"),
            ("l4", "no design is called l4"),
            ("user-tables,pool=4M", "no option pool=4M"),
            ("kernel-heap,quota=4K", "no option quota=4K"),
            ("kernel-heap,pool=", "a size is a number"),
            ("kernel-heap,pool=0", "a size is a number"),
            ("kernel-heap,pool=99999999999999999999M", "a size is a number"),
        ] {
            let error = text.parse::<Variant>().expect_err(text).to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
