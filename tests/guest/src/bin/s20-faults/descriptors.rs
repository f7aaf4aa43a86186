//! Descriptors that a program makes for itself: after reset the processor believes that a table of them
//! lies at linear address 0, which any program can map.

use core::arch::global_asm;

use freehold_guest_tests::check_eq;
use freehold_guest_tests::home::Home;
use freehold_guest_tests::pages::{Frames, peek, poke, update};
use freehold_rt::slots::Slot;
use freehold_rt::{CapName, Rights, calls};

use crate::run::{Fault, Machine};

/// Entry of the table at address 0, as a data segment, code segment, call gate and task gate.
const ENTRY: u32 = 8;
/// Its selector: the local table, ring 3.
const SELECTOR: u32 = ENTRY << 3 | 7;

global_asm!(
    ".pushsection .text.descriptor_pieces, \"ax\"",
    ".globl freehold_local_gs, freehold_local_call, freehold_local_jump, freehold_local_target",
    "freehold_local_gs: mov eax, 0x47",
    "mov gs, eax",
    "ud2",
    "freehold_local_call: .byte 0x9a, 0, 0, 0, 0, 0x47, 0",
    "ud2",
    "freehold_local_jump: .byte 0xea, 0, 0, 0, 0, 0x47, 0",
    "ud2",
    // Reached in ring 0 if the gate works: what follows is then allowed, and the end of the machine.
    "freehold_local_target: cli",
    "hlt",
    ".popsection",
);

type Piece = unsafe extern "C" fn();

unsafe extern "C" {
    fn freehold_local_gs();
    fn freehold_local_call();
    fn freehold_local_jump();
    fn freehold_local_target();
}

pub fn local() {
    let (memory, frame) = (Frames::take(4, 4), Frames::take(1, 1));
    let table = Slot::take().expect("a slot");
    check_eq!(calls::make_table(memory.container(), memory.at(0), table.reference(), CapName::NONE), Ok(()));
    check_eq!(
        calls::update(&[update((frame.container(), frame.at(0)), 1, table.name(), 0, Rights::WRITE, 0)]),
        Ok(())
    );
    check_eq!(calls::hook(table.name(), CapName::NONE, 0, Rights::WRITE), Ok(()));
    let machine = Machine::new(&Home::own());
    let target = freehold_local_target as *const () as u32;
    let descriptors = [
        // Flat data and code of ring 3, then of ring 0; a call gate to the kernel's code segment.
        [0x0000_FFFF, 0x00CF_F300],
        [0x0000_FFFF, 0x00CF_FB00],
        [0x0000_FFFF, 0x00CF_9300],
        [0x0008 << 16 | target & 0xFFFF, target & 0xFFFF_0000 | 0xEC00],
    ];
    for descriptor in descriptors {
        for (index, word) in descriptor.into_iter().enumerate() {
            poke(8 * ENTRY + 4 * index as u32, word);
        }
        for piece in [freehold_local_gs as Piece, freehold_local_call, freehold_local_jump] {
            machine.start(piece as *const () as u32);
            // The first piece loads the selector into EAX before, which takes five bytes.
            let before = if piece as usize == freehold_local_gs as *const () as usize { 5 } else { 0 };
            let at = piece as *const () as u32 + before;
            check_eq!(machine.heard(), Fault::Exception(13, SELECTOR & !3, at), "{descriptor:x?}");
            machine.stop();
        }
        check_eq!(peek(8 * ENTRY), descriptor[0], "nobody has marked it as used");
        check_eq!(peek(8 * ENTRY + 4), descriptor[1]);
    }
    check_eq!(calls::unhook(CapName::NONE, 0), Ok(()));
}
