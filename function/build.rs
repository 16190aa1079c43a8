//! How the programs of a release are linked. Owns two flags of the linker that make a static program
//! start in fewer pages; what is compiled, and how, is in the manifests.

use std::env;

#[expect(
    clippy::disallowed_methods,
    reason = "this is how cargo tells a build script what it builds"
)]
fn main() {
    println!("cargo::rerun-if-changed=order.ld");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let is_static = features.split(',').any(|feature| feature == "crt-static");
    if !(is("PROFILE", "release") && is("CARGO_CFG_TARGET_ENV", "gnu") && is_static) {
        return;
    }
    // Ten thousand addresses are corrected at start; packed, their list is a hundredth of the size.
    println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    // What a start and a webhook run stands together, and is not read in with what they do not.
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{folder}/order.ld");
}
