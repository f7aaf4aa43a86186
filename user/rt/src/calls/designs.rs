//! The calls of the designs under comparison (docs/designs.md). Under `user-tables` all of them are UnknownCall.

use freehold_abi::designs::{Design, FLUSH, Fpage, Operation, UNTRUSTED};
use freehold_abi::info::Kernel;
use freehold_abi::{Call, CapName, Error, Rights, error};

use crate::call;
use crate::calls::kernel_info;

/// What of the kernel's pool is charged to a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Bytes that are charged to it.
    pub bytes: u32,
    /// Bytes that may be.
    pub quota: u32,
    /// Its tables in the pool.
    pub tables: u32,
    /// Its mappings of the pool's.
    pub mappings: u32,
}

/// The design that the kernel was booted with.
pub fn design() -> Design {
    let number = kernel_info(Kernel::Design).unwrap_or(0);
    Design::from_number(number).unwrap_or(Design::UserTables)
}

fn operation(operation: Operation, registers: call::Registers) -> Result<call::Registers, Error> {
    call::query(Call::Design, operation as u32, registers)
}

/// Makes frames roots of the mapping database, mapped in a space from `address` on. `range`: [`super::range`].
///
/// # Errors
/// UnknownCall; NoRight (not the first program); those of donating roots; BadAddress, Occupied, PoolExhausted, OverQuota.
pub fn give(
    container: CapName,
    range: u32,
    space: CapName,
    address: u32,
    rights: Rights,
) -> Result<(), Error> {
    operation(Operation::Give, [container.0, range, space.0, address & !0xFFF | rights.bits()]).map(drop)
}

/// Takes back what was mapped onward from pages of the own space; `flush`: and the pages themselves. Rights in the
/// fpage: only these go.
///
/// # Errors
/// UnknownCall, BadAddress.
pub fn fpage_unmap(fpage: Fpage, flush: bool) -> Result<(), Error> {
    operation(Operation::Unmap, [fpage.0, if flush { FLUSH } else { 0 }, 0, 0]).map(drop)
}

/// Makes a space untrusted; its messages go through `redirector`, if the design is that.
///
/// # Errors
/// UnknownCall; OutOfRange without an endpoint where the design needs one.
pub fn distrust(space: CapName, redirector: Option<CapName>) -> Result<(), Error> {
    let endpoint = redirector.map_or(UNTRUSTED, |endpoint| endpoint.0);
    operation(Operation::Distrust, [space.0, endpoint, 0, 0]).map(drop)
}

/// Makes a space trusted again.
///
/// # Errors
/// UnknownCall; NoRight: the caller is untrusted itself.
pub fn trust(space: CapName) -> Result<(), Error> {
    operation(Operation::Distrust, [space.0, 0, 0, 0]).map(drop)
}

/// Lets the message that the caller has received as a redirector go on to whom it was for, or gives its sender an error.
///
/// # Errors
/// UnknownCall; NoReply: it has received none, or the sender waits no longer; OutOfRange.
pub fn propagate(verdict: Result<(), Error>) -> Result<(), Error> {
    operation(Operation::Propagate, [0, status(verdict), 0, 0]).map(drop)
}

/// The same, and receives the next message from `endpoint`, in registers: badge, tag, two words. The words of a message
/// of an untrusted space that lie beyond the second are in the UTCB, those of its items behind them.
///
/// # Errors
/// As [`propagate`], and Receive's: then the message is dealt with.
#[inline(always)]
pub fn propagate_and_receive(
    verdict: Result<(), Error>,
    endpoint: CapName,
) -> Result<call::Registers, Error> {
    let number = Call::Design as u32 | (Operation::Propagate as u32) << 8;
    let (status, registers) = call::enter(number, [endpoint.0, status(verdict), 0, 0]);
    error::status(status).map(|()| registers)
}

fn status(verdict: Result<(), Error>) -> u32 {
    verdict.map_or_else(|error| error as u32, |()| 0)
}

/// Sets what a space may have of the pool, out of the own quota.
///
/// # Errors
/// UnknownCall; NoCapability (it is [`CapName::NONE`]); those of a space; NoRight (another is its giver); OverQuota (less
/// than is charged to it, or more than is left here).
pub fn set_quota(space: CapName, bytes: u32) -> Result<(), Error> {
    operation(Operation::SetQuota, [space.0, bytes, 0, 0]).map(drop)
}

/// What a space has of the pool; [`CapName::NONE`]: the own one.
///
/// # Errors
/// UnknownCall.
pub fn account(space: CapName) -> Result<Account, Error> {
    let [bytes, quota, tables, mappings] = operation(Operation::Account, [space.0, 0, 0, 0])?;
    Ok(Account { bytes, quota, tables, mappings })
}
