use freehold_model::{config::*, questions::*};
fn main() {
    for (n, c) in [
        ("GOOD", Config::GOOD),
        ("PAUSES", Config::PAUSES),
        ("EVIL_PAGES", Config::EVIL_PAGES),
        ("PATIENT", Config::PATIENT),
        ("EVIL", Config::EVIL),
        ("CONTENDED", Config::CONTENDED),
        ("BESIDE", Config::BESIDE),
    ] {
        let t = std::time::Instant::now();
        let (s, w) = ask(&c);
        println!("{n}: {s} {:?} {w:?}", t.elapsed());
    }
}
