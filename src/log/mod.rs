//! The rules of the log: what may be appended, and where it goes. Pure.

mod append;
mod expected;

pub use append::{Append, NewEntry, StreamWrite};
pub use expected::{Expected, StreamState};
