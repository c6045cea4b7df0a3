//! Projections: documents that were folded of the log, what finds them, and how far they are. Pure.
//!
//! A *build* is one fold of the log under one definition. Its documents and the entries of its indexes are *trees*:
//! ordered entries in pages, each of which is a record under its first key, its *fence*, so that the storage's own order
//! is all the directory there is. A page is replaced as a whole, and holds as much as a change should cost.
//!
//! The [`Model`] of a projection names its builds: the one that answers, and one that is built beside it. Whoever writes
//! pages writes the model in the same transaction, and expects it as it was read. FORMAT.md has the bytes.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod changes;
pub mod index_key;
pub mod keys;
pub mod model;
mod page;
pub mod range;
pub mod shelf;

pub use keys::{BuildId, Tree};
pub use model::{Build, Definition, Index, Model, Token};
pub use page::Page;
pub use shelf::Shelf;
