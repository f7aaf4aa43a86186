//! Give: frames become roots of the mapping database. The first program, and nobody else, plays the part of L4's sigma0
//! with it.

use freehold_abi::designs::Design;
use freehold_abi::layout::{FRAME, USER_END};
use freehold_abi::{CapName, Error, Rights};
use freehold_mapdb::MapFault;
use freehold_user_pagetables::{Budget, FrameType};

use crate::container::Container;
use crate::errors::cause;
use crate::kernel::Kernel;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{ThreadRef, reg};

/// Units that a frame takes.
const UNITS: u32 = 4;

/// Give, frame by frame: ESI and EBP name what is left.
pub fn give(k: &mut Kernel, t: ThreadRef) -> CallResult {
    // Others get pages of those who have them, as in the original: a gift costs the pool as a mapping does.
    if t.directory.get() != k.designs.first_space {
        return Err(Error::NoRight);
    }
    loop {
        let [container, range, space, place] = t.args();
        let container = Container::of_roots(k, t, container)?;
        let (first, count) = container.part(range)?;
        let directory = k.space(t, CapName::from_word(space))?;
        let address = place & !(FRAME - 1);
        if USER_END - address.min(USER_END) < count * FRAME {
            return Err(Error::BadAddress);
        }
        if !k.units.spend(UNITS) {
            return Ok(Outcome::Again);
        }
        let frame = container.frame(k, first, 1)?;
        let donation = k.tables.check_donation(frame, FrameType::Pooled).map_err(cause)?;
        let database = &mut k.designs.database;
        let need = database.survey_gift(&k.tables, directory, address).map_err(of_a_gift)?;
        let charged = (k.designs.design == Design::KernelQuota).then_some(need);
        database.afford(&k.tables, directory, need, charged).map_err(cause)?;
        let writable = place & Rights::WRITE.bits() != 0;
        let given = database.give(&mut k.tables, donation, (directory, address), writable);
        k.owe(given.map_err(cause)?);
        if count == 1 {
            return Ok(Outcome::Done);
        }
        t.set(reg::ESI, (first + 1) | (count - 2) << 10);
        t.set(reg::EBP, place + FRAME);
    }
}

/// Nobody has opened a window for a gift: what is in the way is in the way.
fn of_a_gift(fault: MapFault) -> Error {
    match fault {
        MapFault::Taken => Error::Occupied,
        fault => cause(fault),
    }
}
