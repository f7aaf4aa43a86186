//! docs/hypotheses.md as data: what was predicted, and the limits by which it is judged.
//!
//! What must hold: a limit that a judge asks for stands on the page; a test asks for all of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::experiment::data::Outcome;

const TEXT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/hypotheses.md"));

/// The page, read.
pub static PAGE: LazyLock<Page> = LazyLock::new(|| Page::read(TEXT));

/// All hypotheses.
#[derive(Debug, Default)]
pub struct Page {
    /// One after the other.
    pub hypotheses: Vec<Hypothesis>,
    /// What each attack was predicted to come to, under each design.
    pub matrix: Vec<(String, Vec<(String, Prediction)>)>,
}

/// One hypothesis.
#[derive(Debug, Default)]
pub struct Hypothesis {
    /// H and its number.
    pub name: String,
    /// What it says in a few words.
    pub title: String,
    /// The chapter that it stands in.
    pub chapter: String,
    /// What was predicted.
    pub prediction: String,
    /// What decides it.
    pub decided_by: String,
    /// What would refute it.
    pub refuted_if: String,
    /// By which numbers.
    pub limits: BTreeMap<String, f64>,
}

/// How an attack was predicted to come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prediction {
    /// Without effect.
    Held,
    /// With success.
    Broken,
    /// With success, or with an effect on the victim.
    NotHeld,
    /// Nobody knew.
    None,
}

impl Prediction {
    /// Whether it came out so; `None`: nothing was predicted, or nobody tried.
    pub fn fits(self, outcome: Outcome) -> Option<bool> {
        match self {
            _ if outcome == Outcome::Untried => None,
            Prediction::Held => Some(outcome.stood()),
            Prediction::Broken => Some(outcome == Outcome::Broken),
            Prediction::NotHeld => Some(outcome >= Outcome::Degraded),
            Prediction::None => None,
        }
    }

    /// As the page has it.
    pub fn name(self) -> &'static str {
        match self {
            Prediction::Held => "held",
            Prediction::Broken => "broken",
            Prediction::NotHeld => "not held",
            Prediction::None => "–",
        }
    }
}

impl Page {
    fn read(text: &str) -> Page {
        let mut page = Page::default();
        let mut chapter = String::new();
        for section in text.split("\n#").skip(1) {
            let (head, body) = section.split_once('\n').unwrap_or((section, ""));
            let title = head.trim_start_matches('#').trim();
            match title.split_once(". ") {
                Some((name, title)) if name.starts_with('H') => {
                    page.hypotheses.push(Hypothesis::read(name, title, &chapter, body));
                }
                _ => chapter = title.into(),
            }
        }
        page.matrix = matrix(text);
        page
    }

    /// The hypothesis of that name.
    pub fn get(&self, name: &str) -> Option<&Hypothesis> {
        self.hypotheses.iter().find(|one| one.name == name)
    }

    /// What an attack was predicted to come to.
    pub fn predicted(&self, attack: &str, design: &str) -> Prediction {
        let row = self.matrix.iter().find(|(name, _)| name == attack);
        let cell = row.and_then(|(_, cells)| cells.iter().find(|(name, _)| name == design));
        cell.map_or(Prediction::None, |(_, prediction)| *prediction)
    }
}

impl Hypothesis {
    fn read(name: &str, title: &str, chapter: &str, body: &str) -> Hypothesis {
        const LABELS: [&str; 4] = ["Prediction: ", "Decided by: ", "Refuted if: ", "Limits: "];
        let part = |label: &str| {
            let Some(at) = body.find(label) else { return String::new() };
            let text = &body[at + label.len()..];
            let ends =
                LABELS.iter().filter_map(|next| text.find(&format!("\n{next}"))).chain(text.find("\n\n"));
            let text = &text[..ends.min().unwrap_or(text.len())];
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let [prediction, decided_by, refuted_if, limits] = LABELS.map(part);
        let limit = |text: &str| {
            let (name, value) = text.split_once('=')?;
            Some((name.trim().to_string(), value.trim().parse().ok()?))
        };
        let limits = limits.split(';').filter_map(limit).collect();
        let (name, title, chapter) = (name.into(), title.into(), chapter.into());
        Hypothesis { name, title, chapter, prediction, decided_by, refuted_if, limits }
    }
}

fn matrix(text: &str) -> Vec<(String, Vec<(String, Prediction)>)> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect()
    };
    let mut lines = text.lines().skip_while(|line| !line.starts_with("| attack |"));
    let heads = lines.next().map(cells).unwrap_or_default();
    let rows = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells);
    let prediction = |text: &str| match text {
        "held" => Prediction::Held,
        "broken" => Prediction::Broken,
        "not held" => Prediction::NotHeld,
        _ => Prediction::None,
    };
    let row = |cells: Vec<String>| {
        let designs = heads.iter().zip(&cells).skip(1);
        (cells[0].clone(), designs.map(|(head, cell)| (head.clone(), prediction(cell))).collect())
    };
    rows.map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use freehold_abi::designs::Design;

    #[test]
    fn every_hypothesis_is_whole_and_numbered_in_turn() {
        assert!(PAGE.hypotheses.len() > 20);
        for (number, one) in (1..).zip(&PAGE.hypotheses) {
            assert_eq!(one.name, format!("H{number}"));
            for part in [&one.title, &one.chapter, &one.prediction, &one.decided_by, &one.refuted_if] {
                assert!(!part.is_empty() && !part.contains("Limits"), "{one:?}");
            }
        }
        let bytes = PAGE.get("H2").expect("it is there");
        assert_eq!(bytes.limits["dense.least"], 18.0);
        assert!(bytes.prediction.ends_with("what it costs."), "{}", bytes.prediction);
    }

    #[test]
    fn the_matrix_has_a_column_for_each_design_and_no_attack_twice() {
        for (attack, cells) in &PAGE.matrix {
            let names: Vec<&str> = cells.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, Design::ALL.map(Design::name), "{attack}");
            assert_eq!(PAGE.matrix.iter().filter(|(other, _)| other == attack).count(), 1);
        }
        assert_eq!(PAGE.predicted("mapping-flood", "kernel-heap"), Prediction::Broken);
        assert_eq!(PAGE.predicted("mapping-flood", "zircon"), Prediction::None);
        assert_eq!(PAGE.predicted("unheard-of", "kernel-heap"), Prediction::None);
    }

    #[test]
    fn outcomes_fit_predictions_or_do_not() {
        assert_eq!(Prediction::NotHeld.fits(Outcome::Degraded), Some(true));
        assert_eq!(Prediction::Broken.fits(Outcome::Degraded), Some(false));
        assert_eq!(Prediction::Held.fits(Outcome::Impossible), Some(true));
        assert_eq!(Prediction::None.fits(Outcome::Broken), None);
    }
}
