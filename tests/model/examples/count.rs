use freehold_model::{client::Move, config::*, questions::*};
fn main() {
    let c = Config::BESIDE;
    for (n, c) in [("1", Config { evil: &[Move::Call], ..c }), ("BESIDE", c)] {
        let t = std::time::Instant::now();
        let (s, w) = ask(&c);
        println!("{n}: {s} {:?} {w:?}", t.elapsed());
    }
}
