//! Pages given to another space, and taken back: from the giver's call to the receiver's answer, which comes when the
//! receiver can use them.
//!
//! `user-tables`: the message brings a container capability over the giver's entries, and the receiver derives mappings
//! from these into its own Table: what a program does that gives less than a whole Table, or gives what the receiver may
//! pass on. The giver has a child of its capability for each receiver, so that it takes back from this one alone: it
//! revokes that child, and then what was derived from the entries. In the rows called `session` the receiver has the
//! capability already, and keeps it: a message says which pages, and what was derived is taken back. A whole Table can also
//! be hooked, without more: the rows called `hook`.

use alloc::format;
use alloc::vec::Vec;

use freehold_abi::designs::Fpage;
use freehold_abi::layout::{ENTRIES, FOREVER, FRAME, utcb};
use freehold_abi::message::Item;
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::derived;
use freehold_guest_tests::pages::{self, Frames, peek, poke};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::slots::Slot;
use freehold_rt::{Utcb, calls};

use super::partner::{self, Partner};
use super::pool;
use super::{fresh, items};
use crate::annex::Annex;
use crate::ipc::{BESIDE, SERVED};
use crate::measure::{Sample, Series, any_wanted, section, wanted};
use crate::stub;

/// In the receiver's space: where capabilities arrive.
pub const GIVEN: CapName = CapName(16);
/// What the receiver is told, beside how many pages it gets.
const HOOK: u16 = 2000;
const SUM: u16 = 2001;
/// A page, for the directory index beyond this, where there is no Table yet.
pub const FIRST_INDEX: u16 = 3000;

/// Ways to give.
const WAYS: [(&str, &str); 2] = [("delegate", "undelegate"), ("delegate.session", "undelegate.session")];
const HOOKED: [&str; 2] = ["delegate.hook.1024", "undelegate.hook.1024"];

/// `delegate.*`, `undelegate.*`.
pub fn run() {
    let rows = WAYS.iter().flat_map(|&(give, take)| {
        super::COUNTS.map(|count| (format!("{give}.{count}"), format!("{take}.{count}"), count))
    });
    let rows: Vec<_> = rows.filter(|(give, take, _)| wanted(give) || wanted(take)).collect();
    if rows.is_empty() && !any_wanted(&HOOKED) {
        return;
    }
    let scene = Scene::new();
    if pool::is_there() {
        for (give, take, count) in rows.iter().filter(|(give, ..)| !give.contains("session")) {
            items::delegate(&scene, [give, take], *count);
        }
        return;
    }
    let annex = Annex::of(&scene.home, super::index());
    for (give, take, count) in &rows {
        match give.contains("session") {
            false => scene.mappings([give, take], *count),
            true => scene.session([give, take], *count),
        }
    }
    // The hook goes where the receiver's own Table was.
    drop(annex);
    if any_wanted(&HOOKED) {
        scene.hook(HOOKED);
    }
}

/// Where the pages are at the receiver.
pub fn there() -> u32 {
    super::index() * ENTRIES * FRAME
}

/// The giver's pages; unmapped when dropped.
pub struct Mapped(Frames);

impl Mapped {
    /// Maps so many; each of them has totals of this code.
    pub fn new(count: u32, total_code: u32) -> Mapped {
        let frames = Frames::take(count, 1);
        check_eq!(pages::map(&frames, pages::AT, Rights::WRITE, total_code), Ok(()));
        Mapped(frames)
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        check_eq!(calls::unmap(CapName::NONE, pages::AT / FRAME, self.0.count()), Ok(()));
    }
}

/// The receiver.
pub struct Scene {
    probe: Probe,
    receiver: Partner,
    home: Home,
}

impl Scene {
    /// Starts it.
    pub fn new() -> Scene {
        let home = Home::new();
        pool::without_quota(home.space());
        let receiver = Partner::start(&home, BESIDE, SERVED, receive);
        Scene { probe: Probe::new(&home, 0), receiver, home }
    }

    /// The capability to send to it.
    pub fn receiver(&self) -> CapName {
        self.receiver.name()
    }

    /// Where it lives.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// By a container capability, from which the receiver derives mappings.
    fn mappings(&self, names: [&str; 2], count: u32) {
        let pages = Mapped::new(count, 1);
        let proxy = derived(pages::table(), Rights::ALL, calls::range(0, count), 1);
        let takes_back = || {
            let revoked = stub::status(Call::Revoke, [proxy.reference().0, 0, 0, 0]);
            (revoked, stub::status(Call::RevokeRange, [pages::table().0, 0, count, 0]))
        };
        let gives = || self.send(&proxy, count as u16, Rights::ALL);
        self.measure(names, (pages::AT, count), || timed(gives), || timed(takes_back));
        drop((proxy, pages));
    }

