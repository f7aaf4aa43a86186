//! What spaces have of the pool, and, under kernel-quota, what they may have.
//!
//! What must hold: what programs have given one another of their quotas is never more than the first program gave
//! them. The first program gives what it likes.

use freehold_abi::designs::Design;
use freehold_abi::{CapName, Error};
use freehold_mapdb::Account;
use freehold_user_pagetables::Memory;
use freehold_user_pagetables::layout::POOL_QUOTA;

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

/// SetQuota. Whoever is not the first program gives out of its own, and gets back what it takes away.
pub fn set_quota(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [space, bytes, ..] = t.args();
    let space = CapName::from_word(space);
    if space.0 == 0 {
        return Err(Error::NoCapability);
    }
    let directory = k.space(t, space)?;
    let account = Account::of(&k.tables, directory);
    if bytes < account.bytes() {
        return Err(Error::OverQuota);
    }
    let giver = t.directory.get();
    if giver != k.designs.first_space {
        let own = Account::of(&k.tables, giver);
        if directory == giver || bytes.saturating_sub(account.quota) > own.left() {
            return Err(Error::OverQuota);
        }
        k.tables.memory.store(giver + POOL_QUOTA, own.quota.wrapping_add(account.quota).wrapping_sub(bytes));
    }
    k.tables.memory.store(directory + POOL_QUOTA, bytes);
    Ok(Outcome::Done)
}

/// `t` has made the space of `directory`.
pub fn made_space(k: &mut Kernel, t: ThreadRef, directory: u32) {
    if k.designs.design == Design::KernelQuota && t.directory.get() == k.designs.first_space {
        k.tables.memory.store(directory + POOL_QUOTA, k.designs.quota);
    }
}
