//! Faults of the storage, as callers of the store see them.

use crate::error::{Detail, Error, Obstacle};
use crate::storage::{Area, FaultKind, Format, Head, StorageFault};

/// What a fault comes to. The ids of the events concerned are the caller's to add: see [`Error::concerning`].
impl From<StorageFault> for Error {
    fn from(StorageFault { kind, outcome, cause }: StorageFault) -> Self {
        let unavailable = |obstacle, cause| Error::new(Detail::StorageUnavailable { cause, obstacle });
        match kind {
            FaultKind::Unavailable => unavailable(Obstacle::Refused, cause),
            FaultKind::Absent => unavailable(Obstacle::Absent, cause),
            FaultKind::Foreign => unavailable(Obstacle::Foreign, cause),
            FaultKind::Quota { usage_bytes, quota_bytes } => {
                Error::new(Detail::QuotaExceeded { usage: usage_bytes, quota: quota_bytes })
            }
            FaultKind::Failed | FaultKind::Disconnected => {
                Error::new(Detail::StorageFailed { cause, outcome, ids: Vec::new() })
            }
            FaultKind::Damaged => {
                Error::corrupt_data(None, format!("{}/{}", Area::Meta.name(), Head::KEY), cause)
            }
            FaultKind::TooNew { version } => {
                Error::new(Detail::VersionTooNew { version, supported: Format::CURRENT })
            }
            FaultKind::Closed => Error::new(Detail::Closed),
        }
    }
}
