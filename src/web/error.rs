//! Errors as JavaScript sees them: plain objects of which the facade makes `EverfoldError`s.
//!
//! The fields of each code are those of `ts/errors.ts`.

use js_sys::Array;
use wasm_bindgen::JsValue;

use crate::error::{ActualRevision, Detail, Error, Matched, Violation, WriteOutcome};
use crate::id::EventId;
use crate::log::Expected;

use super::fields::Fields;

/// An error as `{ code, message, retryable }` and the fields of its code.
pub fn to_js(error: &Error) -> JsValue {
    let fields = Fields::new()
        .with("code", error.code())
        .with("message", error.to_string())
        .with("retryable", error.is_retryable());
    with_detail(fields, error.detail()).into()
}

fn with_detail(fields: Fields, detail: &Detail) -> Fields {
    match detail {
        Detail::WrongExpectedRevision { violations } => {
            fields.with("violations", violations.iter().map(violation).collect::<Array>())
        }
        Detail::AppendConditionFailed { matched } => fields.with("matched", matched_event(matched)),
        Detail::IdConflict { stream, ids } => fields.with("stream", stream).with("ids", id_texts(ids)),
        Detail::StreamDeleted { stream, streams } => {
            let streams: Array = streams.iter().map(JsValue::from).collect();
            fields.with("stream", stream).with("streams", streams)
        }
        Detail::InvalidArgument { path, problem } => fields.with("path", path).with("problem", problem),
        Detail::LimitExceeded { limit, value, maximum, path } => fields
            .with("limit", *limit)
            .with_whole("value", *value)
            .with_whole("maximum", *maximum)
            .with("path", path),
        Detail::QuotaExceeded { usage, quota } => {
            fields.with_whole_if_some("usage", *usage).with_whole_if_some("quota", *quota)
        }
        Detail::StorageUnavailable { cause, .. } => fields.with("cause", cause),
        Detail::StorageFailed { cause, outcome, ids } => {
            fields.with("cause", cause).with("outcome", outcome_name(*outcome)).with("ids", id_texts(ids))
        }
        Detail::VersionTooNew { version, supported } | Detail::VersionTooOld { version, supported } => {
            fields.with("version", *version).with("supported", *supported)
        }
        Detail::CorruptData { position, segment, problem } => fields
            .with_whole_if_some("position", position.map(|position| position.0))
            .with("segment", segment)
            .with("problem", problem),
        Detail::ReducerFailed { stream, revision, event_type, problem } => fields
            .with("stream", stream)
            .with_whole("revision", revision.0)
            .with("type", event_type)
            .with("cause", problem),
        Detail::SupplementUnavailable { supplement, cause } => {
            fields.with("supplement", *supplement).with("cause", cause)
        }
        Detail::Aborted | Detail::Closed => fields,
        Detail::Internal { problem } => fields.with("problem", problem),
    }
}

fn violation(violation: &Violation) -> JsValue {
    let expected = match violation.expected {
        Expected::Any => JsValue::from("any"),
        Expected::NoStream => JsValue::from("noStream"),
        Expected::StreamExists => JsValue::from("streamExists"),
        Expected::Revision(revision) => JsValue::from_f64(revision.0 as f64),
    };
    let actual = match violation.actual {
        ActualRevision::NoStream => JsValue::from("noStream"),
        ActualRevision::Deleted => JsValue::from("deleted"),
        ActualRevision::At(revision) => JsValue::from_f64(revision.0 as f64),
    };
    Fields::new().with("stream", &violation.stream).with("expected", expected).with("actual", actual).into()
}

fn matched_event(matched: &Matched) -> Fields {
    Fields::new()
        .with_whole("position", matched.position.0)
        .with("stream", &matched.stream)
        .with("type", &matched.event_type)
}

/// Out of line: two kinds of errors name ids.
#[inline(never)]
fn id_texts(ids: &[EventId]) -> Array {
    ids.iter().map(|id| JsValue::from(id.to_string())).collect()
}

fn outcome_name(outcome: WriteOutcome) -> &'static str {
    match outcome {
        WriteOutcome::NotWritten => "notWritten",
        WriteOutcome::Unknown => "unknown",
    }
}
