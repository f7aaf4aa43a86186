//! The table of scenarios, in layers: what a later layer relies on is tested in an earlier one.

use std::time::Duration;

use super::scenario::{Expect, Scenario};
use crate::bench::{designs, latency, micro, program};
use crate::guest::{BENCH, OTHER};

/// Every scenario, in the order in which they start.
pub fn all() -> Vec<Scenario> {
    let layers = [
        harness(),
        boot(),
        inside(),
        designs(),
        policies(),
        hello(),
        tour(),
        service(),
        transfer(),
        arena(),
        long_work(),
        figures(),
    ];
    layers.into_iter().flatten().collect()
}

/// The harness itself: each way in which a guest can fail is seen as a failure of that kind, even if
/// the guest wrote a closing record that says that all is well; and a guest that does all that it
/// must is seen to pass.
fn harness() -> Vec<Scenario> {
    vec![
        Scenario::broken("succeeds", Expect::Pass("succeeds")),
        Scenario::broken("triple_faults", Expect::Reset),
        Scenario::broken("panics", Expect::Panic("KERNEL PANIC: on purpose")),
        Scenario::broken("lacks_a_feature", Expect::Unsupported("this processor lacks everything")),
        // It never ends, so it cannot be taken for something else however short the limit is.
        Scenario { time_limit: Duration::from_secs(3), ..Scenario::broken("hangs", Expect::Hang) },
        Scenario::broken("stays_silent", Expect::NoClosing),
        Scenario::broken("fails_a_claim", Expect::ClaimsFail),
        Scenario::broken("claims_nothing", Expect::ClaimsFail),
        // Neither broken nor Freehold: another kernel, as one joins the comparison (docs/join.md).
        Scenario { append: "seed=1 rounds=5", ..Scenario::broken(OTHER, Expect::Pass(OTHER)) },
    ]
}

/// The kernel before its first program: what it cannot work with it refuses, and says so.
fn boot() -> Vec<Scenario> {
    vec![
        Scenario::alone("boot_without_modules", Expect::Panic("no first program")),
        Scenario { cpu: "486", ..Scenario::alone("boot_on_486", Expect::Unsupported("lacks")) },
    ]
}

/// The kernel as programs see it: one program of `freehold-guest-tests` each.
fn inside() -> Vec<Scenario> {
    // Where the processor matters (its way into the kernel, what its FPU saves) a program runs on several;
    // where memory matters, with little and with more than the kernel can reach.
    let on = |name, program, cpu, memory_mib| Scenario { cpu, memory_mib, ..Scenario::of(name, program) };
    // One of the six ways needs a third task; all sizes of all ways take long on a busy machine.
    let buffer = |name| Scenario {
        modules: vec!["s93-buffer", "transfer"],
        time_limit: Duration::from_secs(300),
        ..Scenario::of(name, "s93-buffer")
    };
    vec![
        Scenario::of("s00-boot", "s00-boot"),
        on("s00-boot_pentium_32M", "s00-boot", "pentium", 32),
        on("s00-boot_qemu32", "s00-boot", "qemu32", 64),
        Scenario {
            shows: &["freehold: 15 MiB above 1008 MiB stay unused"],
            ..on("s00-boot_max_1G", "s00-boot", "max", 1024)
        },
        // Calls that fail take no short path, and how often a revoke that is under way is met is the ticks' affair.
        Scenario::both_ways("s10-errors", "s10-errors", 0),
        on("s10-errors_pentium", "s10-errors", "pentium", 64),
        Scenario::both_ways("s20-faults", "s20-faults", 50),
        on("s20-faults_pentium", "s20-faults", "pentium", 64),
        on("s20-faults_qemu32", "s20-faults", "qemu32", 64),
        on("s20-faults_max", "s20-faults", "max", 64),
        Scenario { append: "long", ..Scenario::both_ways("s30-ipc", "s30-ipc", 500) },
        on("s30-ipc_pentium", "s30-ipc", "pentium", 64),
        Scenario::both_ways("s40-memory", "s40-memory", 10_000),
        on("s40-memory_pentium_32M", "s40-memory", "pentium", 32),
        on("s40-memory_max_1G", "s40-memory", "max", 1024),
        Scenario::both_ways("s50-destroy", "s50-destroy", 0),
        on("s50-destroy_pentium_32M", "s50-destroy", "pentium", 32),
        Scenario::both_ways("s60-fpu", "s60-fpu", 100),
        on("s60-fpu_pentium", "s60-fpu", "pentium", 64),
        on("s60-fpu_qemu32", "s60-fpu", "qemu32", 64),
        on("s60-fpu_max", "s60-fpu", "max", 64),
        Scenario::both_ways("s70-fuzz", "s70-fuzz", 1000),
        on("s70-fuzz_pentium", "s70-fuzz", "pentium", 64),
        Scenario::both_ways("s80-copy", "s80-copy", 200),
        on("s80-copy_pentium_32M", "s80-copy", "pentium", 32),
        Scenario::both_ways("s90-strings", "s90-strings", 500),
        on("s90-strings_pentium_32M", "s90-strings", "pentium", 32),
        Scenario::both_ways("s91-pager", "s91-pager", 100_000),
        on("s91-pager_pentium_32M", "s91-pager", "pentium", 32),
        Scenario { both_ways: Some(100_000), ..buffer("s93-buffer") },
        Scenario { cpu: "pentium", ..buffer("s93-buffer_pentium") },
        Scenario { debug_kernel: true, ..Scenario::of("s10-errors_debug", "s10-errors") },
        Scenario { debug_kernel: true, ..Scenario::of("s30-ipc_debug", "s30-ipc") },
        Scenario { debug_kernel: true, ..Scenario::of("s40-memory_debug", "s40-memory") },
        Scenario { debug_kernel: true, ..Scenario::of("s50-destroy_debug", "s50-destroy") },
        Scenario { debug_kernel: true, ..Scenario::of("s70-fuzz_debug", "s70-fuzz") },
        Scenario { debug_kernel: true, ..Scenario::of("s80-copy_debug", "s80-copy") },
        Scenario {
            debug_kernel: true,
            append: "unoptimised",
            ..Scenario::of("s90-strings_debug", "s90-strings")
        },
        Scenario { debug_kernel: true, ..buffer("s93-buffer_debug") },
    ]
}

