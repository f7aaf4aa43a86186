use freehold_model::{config::Config, questions::*, state::State};
fn main() {
    println!("state {} bytes", std::mem::size_of::<State>());
    let c = Config::CONTENDED;
    let all = std::env::args().nth(1).is_some();
    for (n, c) in [
        ("good alone", Config { evil: false, ..c }),
        ("good alone 2p", Config { evil: false, pages: 2, cancels: true, quiet: true, pauses: true, ..c }),
        ("evil alone", Config { good: false, ..c }),
        ("evil alone all", Config { good: false, cancels: true, quiet: true, pings: true, ..c }),
        ("contended", c),
    ] {
        if n == "contended" && !all { continue }
        let t = std::time::Instant::now();
        let (states, wrong) = ask(&c, QUESTIONS);
        println!("{n}: {states} states, {:?}", t.elapsed());
        for (name, way) in wrong { println!("  {name}: {way:?}"); }
    }
    let c = Config { patient: true, evil: false, pages: 2, ..c };
    println!("{:?}", ask(&c, &[COMPLETES]));
}
