//! A program under a design with a pool, that has its pages from the first one: asks for them, loses them again, or touches
//! what is missing. Its sections are timed where it is.

use alloc::vec::Vec;

use freehold_abi::designs::Fpage;
use freehold_abi::layout::{FRAME, utcb};
use freehold_abi::{Call, CapName, Rights, Tag};
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{peek, poke};
use freehold_guest_tests::probe::Probe;
use freehold_guest_tests::worker::Options;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::Utcb;

use super::delegate::there;
use super::items::here;
use super::partner::{self, Partner};
use super::pool::{self, Given};
use super::root::{self, Root};
use super::taker::mappings;
use super::trust::Distrust;
use crate::ipc::{BESIDE, SERVED};
use crate::measure::{Sample, Series, section};
use crate::stub;

/// In its space: the first program, and the same as its pager.
const ROOT: CapName = CapName(16);

/// Orders: MAP and UNMAP so many pages, take the right to write from them; TOUCH an address.
const MAP: u16 = 1;
const UNMAP: u16 = 2;
const PROTECT: u16 = 3;
const TOUCH: u16 = 4;
const SUM: u16 = 5;

/// Pages that are touched.
const TOUCHED: u32 = 200;

/// The program, and who it has its pages from.
pub struct Client {
    _distrust: Option<Distrust>,
    client: Partner,
    probe: Probe,
    _root: Root,
    given: Given,
    home: Home,
}

impl Client {
    /// Starts it; so many pages can be had.
    pub fn start(pages: u32) -> Client {
        let (home, given) = (Home::new(), Given::new(pages, here()));
        let root = Root::start(&given, CapName::NONE);
        home.give(ROOT, root.name(), Rights::SEND, 0);
        let probe = Probe::new(&home, 0);
        let client = Partner::start(&home, Options { pager: ROOT, ..BESIDE }, SERVED, serve);
        let distrust = Distrust::of(&[home.space()]);
        Client { _distrust: distrust, client, probe, _root: root, given, home }
    }

    fn order(&self, order: u16, word: u32) -> Sample {
        check_eq!(self.client.tell(order, [word, 0])[0], stub::OK, "order {order}");
        partner::last()
    }

    /// `count` pages mapped and unmapped.
    pub fn map(&self, [map, unmap]: [&str; 2], count: u32) {
        let (mut mapping, mut unmapping) = (Series::new(map).per(count), Series::new(unmap).per(count));
        let rounds = super::rounds(count);
        for round in 0..=rounds {
            mapping.add(self.order(MAP, count));
            self.must_use(count, round);
            unmapping.add(self.order(UNMAP, count));
            self.must_not_use(count, round == rounds);
        }
        mapping.finish();
        unmapping.finish();
    }

    /// The right to write taken from `count` pages.
    pub fn protect(&self, name: &str, count: u32) {
        let mut series = Series::new(name).per(count);
        for round in 0..=super::rounds(count) {
            self.order(MAP, count);
            self.must_use(count, round);
            series.add(self.order(PROTECT, count));
            for page in [0, count - 1] {
                let address = there() + page * FRAME;
                check!(self.probe.read(address).is_ok(), "page {page} of {count}");
                check!(self.probe.write(address, round).is_err(), "page {page} of {count} can be written");
            }
            self.order(UNMAP, count);
        }
        series.finish();
    }

    /// One page behind the other touched, where nothing is, until the pager has mapped it.
    pub fn touch(&self, names: &[&str]) {
        let mut all: Vec<_> = names.iter().map(|name| Series::new(name)).collect();
        poke(here(), 0x70C4);
        let before = mappings(self.home.space());
        for page in 0..TOUCHED {
            let [_, word] = self.client.tell(TOUCH, [there() + page * FRAME, 0]);
            check_eq!(word, 0x70C4, "page {page}");
            all.iter_mut().for_each(|series| series.add(partner::last()));
        }
        check_eq!(mappings(self.home.space()) - before, TOUCHED);
        check_eq!(self.given.take_back(), stub::OK);
        self.must_not_use(TOUCHED, true);
        all.into_iter().for_each(Series::finish);
    }

    fn must_use(&self, count: u32, round: u32) {
        for page in 0..count {
            poke(self.given.at(page), page * 7 + round);
        }
        check_eq!(self.client.tell(SUM, [count, round]), [stub::OK, partner::sum(here(), count)]);
        check_eq!(peek(self.given.at(count - 1) + 4), round, "{count} pages");
    }

    fn must_not_use(&self, count: u32, all: bool) {
        let step = if all { 1 } else { (count - 1).max(1) };
        for page in (0..count).step_by(step as usize) {
            let seen = self.probe.read(there() + page * FRAME);
            check!(seen.is_err(), "page {page} of {count}: {seen:?}");
        }
    }
}

fn serve(served: u32) {
    Utcb::current().set(utcb::WINDOW, Fpage::WHOLE.0);
    let fpage = |count: u32, rights: Rights| Fpage::new(there(), count.ilog2(), rights.bits());
    partner::serve(served, |order, [first, second]| {
        let (sample, answer) = match order {
            MAP => {
                let message = [ROOT.0, Tag::new(root::MAP, 2).0, first, there()];
                let (sample, status) = section(|| stub::status(Call::Call, message));
                (sample, [status, 0])
            }
            UNMAP => {
                let fpage = fpage(first, Rights::NONE);
                let (sample, status) = section(|| pool::unmap(fpage, true));
                (sample, [status, 0])
            }
            PROTECT => {
                let fpage = fpage(first, Rights::WRITE);
                let (sample, status) = section(|| pool::unmap(fpage, true));
                (sample, [status, 0])
            }
            TOUCH => {
                let (sample, word) = section(|| peek(first));
                (sample, [stub::OK, word])
            }
            _ => {
                poke(there() + (first - 1) * FRAME + 4, second);
                (Sample::default(), [stub::OK, partner::sum(there(), first)])
            }
        };
        partner::leave(sample);
        answer
    });
}
