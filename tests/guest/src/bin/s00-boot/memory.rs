//! The memory that is handed over: free as said, clear, and all of it.

use freehold_abi::info::Kernel;
use freehold_abi::layout::{ENTRIES, FRAME};
use freehold_guest_tests::pages::{self, Frames, peek};
use freehold_guest_tests::scenario::FRAME_TYPES;
use freehold_guest_tests::{check, check_eq};
use freehold_rt::{Rights, calls, memory, start};

/// All that the boot information lists can be taken (but what the runtime already has).
pub fn free() {
    let boot = start::boot_info().map_or(0, |boot| {
        boot.free[..boot.free_count as usize].iter().map(|range| (range.end - range.start) / FRAME).sum()
    });
    let here = memory::free_frames();
    check!(here <= boot && here + 200 > boot, "{here} of {boot}");
    // By the hundred, so that more than one block is gone through; each piece becomes something.
    let mut pieces: [Option<Frames>; 8] = [const { None }; 8];
    for piece in &mut pieces {
        let frames = Frames::take(256, 4);
        check_eq!(
            calls::make_cap_node(frames.container(), frames.at(7), freehold_rt::CapName::NONE, 31),
            Ok(())
        );
        check_eq!(calls::reclaim(frames.container(), frames.at(7), 1), Ok(()));
        *piece = Some(frames);
    }
}

/// Nothing of the boot loader's, of modules or of the machine's is left in it.
pub fn clear() {
    let mut taken: [Option<Frames>; 16] = [const { None }; 16];
    let mut dirty = 0;
    let mut looked_at = 0;
    for piece in &mut taken {
        if memory::free_frames() < 2 * ENTRIES {
            break;
        }
        let Some(extent) = memory::take(512, 1) else { break };
        memory::give_back(extent);
        let frames = Frames::take(512, 1);
        check_eq!(pages::map(&frames, pages::AT, Rights::NONE, 0), Ok(()));
        dirty += (0..512 * 1024).filter(|word| peek(pages::AT + 4 * word) != 0).count();
        looked_at += 512;
        check_eq!(calls::unmap(freehold_rt::CapName::NONE, pages::AT / FRAME, 512), Ok(()));
        *piece = Some(frames);
    }
    check_eq!(dirty, 0, "words of {looked_at} frames");
    check!(looked_at >= 512);
}

/// Each frame has one type: the counts of all types make up all frames.
pub fn counts() {
    let count = |kind| calls::frames_of_type(kind).unwrap_or(0);
    let all: u32 = (0..FRAME_TYPES).map(count).sum();
    let blocks = start::boot_info().map_or(0, |boot| boot.blocks);
    check_eq!(all, blocks * ENTRIES);
    let holes = count(10);
    check_eq!(calls::kernel_info(Kernel::Frames), Ok(all - holes));
    check_eq!(count(9), 0, "nothing is dying");
    check_eq!(count(7), 0, "no device's memory");
    // Three sidecar frames behind each Directory and each Table, the boot containers' included.
    check_eq!(count(3), 3 * (count(1) + count(2)));
    check_eq!(count(4), count(5), "a UTCB for each thread");
}