/// The designs with a pool, and what of a command line that asks for one is refused; under them all else is as ever.
fn designs() -> Vec<Scenario> {
    let of = |name, program, append| Scenario { append, ..Scenario::of(name, program) };
    let refused = |name, append, says| Scenario { append, ..Scenario::alone(name, Expect::Panic(says)) };
    const HEAP: &str = "design=kernel-heap,pool=4M";
    const QUOTA: &str = "design=kernel-quota,pool=4M";
    vec![
        refused("boot_of_no_design", "design=heap", "there is no design heap"),
        refused("boot_of_no_option", "design=kernel-heap,quota=1M", "has no option quota=1M"),
        refused("boot_of_no_number", "design=kernel-heap,pool=4G", "has no option pool=4G"),
        refused("boot_of_a_large_pool", "design=kernel-heap,pool=65M", "the 64 MiB that it can be"),
        refused("boot_without_room", "design=kernel-heap,pool=64M", "no room for a pool of 65536 KiB"),
        of("s95-heap", "s95-heap", HEAP),
        of("s95-heap_quota", "s95-heap", QUOTA),
        Scenario { cpu: "pentium", memory_mib: 32, ..of("s95-heap_pentium_32M", "s95-heap", HEAP) },
        Scenario {
            debug_kernel: true,
            ..of("s95-heap_debug", "s95-heap", "design=kernel-heap,pool=4M unoptimised")
        },
        Scenario {
            debug_kernel: true,
            ..of("s95-heap_quota_debug", "s95-heap", "design=kernel-quota,pool=4M unoptimised")
        },
        of("s30-ipc_heap", "s30-ipc", HEAP),
        of("s40-memory_heap", "s40-memory", HEAP),
        of("s50-destroy_quota", "s50-destroy", QUOTA),
        of("s70-fuzz_heap", "s70-fuzz", HEAP),
        Scenario { append: "tour design=kernel-heap", ..Scenario::tour("tour_heap", 700_001) },
    ]
}

/// The designs that bound by policy what a pool costs, and credits switched off; and what the kernel is without a policy,
/// under the one that looks at every call.
fn policies() -> Vec<Scenario> {
    let of = |name, append| Scenario { append, ..Scenario::of(name, "s96-policies") };
    let both_ways = |name, append, least| Scenario { both_ways: Some(least), ..of(name, append) };
    let redirected = "design=redirector";
    vec![
        both_ways("s96-redirector", redirected, 300),
        Scenario { cpu: "pentium", ..of("s96-redirector_pentium", redirected) },
        Scenario { debug_kernel: true, ..of("s96-redirector_debug", redirected) },
        both_ways("s96-local-only", "design=local-only", 0),
        Scenario { cpu: "pentium", ..of("s96-local-only_pentium", "design=local-only") },
        of("s96-root-only", "design=root-only"),
        of("s96-credits-off", "design=user-tables,credits=off"),
        Scenario { debug_kernel: true, ..of("s96-credits-off_debug", "design=user-tables,credits=off") },
        of("s96-user-tables", ""),
        Scenario {
            append: "long design=redirector",
            ..Scenario::both_ways("s30-redirector", "s30-ipc", 500)
        },
        Scenario { append: redirected, ..Scenario::both_ways("s70-redirector", "s70-fuzz", 1000) },
        Scenario { append: "tour design=redirector", ..Scenario::tour("tour_redirector", 3 << 20) },
    ]
}

