//! The sentences, one function each.

use super::crossing::{Crossing, crossing};
use super::{Judged, Verdict, View, by_cases};
use crate::bench::transfer::cell::{CASES, Cell, Residency, Trust, Way};
use crate::bench::transfer::crossover::Direction;
use crate::bench::transfer::figures::{grouped, times};

use Residency::{BothFault, ClientFaults, Resident, ServerFaults};
use Trust::{Distrusting, Trusting};

/// "Many times" is at least so many.
const MANY: u64 = 3;
/// Bytes of a word.
const WORD: u64 = 4;
/// The words from which the mail expects strings to be faster than registers ...
const FORTY: u64 = 40;
/// ... and what counts as around it.
const AROUND_FORTY: std::ops::RangeInclusive<u64> = 20..=80;
/// What pinning may add to moving a request and still be fast: one part in so many.
const FAST: u64 = 4;
/// Failures after which touching has not been enough.
const FAILURES: u64 = 3;

/// Looks at the figures and says what they make of a sentence.
type Judge = fn(&View) -> Judged;

/// All sentences.
pub const ALL: &[(&str, Judge)] = &[
    ("server-side-faults", server_side_faults),
    ("told-apart", told_apart),
    ("reply-retried", reply_retried),
    ("filenames-fit", filenames_fit),
    ("many-registers", many_registers),
    ("forty-words", forty_words),
    ("checking", checking),
    ("container-for-a-filename", container_for_a_filename),
    ("container-expensive", container_expensive),
    ("container-at-some-point", container_at_some_point),
    ("wiring-is-fast", wiring_is_fast),
    ("touching-is-enough", touching_is_enough),
    ("third-task", third_task),
    ("self-paged", self_paged),
];

/// "You allow page faults on the server side to happen, but not on the client side."
fn server_side_faults(view: &View) -> Judged {
    by_cases(&["write-65536", "read-65536"], |case| {
        let figures = view.figures(case, Way::Wired, ServerFaults, Distrusting)?;
        let clause = format!(
            "{case}, wired, server's pages out: done, with {} pages brought in at the server, {} at the client, retries: \
             {}",
            grouped(figures.server_pages),
            grouped(figures.client_pages),
            grouped(figures.retries)
        );
        Ok((figures.server_pages > 0 && figures.client_pages == 0, clause))
    })
}

/// "It may be indeed the case that you can not differentiate between local and remote pagefaults." Supported would
/// be: pages that one side lacks are brought in at the other.
fn told_apart(view: &View) -> Judged {
    by_cases(&["write-65536", "read-65536"], |case| {
        let client = view.figures(case, Way::Touched, ClientFaults, Distrusting)?;
        let server = view.figures(case, Way::Touched, ServerFaults, Distrusting)?;
        let clause = format!(
            "{case}, touched: with the client's pages out {} were brought in at the client and {} at the server; with the \
             server's out {} and {}",
            grouped(client.client_pages),
            grouped(client.server_pages),
            grouped(server.client_pages),
            grouped(server.server_pages)
        );
        Ok((client.server_pages > 0 || server.client_pages > 0, clause))
    })
}

/// "Retrying the IPC (… it would not be possible in reply messages)". Supported would be: no reply went on after it
/// had stopped. Strings, which are touched before, do not stop in such a run, and have no voice here: a test shows
/// that they go on (s93-buffer).
fn reply_retried(view: &View) -> Judged {
    let ways = [Way::Pull, Way::Service];
    let (mut good, mut clauses) = (Vec::new(), Vec::new());
    for way in ways {
        let figures = view.figures("read-65536", way, ClientFaults, Distrusting)?;
        good.push(figures.retries == 0);
        clauses.push(format!(
            "read-65536 by {}, client's pages out: the reply came whole; times that it had stopped: {}",
            way.name(),
            grouped(figures.retries)
        ));
    }
    let strings = view.figures("read-65536", Way::Touched, ClientFaults, Distrusting)?.retries;
    let rule =
        format!("By touched string it had stopped {} times; strings are not judged here.", grouped(strings));
    Ok(with_rule((Verdict::of(&good), format!("{}.", clauses.join("; "))), rule))
}

/// "Things like filenames should usually fit in it", the words of one message.
fn filenames_fit(view: &View) -> Judged {
    by_cases(&["open-8", "open-64", "open-255"], |case| {
        let messages = view.figures(case, Way::Registers, Resident, Distrusting)?.messages;
        Ok((messages == 1, format!("messages for {case}: {}", grouped(messages))))
    })
}

/// "Using many message registers for this can actually be slower than using string items."
fn many_registers(view: &View) -> Judged {
    by_cases(&["open-64", "open-255", "open-1024", "open-4096"], |case| {
        let messages = view.figures(case, Way::Registers, Resident, Distrusting)?.messages;
        let registers = view.costs(case, Way::Registers, Resident, Distrusting)?.whole;
        let string = view.costs(case, Way::Touched, Resident, Distrusting)?.whole;
        let clause = format!(
            "{case}: registers {} (messages: {}), touched string {}",
            grouped(registers),
            grouped(messages),
            grouped(string)
        );
        Ok((registers > string, clause))
    })
}

