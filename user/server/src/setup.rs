//! The slices, made and handed to the transfer service.

use freehold_protocol::answer::DONE;
use freehold_protocol::transfer::{SESSIONS_MAX, SLICE, SLICE_TABLES_MAX, TRANSFER};
use freehold_rt::abi::message::Item;
use freehold_rt::memory::MapError;
use freehold_rt::{Error, Message, Rights, calls, start};

use crate::slices;

/// Makes `count` slices of `tables` Tables each.
pub fn run(count: u32, tables: u32) -> Message {
    let sizes = (1..=SESSIONS_MAX as u32).contains(&count) && (1..=SLICE_TABLES_MAX as u32).contains(&tables);
    crate::answer(if sizes { make(count, tables) } else { Err(Error::OutOfRange.into()) })
}

fn make(count: u32, tables: u32) -> Result<(), MapError> {
    let service = start::capability(TRANSFER).ok_or(Error::NoCapability)?;
    for slice in 0..count {
        slices::add()?;
        for index in 0..tables {
            let source = slices::add_table(slice, index)?;
            let mut message = Message::of(SLICE, &[slice, index]);
            // The service's hook is all that can be derived from it.
            let rights = Rights::WRITE.or(Rights::SHARE);
            message.push_item(Item { source, moved: false, rights, total: 1 });
            let answer = calls::call(service, &message)?;
            if answer.label() != DONE {
                return Err(Error::from_status(answer.word(0)).unwrap_or(Error::BadMessage).into());
            }
        }
    }
    Ok(())
}
