//! The messages that cross between the facade and the store, and their values on this side.
//!
//! What is asked comes as numbers and names, what is answered goes as plain objects: both cost little code.
//! `ts/engine.ts` describes the layouts; names of fields and constants are the same on both sides. The facade
//! checks what callers pass, and names the argument that is wrong; what is wrong with a message all the same
//! is refused here, never trusted.

pub mod append;
pub mod call;
pub mod consumer;
pub mod describe;
pub mod fold;
pub mod numbers;
pub mod options;
pub mod page;
pub mod projection;
pub mod read;
pub mod snapshot;
mod texts;

use crate::error::{Detail, Error};

/// A revision or a position that is none.
const NONE: f64 = -1.0;

/// A message that this package's own facade did not write.
#[cold]
#[inline(never)]
pub fn malformed(problem: &str) -> Error {
    Error::new(Detail::Internal { problem: format!("a malformed message: {problem}") })
}

/// The same error, its path led by an entry of a list.
#[cold]
#[inline(never)]
fn within(error: Error, list: &str, index: usize) -> Error {
    error.at(&format!("{list}[{index}]"))
}
