//! Consumers: named readers of the log of whom one tab at a time has the lead, and of whom it is stored how far they are. Pure.
//!
//! The *standing* of a consumer is one record: up to where all is handled, who leads, and how often it was written. Whoever
//! leads knows the bytes that it wrote last, and expects them with each write. So who has lost the lead, because
//! its tab was frozen and another one went on, is refused in the transaction, whatever it still believes.
//!
//! ```text
//!              nobody leads, or who did is gone, or is stuck             a write is refused: the token is another
//!   Watching ────────────────────────────────────────────▶ Leading ───────────────────────────────────────────▶ Watching
//! ```
//!
//! [`Watch`] decides when to take the lead, [`Lead`] what is written for what became of the events that were handed out. An
//! event that cannot be handled may be *parked*: then its stream is passed over, from that event on, until somebody wants it
//! to be tried again. What was passed over is not kept anywhere: it stands in the log, between the parked event and the position of
//! the consumer. FORMAT.md has the bytes.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod fingerprint;
pub mod keys;
mod lead;
mod parked;
mod standing;
#[cfg(test)]
mod tests;
mod watch;

pub use fingerprint::fingerprint;
pub use lead::{Change, Hand, Lead, Source};
pub use parked::Parked;
pub use standing::{Led, Standing};
pub use watch::{Leader, Verdict, Watch, Work};
