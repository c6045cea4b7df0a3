//! Snapshots: folds of streams that are kept, so that loading reads only what came since. Pure.
//!
//! A snapshot is a cache and nothing more: whatever is wrong with one, it is as if there were none. FORMAT.md has its
//! bytes, [`keys`] says where it is kept, and [`KeepPlan`] what has to go for it.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod keys;
mod plan;

use crate::codec::{Corrupt, varint};
use crate::event::{Position, Revision};
use crate::layout::keys::tied;
use crate::layout::sealed::{self, Magic};
use crate::storage::Key;

pub use plan::KeepPlan;

const MAGIC: Magic = Magic(b's');

/// What tells reducers apart: a hash of all that a state follows from besides the events. A reducer that was changed has
/// another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReducerFingerprint(pub u64);

/// The state of one stream under one reducer, and how much of the log it is the state of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// What folded it.
    pub reducer: ReducerFingerprint,
    /// The revision of the last event in it.
    pub revision: Revision,
    /// The position of that event.
    pub position: Position,
    /// The position of the stream's last fact that was known then; [`Position::START`] where there was none. What a
    /// stream shows changes with each.
    pub last_fact: Position,
    /// A JSON text.
    pub state: String,
}

impl Snapshot {
    /// The stored form under this key: see FORMAT.md, "A snapshot".
    pub fn to_bytes(&self, key: &Key) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.state.len().saturating_add(40));
        body.extend(self.reducer.0.to_le_bytes());
        for number in [self.revision.0, self.position.0, self.last_fact.0] {
            varint::push_unsigned(&mut body, number);
        }
        body.extend(self.state.as_bytes());
        tied(key, MAGIC.seal(&body))
    }

    /// Reads what is stored under a key. Errors: [`Corrupt`] for any other bytes, and for those of another key.
    pub fn from_bytes(key: &Key, bytes: Vec<u8>) -> Result<Self, Box<Corrupt>> {
        let body = MAGIC.open(&tied(key, bytes))?;
        let mut cursor = sealed::body(&body);
        let reducer = ReducerFingerprint(u64::from_le_bytes(cursor.array()?));
        let (revision, position) = (Revision(cursor.integer()?), Position(cursor.integer()?));
        if position.0 <= revision.0 {
            return Err(cursor.corrupt("an event stands before those of its stream"));
        }
        let last_fact = Position(cursor.integer()?);
        let state = cursor.take(cursor.remaining())?;
        let state = str::from_utf8(state).map_err(|_| cursor.corrupt("the state is not UTF-8"))?.to_owned();
        Ok(Self { reducer, revision, position, last_fact, state })
    }
}