/// "String items are usually faster for more than around 40 words on ia32": above 40 words, and from around there.
fn forty_words(view: &View) -> Judged {
    let (mut good, mut clauses) = (Vec::new(), Vec::new());
    for direction in Direction::ALL {
        for way in [Way::Touched, Way::Wired] {
            let crossing = crossing(view.0, direction, Trusting, Way::Registers, way)
                .ok_or("no size has figures for both registers and strings")?;
            let (above, around, meet) = match crossing {
                Crossing::Always => (true, false, String::new()),
                Crossing::Never => (false, false, String::new()),
                Crossing::Between { below, meet, .. } => {
                    let words = meet / WORD;
                    (
                        below <= FORTY * WORD,
                        AROUND_FORTY.contains(&words),
                        format!(" ({} words)", grouped(words)),
                    )
                }
            };
            good.extend([above, around]);
            clauses.push(format!("{}, {} {}{meet}", direction.name(), way.name(), crossing.told()));
        }
    }
    let (from, to) = (AROUND_FORTY.start(), AROUND_FORTY.end());
    let told = format!(
        "Cheaper than registers: {}. Supported: at every size above {FORTY} words, and from around there on ({from} to {to} \
         words).",
        clauses.join("; ")
    );
    Ok((Verdict::of(&good), told))
}

/// "Doing all the checking for correct string buffers probably slows the whole thing down again."
fn checking(view: &View) -> Judged {
    by_cases(&["open-8", "open-255", "open-1024", "open-4096"], |case| {
        let registers = view.costs(case, Way::Registers, Resident, Distrusting)?.overhead;
        let string = view.costs(case, Way::Touched, Resident, Distrusting)?.overhead;
        let clause = format!(
            "{case}: a touched string adds {} to an empty call, {} of what registers add",
            grouped(string),
            percent(string, registers)
        );
        Ok((string >= registers, clause))
    })
}

/// "You can't just always pass container handles around, for example for every filename you want to lookup."
fn container_for_a_filename(view: &View) -> Judged {
    by_cases(&["open-8", "open-64", "open-255"], |case| {
        let container = view.costs(case, Way::Container, Resident, Trusting)?.overhead;
        let (cheapest, least) = view.cheapest(case, Resident, Trusting)?;
        let more = times(container, least.overhead);
        let clause = format!(
            "{case}: a container adds {} to an empty call, {more} times what {} adds",
            grouped(container),
            cheapest.name()
        );
        Ok((container >= MANY * least.overhead.max(1), clause))
    })
    .map(|judged| with_rule(judged, many()))
}

/// "The overhead for containers … is many more times than the overhead to deal with string items."
fn container_expensive(view: &View) -> Judged {
    const SIZES: [&str; 5] = ["write-64", "write-1024", "write-4096", "write-65536", "write-1048576"];
    by_cases(&SIZES, |case| {
        let container = view.costs(case, Way::Container, Resident, Trusting)?.overhead;
        let string = view.costs(case, Way::Wired, Resident, Trusting)?.overhead;
        let clause = format!("{case}: {} times a wired string", times(container, string));
        Ok((container >= MANY * string.max(1), clause))
    })
    .map(|judged| with_rule(judged, many()))
}

/// "At some point using a container will be a better idea."
fn container_at_some_point(view: &View) -> Judged {
    let (mut good, mut clauses) = (Vec::new(), Vec::new());
    for direction in Direction::ALL {
        for way in [Way::Touched, Way::Wired] {
            let crossing = crossing(view.0, direction, Trusting, way, Way::Container)
                .ok_or("no size has figures for both strings and containers")?;
            good.push(crossing != Crossing::Never);
            clauses.push(format!("{}, than a {} string {}", direction.name(), way.name(), crossing.told()));
        }
    }
    Ok((Verdict::of(&good), format!("A container is cheaper: {}.", clauses.join("; "))))
}

/// "That's just a call to the internal pager library … That's fast."
fn wiring_is_fast(view: &View) -> Judged {
    by_cases(&["write-64", "write-4096", "write-65536", "write-1048576"], |case| {
        let wired = view.costs(case, Way::Wired, Resident, Trusting)?.call;
        let touched = view.costs(case, Way::Touched, Resident, Trusting)?.call;
        let more = wired.saturating_sub(touched);
        let clause = format!(
            "{case}: wiring adds {} to a touched string's call, {} of it",
            grouped(more),
            percent(more, touched)
        );
        Ok((more * FAST <= touched, clause))
    })
    .map(|judged| with_rule(judged, format!("Fast: it adds at most one part in {FAST}.")))
}

