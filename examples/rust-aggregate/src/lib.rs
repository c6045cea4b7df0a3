//! A domain in Rust for a page: the accounts of [`account`], exported to JavaScript.
//!
//! This crate's wasm has everfold in it; a page loads it in place of everfold's own. [`account`] itself knows of neither, and is
//! as good for a server.

pub mod account;

everfold::export_aggregates!(account::Account);
