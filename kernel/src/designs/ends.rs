//! What the pool has to do with the ends of frames and spaces.

use freehold_user_pagetables::Progress;

use crate::kernel::Kernel;

/// Takes back all that a space that ends has of the pool. If it is the first program's, nobody plays its part from then
/// on: not the space that is made in the same frame later.
pub fn end_space(k: &mut Kernel, directory: u32) -> Progress {
    if k.designs.first_space == directory {
        k.designs.first_space = 0;
    }
    let (progress, flush) = k.designs.database.end_space(&mut k.tables, directory, &mut k.units);
    k.owe(flush);
    progress
}

/// Takes back every mapping of a root of the mapping database that ends.
pub fn end_frame(k: &mut Kernel, frame: u32) -> Progress {
    let (progress, flush) = k.designs.database.end_frame(&mut k.tables, frame, &mut k.units);
    k.owe(flush);
    progress
}
