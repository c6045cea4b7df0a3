//! What a writer believes of a stream, and what is there.

use std::fmt;

use crate::position::Revision;

/// What a writer believes of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Expected {
    /// Nothing: the append may happen whatever is there.
    #[default]
    Any,
    /// The stream never existed, or was deleted.
    NoStream,
    /// The stream is there.
    StreamExists,
    /// This is the revision of the stream's last event, be it deleted or not.
    Revision(Revision),
}

/// What is there of a stream, as expectations see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum StreamState {
    /// It never had an event.
    #[default]
    NeverExisted,
    /// It has events; this is the last revision, truncated or not.
    Live(Revision),
    /// It was deleted; the next event goes after this revision. `None` where it never had an event.
    Deleted(Option<Revision>),
    /// It was tombstoned. What a writer expects is no longer asked.
    Tombstoned(Option<Revision>),
}

/// What stands in a stream, as an expectation sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActualRevision {
    /// The stream never existed.
    NoStream,
    /// The stream was deleted and may be written again.
    Deleted,
    /// The revision of its last event.
    At(Revision),
}

impl Expected {
    /// Judges the expectation, by the table of docs/appends.md, "Expected and actual". Tombstoned streams are refused
    /// before: to an expectation they are as deleted ones.
    pub fn check(self, state: StreamState) -> Result<(), ActualRevision> {
        let holds = match (self, state) {
            (Self::Any, _) => true,
            (Self::NoStream, StreamState::Live(_)) => false,
            (Self::NoStream, _) => true,
            (Self::StreamExists, StreamState::Live(_)) => true,
            (Self::StreamExists, _) => false,
            (Self::Revision(expected), _) => state.last_revision() == Some(expected),
        };
        if holds { Ok(()) } else { Err(state.actual()) }
    }
}

impl StreamState {
    /// The revision of the last event that the stream ever had.
    pub fn last_revision(self) -> Option<Revision> {
        match self {
            Self::NeverExisted => None,
            Self::Live(revision) => Some(revision),
            Self::Deleted(revision) | Self::Tombstoned(revision) => revision,
        }
    }

    /// The revision that the next event gets.
    pub fn next_revision(self) -> Revision {
        self.last_revision().map_or(Revision::FIRST, Revision::next)
    }

    fn actual(self) -> ActualRevision {
        match self {
            Self::NeverExisted => ActualRevision::NoStream,
            Self::Live(revision) => ActualRevision::At(revision),
            Self::Deleted(_) | Self::Tombstoned(_) => ActualRevision::Deleted,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("anything"),
            Self::NoStream => formatter.write_str("no stream"),
            Self::StreamExists => formatter.write_str("an existing stream"),
            Self::Revision(revision) => write!(formatter, "revision {revision}"),
        }
    }
}

impl fmt::Display for ActualRevision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStream => formatter.write_str("no stream"),
            Self::Deleted => formatter.write_str("a deleted stream"),
            Self::At(revision) => write!(formatter, "revision {revision}"),
        }
    }
}
