//! A transfer: the source region's first bytes, through the session's worker, as often resumed as pages
//! are missing.

use core::ptr;

use freehold_protocol::answer::{DONE, FAILED, REFUSED};
use freehold_protocol::client::{CARRIED, SOURCE};
use freehold_protocol::transfer::{ABORTED, FAULTED, PIECE};
use freehold_rt::utcb::Range;
use freehold_rt::{CapName, Message, Utcb, calls};

/// Carries `bytes` bytes through `worker`. Returns what there is to say about it.
pub fn carry(worker: CapName, bytes: u32) -> Message {
    let source = Range { address: SOURCE, bytes, writable: false };
    let (mut done, mut resumed) = (0, 0);
    loop {
        Utcb::current().set_ranges(&[source]);
        let answer = match calls::call(worker, &Message::of(PIECE, &[done, bytes]).with_ranges()) {
            Ok(answer) => answer,
            Err(error) => return Message::of(FAILED, &[error as u32]),
        };
        match answer.label() {
            DONE => {
                let mut carried = Message::of(CARRIED, answer.words());
                carried.push(resumed);
                return carried;
            }
            FAULTED if answer.word(0).wrapping_sub(SOURCE) < bytes => {
                touch(answer.word(0));
                done = answer.word(1);
                resumed += 1;
            }
            ABORTED => return Message::of(ABORTED, answer.words()),
            _ => return Message::new(REFUSED),
        }
    }
}

/// Makes a page of the source region present, by faulting on it.
fn touch(address: u32) {
    // SAFETY: the source region holds plain bytes and nothing that Rust knows of. If the pager does not
    // bring the page, the thread waits here or stops.
    unsafe { ptr::read_volatile(address as *const u8) };
}
