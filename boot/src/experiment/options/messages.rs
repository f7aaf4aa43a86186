//! How a buffer gets from one program to another: the ways out, by the sentences of docs/transfer-scenarios.md and what
//! stalling clients and attacks did.

use freehold_abi::designs::Design;

use super::Word;
use crate::bench::transfer::verdicts;
use crate::experiment::data::{Data, Outcome};
use crate::experiment::derived::stalls;
use crate::experiment::hypotheses::TWO_SIDED;
use crate::experiment::number::{listed, number};

/// How the word of a sentence begins that was not judged.
const UNJUDGED: &str = "Not judged";
/// Attacks on the transfer service.
const ON_SERVICE: [&str; 4] = ["endless-resume", "transfer-flood", "worker-frames", "confused-deputy"];
/// Attacks by faults in transit.
const IN_TRANSIT: [&str; 3] = ["transit-stall-sender", "transit-stall-receiver", "transit-stall-both"];

/// How a sentence of the mail came out under the main design, else under the first whose figures suffice for a judgement.
fn sentence(data: &Data, name: &str) -> Option<(String, String)> {
    let main = Design::UserTables.name().to_string();
    let subjects = std::iter::once(&main).chain(data.subjects.iter().filter(|subject| **subject != main));
    let mut all = subjects.filter_map(|subject| {
        let told = verdicts::verdict(name, data.transfers(subject)?)?;
        let word = told.split("**").nth(1)?.to_string();
        let told = if *subject == main { told } else { format!("{told} (Under {subject}.)") };
        Some((word, told))
    });
    let first = all.next()?;
    let mut all = std::iter::once(first.clone()).chain(all);
    Some(all.find(|(word, _)| !word.starts_with(UNJUDGED)).unwrap_or(first))
}

/// Judges by sentences: good if all are as `good` says, bad if none is.
fn by_sentences(data: &Data, wanted: &[(&str, &str)]) -> (Word, Vec<String>) {
    let found: Vec<Option<(bool, bool, String)>> = wanted
        .iter()
        .map(|(name, good)| {
            let (word, told) = sentence(data, name)?;
            Some((word == *good, word.starts_with(UNJUDGED), told))
        })
        .collect();
    let told: Vec<String> = found.iter().flatten().map(|(_, _, told)| told.clone()).collect();
    let known: Vec<bool> =
        found.iter().flatten().filter(|(_, unknown, _)| !unknown).map(|(good, ..)| *good).collect();
    let word =
        match (known.len() == wanted.len(), known.iter().all(|good| *good), known.iter().any(|good| *good)) {
            (false, ..) => Word::Unjudged,
            (true, true, _) => Word::Works,
            (true, false, true) => Word::Priced,
            (true, false, false) => Word::Fails,
        };
    (word, if told.is_empty() { vec!["Requests were not measured.".into()] } else { told })
}

/// Attacks that somebody did not withstand: a sentence, and whether there are any; `None`: none was made.
fn attacked(data: &Data, attacks: &[&str]) -> Option<(bool, String)> {
    // Those that somebody tried.
    let tried = |attack: &&str| {
        data.attacks.iter().any(|one| one.attack == **attack && one.outcome != Outcome::Untried)
    };
    let made: Vec<&str> = attacks.iter().copied().filter(tried).collect();
    if made.is_empty() {
        return None;
    }
    let mut fell = Vec::new();
    for attack in &made {
        for subject in &data.subjects {
            if data.worst(subject, attack).is_some_and(Outcome::succeeded) {
                fell.push(format!("{attack} under {subject}"));
            }
        }
    }
    let told = match fell.is_empty() {
        true => {
            format!("Attacks that were withstood under every design they were made on: {}.", listed(&made))
        }
        false => format!("Attacks that were not withstood: {}.", listed(&fell)),
    };
    Some((fell.is_empty(), told))
}

/// What another client waits beside those that stall, by policy.
fn stalling(data: &Data) -> String {
    let all = stalls(data, Design::UserTables.name());
    let mut told = Vec::new();
    for stall in all.iter().filter(|stall| stall.clients > 0 && stall.latency.is_some()) {
        let more = all.iter().any(|other| other.policy == stall.policy && other.clients > stall.clients);
        let alone = all.iter().find(|other| other.policy == stall.policy && other.clients == 0);
        let (Some(beside), Some(alone), false) = (stall.latency, alone.and_then(|alone| alone.latency), more)
        else {
            continue;
        };
        let given_up = match stall.timeouts {
            0.0 => String::new(),
            times => format!(", and {} times got no answer in time", number(times)),
        };
        let kind = if stall.policy == TWO_SIDED { "with a limit for each side" } else { "otherwise" };
        told.push(format!(
            "{} ({kind}): {} beside {} that stall, {} alone{given_up}",
            stall.policy,
            beside.told(),
            stall.clients,
            alone.told()
        ));
    }
    match told.is_empty() {
        true => "Clients that stall were not measured.".into(),
        false => {
            format!("A client's wait, by what the server does about clients that stall: {}.", told.join("; "))
        }
    }
}

fn with_attacks(
    (word, mut told): (Word, Vec<String>),
    attacks: Option<(bool, String)>,
) -> (Word, Vec<String>) {
    let Some((withstood, sentence)) = attacks else { return (word, told) };
    told.push(sentence);
    let word = if !withstood && word != Word::Unjudged { Word::Fails } else { word };
    (word, told)
}

pub fn wired(data: &Data) -> (Word, Vec<String>) {
    let judged =
        by_sentences(data, &[("wiring-is-fast", "Supported."), ("server-side-faults", "Supported.")]);
    let (word, mut told) = with_attacks(judged, attacked(data, &IN_TRANSIT));
    told.push(stalling(data));
    (word, told)
}

pub fn touched(data: &Data) -> (Word, Vec<String>) {
    let judged = by_sentences(data, &[("touching-is-enough", "Supported."), ("reply-retried", "Refuted.")]);
    with_attacks(judged, attacked(data, &IN_TRANSIT))
}

pub fn containers(data: &Data) -> (Word, Vec<String>) {
    by_sentences(data, &[("container-at-some-point", "Supported."), ("container-expensive", "Refuted.")])
}

pub fn third_task(data: &Data) -> (Word, Vec<String>) {
    let judged = by_sentences(data, &[("third-task", "Supported."), ("self-paged", "Refuted.")]);
    with_attacks(judged, attacked(data, &ON_SERVICE))
}
