//! Faults of the storage, as callers of the store see them.

use crate::error::{Detail, Error, WriteOutcome};
use crate::id::EventId;
use crate::storage::{Area, FaultKind, Head, StorageFault};

/// What a fault comes to where no events are concerned.
impl From<StorageFault> for Error {
    fn from(fault: StorageFault) -> Self {
        write_failed(fault, Vec::new())
    }
}

/// The error that a fault of a read comes to.
pub(super) fn read_failed(fault: StorageFault) -> Error {
    fault.into()
}

/// The error that a fault of a write comes to; `ids` are of the events concerned.
pub(super) fn write_failed(fault: StorageFault, ids: Vec<EventId>) -> Error {
    let StorageFault { kind, outcome, cause } = fault;
    match kind {
        FaultKind::Unavailable | FaultKind::Foreign => Error::new(Detail::StorageUnavailable { cause }),
        FaultKind::Quota { usage_bytes, quota_bytes } => {
            Error::new(Detail::QuotaExceeded { usage: usage_bytes, quota: quota_bytes })
        }
        FaultKind::Failed | FaultKind::Disconnected => {
            Error::new(Detail::StorageFailed { cause, outcome, ids })
        }
        FaultKind::Damaged => {
            Error::corrupt_data(None, format!("{}/{}", Area::Meta.name(), Head::KEY), cause)
        }
        FaultKind::Closed => Error::new(Detail::Closed),
    }
}

/// The error of a write whose fate could not be learnt.
pub(super) fn outcome_unknown(cause: String, ids: Vec<EventId>) -> Error {
    Error::new(Detail::StorageFailed { cause, outcome: WriteOutcome::Unknown, ids })
}
