//! The sentences of the 2004 exchange about messages and memory, each judged by the figures.
//!
//! What must hold: every number and every word of judgement comes from the results, and a sentence about cells
//! that are not there is not judged.

pub(crate) mod crossing;
mod sentences;

use super::cell::{Cell, Residency, Trust, Way};
use super::figures::{Figures, Found, Results};

/// What was judged, or why it was not.
type Judged = Result<(Verdict, String), String>;

/// How a sentence came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Supported,
    InPart,
    Refuted,
}

impl Verdict {
    /// Of a sentence that several figures speak about.
    fn of(figures: &[bool]) -> Verdict {
        match (figures.iter().any(|good| *good), figures.iter().all(|good| *good)) {
            (true, true) => Verdict::Supported,
            (true, false) => Verdict::InPart,
            (false, _) => Verdict::Refuted,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Verdict::Supported => "Supported.",
            Verdict::InPart => "Supported in part.",
            Verdict::Refuted => "Refuted.",
        }
    }
}

/// The names of the sentences.
pub fn names() -> impl Iterator<Item = &'static str> {
    sentences::ALL.iter().map(|(name, _)| *name)
}

/// The judgement on a sentence; `None` if there is none of this name.
pub fn verdict(name: &str, results: &Results) -> Option<String> {
    let (_, judge) = sentences::ALL.iter().find(|(known, _)| *known == name)?;
    Some(match judge(&View(results)) {
        Ok((verdict, text)) => format!("**{}** {text}", verdict.word()),
        Err(cause) => format!("**Not judged:** {cause}."),
    })
}

/// Instructions of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Costs {
    /// All of them.
    whole: u64,
    /// Without the server's own work, which is the same in every way.
    call: u64,
    /// And without an empty call.
    overhead: u64,
}

/// The results, as the sentences look at them: what is not there is a cause not to judge.
struct View<'a>(&'a Results);

impl View<'_> {
    fn figures(
        &self,
        case: &'static str,
        way: Way,
        residency: Residency,
        trust: Trust,
    ) -> Result<&Figures, String> {
        let cell = Cell { case, way, residency, trust };
        match self.0.found(cell) {
            Some(Found::Measured(figures)) => Ok(figures),
            Some(Found::Refused(detail)) => Err(format!("{cell} is refused ({detail})")),
            None => Err(format!("{cell} was not run")),
        }
    }

    /// What a request costs, and of that, what is for moving it.
    fn costs(
        &self,
        case: &'static str,
        way: Way,
        residency: Residency,
        trust: Trust,
    ) -> Result<Costs, String> {
        let whole = self.figures(case, way, residency, trust)?.rounds.median;
        let work = self.0.work(case).ok_or_else(|| format!("the work of {case} is not known"))?;
        let null = self.0.null(trust).ok_or("the empty call was not run")?;
        let call = whole.saturating_sub(work);
        Ok(Costs { whole, call, overhead: call.saturating_sub(null) })
    }

    /// The way that costs least.
    fn cheapest(
        &self,
        case: &'static str,
        residency: Residency,
        trust: Trust,
    ) -> Result<(Way, Costs), String> {
        let (way, _) = self.0.cheapest(case, residency, trust).ok_or_else(|| {
            format!("no way is possible for {case}, {}, {}", residency.name(), trust.name())
        })?;
        Ok((way, self.costs(case, way, residency, trust)?))
    }
}

/// Judges by several cases, with a clause for each.
fn by_cases(
    cases: &[&'static str],
    judge: impl Fn(&'static str) -> Result<(bool, String), String>,
) -> Judged {
    let judged = cases.iter().map(|case| judge(case)).collect::<Result<Vec<_>, _>>()?;
    let (good, clauses): (Vec<bool>, Vec<String>) = judged.into_iter().unzip();
    Ok((Verdict::of(&good), format!("{}.", clauses.join("; "))))
}

#[cfg(test)]
mod tests {
    use super::super::synthetic;
    use super::*;

    fn word(name: &str, results: &Results) -> String {
        let text = verdict(name, results).expect("a sentence");
        text.split("**").nth(1).expect("a verdict").into()
    }

    #[test]
    fn every_sentence_is_judged_where_all_cells_are_there() {
        let results = synthetic::results();
        for name in names() {
            assert_ne!(word(name, &results), "Not judged:", "{name}: {:?}", verdict(name, &results));
        }
        assert_eq!(verdict("unknown", &results), None);
    }

    #[test]
    fn no_sentence_is_judged_without_figures() {
        for name in names() {
            assert_eq!(word(name, &Results::default()), "Not judged:", "{name}");
        }
    }

    #[test]
    fn figures_turn_every_verdict() {
        let usual = synthetic::results();
        for name in names() {
            let turned = sentences::TURNS.iter().find(|(known, _)| *known == name).expect(name).1;
            let other = synthetic::with(turned);
            assert_ne!(word(name, &usual), word(name, &other), "{name}: {:?}", verdict(name, &other));
        }
    }
}
