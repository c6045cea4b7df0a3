//! The rules of the log: what may be appended, and where it goes. Pure.
//!
//! [`judge()`] decides a queue of [`Append`]s on [`Facts`] gathered before a transaction and on what others
//! committed since. It reads no clock and no storage, so a race between tabs is decided by a function that
//! a test can call.

mod append;
mod facts;
mod ground;
mod identity;
mod judge;

pub use crate::expected::{Expected, StreamState};
pub use append::{Append, NewEntry, StreamWrite};
pub use facts::{Facts, KnownEvent, KnownEvents, StreamFacts};
pub use judge::{Accepted, Judgement, StreamAppended, Verdict, judge};
