//! The smallest program is started, speaks, ends and is destroyed; every frame comes back.

use freehold_rt::child::Child;
use freehold_rt::load::{Grant, LoadError, Program, load};
use freehold_rt::slots::Slot;
use freehold_rt::start::EXIT_DONE;
use freehold_rt::start_page::Full;
use freehold_rt::{CapName, Utcb, calls, memory, println, slots};

use crate::claims::Claims;
use crate::failure::Failure;
use crate::frames::Frames;
use crate::modules::{self, View};
use crate::services::Services;

/// Milliseconds that the program may take.
const LIMIT: u32 = 5_000;
/// Its number at the console.
const CLIENT: u32 = 1;

/// Runs this part.
pub fn run(services: &Services, claims: &mut Claims) {
    let before = Frames::now();
    let Some(ended) = claims.succeeds("a slot for the end", new_notification()) else { return };
    let child = claims.succeeds("starting hello", start(services, ended.name()));
    let Some(child) = child else { return };
    let bits = Utcb::current().within((0, LIMIT), || calls::wait(ended.name()));
    claims.equal("how hello ended", bits, Ok(EXIT_DONE));
    let lent = child.frames();
    claims.equal("frames that came back from hello", child.destroy(), Ok(lent));
    claims.equal("frames of each type after hello", Frames::now(), before);
    println!("hello is gone: {lent} frames came back, {} are free", before.data());
    refused(services, claims);
    claims.equal("frames of each type after what was refused", Frames::now(), before);
}

/// Programs that cannot be made, early and late, leave nothing behind.
fn refused(services: &Services, claims: &mut Claims) {
    let (free, slots) = (memory::free_frames(), slots::used());
    let Some(file) = claims.succeeds("the module hello", open()) else { return };
    let greedy = Program { frames: free, ..Program::new(&file) };
    claims.equal("a program larger than memory", load(&greedy).err(), Some(LoadError::OutOfMemory));
    let grants = [services.console(CLIENT), services.console(CLIENT)];
    let twice = Program { grants: &grants, ..Program::new(&file) };
    let error = LoadError::StartPage(Full::Name);
    claims.equal("a program given one name twice", load(&twice).err(), Some(error));
    let Some(child) = claims.succeeds("a program that never ran", load(&Program::new(&file))) else { return };
    let lent = child.frames();
    claims.equal("frames that came back from it", child.destroy(), Ok(lent));
    claims.equal("free frames and slots in use", (memory::free_frames(), slots::used()), (free, slots));
}

fn open() -> Result<View, Failure> {
    modules::open("hello")?.ok_or(Failure::NoModule)
}

fn new_notification() -> Result<Slot, Failure> {
    let slot = Slot::take().ok_or(Failure::NoSlot)?;
    calls::make_notification(slot.reference())?;
    Ok(slot)
}

fn start(services: &Services, ended: CapName) -> Result<Child, Failure> {
    let file = open()?;
    let grants = [services.console(CLIENT), services.records(CLIENT), Grant::send("exit", ended, 0)];
    let program = Program { grants: &grants, arguments: "world", ..Program::new(&file) };
    let child = load(&program).map_err(Failure::Load)?;
    child.start()?;
    Ok(child)
}
