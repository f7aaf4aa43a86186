//! Proof that a missing flush would be found: each operation that leaves something stale is done
//! twice, once with its flush lost. And what need not flush does not.

mod support;

use freehold_user_pagetables::layout::in_table;
use freehold_user_pagetables::{Flush, FrameType, Settled, Tlb};
use support::model::At;
use support::ops::Op;
use support::scene::{OTHER, SPACE, SPARE, TABLE, run, world};
use support::world::single;

/// `prepare` and then `op` are sound; with the flush of `op` lost, the TLB betrays it.
fn needs_flush(prepare: &[Op], op: Op) {
    let mut sound = world();
    run(&mut sound, prepare);
    run(&mut sound, &[op]);

    let mut deaf = world();
    run(&mut deaf, prepare);
    deaf.deaf = true;
    assert!(deaf.apply(op).expect("it makes sense").is_ok());
    let found = deaf.compare().expect_err("a lost flush must be found");
    assert!(found.starts_with("stale"), "after {op:x?}: {found}");
}

#[test]
fn lost_flushes_are_found() {
    needs_flush(&[], Op::Unmap { table: TABLE, index: 2 });
    needs_flush(&[], Op::UnmapAt { hook: 0, index: 2 });
    needs_flush(&[], Op::Revoke { at: At::Entry(TABLE, 1), units: 9 });
    needs_flush(&[], Op::Revoke { at: At::Root(single(0)), units: 1 });
    needs_flush(&[], Op::Revoke { at: At::Cap(2), units: 9 });
    needs_flush(&[], Op::Unhook { directory: SPACE, index: 0 });
    needs_flush(&[], Op::Unhook { directory: SPACE, index: 9 });
    let end = |frame| Op::Finish { frame, units: 64, code: 63 };
    needs_flush(&[Op::Unhook { directory: SPACE, index: 9 }, Op::Condemn { frame: TABLE }], end(TABLE));
    // Its last view takes the place of the one that goes.
    needs_flush(&[], Op::Detach { table: TABLE });
    needs_flush(&[], Op::Withdraw { table: SPARE });
    // A root is mapped where its boot container is hooked.
    needs_flush(&[], Op::Donate { frame: single(2), kind: FrameType::Utcb, area: 0, pages: 0 });
}

/// The views of a space are read in another space that has the area's own Table hooked: they are
/// stale there, not here, when a Table leaves.
#[test]
fn views_in_another_space() {
    let see = [Op::Hook { cap: 3, directory: OTHER, index: 3, rights: 1 }, Op::Switch { directory: OTHER }];
    needs_flush(&see, Op::Withdraw { table: SPARE });
    needs_flush(&see, Op::Detach { table: TABLE });
}

/// One hook and a known address: one page. More hooks: everything. No hook, or a space that the
/// processor is not in: nothing.
#[test]
fn no_more_than_needed() {
    let mut one = world();
    let slot = in_table(TABLE, 2);
    assert_eq!(one.tables.unmap_run(slot, 1, Some(0x2000)).flush, Flush::Pages(0x2000, 1));
    let mut unnamed = world();
    assert_eq!(unnamed.tables.unmap_run(slot, 1, None).flush, Flush::All);
    let mut two = world();
    run(&mut two, &[Op::Hook { cap: 2, directory: OTHER, index: 1, rights: 1 }]);
    assert_eq!(two.tables.unmap_run(slot, 1, Some(0x2000)).flush, Flush::All);
    assert_eq!(two.tables.unhook(OTHER, 1), Ok(Flush::None));
    let mut unhooked = world();
    run(&mut unhooked, &[Op::Unhook { directory: SPACE, index: 0 }]);
    assert_eq!(unhooked.tables.unmap_run(slot, 1, None).flush, Flush::None);
    let mut elsewhere = world();
    run(&mut elsewhere, &[Op::Switch { directory: OTHER }]);
    assert_eq!(elsewhere.tables.detach(SPARE), Ok(Flush::None));
}

#[test]
fn debts_add_up() {
    let (page, all) = (Flush::Pages(0x1000, 1), Flush::All);
    for flush in [Flush::None, page, all] {
        assert_eq!(Flush::None.and(flush), flush);
        assert_eq!(flush.and(Flush::None), flush);
        assert_eq!(all.and(flush), all);
        assert_eq!(page.and(flush), if flush == Flush::None { page } else { all });
    }

    let mut tlb = Tlb::new();
    let mut pages = Vec::new();
    tlb.owe(Flush::None, |_| panic!("nothing is due"));
    tlb.owe(page, |address| pages.push(address));
    assert!(!tlb.is_due());
    tlb.owe(all, |_| panic!("no single page"));
    tlb.owe(Flush::Pages(0x2000, 1), |_| panic!("everything is due already"));
    tlb.owe(Flush::None, |_| panic!("no page"));
    assert!(tlb.is_due(), "what is due stays due");
    let mut reloads = 0;
    let Settled { .. } = tlb.settle(|| reloads += 1);
    let Settled { .. } = tlb.settle(|| reloads += 1);
    assert_eq!((pages, reloads, tlb.is_due()), (vec![0x1000], 1, false));
    tlb.owe(all, |_| {});
    let Settled { .. } = tlb.reloaded();
    assert!(!tlb.is_due());
}
