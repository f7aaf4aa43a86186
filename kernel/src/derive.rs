//! Derive and Move: capabilities copied with fewer rights, and moved.

use freehold_abi::info::Kind;
use freehold_abi::layout::ENTRIES;
use freehold_abi::{CapName, Error, Rights};
use freehold_user_pagetables::layout::{BADGE, SPARE};
use freehold_user_pagetables::{Budget, FreshRoot, Memory, total};

use crate::caps::{Cap, Content};
use crate::container::Container;
use crate::kernel::Kernel;
use crate::syscall::{CallResult, Outcome};
use crate::thread::{ThreadRef, reg};

/// Where the immediate of a Derive holds the code that lent roots get.
const LEND_CODE: u32 = 3;
/// Where it holds the kernel's own cursor over the roots.
const LEND_CURSOR: u32 = 9;

/// Derive: a child of a capability, with fewer rights, a badge, or a part of the range.
pub fn derive(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [source, destination, argument, total] = t.args();
    let rights = Rights::from_bits(t.immediate());
    let cap = k.cap(t, CapName::from_word(source))?;
    let slot = k.empty_slot(t, destination)?;
    if cap.kind == Kind::Reply {
        return Err(Error::WrongKind);
    }
    k.alive(cap)?;
    let mut spare = k.tables.cap_field(cap.slot, SPARE);
    let badge = match cap.kind {
        Kind::Endpoint | Kind::Notification => {
            spare = 0;
            match (k.badge_of(cap), argument) {
                (old, 0) => old,
                (0, new) => new,
                _ => return Err(Error::Badged),
            }
        }
        Kind::Container => {
            let container = Container::of(k, cap)?;
            if !cap.rights.contains(Rights::SHARE) {
                return Err(Error::NoRight);
            }
            let part = container.part(argument)?;
            let lends = cap.rights.and(rights).contains(Rights::EDIT) && container.is_boot(k);
            if lends {
                let code = lend_code(k, t.immediate(), spare)?;
                if !lend(k, t, container, part, code)? {
                    return Ok(Outcome::Again);
                }
                spare = code;
            }
            container.encode(part)
        }
        Kind::IoPorts => {
            let (first, last) = (argument & 0xFFFF, argument >> 16);
            if first > last || first < cap.badge & 0xFFFF || last > cap.badge >> 16 {
                return Err(Error::OutOfRange);
            }
            argument
        }
        Kind::Irq | Kind::Space | Kind::Thread => cap.badge,
        Kind::Reply | Kind::Empty => return Err(Error::NoCapability),
    };
    let content = Content { kind: cap.kind, object: cap.object, badge, spare };
    k.derive_cap(cap.slot, slot, rights, total, content)?;
    Ok(Outcome::Done)
}

/// Move: from a slot to an empty one.
pub fn relocate(k: &mut Kernel, t: ThreadRef) -> CallResult {
    let [source, destination, ..] = t.args();
    let from = k.slot_ref(t, source)?;
    let to = k.empty_slot(t, destination)?;
    k.move_cap(from, to)?;
    Ok(Outcome::Done)
}

/// The code that lent roots get: no larger than what the lender's own were lent with.
fn lend_code(k: &Kernel, immediate: u32, own: u32) -> Result<u32, Error> {
    let code = immediate >> LEND_CODE & 63;
    if total::decode(code) > total::decode(own) && k.tables.memory.is_bounded() {
        return Err(Error::NoCredits);
    }
    Ok(code)
}

/// Fixes the totals of the roots that are lent. `false`: interrupted, the cursor is in EAX. A caller
/// that forges the cursor leaves roots with the totals they had: it cheats nobody but itself.
fn lend(
    k: &mut Kernel,
    t: ThreadRef,
    container: Container,
    part: (u32, u32),
    code: u32,
) -> Result<bool, Error> {
    let begin = t.immediate() >> LEND_CURSOR & (2 * ENTRIES - 1);
    for done in begin..part.1 {
        if !k.units.spend(1) {
            let word = t.get(reg::EAX) & !(0x7FF << (8 + LEND_CURSOR));
            t.set(reg::EAX, word | done << (8 + LEND_CURSOR));
            return Ok(false);
        }
        let slot = container.slot(part.0 + done);
        if !k.tables.fix_total(slot, FreshRoot::new(code)) {
            return Err(Error::HasDescendants);
        }
    }
    Ok(true)
}

impl Kernel {
    /// The badge of a capability; the slot that an object lives in has none.
    pub fn badge_of(&self, cap: Cap) -> u32 {
        match cap.kind {
            Kind::Endpoint | Kind::Notification if self.tables.cap_is_origin(cap.slot) => 0,
            _ => self.tables.cap_field(cap.slot, BADGE),
        }
    }
}
