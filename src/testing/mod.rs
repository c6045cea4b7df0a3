//! The contract suites, the simulated tabs and storages, and the faults: for the tests of everfold, and for
//! those who write a storage or a host of their own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets what it did not expect ends there and then"
)]

pub mod contract;
pub mod executor;
pub mod faulty_storage;
pub mod fixture;
pub mod host_contract;
pub mod prng;
pub mod reads;
pub mod simulated_host;
pub mod simulated_storage;
pub mod storage_contract;
pub mod store_simulator;
pub mod watched_storage;
