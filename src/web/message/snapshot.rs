//! Snapshots, as they are asked for, found and kept.

use wasm_bindgen::JsValue;

use crate::error::Error;
use crate::event::{Position, Revision};
use crate::snapshot::{ReducerFingerprint, Snapshot};
use crate::store::{SnapshotFound, SnapshotKeep, SnapshotRead};
use crate::web::fields::Fields;

use super::numbers::Numbers;

/// What a `SnapshotMessage` asks. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
pub fn read(message: &mut Numbers<'_>) -> Result<SnapshotRead, Error> {
    Ok(SnapshotRead {
        aggregate: message.name().as_ref().to_owned(),
        stream: message.stream()?,
        reducer: ReducerFingerprint(message.halves()),
        event_count_min: message.whole(),
        before: message.whole_if_some().map(Revision),
        as_of: message.whole_if_some().map(Position),
    })
}

/// What a `KeepSnapshotMessage` asks. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
pub fn keep(message: &mut Numbers<'_>) -> Result<SnapshotKeep, Error> {
    Ok(SnapshotKeep {
        aggregate: message.name().as_ref().to_owned(),
        stream: message.stream()?,
        reducer: ReducerFingerprint(message.halves()),
        revision: Revision(message.whole()),
        position: Position(message.whole()),
        as_of: Position(message.whole()),
        state: message.name().as_ref().to_owned(),
    })
}

/// Writes a `SnapshotAnswer`.
pub fn found(found: &SnapshotFound) -> JsValue {
    let fields = Fields::new().with_whole("asOf", found.as_of.0);
    let Some(Snapshot { revision, position, state, .. }) = &found.snapshot else { return fields.into() };
    fields
        .with_whole("revision", revision.0)
        .with_whole("position", position.0)
        .with("state", state.as_str())
        .into()
}
