//! The generated parts of a document: what stands between `<!-- figures: NAME -->` and `<!-- end -->`, each on a
//! line of its own. All other lines are written by people and stay as they are.

use anyhow::{Context, Result, bail, ensure};

const BEGIN: &str = "<!-- figures: ";
const BEGIN_ENDS: &str = " -->";
const END: &str = "<!-- end -->";

/// The document with each generated part replaced by what `part` makes for its name.
///
/// # Errors
/// A part is unknown, not ended, or ended without a beginning.
pub fn fill(document: &str, part: impl Fn(&str) -> Option<String>) -> Result<String> {
    let mut text = String::new();
    let mut open: Option<&str> = None;
    for line in document.lines() {
        let begins = line.strip_prefix(BEGIN).map(|rest| rest.strip_suffix(BEGIN_ENDS));
        match (begins, open) {
            (Some(None), _) => bail!("{line}: the marker is not ended"),
            (Some(Some(name)), None) => {
                let part = part(name).with_context(|| format!("there are no figures called {name}"))?;
                text += &format!("{line}\n{}\n{END}\n", part.trim_end());
                open = Some(name);
            }
            (Some(Some(name)), Some(before)) => bail!("{name} begins inside {before}"),
            (None, Some(_)) if line == END => open = None,
            (None, Some(_)) => {}
            (None, None) if line == END => bail!("{END} without a beginning"),
            (None, None) => text += &format!("{line}\n"),
        }
    }
    match open {
        Some(name) => bail!("{name} has no {END}"),
        None => Ok(text),
    }
}

/// The names of a document's generated parts, in order.
pub fn names(document: &str) -> impl Iterator<Item = &str> {
    document.lines().filter_map(|line| line.strip_prefix(BEGIN)?.strip_suffix(BEGIN_ENDS))
}

/// Looks at whether each of these parts is shown once, and nothing else.
///
/// # Errors
/// It is not so.
pub fn ensure_all(document: &str, parts: &[impl AsRef<str>]) -> Result<()> {
    let mut shown: Vec<&str> = names(document).collect();
    let mut expected: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    shown.sort();
    expected.sort();
    ensure!(shown == expected, "it shows {shown:?}; it must show each of {expected:?} once");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str) -> Option<String> {
        (name == "known").then(|| "new\nlines\n".into())
    }

    #[test]
    fn parts_are_replaced_and_the_rest_stays() {
        let document = "# Title\n\n<!-- figures: known -->\nold\n<!-- end -->\nprose 7\n";
        let filled = fill(document, part).expect("good markers");
        assert_eq!(filled, "# Title\n\n<!-- figures: known -->\nnew\nlines\n<!-- end -->\nprose 7\n");
        assert_eq!(fill(&filled, part).expect("good markers"), filled, "filling again changes nothing");
        assert_eq!(names(&filled).collect::<Vec<_>>(), ["known"]);
    }

    #[test]
    fn wrong_markers_are_refused() {
        for document in [
            "<!-- figures: unknown -->\n<!-- end -->\n",
            "<!-- figures: known -->\n",
            "<!-- end -->\n",
            "<!-- figures: known\n<!-- end -->\n",
            "<!-- figures: known -->\n<!-- figures: known -->\n<!-- end -->\n",
        ] {
            assert!(fill(document, part).is_err(), "{document}");
        }
    }
}
