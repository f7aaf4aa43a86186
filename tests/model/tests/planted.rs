//! Each bug that is planted is found, by the property that is there for it: so the properties can fail.

use std::collections::BTreeSet;

use freehold_model::client::Move;
use freehold_model::config::{Config, Mutation};
use freehold_model::properties::{NO_MIXING, ONE_SESSION, REPLY, TOUCHES, WAITS};
use freehold_model::questions;
use stateright::{Checker, HasDiscoveries, Model};

/// A state is found in which `property` does not hold.
fn breaks(config: Config, mutation: Mutation, property: &'static str) {
    let enough = HasDiscoveries::AllOf(BTreeSet::from([property]));
    let checker = config.with(mutation).checker().finish_when(enough).spawn_bfs().join();
    assert!(checker.discovery(property).is_some(), "{mutation:?} is not found by {property}");
}

/// A run is found that stays for ever where `question` says that none does.
fn stays(config: Config, mutation: Mutation, question: &str) {
    let (_, wrong) = questions::ask(&config.with(mutation));
    let found = wrong.iter().any(|(name, _)| *name == question);
    assert!(found, "{mutation:?} is not found by {question}, but by {wrong:?}");
}

const KEEPS: &str = "17: a session keeps its slice and completes nothing (first slice)";
const WAITS_FOR_ENDED: &str = "19: the good client waits for a worker that has ended";
const GOOD_WAITS: &str = "19: the good client waits for its worker or for the manager";
const NOT_FREE: &str = "17: a session is over and its slice not free (first slice)";

#[test]
fn a_server_that_calls_back() {
    breaks(Config::EVIL_PAGES, Mutation::ServerCallsBack, WAITS);
}

#[test]
fn a_server_that_trusts_an_old_request() {
    breaks(Config::CONTENDED, Mutation::ServerTrustsOldRequest, NO_MIXING);
}

#[test]
fn a_server_that_fills_before_it_asks() {
    breaks(Config::EVIL_PAGES, Mutation::ServerFillsFirst, ONE_SESSION);
}

#[test]
fn a_release_of_what_is_worked_on() {
    breaks(Config::EVIL_PAGES, Mutation::ReleaseWhileBusy, NO_MIXING);
}

#[test]
fn a_release_that_keeps_the_frames() {
    breaks(Config::EVIL_PAGES, Mutation::ReleaseKeepsFrames, ONE_SESSION);
}

#[test]
fn a_pager_that_waits() {
    breaks(Config::GOOD, Mutation::PagerWaits, WAITS);
}

#[test]
fn a_release_before_the_worker_has_ended() {
    breaks(Config::CONTENDED, Mutation::ReleaseBeforeEnd, ONE_SESSION);
    breaks(Config::CONTENDED, Mutation::ReleaseBeforeEnd, TOUCHES);
}

#[test]
fn a_worker_that_is_only_stopped() {
    stays(Config::GOOD, Mutation::WorkerNotReclaimed, WAITS_FOR_ENDED);
}

#[test]
fn a_manager_that_waits_for_a_worker() {
    breaks(Config::EVIL_PAGES, Mutation::ManagerWaitsForWorker, WAITS);
}

#[test]
fn a_session_without_a_time_limit() {
    stays(Config::EVIL_PAGES, Mutation::NoDeadline, KEEPS);
}

#[test]
fn a_client_that_gives_itself_time() {
    stays(Config { pages: 1, ..Config::EVIL_PAGES }, Mutation::BeginFromAnybody, KEEPS);
}

#[test]
fn a_session_that_goes_on_though_others_wait() {
    stays(
        Config { evil: &[Move::Call], inside: true, ..Config::CONTENDED },
        Mutation::BeginIgnoresWaiting,
        GOOD_WAITS,
    );
}

#[test]
fn a_manager_that_does_not_look_by_itself() {
    stays(Config::EVIL_PAGES, Mutation::NoPeriod, NOT_FREE);
}

#[test]
fn a_manager_that_forgets_whose_pause_ends() {
    stays(Config::PAUSES, Mutation::PauseForgotten, GOOD_WAITS);
}

#[test]
fn a_worker_that_completes_too_early() {
    breaks(Config::EVIL_PAGES, Mutation::CompleteTooEarly, NO_MIXING);
}

#[test]
fn a_worker_that_gives_a_reply_before_there_is_one() {
    breaks(Config::GOOD, Mutation::ReplyBeforeAnswer, NO_MIXING);
}

#[test]
fn a_reply_capability_that_works_twice() {
    breaks(Config::GOOD, Mutation::ReplyWorksTwice, REPLY);
}

#[test]
fn a_reply_capability_that_outlives_its_caller() {
    breaks(Config::EVIL_PAGES, Mutation::ReplyOutlivesCaller, REPLY);
    breaks(Config::EVIL_PAGES, Mutation::ReplyOutlivesCaller, TOUCHES);
}
