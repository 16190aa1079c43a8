//! How the programs of a release are linked. Owns one linker flag that makes a statically linked
//! program smaller; what is compiled, and how, is in the manifests.

use std::env;

#[expect(
    clippy::disallowed_methods,
    reason = "this is how cargo tells a build script what it builds"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let is_static = features.split(',').any(|feature| feature == "crt-static");
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_ENV", "gnu") && is_static {
        // A static-pie program relocates ten thousand addresses at start. Packed, their list takes 3 KB
        // instead of 240 KB, both of the file and of the resident memory.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
