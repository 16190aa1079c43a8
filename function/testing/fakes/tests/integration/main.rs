//! The stand-ins are the oracle of the product's tests, so they are tested as strictly as the product.
//! Each module takes one side: what is refused, what is stored, what breaks on the wire, what GitLab sends.
#![expect(
    clippy::expect_used,
    reason = "the functions beside the tests fail them in the same way"
)]

mod client;
mod deliveries;
mod duplicates;
mod faults;
mod limits;
mod program;
mod refusals;
mod sending;
