//! A Table full of frames is shared with another space by one hook, read-only, and taken back by
//! revoking the proxy that the hook was derived from. What that costs does not depend on the number of
//! frames.

use freehold_protocol::answer::DONE;
use freehold_protocol::pager;
use freehold_protocol::probe::{FAULTED, READ, WRITE};
use freehold_rt::abi::layout::{BLOCK, ENTRIES, FRAME};
use freehold_rt::abi::update::Update;
use freehold_rt::load::{Grant, Program};
use freehold_rt::roots::Extent;
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Error, Rights, calls, layout, memory, println, records, serde_json, time};

use alloc::vec::Vec;

use crate::actor::{self, Actor};
use crate::claims::Claims;
use crate::failure::Failure;
use crate::services::Services;

/// Numbers of frames.
const FRAMES: [u32; 3] = [1, 32, 1024];
/// Times that a share and its end are measured; the median counts.
const ROUNDS: usize = 9;
/// Per cent by which the costs may differ.
const TOLERANCE: u32 = 2;
/// Where the Table is seen here, behind what boot modules need.
const HERE: u32 = layout::OWN + 64 * BLOCK;
/// Where the client sees it, far from what else it maps.
const THERE: u32 = layout::OWN_END - 64 * BLOCK;
/// Frames of a Table.
const TABLE_FRAMES: u32 = 4;
/// Numbers at the console.
const CLIENT: u32 = 1;
const PAGER: u32 = 2;
/// The client's number at its pager.
const BADGE: u32 = 1;

/// Runs this part.
///
/// # Errors
/// [`Failure`]: it could not be carried out.
pub fn run(services: &Services, claims: &mut Claims) -> Result<(), Failure> {
    let faults = actor::new_endpoint()?;
    let given = [Grant::send("pager", faults.name(), BADGE)];
    let client = Actor::start(services, "client", CLIENT, Program::new(&[]), &given)?;
    let given = [Grant::whole(pager::SPACES[0], client.space(), Rights::EDIT, 0)];
    let settings = Program { priority: 9, ..Program::new(&[]) };
    let pager = Actor::start_at(faults, services, "pager", PAGER, settings, &given)?;

    let mut costs = Vec::new();
    for frames in FRAMES {
        let shared = Shared::new(frames)?;
        let cost = shared.measure(&client)?;
        records::write(&serde_json::json!({
            "tour": "share", "frames": frames, "share": cost.share, "unshare": cost.unshare,
        }))?;
        println!("  frames: {frames}; shared in {} cycles, taken back in {}", cost.share, cost.unshare);
        costs.push(cost);
        shared.claim(&client, claims)?;
        shared.take_back()?;
    }
    for (cost, frames) in costs.iter().zip(FRAMES).skip(1) {
        let what = format_args!("cost of sharing {} and {frames} frames", FRAMES[0]);
        claims.close(what, (costs[0].share, cost.share), TOLERANCE);
        let what = format_args!("cost of taking back {} and {frames} frames", FRAMES[0]);
        claims.close(what, (costs[0].unshare, cost.unshare), TOLERANCE);
    }
    client.destroy()?;
    pager.destroy()?;
    Ok(())
}

/// What a share costs, in cycles.
struct Cost {
    share: u32,
    unshare: u32,
}

/// A Table of its own with frames in its first entries, seen at [`HERE`].
struct Shared {
    table: Extent,
    container: Slot,
    frames: Vec<Extent>,
    count: u32,
}

impl Shared {
    fn new(count: u32) -> Result<Shared, Failure> {
        let table = memory::take(TABLE_FRAMES, TABLE_FRAMES).ok_or(Failure::NoMemory)?;
        let container = Slot::take().ok_or(Failure::NoSlot)?;
        calls::make_table(table.container, table.first, container.reference(), CapName::NONE)?;
        calls::hook(container.name(), CapName::NONE, HERE / BLOCK, Rights::WRITE)?;
        let mut shared = Shared { table, container, frames: Vec::new(), count };
        let mut index = 0;
        while index < count {
            let extent = memory::take_up_to(count - index, 1).ok_or(Failure::NoMemory)?;
            shared.frames.push(extent);
            shared.put(extent, index)?;
            index += extent.count;
        }
        for index in 0..count {
            write(index, value(index));
        }
        Ok(shared)
    }

