//! A round trip between spaces while there are more and more other spaces, a thread waiting in each.

use alloc::vec::Vec;

use freehold_abi::info::{State, place};
use freehold_abi::layout::{BLOCK, ENTRIES};
use freehold_abi::{CapName, Rights, SlotRef};
use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::{BLOCKS_INDEX, Home, IMAGE_TABLE};
use freehold_guest_tests::objects::endpoint;
use freehold_rt::calls::{self, ThreadPlace};
use freehold_rt::memory;
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;

use super::sleeper;
use crate::ipc::{Pair, SERVED};

/// Spaces around.
const COUNTS: [u32; 4] = [1, 10, 100, 1_000];
/// Frames of a space with its thread, and one that keeps the next a multiple of 4: Directory, the area's Table,
/// a Table for the UTCB, a node, thread, UTCB.
const FRAMES: u32 = 16;
/// In each space: the capability to its Table, on which the hook hangs.
const TABLE: CapName = CapName(1);

/// `ipc.spaces.*`.
pub fn run() {
    if !super::any_wanted("ipc.spaces", &COUNTS) {
        return;
    }
    let pair = Pair::start(Home::new());
    let (endpoint, space, thread) = (endpoint(), slot(), slot());
    let mut spaces: Vec<Extent> = Vec::new();
    for count in COUNTS {
        while spaces.len() < count as usize {
            let frames = memory::take(FRAMES, 4).expect("memory for a space");
            make(frames, &endpoint, &space, &thread);
            spaces.push(frames);
        }
        pair.round_trips(&super::name("ipc.spaces", count), 0);
    }
    for frames in spaces {
        check_eq!(memory::release(frames), Ok(()), "a space");
    }
}

fn slot() -> Slot {
    Slot::take().expect("a slot")
}

/// Makes a space and its thread, which waits at the endpoint. No capability to them stays here: whoever gave the
/// frames can always end them.
fn make(frames: Extent, endpoint: &Slot, space: &Slot, thread: &Slot) {
    let (container, first) = (frames.container, frames.first);
    let name = space.name();
    calls::make_space(container, first, space.reference(), place::AREA, ENTRIES).expect("a space");
    calls::make_table(container, first + 4, SlotRef::default(), name).expect("an area");
    calls::make_cap_node(container, first + 12, name, 0).expect("a node");
    calls::make_table(container, first + 8, thread.reference(), name).expect("a Table");
    calls::hook(thread.name(), name, BLOCKS_INDEX, Rights::WRITE).expect("a hook");
    // The hook hangs on the capability, which goes into the space itself.
    calls::relocate(thread.reference(), SlotRef::of(name, TABLE)).expect("a capability moved");
    calls::hook(IMAGE_TABLE, name, place::IMAGE / BLOCK, Rights::WRITE).expect("the image");
    calls::derive(endpoint.name(), SlotRef::of(name, SERVED), Rights::RECEIVE, 0, 0).expect("a capability");
    let place = ThreadPlace {
        container,
        thread: first + 13,
        utcb: first + 14,
        space: name,
        address: BLOCKS_INDEX * BLOCK,
        fpu: false,
    };
    sleeper::start(place, SERVED, thread);
    let state = calls::thread_info(thread.name()).map(|info| info.state);
    check_eq!(state, Ok(State::Receiving));
    calls::delete(thread.reference()).expect("an own slot");
    calls::delete(space.reference()).expect("an own slot");
}
