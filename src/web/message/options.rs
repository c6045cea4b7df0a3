//! How a store is opened, and how marks and appends say what they expect.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::event::{Revision, StreamName};
use crate::log::Expected;
use crate::storage::Durability;
use crate::store::{Mark, MarkRequest, Marked};

use super::numbers::whole;

/// `OpenMessage`.
#[derive(Deserialize)]
pub struct OpenMessage {
    /// The store's name.
    pub name: String,
    /// Where it keeps its records.
    pub storage: StorageKind,
    /// How durable appends are where they do not say.
    pub durability: DurabilityName,
}

/// `StorageKind`.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    /// IndexedDB.
    IndexedDb,
    /// Memory.
    Memory,
}

/// `Durability`.
#[derive(Deserialize, Serialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum DurabilityName {
    /// Only as long as the page.
    Memory,
    /// A crash of the browser.
    Relaxed,
    /// A loss of power.
    Strict,
}

/// `MarkMessage`.
#[derive(Deserialize)]
pub struct MarkMessage {
    stream: String,
    mark: MarkName,
    before: f64,
    expected: f64,
    durability: Option<DurabilityName>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum MarkName {
    Delete,
    Tombstone,
    Truncate,
}

/// `MarkOutcome`.
#[derive(Serialize)]
pub struct MarkOutcome {
    position: Option<u64>,
    durability: DurabilityName,
}

impl From<DurabilityName> for Durability {
    fn from(name: DurabilityName) -> Self {
        match name {
            DurabilityName::Memory => Self::Memory,
            DurabilityName::Relaxed => Self::Relaxed,
            DurabilityName::Strict => Self::Strict,
        }
    }
}

impl From<Durability> for DurabilityName {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Memory => Self::Memory,
            Durability::Relaxed => Self::Relaxed,
            Durability::Strict => Self::Strict,
        }
    }
}

impl MarkMessage {
    /// What it asks. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
    pub fn into_request(self) -> Result<MarkRequest, Error> {
        let mark = match self.mark {
            MarkName::Delete => Mark::Delete,
            MarkName::Tombstone => Mark::Tombstone,
            MarkName::Truncate => Mark::Truncate { before: Revision(whole(self.before, "options.before")?) },
        };
        Ok(MarkRequest {
            stream: StreamName::new(self.stream).map_err(|error| error.at("stream"))?,
            expected: expected(self.expected, "options.expected")?,
            mark,
            durability: self.durability.map(Durability::from),
        })
    }
}

impl From<Marked> for MarkOutcome {
    fn from(marked: Marked) -> Self {
        let position = marked.position.map(|position| position.0);
        Self { position, durability: marked.durability.into() }
    }
}

/// An expectation of its code, `EXPECTED`, or of a revision. Errors: `INVALID_ARGUMENT` at `path`.
pub fn expected(code: f64, path: &str) -> Result<Expected, Error> {
    match code {
        -1.0 => Ok(Expected::Any),
        -2.0 => Ok(Expected::NoStream),
        -3.0 => Ok(Expected::StreamExists),
        revision => Ok(Expected::Revision(Revision(whole(revision, path)?))),
    }
}
