use freehold_model::config::Config;
use stateright::{Checker, Model};
#[test]
fn contended() {
    let t = std::time::Instant::now();
    let c = Config::CONTENDED.checker().threads(2).target_state_count(20_000_000).spawn_bfs().join();
    println!("{} unique, {} states, depth {} {:?}", c.unique_state_count(), c.state_count(), c.max_depth(), t.elapsed());
    for (name, path) in c.discoveries() {
        if name.starts_with("seen") { println!("{name} ok"); continue; }
        println!("{name}: {:#?}", path.into_actions());
    }
}
