//! What is known of streams and of the store, and the bounds that the facade judges by.

use serde::Serialize;

use crate::limits;
use crate::storage::Area;
use crate::store::{CountPage, Stats, StreamInfo, StreamLife};

/// `StreamInfoMessage`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamInfoMessage {
    stream: String,
    revision: Option<u64>,
    count: u64,
    first_position: Option<u64>,
    last_position: Option<u64>,
    created_at: Option<i64>,
    updated_at: Option<i64>,
    deleted: bool,
    tombstoned: bool,
    truncated_before: u64,
}

/// `CountPageMessage`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CountPageMessage {
    counts: Vec<u64>,
    keys: Vec<String>,
    next: Option<u64>,
    as_of: u64,
}

/// `StatsMessage`.
#[derive(Serialize)]
pub struct StatsMessage {
    events: u64,
    streams: u64,
    segments: u64,
    snapshots: u64,
    bytes: u64,
    usage: Option<u64>,
    quota: Option<u64>,
    persisted: Option<bool>,
}

/// `EngineLimits`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineLimits {
    json_depth: usize,
    tags_per_event: usize,
    event_bytes: usize,
    commit_events: usize,
    commit_bytes: usize,
    query_entries: usize,
}

impl EngineLimits {
    /// The bounds of this store.
    pub const ALL: Self = Self {
        json_depth: limits::JSON_DEPTH_MAX,
        tags_per_event: limits::TAGS_PER_EVENT_MAX,
        event_bytes: limits::EVENT_BYTES_MAX,
        commit_events: limits::COMMIT_EVENTS_MAX,
        commit_bytes: limits::COMMIT_BYTES_MAX,
        query_entries: limits::QUERY_ENTRIES_MAX,
    };
}

impl From<StreamInfo> for StreamInfoMessage {
    fn from(info: StreamInfo) -> Self {
        Self {
            stream: info.stream.to_string(),
            revision: info.revision.map(|revision| revision.0),
            count: info.count,
            first_position: info.first_position.map(|position| position.0),
            last_position: info.last_position.map(|position| position.0),
            created_at: info.created_at.map(|time| time.0),
            updated_at: info.updated_at.map(|time| time.0),
            deleted: info.life != StreamLife::Live,
            tombstoned: info.life == StreamLife::Tombstoned,
            truncated_before: info.truncated_before.0,
        }
    }
}

impl From<CountPage> for CountPageMessage {
    fn from(page: CountPage) -> Self {
        let (keys, counts) = page.counts.into_iter().unzip();
        Self { counts, keys, next: page.next.map(|position| position.0), as_of: page.as_of.0 }
    }
}

impl From<Stats> for StatsMessage {
    fn from(stats: Stats) -> Self {
        let areas = &stats.usage.areas;
        let snapshots = areas.iter().filter(|usage| usage.area == Area::Snapshots);
        Self {
            events: stats.event_count,
            streams: stats.stream_count,
            segments: stats.segment_count,
            snapshots: snapshots.map(|usage| usage.record_count).sum(),
            bytes: areas.iter().map(|usage| usage.size_bytes).sum(),
            usage: stats.usage.origin_usage_bytes,
            quota: stats.usage.origin_quota_bytes,
            persisted: stats.usage.persisted,
        }
    }
}
