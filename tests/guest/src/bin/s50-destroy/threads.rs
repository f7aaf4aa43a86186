//! Threads, by their own frames, by their UTCB's, by their space's.

use freehold_abi::info::State;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::random::Random;
use freehold_guest_tests::worker::ABOVE;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::{CapName, Error, calls};

use crate::scene::{Bystander, Scene, WAYS};

pub fn whole() {
    let bystander = Bystander::new();
    for way in WAYS {
        let mut scene = Scene::new(way);
        let worker = scene.worker.take().expect("a worker");
        check_eq!(worker.destroy(), Ok(()), "{way:?}");
        scene.check_ended("destroyed");
        bystander.check();
    }
}

/// Without its UTCB a thread cannot exist; what is left of it can only be destroyed.
pub fn utcbs() {
    let bystander = Bystander::new();
    for way in WAYS {
        let mut scene = Scene::new(way);
        let worker = scene.worker.take().expect("a worker");
        let frames = worker.frames();
        check_eq!(calls::reclaim(frames.container, frames.first + 1, 1), Ok(()), "{way:?}");
        check_eq!(worker.state(), State::Stopped, "{way:?}");
        check_eq!(worker.start_at(0, 0), Err(Error::NoSpace), "{way:?}");
        check_eq!(calls::stop_thread(worker.name()), Ok(()));
        scene.check_ended("without UTCB");
        check_eq!(worker.destroy(), Ok(()), "{way:?}");
        bystander.check();
    }
}

pub fn spaces() {
    let bystander = Bystander::new();
    for way in WAYS {
        let mut scene = Scene::new(way);
        let worker = scene.worker.take().expect("a worker");
        drop(scene.home.take());
        check_eq!(worker.state(), State::Stopped, "{way:?}");
        check_eq!(worker.start_at(0, 0), Err(Error::NoSpace), "{way:?}");
        check_eq!(calls::continue_thread(worker.name(), CapName::NONE, 1), Err(Error::NoSpace), "{way:?}");
        scene.check_ended("without space");
        check_eq!(worker.destroy(), Ok(()), "{way:?}");
        bystander.check();
    }
}

/// Several spaces with a thread each, whose parts end in a random order.
pub fn crowd() {
    let bystander = Bystander::new();
    let mut random = Random::new(50);
    for _ in 0..12 {
        let mut scenes: [Scene; 4] = core::array::from_fn(|_| Scene::new(random.one_of(&WAYS)));
        for _ in 0..24 {
            let scene = &mut scenes[random.below(4) as usize];
            match random.below(4) {
                0 => drop(scene.home.take()),
                1 => drop(scene.worker.take()),
                2 => {
                    if let Some(worker) = &scene.worker {
                        let part = random.below(4);
                        let frames = worker.frames();
                        check_eq!(calls::reclaim(frames.container, frames.first + part, 1), Ok(()));
                    }
                }
                _ => {
                    if let Some(home) = &scene.home {
                        let part = random.one_of(&[4, 8, 12]);
                        let frames = home.frames();
                        let count = if part == 12 { 1 } else { 4 };
                        check_eq!(calls::reclaim(frames.container, frames.first + part, count), Ok(()));
                    }
                }
            }
        }
        drop(scenes);
        bystander.check();
    }
    let worker = freehold_guest_tests::worker::Worker::spawn(&Home::own(), ABOVE, |_| {}, 0);
    check!(worker.ends());
}
