//! What can go wrong, as one type with a stable code.

use std::fmt;
use std::rc::Rc;

use crate::expected::Expected;
use crate::id::EventId;
use crate::position::{Position, Revision};

pub use crate::expected::ActualRevision;

/// Why an operation was refused or failed.
///
/// Opaque so that kinds can be added without breaking callers: [`Error::code`] is stable and never renamed,
/// [`Error::detail`] holds the fields that belong to the code.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    /// Shared, because one failure may be the answer to many calls.
    detail: Rc<Detail>,
}

/// The fields of an [`Error`], by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detail {
    /// Streams were not where the writer believed them to be: all of them, not only the first.
    WrongExpectedRevision {
        /// One for each stream whose expectation did not hold.
        violations: Vec<Violation>,
    },
    /// An event stands in the log that the append's condition forbids.
    AppendConditionFailed {
        /// The first such event.
        matched: Matched,
    },
    /// Event ids are in use already, and the append is not a repetition of what stands there.
    IdConflict {
        /// The stream in which the first of them stands.
        stream: String,
        /// The ids that conflict.
        ids: Vec<EventId>,
    },
    /// The stream was tombstoned: its name can never be written again.
    StreamDeleted {
        /// The first tombstoned stream of the commit.
        stream: String,
        /// All tombstoned streams of the commit.
        streams: Vec<String>,
    },
    /// An argument is not what it should be.
    InvalidArgument {
        /// Where, as a path into the call's arguments, such as `events[3].type`.
        path: String,
        /// What was wrong with it, and what is allowed.
        problem: String,
    },
    /// A bound of [`crate::limits`] was exceeded.
    LimitExceeded {
        /// The bound's public name.
        limit: &'static str,
        /// What was given.
        value: u64,
        /// What is allowed.
        maximum: u64,
        /// Where, as a path into the call's arguments; empty for the call as a whole.
        path: String,
    },
    /// The browser has no more room for this origin. Nothing was written; reading goes on.
    QuotaExceeded {
        /// Bytes in use by the origin, where the browser says.
        usage: Option<u64>,
        /// Bytes allowed to the origin, where the browser says.
        quota: Option<u64>,
    },
    /// The storage could not be opened.
    StorageUnavailable {
        /// What the browser said, or what was found.
        cause: String,
        /// Whether trying again may help: where the browser refused.
        obstacle: Obstacle,
    },
    /// A storage operation failed.
    StorageFailed {
        /// What the browser said, or what was found.
        cause: String,
        /// Whether what was to be written may be there.
        outcome: WriteOutcome,
        /// The ids of the events concerned: appending them again with these ids is safe.
        ids: Vec<EventId>,
    },
    /// The database was written by a newer everfold. It was not touched.
    VersionTooNew {
        /// The version that the database asks for.
        version: u32,
        /// The newest version that this everfold knows.
        supported: u32,
    },
    /// The database was written before the format was settled, by an everfold that was never published. It was not
    /// touched.
    VersionTooOld {
        /// The version of the database.
        version: u32,
        /// The oldest version that this everfold knows.
        supported: u32,
    },
    /// Stored bytes are not what was written.
    CorruptData {
        /// The first position that cannot be read.
        position: Option<Position>,
        /// The damaged record, as `object store/key`.
        segment: String,
        /// What was found.
        problem: String,
    },
    /// An event cannot be folded.
    ReducerFailed {
        /// Its stream.
        stream: String,
        /// Its place there.
        revision: Revision,
        /// Its type.
        event_type: String,
        /// What was wrong, and where in the reducer.
        problem: String,
    },
    /// Code that is loaded when it is first needed could not be loaded. Nothing was done.
    SupplementUnavailable {
        /// Which: see [`crate::supplement::Supplement::name`].
        supplement: &'static str,
        /// What the browser said.
        cause: String,
    },
    /// The append was withdrawn by its caller before its transaction began. Nothing was written.
    Aborted,
    /// The store is closed, or its database was destroyed.
    Closed,
    /// A bug in everfold.
    Internal {
        /// What was found that cannot be.
        problem: String,
    },
}

