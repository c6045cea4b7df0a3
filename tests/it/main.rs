//! The native tests, in one binary: a module for each claim.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end where it is surprised"
)]

mod codec;
mod conditions;
mod damage;
mod defective_storage;
mod executor;
mod faults;
mod expectations;
mod hiding;
mod host_contract;
mod idempotence;
mod one_tab;
mod reads;
mod storage_contract;
mod tidy;
