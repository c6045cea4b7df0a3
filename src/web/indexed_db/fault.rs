//! What the browser throws, as a fault of the port. Told apart by name: messages differ between browsers.

use std::fmt;

use wasm_bindgen::prelude::*;

use crate::error::WriteOutcome;
use crate::storage::{FaultKind, StorageFault};
use crate::web::global::storage_manager;
use crate::web::promise::resolved_within;
use crate::web::property;

use super::patience::ROOM_TIMEOUT_MS;

/// A fault in a box: nearly everything here may return one, and moves nothing but a pointer when it does not.
pub type Fault = Box<StorageFault>;

/// How far an operation had come when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The database was being opened.
    Opening,
    /// A transaction was under way, and could not have committed yet.
    Begun,
    /// The transaction was told to commit, and has not reported that it did.
    Sent,
}

/// The fault behind an exception, or behind the `error` of a request or a transaction.
#[cold]
pub fn from_exception(exception: &JsValue, moment: Moment) -> Fault {
    if !exception.is_object() {
        return from_name("AbortError", "the browser gives no cause", moment);
    }
    from_name(&property::text(exception, "name"), &property::text(exception, "message"), moment)
}

/// The fault behind an exception while a database is being opened.
pub fn opening(exception: JsValue) -> Fault {
    from_exception(&exception, Moment::Opening)
}

/// The fault behind an exception while a transaction is under way.
pub fn begun(exception: JsValue) -> Fault {
    from_exception(&exception, Moment::Begun)
}

/// A fault that was found here and not by the browser; nothing was written.
#[cold]
#[inline(never)]
pub fn found(kind: FaultKind, cause: fmt::Arguments<'_>) -> Fault {
    Box::new(StorageFault { kind, outcome: WriteOutcome::NotWritten, cause: cause.to_string() })
}

/// The fault of an operation that was not done when its transaction ended.
pub fn unanswered() -> Fault {
    found(FaultKind::Disconnected, format_args!("the transaction ended before its requests did"))
}

/// The fault of a transaction that the browser does not answer.
pub fn timed_out(timeout_ms: i32, moment: Moment) -> Fault {
    let cause = format!("nothing was heard for {timeout_ms} ms; another tab may be frozen");
    from_name("TimeoutError", &cause, moment)
}

/// Whether the connection that a fault came from had better not be used again.
pub fn is_of_connection(fault: &StorageFault) -> bool {
    matches!(fault.kind, FaultKind::Disconnected | FaultKind::Failed)
}

/// Adds to a lack of room what the browser says of it.
pub async fn with_estimate(mut fault: Fault) -> StorageFault {
    if let FaultKind::Quota { usage_bytes: None, quota_bytes: None } = fault.kind {
        let (usage_bytes, quota_bytes) = estimate().await;
        fault.kind = FaultKind::Quota { usage_bytes, quota_bytes };
    }
    *fault
}

/// Bytes in use by the origin, and bytes allowed to it, where the browser says so in time.
pub async fn estimate() -> (Option<u64>, Option<u64>) {
    let promise = storage_manager().and_then(|manager| manager.estimate().ok());
    let Some(promise) = promise else { return (None, None) };
    let Some(estimate) = resolved_within(promise, ROOM_TIMEOUT_MS).await else { return (None, None) };
    let bytes = |name| property::get(&estimate, name).ok()?.as_f64().map(|number| number as u64);
    (bytes("usage"), bytes("quota"))
}

fn from_name(name: &str, message: &str, moment: Moment) -> Fault {
    let kind = kind_of(name, message, moment);
    // What the browser refused for a reason of its own was rolled back, even at the commit. A lost connection
    // says nothing of what the other end did before.
    let is_refusal = matches!(kind, FaultKind::Quota { .. } | FaultKind::Damaged | FaultKind::Foreign);
    let outcome = match moment {
        Moment::Sent if !is_refusal => WriteOutcome::Unknown,
        _ => WriteOutcome::NotWritten,
    };
    Box::new(StorageFault { kind, outcome, cause: format!("{name}: {message}") })
}

fn kind_of(name: &str, message: &str, moment: Moment) -> FaultKind {
    match (name, moment) {
        ("QuotaExceededError", _) => FaultKind::Quota { usage_bytes: None, quota_bytes: None },
        ("VersionError", _) => FaultKind::Foreign,
        // An object store that was there when the database was opened is not there any more.
        ("NotFoundError", _) => FaultKind::Foreign,
        // A record stands where the head says that the log has none.
        ("ConstraintError", _) => FaultKind::Damaged,
        ("SecurityError" | "NotAllowedError", _) => FaultKind::Unavailable,
        (_, Moment::Opening) => FaultKind::Unavailable,
        ("AbortError" | "InvalidStateError", _) => FaultKind::Disconnected,
        ("UnknownError", _) if is_lost_connection(message) => FaultKind::Disconnected,
        _ => FaultKind::Failed,
    }
}

/// WebKit has no name for the loss of its storage process, only "Connection to Indexed Database server lost".
fn is_lost_connection(message: &str) -> bool {
    has_word(message, "connection") && (has_word(message, "lost") || has_word(message, "closed"))
}

fn has_word(message: &str, word: &str) -> bool {
    message.as_bytes().windows(word.len()).any(|bytes| bytes.eq_ignore_ascii_case(word.as_bytes()))
}