    /// By a container capability that the receiver has already.
    fn session(&self, names: [&str; 2], count: u32) {
        let pages = Mapped::new(count, 1);
        self.home.give(GIVEN, pages::table(), Rights::ALL, calls::range(0, count));
        let tells = || {
            let message = [self.receiver.name().0, Tag::new(count as u16, 0).0, 0, 0];
            let (status, [_, _, done, _]) = stub::call(Call::Call, message);
            (status, done)
        };
        let takes_back = || (stub::status(Call::RevokeRange, [pages::table().0, 0, count, 0]), stub::OK);
        self.measure(names, (pages::AT, count), || timed(tells), || timed(takes_back));
        check_eq!(calls::delete(self.home.slot(GIVEN)), Ok(()));
        drop(pages);
    }

    /// By a capability to a whole Table, which the receiver hooks.
    fn hook(&self, names: [&str; 2]) {
        let pages = Mapped::new(ENTRIES, 0);
        let rights = Rights::WRITE.or(Rights::SHARE);
        // The receiver's capability, and its hook.
        let proxy = derived(pages::table(), rights, calls::range(0, ENTRIES), 2);
        let takes_back = || (stub::status(Call::Revoke, [proxy.reference().0, 0, 0, 0]), stub::OK);
        let gives = || self.send(&proxy, HOOK, rights);
        self.measure(names, (pages::AT, ENTRIES), || timed(gives), || timed(takes_back));
        drop((proxy, pages));
    }

    /// A call with a copy of the capability: status, and the receiver's.
    #[inline(always)]
    pub fn send(&self, proxy: &Slot, label: u16, rights: Rights) -> (u32, u32) {
        // A hook has to be derived from the receiver's.
        let total = u32::from(label == HOOK);
        let item = Item { source: proxy.name(), moved: false, rights, total }.encode();
        let tag = Tag::new(label, 0).with_items(1);
        let (status, [_, _, done, _]) =
            stub::call(Call::Call, [self.receiver.name().0, tag.0, item[0], item[1]]);
        (status, done)
    }

    /// Gives pages, `count` of them, which are at `first` in this space, and takes them back, again and again.
    pub fn measure(
        &self,
        [give, take]: [&str; 2],
        (first, count): (u32, u32),
        gives: impl Fn() -> Sample,
        takes_back: impl Fn() -> Sample,
    ) {
        let (mut giving, mut taking) = (Series::new(give).per(count), Series::new(take).per(count));
        let rounds = super::rounds(count);
        for round in 0..=rounds {
            // Without a limit, as programs call.
            giving.add(Utcb::current().within((FOREVER, FOREVER), &gives));
            self.must_use(first, there(), count, round);
            taking.add(Utcb::current().within((FOREVER, FOREVER), &takes_back));
            self.must_not_use(there(), count, round == rounds);
        }
        giving.finish();
        taking.finish();
    }

    /// The receiver reads what stands in all pages, and what it writes is seen here.
    pub fn must_use(&self, first: u32, there: u32, count: u32, round: u32) {
        for page in 0..count {
            poke(first + page * FRAME, page * 7 + round);
        }
        let told = self.receiver.tell(SUM, [there, count]);
        check_eq!(told[0], partner::sum(first, count), "{count} pages");
        check_eq!(peek(first + (count - 1) * FRAME + 4), told[1], "{count} pages");
    }

    /// It comes to none of them: to the first and the last one, or to all that are tried.
    pub fn must_not_use(&self, there: u32, count: u32, all: bool) {
        let step = if all { 1 } else { (count - 1).max(1) };
        for page in (0..count).step_by(step as usize) {
            let seen = self.probe.read(there + page * FRAME);
            check!(seen.is_err(), "page {page} of {count}: {seen:?}");
        }
    }
}

/// Work that has two statuses, timed.
pub fn timed(work: impl Fn() -> (u32, u32)) -> Sample {
    let (sample, statuses) = section(work);
    check_eq!(statuses, (stub::OK, stub::OK));
    sample
}

/// Derives mappings of what it gets, or hooks it; or says what stands in the pages. Map items have arrived already.
fn receive(served: u32) {
    Utcb::current().set_slots(GIVEN, 1);
    Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
    let by_items = pool::is_there();
    let page = there() / FRAME;
    let mut writes = 0;
    partner::serve(served, |label, words| match label {
        SUM => {
            let sum = partner::sum(words[0], words[1]);
            let last = words[0] + (words[1] - 1) * FRAME + 4;
            writes += 1;
            poke(last, writes);
            [sum, writes]
        }
        HOOK => {
            let hook = [GIVEN.0, CapName::NONE.0, super::index(), 0];
            [stub::immediate(Call::Hook, Rights::WRITE.bits(), hook), 0]
        }
        _ if by_items => [stub::OK, 0],
        FIRST_INDEX.. => [fresh::receive(u32::from(label - FIRST_INDEX)), 0],
        count => [stub::update(stub::words((GIVEN, 0), count.into(), CapName::NONE, page, 0)), 0],
    });
}
