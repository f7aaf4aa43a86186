//! Fault policies: each side's own against what the other says for it, on every route, at either side and both.

use freehold_abi::layout::FOREVER;
use freehold_abi::{Error, fault};
use freehold_guest_tests::check_eq;
use freehold_rt::time;

use crate::cells::claim;
use crate::letter::{Letter, ROUTES, Route};
use crate::scene::{Place, RECEIVER, SENDER, Scene, no_fault, whole};
use crate::torn::{self, PAGES};

const SHORT: u32 = 20;
const LONG: u32 = 50;
/// Abort, a finite time, a longer one, wait: the order in which the first that is stated decides.
const POLICIES: [u32; 4] = [0, SHORT, LONG, FOREVER];

/// At whom a page is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    Sender,
    Receiver,
    Both,
}

/// What the pager does about the last fault that it hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pager {
    /// It answers while there is time.
    InTime,
    /// It has received the fault, and answers when the time is over.
    TooLate,
    /// It never received it.
    Never,
}

/// All of it: 16 pairs of policies, by route, by place of the missing page, by what the pager does.
pub fn policies() {
    for place in [Place::SenderAbove, Place::ReceiverAbove, Place::Same] {
        let scene = Scene::new(place, PAGES);
        for route in ROUTES {
            for missing in [Missing::Sender, Missing::Receiver, Missing::Both] {
                for (mine, other) in POLICIES.into_iter().flat_map(|mine| POLICIES.map(|other| (mine, other)))
                {
                    for pager in [Pager::InTime, Pager::TooLate, Pager::Never] {
                        let finite = (1..FOREVER).contains(&mine.min(other));
                        if finite || pager == Pager::InTime {
                            cell(&scene, route, missing, (mine, other), pager);
                        }
                    }
                }
            }
        }
    }
}

/// One cell: `mine` and `other` are what holds for a side where the page is missing; for a side where none is,
/// the two say the opposite of what must come out.
fn cell(scene: &Scene, route: Route, missing: Missing, (mine, other): (u32, u32), pager: Pager) {
    let what = format_args!("{route:?} {missing:?} mine {mine:#x} other {other:#x} {pager:?}");
    let rule = mine.min(other);
    let opposite = if rule == 0 { FOREVER } else { 0 };
    let (send_faults, receive_faults) = match missing {
        Missing::Sender => ((mine, opposite), (opposite, other)),
        Missing::Receiver => ((opposite, other), (mine, opposite)),
        Missing::Both => ((mine, other), (mine, other)),
    };
    if mine != other {
        claim("W2");
    }
    if missing == Missing::Both {
        claim("W1");
    }
    torn::with_letter(scene, |letter| {
        let letter = Letter { send_faults, receive_faults, ..letter };
        // In the order in which their faults must come.
        let sides: &[u32] = match missing {
            Missing::Sender => &[SENDER],
            Missing::Receiver => &[RECEIVER],
            Missing::Both => &[SENDER, RECEIVER],
        };
        sides.iter().for_each(|&side| torn::remove(scene, side, 1));
        scene.carry(route, &letter);
        for (index, &side) in sides.iter().enumerate() {
            let stops = index + 1 == sides.len() && pager != Pager::InTime;
            if rule == 0 {
                no_fault(scene, what);
            } else if stops && pager == Pager::Never {
                time::sleep(rule + 2);
                no_fault(scene, what);
            } else {
                torn::at_pager(scene, side, what);
            }
            if stops && pager == Pager::TooLate {
                claim("W3");
                time::sleep(rule + 2);
                check_eq!(scene.answer(fault::RESUME, &[]), Err(Error::NoReply), "{what}");
            }
            if rule == 0 || stops {
                sides[index + 1..].iter().for_each(|&side| torn::restore(scene, side, 1));
                return torn::stopped(scene, route, side, what);
            }
            // Twice this is less than there is; and whoever waits for ever waits longer than any finite time.
            time::sleep(if rule == FOREVER { LONG + 5 } else { rule / 2 - 4 });
            torn::restore(scene, side, 1);
            scene.resume();
        }
        scene.delivered(route, &letter, &[whole(&scene.to, PAGES)], what);
        no_fault(scene, what);
    });
}
