//! What the plugin is told: `mode=WORD`, `out=PATH`, and what else the mode wants.

use std::collections::BTreeMap;
use std::fs::File;

use anyhow::{Context, Result, ensure};

/// Words of the form `NAME=VALUE`. QEMU takes a comma for the end of a word.
#[derive(Debug)]
pub struct Arguments(BTreeMap<String, String>);

impl Arguments {
    /// Takes the words apart.
    ///
    /// # Errors
    /// A word has no `=`, or a name comes twice.
    pub fn read(words: impl Iterator<Item = String>) -> Result<Arguments> {
        let mut values = BTreeMap::new();
        for word in words {
            let (name, value) = word.split_once('=').with_context(|| format!("{word} is not NAME=VALUE"))?;
            ensure!(values.insert(name.into(), value.into()).is_none(), "{name} comes twice");
        }
        Ok(Arguments(values))
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The file `out`, made anew.
    ///
    /// # Errors
    /// None is named, or it cannot be made.
    pub fn out(&self) -> Result<File> {
        let path = self.get("out").context("out=PATH is missing")?;
        File::create(path).with_context(|| format!("cannot write {path}"))
    }

    /// Numbers with a `+` between them; none if the name is not there.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn numbers(&self, name: &str) -> Result<Vec<u32>> {
        let numbers = self.get(name).into_iter().flat_map(|value| value.split('+'));
        numbers.map(|number| number.parse().with_context(|| format!("{name}: {number}"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Arguments> {
        Arguments::read(words.iter().map(|word| (*word).into()))
    }

    #[test]
    fn words_are_names_and_values() {
        let arguments = read(&["mode=path", "out=a=b", "paths=7+12"]).expect("good");
        assert_eq!((arguments.get("mode"), arguments.get("out")), (Some("path"), Some("a=b")));
        assert_eq!(arguments.numbers("paths").expect("numbers"), [7, 12]);
        assert!(arguments.numbers("others").expect("none").is_empty());
        assert!(arguments.numbers("mode").is_err());
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(read(&["path"]).is_err());
        assert!(read(&["mode=path", "mode=latency"]).is_err());
        assert!(read(&[]).expect("nothing").out().is_err());
    }
}
