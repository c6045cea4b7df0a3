//! How a store is opened, and how marks say what they do and did.

use wasm_bindgen::JsValue;

use crate::error::Error;
use crate::event::Revision;
use crate::storage::Durability;
use crate::store::Bounds;
use crate::store::{Mark, MarkRequest, Marked, OpenOptions};
use crate::web::fields::Fields;

use super::malformed;
use super::numbers::Numbers;

/// What an `OpenMessage` asks, besides the name.
pub struct OpenRequest {
    /// Where the store keeps its records.
    pub storage: StorageKind,
    /// How durable appends are where they do not say.
    pub options: OpenOptions,
}

/// `StorageKind`.
pub enum StorageKind {
    /// IndexedDB.
    IndexedDb,
    /// Memory.
    Memory,
}

/// What an `OpenMessage` asks, by the codes of its fields.
pub fn open(storage: u32, durability: u32) -> OpenRequest {
    let storage = if storage == 0 { StorageKind::IndexedDb } else { StorageKind::Memory };
    let durability = if durability == 3 { Durability::Strict } else { Durability::Relaxed };
    OpenRequest { storage, options: OpenOptions { durability, bounds: Bounds::DEFAULT } }
}

/// What a `MarkMessage` asks. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
pub fn mark(message: &mut Numbers<'_>) -> Result<MarkRequest, Error> {
    let stream = message.stream()?;
    let (code, before) = (message.count(), Revision(message.whole()));
    let mark = match code {
        0 => Mark::Delete,
        1 => Mark::Tombstone,
        2 => Mark::Truncate { before },
        _ => return Err(malformed("a mark has an unknown code")),
    };
    Ok(MarkRequest { stream, expected: message.expected(), mark, durability: message.durability_if_some() })
}

/// Writes a `MarkOutcome`.
pub fn marked(marked: Marked) -> JsValue {
    let durability = match marked.durability {
        Durability::Memory => "memory",
        Durability::Relaxed => "relaxed",
        Durability::Strict => "strict",
    };
    Fields::new()
        .with_whole_if_some("position", marked.position.map(|position| position.0))
        .with("durability", durability)
        .into()
}
