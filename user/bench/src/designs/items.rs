//! Pages given by map items, and what else L4 kernels are measured by.
//!
//! Under kernel-heap and kernel-quota the giver sends an item with its message. Under the other designs with a pool an
//! ordinary program cannot: it asks the first one, whose pages they are. The rows called `heap` are the same under each
//! of them: the first program gives, as in the measurements of the original.

use freehold_abi::designs::Design;
use freehold_abi::layout::{ENTRIES, FRAME};
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::poke;
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::calls;

use super::client::Client;
use super::delegate::{Scene, there, timed};
use super::partner::{self, Partner};
use super::pool::{self, Given};
use super::root::{self, Root};
use super::taker::{Taker, mappings};
use super::trust::Distrust;
use crate::ipc::{BESIDE, SERVED};
use crate::measure::{Sample, Series, any_wanted, section, wanted};
use crate::stub;

/// In a client's space: the first program.
const ROOT: CapName = CapName(16);

/// Rows of one page and of many, given and taken back; of a page with so many children; of a fault.
const ONE: [&str; 2] = ["heap.map.1", "heap.unmap.1"];
const LARGE: [&str; 2] = ["heap.map.large", "heap.unmap.large"];
const CHILD: &str = "heap.unmap.child";
const CHILDREN: u32 = 1024;
const FAULTS: [&str; 2] = ["fault.pager", "heap.fault"];

/// `heap.*`, and `fault.pager` with a pool.
pub fn run() {
    if !pool::is_there() {
        return;
    }
    if any_wanted(&ONE) || any_wanted(&LARGE) {
        let scene = Scene::new();
        directly(&scene, ONE, 1);
        directly(&scene, LARGE, ENTRIES);
    }
    if wanted(CHILD) {
        children();
    }
    if any_wanted(&FAULTS) {
        Client::start(1).touch(&FAULTS);
    }
}

/// A page taken back that another space has at many addresses.
fn children() {
    let mut series = Series::new(CHILD).per(CHILDREN);
    let (given, home) = (Given::new(1, here()), Home::new());
    let (taker, probe) = (Taker::start(&home), Probe::new(&home, 0));
    let ends = [0, CHILDREN - 1].map(|page| there() + page * FRAME);
    let before = mappings(home.space());
    for round in 0..=super::rounds(CHILDREN) {
        taker.map(&given, there() / FRAME, CHILDREN);
        check_eq!(mappings(home.space()) - before, CHILDREN);
        poke(here(), round);
        for address in ends {
            check_eq!(probe.read(address), Ok(round));
        }
        let (sample, status) = section(|| given.take_back());
        check_eq!((status, mappings(home.space())), (stub::OK, before));
        for address in ends {
            check!(probe.read(address).is_err(), "{address:#x}");
        }
        series.add(sample);
    }
    series.finish();
}

/// Where the first program sees the pages that it gives.
pub fn here() -> u32 {
    (super::index() + 1) * ENTRIES * FRAME
}

/// Whether every program may send map items.
pub fn anybody_gives() -> bool {
    matches!(calls::design(), Design::KernelHeap | Design::KernelQuota)
}

/// A row of `delegate.*` and `undelegate.*`.
pub fn delegate(scene: &Scene, names: [&str; 2], count: u32) {
    if anybody_gives() { directly(scene, names, count) } else { by_asking(scene, names, count) }
}

/// This program sends an item, and unmaps.
fn directly(scene: &Scene, names: [&str; 2], count: u32) {
    let given = Given::new(count, here());
    let takes_back = || timed(|| (given.take_back(), stub::OK));
    scene.measure(names, (here(), count), || send(scene, &given, there()), takes_back);
}

/// The item that maps all pages to an address, sent.
pub fn send(scene: &Scene, given: &Given, address: u32) -> Sample {
    let item = given.all_to(address);
    timed(|| {
        let message = [scene.receiver().0, Tag::new(0, 0).with_items(1).0, item[0], item[1]];
        let (status, [_, _, done, _]) = stub::call(Call::Call, message);
        (status, done)
    })
}

/// Another one asks this one to give, and to take back.
fn by_asking(scene: &Scene, names: [&str; 2], count: u32) {
    let asker = Asker::new(scene, count);
    let gives = || asker.asks(root::PASS, count, there());
    scene.measure(names, (here(), count), gives, || asker.asks(root::TAKE, count, 0));
}

/// Who asks this program for what it may not do itself.
pub struct Asker {
    _distrust: Option<Distrust>,
    giver: Partner,
    _home: Home,
    _root: Root,
    _given: Given,
}

impl Asker {
    /// Starts it; this program has so many pages for the receiver.
    pub fn new(scene: &Scene, count: u32) -> Asker {
        let given = Given::new(count, here());
        let (root, home) = (Root::start(&given, scene.receiver()), Home::new());
        home.give(ROOT, root.name(), Rights::SEND, 0);
        let giver = Partner::start(&home, BESIDE, SERVED, ask);
        let distrust = Distrust::of(&[home.space(), scene.home().space()]);
        Asker { _distrust: distrust, giver, _home: home, _root: root, _given: given }
    }

    /// It asks for `count` pages; an order of [`root`].
    pub fn asks(&self, order: u16, count: u32, address: u32) -> Sample {
        check_eq!(self.giver.tell(order, [count, address]), [stub::OK; 2]);
        partner::last()
    }
}

/// A client that passes an order on to the first program; what came of it.
fn ask(served: u32) {
    partner::serve(served, |order, [count, address]| {
        let message = [ROOT.0, Tag::new(order, 2).0, count, address];
        let (sample, (status, [_, _, done, _])) = section(|| stub::call(Call::Call, message));
        partner::leave(sample);
        [status, done]
    });
}
