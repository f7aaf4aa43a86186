//! What spaces have of the pool, and, under kernel-quota, what they may have.
//!
//! What must hold: what all programs but the first may have together is never more than the first gave them. It gives what
//! it likes; everybody else gives out of its own ([`quota`]).

use freehold_abi::designs::Design;
use freehold_abi::{CapName, Error};
use freehold_mapdb::{Account, quota};

use crate::errors::cause;
use crate::kernel::Kernel;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{ThreadRef, reg};

/// Account.
pub fn account(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let directory = k.space(t, CapName::from_word(t.args()[0]))?;
    let account = Account::of(&k.tables, directory);
    t.set(reg::EBX, account.bytes());
    t.set(reg::ESI, if k.designs.design == Design::KernelQuota { account.quota } else { u32::MAX });
    t.set(reg::EDI, account.tables);
    t.set(reg::EBP, account.mappings);
    Ok(Outcome::Done)
}

/// SetQuota: by the first program, or out of the caller's own.
pub fn set_quota(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [space, bytes, ..] = t.args();
    let space = CapName::from_word(space);
    if space.0 == 0 {
        return Err(Error::NoCapability);
    }
    let directory = k.space(t, space)?;
    let caller = t.directory.get();
    let giver = if caller == k.designs.first_space { quota::FIRST } else { caller };
    quota::set(&mut k.tables, giver, directory, bytes).map_err(cause)?;
    Ok(Outcome::Done)
}

/// `t` has made the space of `directory`.
pub fn made_space(k: &mut Kernel, t: ThreadRef, directory: u32) {
    if k.designs.design == Design::KernelQuota && t.directory.get() == k.designs.first_space {
        begin(k, directory, k.designs.quota);
    }
}

/// What a new space may have.
pub fn begin(k: &mut Kernel, directory: u32, bytes: u32) {
    quota::set(&mut k.tables, quota::FIRST, directory, bytes).expect("nothing is charged to it");
}