/// Why a storage could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The browser refused, was blocked, or was too slow.
    Refused,
    /// The host has not what is needed, and will not have it later.
    Absent,
    /// The database is another program's.
    Foreign,
}

/// So many violations are named in a message. All are among the fields.
const VIOLATIONS_SHOWN: usize = 5;

/// An expectation that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The stream it was placed on.
    pub stream: String,
    /// What the writer believed.
    pub expected: Expected,
    /// What was there.
    pub actual: ActualRevision,
}

/// The event that made an append condition fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Its position.
    pub position: Position,
    /// Its stream.
    pub stream: String,
    /// Its type.
    pub event_type: String,
}

/// Whether a failed write may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It did not.
    NotWritten,
    /// It may have: the connection was lost after the transaction was sent.
    Unknown,
}

impl Error {
    /// Wraps the fields of one kind.
    pub fn new(detail: Detail) -> Self {
        Self { detail: Rc::new(detail) }
    }

    /// An argument at `path` that is not what it should be.
    pub fn invalid_argument(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::new(Detail::InvalidArgument { path: path.into(), problem: problem.into() })
    }

    /// A bound that was exceeded by the call as a whole; see [`Error::at`].
    pub fn limit_exceeded(limit: &'static str, value: u64, maximum: u64) -> Self {
        Self::new(Detail::LimitExceeded { limit, value, maximum, path: String::new() })
    }

    /// Stored bytes that are not what was written.
    pub fn corrupt_data(
        position: Option<Position>,
        segment: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Self::new(Detail::CorruptData { position, segment: segment.into(), problem: problem.into() })
    }

    /// The same error, its path led by `prefix`: a validator of a part does not know where the part stands.
    #[must_use]
    pub fn at(self, prefix: &str) -> Self {
        let led = |path: &str| {
            let separator = if path.is_empty() || path.starts_with('[') { "" } else { "." };
            [prefix, separator, path].concat()
        };
        match &*self.detail {
            Detail::InvalidArgument { path, problem } => Self::invalid_argument(led(path), problem.as_str()),
            Detail::LimitExceeded { limit, value, maximum, path } => {
                let (limit, value, maximum) = (*limit, *value, *maximum);
                Self::new(Detail::LimitExceeded { limit, value, maximum, path: led(path) })
            }
            _ => self,
        }
    }

    /// The same error, of these events: what fails before it comes to an append does not know for whom.
    #[must_use]
    pub fn concerning(self, events: Vec<EventId>) -> Self {
        match &*self.detail {
            Detail::StorageFailed { cause, outcome, ids } if ids.is_empty() => {
                let (cause, outcome) = (cause.clone(), *outcome);
                Self::new(Detail::StorageFailed { cause, outcome, ids: events })
            }
            _ => self,
        }
    }

    /// The fields that belong to the code.
    pub fn detail(&self) -> &Detail {
        &self.detail
    }

    /// The stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match &*self.detail {
            Detail::WrongExpectedRevision { .. } => "WRONG_EXPECTED_REVISION",
            Detail::AppendConditionFailed { .. } => "APPEND_CONDITION_FAILED",
            Detail::IdConflict { .. } => "ID_CONFLICT",
            Detail::StreamDeleted { .. } => "STREAM_DELETED",
            Detail::InvalidArgument { .. } => "INVALID_ARGUMENT",
            Detail::LimitExceeded { .. } => "LIMIT_EXCEEDED",
            Detail::QuotaExceeded { .. } => "QUOTA_EXCEEDED",
            Detail::StorageUnavailable { .. } => "STORAGE_UNAVAILABLE",
            Detail::StorageFailed { .. } => "STORAGE_FAILED",
            Detail::VersionTooNew { .. } => "VERSION_TOO_NEW",
            Detail::VersionTooOld { .. } => "VERSION_TOO_OLD",
            Detail::CorruptData { .. } => "CORRUPT_DATA",
            Detail::ReducerFailed { .. } => "REDUCER_FAILED",
            Detail::SupplementUnavailable { .. } => "SUPPLEMENT_UNAVAILABLE",
            Detail::Aborted => "ABORTED",
            Detail::Closed => "CLOSED",
            Detail::Internal { .. } => "INTERNAL",
        }
    }

    /// Whether the same call may succeed when it is made again: at once on fresh facts for a conflict,
    /// later for the storage.
    pub fn is_retryable(&self) -> bool {
        matches!(
            &*self.detail,
            Detail::WrongExpectedRevision { .. }
                | Detail::AppendConditionFailed { .. }
                | Detail::StorageUnavailable { obstacle: Obstacle::Refused, .. }
                | Detail::StorageFailed { .. }
                | Detail::SupplementUnavailable { .. }
        )
    }
}

