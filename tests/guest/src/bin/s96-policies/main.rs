//! The designs that bound by policy what the pool costs: what each forbids, and what it still allows. Which parts run
//! says the design that the kernel was booted with.

#![no_std]
#![no_main]

extern crate alloc;

mod credits;
mod ends;
mod items;
mod redirected;
mod scene;
mod trusted;

use freehold_abi::designs::Design;
use freehold_guest_tests::scenario;
use freehold_rt::calls;

freehold_rt::entry!(main);

fn main() {
    if calls::design().has_pool() {
        items::warm_up();
    }
    let parts: &[scenario::Part] = match calls::design() {
        Design::Redirector => &[
            ("words of all lengths, there and back", redirected::words),
            ("one way", redirected::one_way),
            ("capabilities", redirected::capabilities),
            ("strings", redirected::strings),
            ("ranges", redirected::ranges),
            ("what does not come to the door", redirected::beside),
            ("a pager's answer does", redirected::pager),
            ("verdicts", redirected::verdicts),
            ("a saved reply", redirected::saved_reply),
            ("senders end", ends::senders),
            ("redirectors end", ends::redirectors),
            ("doors end", ends::doors),
            ("destinations end", ends::destinations),
            ("time limits", ends::limits),
            ("answers that nobody waits for", ends::answers),
            ("map items are refused", items::refused),
            ("map items that a redirector lets past", items::let_past),
            ("items that are changed behind its back", items::changed),
            ("a pager's answer with a page", items::answered),
            ("marks", trusted::marks),
            ("spaces that untrusted spaces make", trusted::makes_spaces),
            ("spaces that untrusted spaces use", trusted::uses_spaces),
            ("many doors", trusted::doors),
        ],
        Design::LocalOnly => {
            &[("map items", items::local_only), ("a pager's answer with a page", items::answered)]
        }
        Design::RootOnly => &[("map items", items::root_only)],
        Design::CreditsOff => &[
            ("capabilities", credits::capabilities),
            ("mappings", credits::mappings),
            ("a UTCB has one mapping", credits::utcbs),
            ("lent memory", credits::lent),
            ("items", credits::items),
            ("no pool", credits::calls_are_unknown),
        ],
        _ => &[("no policy", credits::calls_are_unknown)],
    };
    scenario::run("s96-policies", parts)
}
