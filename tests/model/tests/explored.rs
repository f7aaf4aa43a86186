//! Every state of every configuration, found twice: by stateright, which looks at each whether what must always
//! hold does hold there, and by the graph that is asked what must happen in the end. Both find as many, and as
//! many as are written here and in docs/invariants.md: a change of the model shows.

use std::io::Write;
use std::thread::available_parallelism;

use freehold_model::config::Config;
use freehold_model::questions;
use stateright::{Checker, Expectation, Model};

/// Explores `config`. `seen` says whether all that the model can show is to be seen in it.
fn explore(name: &str, config: Config, states: usize, seen: bool) {
    let threads = available_parallelism().map_or(1, usize::from);
    let checker = config.checker().threads(threads).spawn_bfs().join();
    for property in config.properties() {
        let found = checker.discovery(property.name).map(|path| path.into_actions());
        match property.expectation {
            Expectation::Sometimes => assert!(found.is_some() || !seen, "{name}: not {}", property.name),
            _ => assert_eq!(found, None, "{name}: {} does not hold", property.name),
        }
    }
    let found = checker.unique_state_count();
    drop(checker);
    let (kept, wrong) = questions::ask(&config);
    assert!(wrong.is_empty(), "{name}: for ever: {wrong:?}");
    // Past the capture of output, so that the number is seen.
    writeln!(std::io::stdout(), "model {name}: {found} states").expect("standard output");
    assert_eq!((found, kept), (states, states), "{name}");
}

#[test]
fn the_good_client_alone() {
    explore("good", Config::GOOD, 28_265, false);
}

#[test]
fn the_evil_client_alone() {
    explore("evil", Config::EVIL, 603_820, true);
}

#[test]
fn the_evil_client_with_more_pages() {
    explore("evil-pages", Config::EVIL_PAGES, 95_140, false);
}

#[test]
fn both_in_one_slice() {
    explore("contended", Config::CONTENDED, 3_749_308, true);
}

#[test]
fn both_wait_for_sessions() {
    explore("pauses", Config::PAUSES, 182_522, false);
}

#[test]
fn the_good_client_with_time_enough() {
    explore("patient", Config::PATIENT, 174_234, false);
}

#[test]
fn both_beside_each_other() {
    explore("beside", Config::BESIDE, 422_760, false);
}