/// The smallest program under init: it prints, ends and is destroyed; so do some that are refused.
fn hello() -> Vec<Scenario> {
    let modules = vec!["init", "hello"];
    vec![Scenario { modules, append: "hello", ..Scenario::alone("hello", Expect::Pass("hello")) }]
}

/// The tour: all programs together, by both ways into the kernel, with little memory and with files of
/// odd lengths.
fn tour() -> Vec<Scenario> {
    let on = |name, file, cpu, memory_mib| Scenario { cpu, memory_mib, ..Scenario::tour(name, file) };
    vec![
        Scenario::tour("tour", 3 << 20),
        on("tour_pentium_32M", 700_001, "pentium", 32),
        on("tour_max_16M_file", 16 << 20, "max", 64),
        on("tour_qemu32_one_byte", 1, "qemu32", 64),
        Scenario {
            append: "tour monitor",
            typed: "\n\nhelp\nspaces\ntables attacker\ncaps init\nframes\nnonsense\nquit\n",
            shows: &[
                "attacker        8     7168     7168",
                "attacker: area at 0xbfc00000",
                "IoPorts",
                "since boot 0 bytes",
                "nonsense is no command",
                "freehold> quit",
            ],
            ..Scenario::tour("monitor", 4096)
        },
    ]
}

/// The transfer service attacked: a run of init's, with a file for the clients that behave well.
fn service() -> Vec<Scenario> {
    let run = |name, file| Scenario {
        append: "service",
        time_limit: Duration::from_secs(600),
        expect: Expect::Pass("service"),
        ..Scenario::tour(name, file)
    };
    vec![
        Scenario { both_ways: Some(0), ..run("s92-service", 60_001) },
        Scenario { cpu: "pentium", memory_mib: 32, ..run("s92-service_pentium_32M", 20_000) },
        Scenario { debug_kernel: true, ..run("s92-service_debug", 20_000) },
    ]
}

/// The scenarios of message transfer: every case once, every way with every residency and trust, for a name that
/// goes, bytes that come, strings that go and a control call; and some of them told.
fn transfer() -> Vec<Scenario> {
    vec![
        Scenario {
            modules: vec!["init", "caller", "files", "transfer"],
            append: "bench-transfer rounds=1 only=.container.resident.trusting,open-255.,read-4096.,exec-16k.,control-8.",
            shows: &[
                "197 cells measured, 16 refused",
                "a client waited for a page, and a distrusting server for nobody: 16",
                "by registers and by the service in which that was seen: 16",
            ],
            ..Scenario::of("transfer", "bench-transfer")
        },
        // Strangers' messages go through the redirector; memory is lent by map items.
        Scenario {
            modules: vec!["init", "caller", "files", "transfer", "redirector"],
            append: "bench-transfer rounds=1 only=.container.resident.trusting,open-255.,exec-16k. design=redirector",
            shows: &[
                "111 cells measured, 8 refused",
                "a client waited for a page, and a distrusting server for nobody: 8",
            ],
            ..Scenario::of("transfer_redirector", "bench-transfer")
        },
        // Nobody but the first program lends memory.
        Scenario {
            modules: vec!["init", "caller", "files", "transfer"],
            append: "bench-transfer rounds=1 only=.container.resident.trusting,open-255. design=root-only",
            shows: &["40 cells measured, 32 refused"],
            ..Scenario::of("transfer_root-only", "bench-transfer")
        },
        Scenario {
            append: "tour monitor",
            typed: "\n\nscenario\nscenario nonsense\nscenario read-4096.pull.both-fault\n\
                    scenario open-255.touched.client-faults.trusting\nscenario write-64.container\nquit\n",
            shows: &[
                "case:      open-8 open-64",
                "there is no scenario nonsense",
                "caller sends a message: pull the request from these ranges",
                "caller is stopped after 0 bytes: a page of its own is missing",
                "caller sends a message: go on with the reply",
                "files  copies 4096 bytes to the caller",
                "reply and effect: right; 4096 bytes, there and back",
                "messages sent: 2, of which again: 1",
                "files  has the whole request to open, 255 bytes, and works on it",
                "caller touches 255 bytes: 1 pages come",
                "refused: the client gives no memory to a server that it does not trust",
            ],
            ..Scenario::tour("transfer_told", 4096)
        },
    ]
}

