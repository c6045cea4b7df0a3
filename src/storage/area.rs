//! The areas of a storage: the nine places for records.

use super::key::Key;

/// One of the nine places for records: an object store in IndexedDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// The format and the head.
    Meta,
    /// The log's records, by their first position.
    Log,
    /// Cold units of the log.
    Units,
    /// What was derived from the log to find things in it.
    Index,
    /// Cached folds.
    Snapshots,
    /// Read models.
    Documents,
    /// Checkpoints.
    Consumers,
    /// Records that were damaged, set aside.
    Quarantine,
    /// What was appended here and is not confirmed elsewhere.
    Pending,
}

impl Area {
    /// All areas, in the order of their object stores.
    pub const ALL: [Self; 9] = [
        Self::Meta,
        Self::Log,
        Self::Units,
        Self::Index,
        Self::Snapshots,
        Self::Documents,
        Self::Consumers,
        Self::Quarantine,
        Self::Pending,
    ];

    /// The name of its object store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Log => "log",
            Self::Units => "units",
            Self::Index => "index",
            Self::Snapshots => "snapshots",
            Self::Documents => "documents",
            Self::Consumers => "consumers",
            Self::Quarantine => "quarantine",
            Self::Pending => "pending",
        }
    }

    /// A key of another kind than the area's is a bug that must not reach a disk.
    pub(crate) fn assert_fits(self, key: &Key) {
        let fits = matches!(key, Key::Position(_)) == (self == Self::Log);
        assert!(fits, "keys of the log are positions, and all others are bytes");
    }
}
