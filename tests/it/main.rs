//! The native tests, in one binary: a module for each claim.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end where it is surprised"
)]

mod announcements;
mod at_rest;
mod codec;
mod compacted;
mod compaction;
mod conditions;
mod consumers;
mod damage;
mod defective_storage;
mod documents;
mod executor;
mod expectations;
mod faults;
mod fixtures;
mod folding;
mod hiding;
mod host_contract;
mod idempotence;
mod json;
mod layout;
mod lost_answers;
mod one_tab;
mod projections;
mod queries;
mod reading_ahead;
mod reads;
mod reducer;
mod repeated_elsewhere;
mod simulator;
mod simulator_canary;
mod snapshots;
mod storage_contract;
mod subscriptions;
mod tidy;