impl std::error::Error for Error {}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.detail.fmt(formatter)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.detail {
            Detail::WrongExpectedRevision { violations } => {
                for (index, violation) in violations.iter().take(VIOLATIONS_SHOWN).enumerate() {
                    let Violation { stream, expected, actual } = violation;
                    let separator = if index == 0 { "" } else { "; " };
                    write!(formatter, "{separator}stream \"{stream}\": expected {expected}, found {actual}")?;
                }
                match violations.len().saturating_sub(VIOLATIONS_SHOWN) {
                    0 => Ok(()),
                    more => write!(formatter, "; and {more} more"),
                }
            }
            Detail::AppendConditionFailed { matched: Matched { position, stream, event_type } } => write!(
                formatter,
                "the append condition forbids the {event_type} at position {position} in stream \"{stream}\""
            ),
            Detail::IdConflict { stream, ids } => write!(
                formatter,
                "{} event id(s) are in use in stream \"{stream}\" or twice in the commit, and this is not a \
                 repetition of the same events; the first is {}",
                ids.len(),
                ids.first().map(EventId::to_string).unwrap_or_default()
            ),
            Detail::StreamDeleted { stream, .. } => {
                write!(formatter, "stream \"{stream}\" was tombstoned and can never be written again")
            }
            Detail::InvalidArgument { path, problem } => write!(formatter, "{path}: {problem}"),
            Detail::LimitExceeded { limit, value, maximum, path } => {
                let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
                write!(formatter, "{place}{limit} is {value}; at most {maximum} is allowed")
            }
            Detail::QuotaExceeded { usage, quota } => {
                write!(formatter, "the browser has no more room for this origin")?;
                match (usage, quota) {
                    (Some(usage), Some(quota)) => write!(formatter, " ({usage} of {quota} bytes in use)"),
                    _ => Ok(()),
                }
            }
            Detail::StorageUnavailable { cause, .. } => {
                write!(formatter, "the storage could not be opened: {cause}")
            }
            Detail::StorageFailed { cause, outcome, .. } => {
                let outcome = match outcome {
                    WriteOutcome::NotWritten => "nothing was written",
                    WriteOutcome::Unknown => {
                        "it is not known whether the events were written; appending them again with the same ids is safe"
                    }
                };
                write!(formatter, "the storage failed: {cause}; {outcome}")
            }
            Detail::VersionTooNew { version, supported } => write!(
                formatter,
                "the database was written by a newer everfold (format {version}, this one knows {supported}); reload the page to get the newest"
            ),
            Detail::VersionTooOld { version, supported } => write!(
                formatter,
                "the database was written by an everfold before its first release (format {version}, this one reads from {supported} on); destroy() it, or read it with the one that wrote it"
            ),
            Detail::CorruptData { position, segment, problem } => {
                write!(formatter, "stored data is damaged in {segment}")?;
                if let Some(position) = position {
                    write!(formatter, ", from position {position}")?;
                }
                write!(formatter, ": {problem}")
            }
            Detail::ReducerFailed { stream, revision, event_type, problem } => {
                write!(
                    formatter,
                    "revision {revision} of \"{stream}\", {event_type}, cannot be folded: {problem}"
                )
            }
            Detail::SupplementUnavailable { supplement, cause } => write!(
                formatter,
                "everfold_{supplement}.wasm, which this call needs, could not be loaded: {cause}; nothing was done, so \
                 the same call may be made again when the file can be had"
            ),
            Detail::Aborted => write!(formatter, "the append was aborted before its transaction began"),
            Detail::Closed => write!(formatter, "the store is closed"),
            Detail::Internal { problem } => {
                write!(formatter, "a bug in everfold: {problem}; reload the page, and report it")
            }
        }
    }
}
