//! What is known of streams and of the store, and the bounds that the facade judges by.

use js_sys::Array;
use wasm_bindgen::JsValue;

use crate::limits;
use crate::storage::Area;
use crate::store::{Compacted, CountPage, Stats, StreamInfo, StreamLife};
use crate::web::fields::Fields;

/// Writes the `EngineLimits`.
pub fn engine_limits() -> JsValue {
    Fields::new()
        .with_whole("jsonDepth", limits::JSON_DEPTH_MAX as u64)
        .with_whole("tagsPerEvent", limits::TAGS_PER_EVENT_MAX as u64)
        .with_whole("eventBytes", limits::EVENT_BYTES_MAX as u64)
        .with_whole("commitEvents", limits::COMMIT_EVENTS_MAX as u64)
        .with_whole("commitBytes", limits::COMMIT_BYTES_MAX as u64)
        .with_whole("queryEntries", limits::QUERY_ENTRIES_MAX as u64)
        .with_whole("queryNames", limits::QUERY_NAMES_MAX as u64)
        .into()
}

/// Writes a `StreamInfoMessage`.
pub fn stream_info(info: &StreamInfo) -> JsValue {
    Fields::new()
        .with("stream", info.stream.as_str())
        .with_whole_if_some("revision", info.revision.map(|revision| revision.0))
        .with_whole("count", info.count)
        .with_whole_if_some("firstPosition", info.first_position.map(|position| position.0))
        .with_whole_if_some("lastPosition", info.last_position.map(|position| position.0))
        .with("createdAt", info.created_at.map(|time| time.0 as f64))
        .with("updatedAt", info.updated_at.map(|time| time.0 as f64))
        .with("deleted", info.life != StreamLife::Live)
        .with("tombstoned", info.life == StreamLife::Tombstoned)
        .with_whole("truncatedBefore", info.truncated_before.0)
        .into()
}

/// Writes an array of `StreamInfoMessage`.
pub fn stream_infos(infos: &[StreamInfo]) -> JsValue {
    infos.iter().map(stream_info).collect::<Array>().into()
}

/// Writes a `CountPageMessage`.
pub fn count_page(page: &CountPage) -> JsValue {
    let counts = Array::new();
    for (key, count) in &page.counts {
        counts.push(&Array::of2(&key.into(), &JsValue::from_f64(*count as f64)));
    }
    Fields::new()
        .with("counts", counts)
        .with_whole_if_some("next", page.next.map(|position| position.0))
        .with_whole("asOf", page.as_of.0)
        .into()
}

/// Writes a `CompactedMessage`.
pub fn compacted(compacted: &Compacted) -> JsValue {
    Fields::new()
        .with_whole("bytesBefore", compacted.bytes_before)
        .with_whole("bytesAfter", compacted.bytes_after)
        .with_whole("eventsErased", compacted.erased_count)
        .with_whole("units", compacted.unit_count)
        .into()
}

/// Writes a `StatsMessage`.
pub fn stats(stats: &Stats) -> JsValue {
    let (mut snapshot_count, mut size_bytes) = (0, 0);
    for usage in &stats.usage.areas {
        size_bytes += usage.size_bytes;
        if usage.area == Area::Snapshots {
            snapshot_count += usage.record_count;
        }
    }
    Fields::new()
        .with_whole("events", stats.event_count)
        .with_whole("streams", stats.stream_count)
        .with_whole("segments", stats.segment_count)
        .with_whole("snapshots", snapshot_count)
        .with_whole("bytes", size_bytes)
        .with_whole_if_some("usage", stats.usage.origin_usage_bytes)
        .with_whole_if_some("quota", stats.usage.origin_quota_bytes)
        .with("persisted", stats.usage.persisted)
        .into()
}
