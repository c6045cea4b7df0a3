//! The directory: a log-structured merge tree from streams, types, tags and categories to what units hold of them.
//!
//! Each unit brings a **run** of entries, sorted by key and cut into **pages** ([`RunBuilder`]); runs of contiguous
//! ranges of positions are merged into one ([`Merge`]). The [`RunIndex`] of a run says which page a key is in.

mod entry;
mod merge;
mod page;
mod patch;
mod run;

pub use entry::{DirectoryEntry, Kind, Summary, key};
pub use merge::{Merge, MergeStep};
pub use page::{Page, PageWriter};
pub use patch::Patch;
pub use run::{FinishedRun, RunBuilder, RunIndex};
