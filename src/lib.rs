//! everfold: an event store that lives in the browser.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod codec;
pub mod error;
pub mod event;
pub mod host;
pub mod id;
pub mod index;
mod json;
pub mod limits;
pub mod log;
pub mod query;
pub mod storage;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(target_arch = "wasm32")]
mod web;