    /// Maps frames into the Table's entries from `index` on.
    fn put(&self, extent: Extent, index: u32) -> Result<(), Failure> {
        let update = Update {
            source: extent.container,
            first: extent.first,
            count: extent.count,
            destination: self.container.name(),
            page: index,
            rights: Rights::WRITE,
            total_code: 0,
        };
        Ok(calls::update(&[update])?)
    }

    /// Shares it with the client: the proxy, then the hook.
    fn share(&self, proxy: &Slot, client: &Actor) -> Result<(), Error> {
        let all = calls::range(0, ENTRIES);
        calls::derive(self.container.name(), proxy.reference(), Rights::SHARE, all, 1)?;
        calls::hook(proxy.name(), client.space(), THERE / BLOCK, Rights::NONE)
    }

    fn measure(&self, client: &Actor) -> Result<Cost, Failure> {
        let (mut share, mut unshare) = ([0; ROUNDS], [0; ROUNDS]);
        for round in 0..ROUNDS {
            let proxy = Slot::take().ok_or(Failure::NoSlot)?;
            let begin = time::cycles();
            self.share(&proxy, client)?;
            let shared = time::cycles();
            calls::revoke(proxy.reference())?;
            let end = time::cycles();
            share[round] = (shared - begin) as u32;
            unshare[round] = (end - shared) as u32;
        }
        share.sort_unstable();
        unshare.sort_unstable();
        Ok(Cost { share: share[ROUNDS / 2], unshare: unshare[ROUNDS / 2] })
    }

    /// What the client can do with it, while it is shared and afterwards.
    fn claim(&self, client: &Actor, claims: &mut Claims) -> Result<(), Failure> {
        let count = self.count;
        let last = count - 1;
        claims.equal("before, the client's read faults", touch(client, READ, 0)?, Touched::Fault);
        let proxy = Slot::take().ok_or(Failure::NoSlot)?;
        self.share(&proxy, client)?;
        let mut right = 0;
        for index in 0..count {
            right += u32::from(touch(client, READ, index)? == Touched::Word(value(index)));
        }
        claims.equal(format_args!("the client reads what is in each frame, of {count}"), right, count);
        for index in [0, last] {
            let found = (touch(client, WRITE, index)?, read(index));
            let what = format_args!("its write to frame {index} faults and changes nothing");
            claims.equal(what, found, (Touched::Fault, value(index)));
        }
        write(last, !value(last));
        let seen = touch(client, READ, last)?;
        claims.equal("it sees what the owner writes now", seen, Touched::Word(!value(last)));
        calls::revoke(proxy.reference())?;
        for index in [0, last] {
            let what = format_args!("taken back, its next read of frame {index} faults");
            claims.equal(what, touch(client, READ, index)?, Touched::Fault);
        }
        Ok(())
    }

    fn take_back(self) -> Result<(), Failure> {
        memory::release(self.table)?;
        for extent in self.frames {
            memory::release(extent)?;
        }
        Ok(())
    }
}

/// How an access of the client's ended.
#[derive(Debug, PartialEq, Eq)]
enum Touched {
    Word(u32),
    Fault,
}

/// Orders the client to read or write page `index` of what it sees.
fn touch(client: &Actor, order: u16, index: u32) -> Result<Touched, Failure> {
    let answer = client.order(order, &[THERE + index * FRAME, 0x0BAD_0BAD])?;
    match answer.label() {
        DONE => Ok(Touched::Word(answer.word(0))),
        FAULTED => Ok(Touched::Fault),
        other => Err(Failure::Refused(other)),
    }
}

/// What frame `index` holds; no two the same.
fn value(index: u32) -> u32 {
    (index + 1).wrapping_mul(0x9E37_79B1)
}

fn place(index: u32) -> *mut u32 {
    (HERE + index * FRAME) as *mut u32
}

fn read(index: u32) -> u32 {
    // SAFETY: `Shared::new` has hooked the Table there and filled the entry; no reference leads there.
    unsafe { place(index).read_volatile() }
}

fn write(index: u32, value: u32) {
    // SAFETY: as above, and the hook is writable.
    unsafe { place(index).write_volatile(value) }
}
