//! What a storage says of an operation that failed.

use crate::error::WriteOutcome;

/// A storage operation that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageFault {
    /// What kind of failure it was.
    pub kind: FaultKind,
    /// Whether a write may have happened; for a read, always `NotWritten`.
    pub outcome: WriteOutcome,
    /// What the browser said, or what was found: a name and a sentence.
    pub cause: String,
}

/// The kinds of failure that a storage can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The database cannot be opened: refused by the browser, blocked, or too slow.
    Unavailable,
    /// There are no databases here, and there will be none.
    Absent,
    /// The database is another program's, or was changed by one.
    Foreign,
    /// No room is left. Nothing was written.
    Quota {
        /// Bytes in use by the origin, where the browser says.
        usage_bytes: Option<u64>,
        /// Bytes allowed to the origin, where the browser says.
        quota_bytes: Option<u64>,
    },
    /// The operation failed, and may succeed when it is tried again.
    Failed,
    /// The connection was lost while the operation was under way.
    Disconnected,
    /// A record of the storage's own, such as the head, is damaged.
    Damaged,
    /// A newer everfold writes to this database, in a way that this one does not know. Nothing was written; what was
    /// there before can be read.
    TooNew {
        /// The version of the format that a writer must know.
        version: u32,
    },
    /// The handle was closed, or the database destroyed.
    Closed,
}