/// The arena of the attacks: one that must be held under the main design, by all numbers of attackers; those that must break
/// a design which they are known to break, or slow it down; and what is no merit: nobody there, and no time to try.
fn arena() -> Vec<Scenario> {
    let cell = |name, attack, append, shows| Scenario {
        modules: vec!["referee", "victim", attack],
        append,
        shows,
        ..Scenario::of(name, "attack")
    };
    vec![
        cell(
            "attack_held",
            "mapping-flood",
            "design=user-tables attack=mapping-flood attackers=1,4 window=40",
            &["1 attackers: held", "4 attackers: held"],
        ),
        cell(
            "attack_broken",
            "mapping-flood",
            "design=kernel-heap attack=mapping-flood attackers=1,4 window=40",
            &[
                "1 attackers: broken",
                "4 attackers: broken",
                "the victim's operations fail with PoolExhausted",
            ],
        ),
        cell(
            "attack_broken_by_spaces",
            "page-table-bomb",
            "design=kernel-heap attack=page-table-bomb attackers=1 window=40",
            &["1 attackers: broken", "a client that starts now gets PoolExhausted"],
        ),
        cell(
            "attack_charged",
            "split-charge",
            "design=kernel-quota attack=split-charge attackers=1 window=40",
            &["1 attackers: degraded", "bytes of the pool are charged to the victim's server"],
        ),
        cell(
            "attack_broken_by_deriving",
            "derive-during-revoke",
            "design=user-tables,credits=off attack=derive-during-revoke attackers=1",
            &["1 attackers: broken", "taking lent pages back did not end while the attackers went on"],
        ),
        cell(
            "attack_degraded",
            "revoke-time",
            "design=kernel-heap attack=revoke-time attackers=1",
            &["1 attackers: degraded"],
        ),
        cell(
            "attack_untried",
            "mapping-flood",
            "design=user-tables attack=mapping-flood attackers=0 window=8",
            &["0 attackers: untried", "nobody tried anything"],
        ),
        Scenario {
            modules: vec!["referee", "victim", "worker-frames", "transfer"],
            ..cell(
                "attack_untried_too_few",
                "worker-frames",
                "design=user-tables attack=worker-frames attackers=1 window=4",
                &["1 attackers: untried", "tries are too few"],
            )
        },
    ]
}

/// What each operation costs: no more than it did, and with the designs in the kernel what it costs without. And what it
/// costs under the designs under comparison: that all of it can be measured, in another order and place each, and that
/// no opponent is a straw man.
fn figures() -> Vec<Scenario> {
    let bench = |name, append, closing| Scenario {
        modules: vec![BENCH],
        memory_mib: program::MEMORY_MIB,
        append,
        ..Scenario::alone(name, Expect::Pass(closing))
    };
    let under = |name, append| bench(name, append, designs::CLOSING);
    vec![
        Scenario {
            watch: micro::WATCH,
            holds: Some(micro::no_worse),
            ..bench("bench-baseline", "", micro::CLOSING)
        },
        Scenario {
            watch: micro::WATCH,
            bare_too: Some(micro::costs_nothing),
            ..bench("bench-designs", "", micro::CLOSING)
        },
        Scenario {
            holds: Some(designs::no_straw_man),
            ..under("bench-heap", "design=kernel-heap,pool=16M only=heap")
        },
        under(
            "bench-user-tables",
            "design=user-tables seed=1 only=first-service,delegate,string.fault,revoke.16,stall.4",
        ),
        under(
            "bench-credits-off",
            "design=user-tables,credits=off seed=2 only=delegate.new,revoke.64,space.bytes,latency.revoke.256",
        ),
        under(
            "bench-kernel-heap",
            "design=kernel-heap,pool=16M seed=3 only=delegate,string.fault,revoke.16,map,unmap,protect,latency.revoke.256",
        ),
        under(
            "bench-kernel-quota",
            "design=kernel-quota,pool=16M seed=4 only=delegate,kernel.bytes.dense,space.bytes.dense,revoke.64,fault",
        ),
        under(
            "bench-redirector",
            "design=redirector,pool=16M seed=5 only=ipc,string,delegate,fault,map,stall.4",
        ),
        under("bench-local-only", "design=local-only,pool=16M seed=6 only=ipc,string,delegate,fault,protect"),
        under(
            "bench-root-only",
            "design=root-only,pool=16M seed=7 only=delegate,kernel.bytes.sparse,fault,map",
        ),
    ]
}

/// Every kind of long work at its longest: interrupts are off for no longer than they may be.
fn long_work() -> Vec<Scenario> {
    vec![Scenario {
        watch: latency::WATCH,
        holds: Some(latency::short_enough),
        ..Scenario::of("s94-latency", "s94-latency")
    }]
}
