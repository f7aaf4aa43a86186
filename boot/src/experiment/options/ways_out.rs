//! Who pays for mappings: the ways out.

use freehold_abi::designs::Design;

use super::Word;
use crate::experiment::data::{Data, Outcome};
use crate::experiment::derived::{bytes_of, least_ratio};
use crate::experiment::estimate::Estimate;
use crate::experiment::number::{listed, number};

/// The attacks on the kernel's memory and time by mappings: what the ways out are against.
const AGAINST: [&str; 8] = [
    "mapping-flood",
    "page-table-bomb",
    "derivation-depth",
    "depth-wrap",
    "split-charge",
    "revoke-time",
    "derive-during-revoke",
    "oversized-batch",
];
/// Those of them that only take.
const FLOODS: [&str; 2] = ["mapping-flood", "page-table-bomb"];
/// What costs more than this, of what it is compared with, has a price.
const FREE: f64 = 1.05;

/// Whether a design stood, if that is known, and in which words; `None`: no attack was made on it.
fn stood(data: &Data, design: Design) -> Option<(Option<bool>, Vec<String>)> {
    let name = design.name();
    let (mut held, mut fell, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for attack in AGAINST {
        match data.worst(name, attack) {
            None => unknown.push(attack.to_string()),
            Some(Outcome::Untried) => unknown.push(format!("{attack} (which no attacker tried)")),
            Some(outcome) if outcome.stood() => held.push(attack.to_string()),
            Some(outcome) => {
                let at = data.attacks_on(name, attack).find(|one| one.outcome == outcome);
                let detail = at.map_or("", |one| one.detail.trim_end_matches('.'));
                let kind = if outcome == Outcome::Broken { "broken" } else { "degraded" };
                fell.push(format!("{attack} ({kind}: {detail})"));
            }
        }
    }
    if held.is_empty() && fell.is_empty() {
        return None;
    }
    let mut sentences = Vec::new();
    if !held.is_empty() {
        sentences.push(format!("Of the attacks by mappings it withstands {}.", listed(&held)));
    }
    if !fell.is_empty() {
        sentences.push(format!("It does not withstand {}.", listed(&fell)));
    }
    if !unknown.is_empty() {
        sentences.push(format!("Not measured: {}.", listed(&unknown)));
    }
    let others: Vec<&str> = data
        .attack_names()
        .into_iter()
        .filter(|attack| !AGAINST.contains(attack))
        .filter(|attack| data.worst(name, attack).is_some_and(Outcome::succeeded))
        .collect();
    if !others.is_empty() {
        sentences.push(format!("Beside these it does not withstand {}.", listed(&others)));
    }
    if let Some((attack, ratio)) = least_ratio(data.all_attacks_on(name)) {
        sentences.push(format!(
            "The least of its work that a victim gets done is {} ({}, attackers: {}).",
            number(ratio),
            attack.attack,
            attack.attackers
        ));
    }
    sentences.extend(spent(data, design));
    let stood = match (fell.is_empty(), unknown.is_empty()) {
        (false, _) => Some(false),
        (true, true) => Some(true),
        (true, false) => None,
    };
    Some((stood, sentences))
}

/// What the floods took of the kernel's memory, whether or not it was enough to break something in the time they had.
fn spent(data: &Data, design: Design) -> Option<String> {
    let floods = FLOODS.iter().flat_map(|attack| data.attacks_on(design.name(), attack));
    let taken = floods.filter_map(|attack| Some((attack, attack.kernel_bytes?)));
    let (attack, bytes) = taken.max_by(|one, other| one.1.total_cmp(&other.1))?;
    let of = attack.pool.map_or(String::new(), |pool| format!(" of the pool's {}", number(pool as f64)));
    Some(format!(
        "Most bytes of the kernel's memory that a flood had in use in the time it was given: {}{of} ({}, attackers: {}).",
        number(bytes),
        attack.attack,
        attack.attackers
    ))
}

fn row(data: &Data, design: Design, name: &str) -> Option<Estimate> {
    Some(data.row(design.name(), name)?.each()?.into())
}

/// A row under one design, of what it costs under another, in a sentence; and whether that is more.
fn against(data: &Data, name: &str, what: &str, one: Design, other: Design) -> (Option<bool>, String) {
    let [here, there] = [one, other].map(|design| row(data, design, name));
    let ratio = here.zip(there).and_then(|(here, there)| Some((here, there, here.over(there)?)));
    match ratio {
        None => {
            let whose = format!("{} and {}", one.name(), other.name());
            (None, format!("{what} ({name}): not measured under {whose}."))
        }
        Some((here, there, ratio)) => (
            Some(ratio.value > FREE),
            format!(
                "{what} ({name}) costs {} instructions, {} times the {} under {}.",
                here.told(),
                ratio.told(),
                there.told(),
                other.name()
            ),
        ),
    }
}

/// The word for a design that stood or fell, with prices.
fn word(stood: Option<bool>, prices: &[Option<bool>]) -> Word {
    match (stood, prices.contains(&Some(true))) {
        (None, _) => Word::Unjudged,
        (Some(false), _) => Word::Fails,
        (Some(true), true) => Word::Priced,
        (Some(true), false) => Word::Works,
    }
}

fn unjudged(design: Design) -> (Word, Vec<String>) {
    (Word::Unjudged, vec![format!("No attack was made on {}.", design.name())])
}

/// A design, with rows by which it may cost more than kernel-heap.
fn judge(data: &Data, design: Design, rows: &[(&str, &str)]) -> (Word, Vec<String>) {
    let Some((stood, mut sentences)) = stood(data, design) else { return unjudged(design) };
    let mut prices = Vec::new();
    for (name, what) in rows {
        let (price, sentence) = against(data, name, what, design, Design::KernelHeap);
        prices.push(price);
        sentences.push(sentence);
    }
    (word(stood, &prices), sentences)
}

const EMPTY: (&str, &str) = ("ipc.inter.0", "An empty round trip");
const LONG: (&str, &str) = ("ipc.inter.62", "A round trip with 62 words");
const GIVE: (&str, &str) = ("delegate.1", "A page that one program gives another");
const GIVE_MANY: (&str, &str) = ("delegate.1024", "Each of 1,024 pages given at a time");

pub fn redirector_for_all(data: &Data) -> (Word, Vec<String>) {
    let (word, mut sentences) = judge(data, Design::Redirector, &[EMPTY, LONG]);
    if word != Word::Unjudged {
        sentences.push("Everybody pays that, for every message.".into());
    }
    (word, sentences)
}

pub fn redirector_for_some(data: &Data) -> (Word, Vec<String>) {
    let (word, mut sentences) = judge(data, Design::Redirector, &[EMPTY, GIVE]);
    if word != Word::Unjudged {
        sentences.push(
            "Only those who are not trusted pay that; the others' messages take the common path.".into(),
        );
    }
    (word, sentences)
}

pub fn root_only(data: &Data) -> (Word, Vec<String>) {
    let (word, mut sentences) = judge(data, Design::RootOnly, &[EMPTY, GIVE, GIVE_MANY]);
    if word != Word::Unjudged {
        sentences.push(
            "What is lost: no program but the root can give another memory by a message; it has to ask the root, which \
             has to be trusted with everybody's memory."
                .into(),
        );
    }
    (word, sentences)
}

pub fn local_only(data: &Data) -> (Word, Vec<String>) {
    let (word, mut sentences) = judge(data, Design::LocalOnly, &[EMPTY, GIVE, GIVE_MANY]);
    if word != Word::Unjudged {
        sentences.push(
            "What is lost: an untrusted program can give nobody memory by a message; it may go on to map within its own space."
                .into(),
        );
    }
    (word, sentences)
}

pub fn quota(data: &Data) -> (Word, Vec<String>) {
    judge(data, Design::KernelQuota, &[EMPTY, GIVE])
}

pub fn user_tables(data: &Data) -> (Word, Vec<String>) {
    let (mut word, mut sentences) = judge(data, Design::UserTables, &[EMPTY, GIVE, GIVE_MANY]);
    if word == Word::Unjudged {
        return (word, sentences);
    }
    let all = |layout: &str| {
        let of = |design: Design| bytes_of(data, design.name(), layout).map(|bytes| bytes.sum());
        of(Design::UserTables).zip(of(Design::KernelHeap)).filter(|(_, heap)| *heap > 0.0)
    };
    for layout in ["dense", "sparse"] {
        match all(layout) {
            None => sentences.push(format!("Bytes for each {layout} mapping were not measured.")),
            Some((user, heap)) => {
                sentences.push(format!(
                    "A {layout} mapping takes {} bytes, all of them the space's own, {} times the {} that kernel-heap \
                     takes of the kernel's.",
                    number(user),
                    number(user / heap),
                    number(heap)
                ));
                if user > FREE * heap && word == Word::Works {
                    word = Word::Priced;
                }
            }
        }
    }
    (word, sentences)
}
