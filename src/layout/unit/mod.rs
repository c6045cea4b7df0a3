//! Units: immutable copies of ranges of the log, by stream.
//!
//! [`UnitBuilder`] makes one of records or of older units, block by block. A [`UnitHeader`] says what it is, and
//! a [`UnitOrder`] has its entries in the order of the log again.

mod arrange;
mod arranged;
mod block;
mod build;
mod commits;
mod header;
mod inventory;
mod known;
mod order;

pub use arranged::{ArrangedUnit, BlockStep, BuiltBlock, FinishedUnit};
pub use block::{CommitPart, commit_parts, decode_block, unpack_block};
pub use build::{UnitBuilder, UnitIdentity};
pub use header::{BlockInfo, Times, UnitHeader, UnitInfo};
pub use inventory::Inventory;
pub use known::EntriesInOrder;
pub use order::{PlaceInUnit, UnitOrder};
