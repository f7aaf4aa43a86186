//! Hands the programs' linker script to the linker, and relinks when it changes: cargo by itself does not.

fn main() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../rt/link.ld");
    println!("cargo:rerun-if-changed={script}");
    println!("cargo:rustc-link-arg-bins=-T{script}");
}