/// "It's probably sufficient to touch the pages before sending the message … (And if that fails like three times …)".
fn touching_is_enough(view: &View) -> Judged {
    let (verdict, told) = by_cases(&["write-4096", "write-65536", "read-4096", "read-65536"], |case| {
        let retries = view.figures(case, Way::Touched, ClientFaults, Distrusting)?.retries;
        let touched = view.costs(case, Way::Touched, ClientFaults, Distrusting)?.whole;
        let wired = view.costs(case, Way::Wired, ClientFaults, Distrusting)?.whole;
        let clause = format!(
            "{case}, client's pages out: touched {} (retries: {}), wired {}",
            grouped(touched),
            grouped(retries),
            grouped(wired)
        );
        Ok((retries < FAILURES && touched <= wired, clause))
    })?;
    let cells = CASES.into_iter().flat_map(Cell::of_case);
    let touched = cells.filter(|cell| cell.way == Way::Touched && cell.residency == ClientFaults);
    let most = touched.filter_map(|cell| view.0.figures(cell)).map(|figures| figures.retries).max();
    let most = grouped(most.unwrap_or(0));
    let rule = format!("Enough: fewer than {FAILURES} retries, and no dearer than wiring.");
    Ok((verdict, format!("{told} The most retries in any case: {most}. {rule}")))
}

/// "Allow transfers to be done using a third task, which holds a permanent container with the server."
fn third_task(view: &View) -> Judged {
    by_cases(&["write-64", "write-4096", "write-65536", "write-1048576", "read-65536"], |case| {
        let service = view.costs(case, Way::Service, BothFault, Distrusting)?.overhead;
        let (cheapest, least) = view.cheapest(case, BothFault, Distrusting)?;
        let clause = format!(
            "{case}, both sides' pages out: the service adds {} to an empty call, {} times what {} adds",
            grouped(service),
            times(service, least.overhead),
            cheapest.name()
        );
        Ok((service < MANY * least.overhead.max(1), clause))
    })
    .map(|judged| with_rule(judged, format!("Supported: less than {MANY} times the cheapest way.")))
}

/// "This approach corrupts our self-paged model." Supported would be: the client's missing pages are not dealt with
/// by the client alone.
fn self_paged(view: &View) -> Judged {
    by_cases(&["write-65536", "read-65536"], |case| {
        let figures = view.figures(case, Way::Service, ClientFaults, Distrusting)?;
        let clause = format!(
            "{case} by the service, client's pages out: {} brought in at the client, after so many returns to it: {}; at \
             the server: {}",
            grouped(figures.client_pages),
            grouped(figures.retries),
            grouped(figures.server_pages)
        );
        Ok((figures.client_pages == 0 || figures.server_pages > 0, clause))
    })
}

/// Says by which rule it was judged.
fn with_rule((verdict, told): (Verdict, String), rule: String) -> (Verdict, String) {
    (verdict, format!("{told} {rule}"))
}

fn many() -> String {
    format!("Overhead: what is neither an empty call nor the server's own work. Many times: at least {MANY}.")
}

fn percent(part: u64, whole: u64) -> String {
    format!("{} %", grouped(part.saturating_mul(100) / whole.max(1)))
}

/// For tests: for each sentence a change of invented figures that turns its verdict.
#[cfg(test)]
pub const TURNS: &[(&str, Turn)] = &[
    ("server-side-faults", |_, figures| figures.client_pages += 1),
    ("told-apart", |_, figures| figures.server_pages += figures.client_pages),
    ("reply-retried", |_, figures| figures.retries = figures.client_faults),
    ("filenames-fit", |_, figures| figures.messages = 1),
    ("many-registers", |cell, figures| {
        if cell.way == Way::Registers {
            figures.rounds.median = 200
        }
    }),
    ("forty-words", |cell, figures| {
        if cell.way == Way::Registers {
            figures.rounds.median = 1
        }
    }),
    ("checking", |cell, figures| {
        if cell.way == Way::Registers {
            figures.rounds.median = 200
        }
    }),
    ("container-for-a-filename", |cell, figures| {
        if cell.way == Way::Container {
            figures.rounds.median = 200
        }
    }),
    ("container-expensive", |cell, figures| {
        if cell.way == Way::Container {
            figures.rounds.median = 200
        }
    }),
    ("container-at-some-point", |cell, figures| {
        if cell.way == Way::Container {
            figures.rounds.median *= 1000
        }
    }),
    ("wiring-is-fast", |cell, figures| {
        if cell.way == Way::Wired {
            figures.rounds.median = 200
        }
    }),
    ("touching-is-enough", |_, figures| figures.retries = FAILURES),
    ("third-task", |cell, figures| {
        if cell.way == Way::Service {
            figures.rounds.median *= 1000
        }
    }),
    ("self-paged", |_, figures| figures.server_pages += figures.client_pages),
];

#[cfg(test)]
type Turn = fn(Cell, &mut crate::bench::transfer::figures::Figures);
