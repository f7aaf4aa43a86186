//! Who gave a space what it may have of the pool.
//!
//! What must hold (checked by [`Database::check`](crate::Database::check)): a space to which something was given has one
//! giver until it ends: another space that lives, or [`FIRST`]. The spaces with the same giver are a list, which begins
//! with the giver. A space to which nothing was given has no quota, and has given none: so going from giver to giver
//! always ends at [`FIRST`].
//!
//! A giver gives out of its own, and has back what it takes away, and what is left when the space ends. What a space
//! that ends had given on belongs to its giver from then on. So a space and all that are below it never have more
//! together than that space's giver gave it, and have less only by what is more than a word can count.

use freehold_user_pagetables::layout::{
    POOL_FIRST_GIVEN, POOL_GIVEN_BEFORE, POOL_GIVEN_NEXT, POOL_GIVER, POOL_QUOTA,
};
use freehold_user_pagetables::{Budget, FrameType, Memory, Progress, Tables};

use crate::Account;

/// The giver that has what it likes, and that no list begins with. No space has this address.
pub const FIRST: u32 = 1;
/// The giver of a space to which nothing was given yet.
const NOBODY: u32 = 0;

/// Units of a space's move from one giver's list to another's.
const MOVE_UNITS: u32 = 1;

/// Why a quota was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaFault {
    /// Another gave it.
    NotTheGiver,
    /// It is less than what is charged to the space, or more than its giver has left.
    OverQuota,
}

/// `giver`, a space or [`FIRST`], sets what the space of `directory` may have. [`FIRST`] becomes the giver of any space
/// with it: another that was has back what was left there.
///
/// # Errors
/// NotTheGiver, OverQuota.
pub fn set<M: Memory>(t: &mut Tables<M>, giver: u32, directory: u32, bytes: u32) -> Result<(), QuotaFault> {
    let (account, before) = (Account::of(t, directory), t.space_field(directory, POOL_GIVER));
    if giver != FIRST && before != giver && before != NOBODY {
        return Err(QuotaFault::NotTheGiver);
    }
    if bytes < account.bytes() {
        return Err(QuotaFault::OverQuota);
    }
    if giver == FIRST {
        give_back(t, before, account.quota);
    } else {
        let (more, own) = (bytes.saturating_sub(account.quota), Account::of(t, giver));
        if more > own.left() {
            return Err(QuotaFault::OverQuota);
        }
        t.memory.store(giver + POOL_QUOTA, own.quota - more);
        give_back(t, giver, account.quota.saturating_sub(bytes));
    }
    // Whoever gives nothing to begin with is no giver: it may have none itself.
    if before != giver && (before != NOBODY || bytes != 0) {
        leave(t, directory);
        join(t, directory, giver);
    }
    t.memory.store(directory + POOL_QUOTA, bytes);
    Ok(())
}

/// What a space that ends had given on belongs to its giver from now on.
pub(crate) fn pass_on<M: Memory>(t: &mut Tables<M>, directory: u32, budget: &mut impl Budget) -> Progress {
    while let given @ 1.. = t.space_field(directory, POOL_FIRST_GIVEN) {
        if !budget.spend(MOVE_UNITS) {
            return Progress::Preempted;
        }
        leave(t, given);
        join(t, given, t.space_field(directory, POOL_GIVER));
    }
    Progress::Done
}

/// A space that ends has nothing of the pool any more: its giver has back what it had.
pub(crate) fn give_up<M: Memory>(t: &mut Tables<M>, directory: u32) {
    leave(t, directory);
    give_back(t, t.space_field(directory, POOL_GIVER), t.space_field(directory, POOL_QUOTA));
}

fn give_back<M: Memory>(t: &mut Tables<M>, giver: u32, bytes: u32) {
    if giver > FIRST {
        let quota = t.space_field(giver, POOL_QUOTA).saturating_add(bytes);
        t.memory.store(giver + POOL_QUOTA, quota);
    }
}

/// The space of `directory` becomes the first of its new giver's list.
fn join<M: Memory>(t: &mut Tables<M>, directory: u32, giver: u32) {
    t.memory.store(directory + POOL_GIVER, giver);
    if giver > FIRST {
        let next = t.memory.swap(giver + POOL_FIRST_GIVEN, directory);
        t.memory.store(directory + POOL_GIVEN_NEXT, next);
        t.memory.store(directory + POOL_GIVEN_BEFORE, giver + POOL_FIRST_GIVEN);
        if next != 0 {
            t.memory.store(next + POOL_GIVEN_BEFORE, directory + POOL_GIVEN_NEXT);
        }
    }
}

/// The space of `directory` leaves its giver's list, if it is in one.
fn leave<M: Memory>(t: &mut Tables<M>, directory: u32) {
    let before = t.memory.swap(directory + POOL_GIVEN_BEFORE, 0);
    let next = t.memory.swap(directory + POOL_GIVEN_NEXT, 0);
    if before != 0 {
        t.memory.store(before, next);
        if next != 0 {
            t.memory.store(next + POOL_GIVEN_BEFORE, before);
        }
    }
}

/// Whether a space's giver is one, and has it in its list, and so all that it has given to.
pub(crate) fn is_well_given<M: Memory>(t: &Tables<M>, directory: u32) -> bool {
    let (giver, before) = (t.space_field(directory, POOL_GIVER), t.space_field(directory, POOL_GIVEN_BEFORE));
    let first = t.space_field(directory, POOL_FIRST_GIVEN);
    if giver <= FIRST
        && (before != 0 || giver == NOBODY && (first, Account::of(t, directory).quota) != (0, 0))
    {
        return false;
    }
    // Each is in one list only, as one word names it: so a list has an end, if it is well formed.
    let (mut word, mut given) = (directory + POOL_FIRST_GIVEN, first);
    while given != 0 {
        if [t.space_field(given, POOL_GIVER), t.space_field(given, POOL_GIVEN_BEFORE)] != [directory, word] {
            return false;
        }
        (word, given) = (given + POOL_GIVEN_NEXT, t.space_field(given, POOL_GIVEN_NEXT));
    }
    let mut above = directory;
    for _ in 0..t.frame_count() {
        match t.space_field(above, POOL_GIVER) {
            NOBODY => return above == directory,
            FIRST => return true,
            giver if t.nature(giver) != FrameType::Directory || !is_listed(t, above) => return false,
            giver => above = giver,
        }
    }
    false
}

fn is_listed<M: Memory>(t: &Tables<M>, directory: u32) -> bool {
    let before = t.space_field(directory, POOL_GIVEN_BEFORE);
    before != 0 && t.memory.load(before) == directory
}
