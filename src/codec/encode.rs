//! Commits to the bytes of one record.

use crate::event::{Fact, Position};
use crate::limits;
use crate::storage::LogRecord;

use super::columns::{Columns, Surroundings};
use super::header::{Header, Packing};
use super::{Body, Entry, Frame, order};

/// Where an entry stands among commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The index of its commit.
    pub frame: usize,
    /// Its index in the commit.
    pub entry: usize,
}

/// One record of these commits, their entries in the order of `places`, which names each of them once.
///
/// For layouts that want something else side by side than what was appended together, such as the events of
/// a stream. The log itself is written by [`super::encode_records`].
///
/// # Panics
///
/// Where there are no entries, where `places` is not a permutation of them, where a position occurs twice, or
/// where anything exceeds [`crate::limits`]: what is to be encoded has been checked.
pub fn encode_arranged(frames: &[Frame<'_>], places: &[Place]) -> LogRecord {
    let mut remaining: Vec<usize> = frames.iter().map(|frame| frame.entries.len()).collect();
    assert!(
        remaining.iter().all(|&count| 0 < count)
            && places.len() == remaining.iter().sum::<usize>()
            && (1..=limits::RECORD_ENTRIES_MAX).contains(&places.len())
    );

    let (first, last) = checked_bounds(frames, places);
    let mut columns = Columns::default();
    let mut next_position = first;
    let mut expected_frame = 0;
    for &Place { frame, entry } in places {
        let commit_time = frames[frame].time;
        let entry = &frames[frame].entries[entry];
        let position_difference = entry.position.0 as i64 - next_position.0 as i64;
        let commit_difference = frame as i64 - expected_frame as i64;
        columns.push(entry, Surroundings { position_difference, commit_difference, commit_time });

        assert!(0 < remaining[frame]);
        remaining[frame] -= 1;
        expected_frame = if remaining[frame] == 0 { frame + 1 } else { frame };
        next_position = entry.position.next();
    }

    seal(frames, columns, (first, last), places.len())
}

/// The lowest and the highest position.
fn checked_bounds(frames: &[Frame<'_>], places: &[Place]) -> (Position, Position) {
    let entries = || places.iter().map(|place| &frames[place.frame].entries[place.entry]);
    let bounds = order::bounds_of_distinct(entries().map(|entry| entry.position).collect());
    let (first, last) = bounds.unwrap_or_default();
    assert!(
        entries().all(is_within_limits)
            && frames.iter().all(|frame| frame.time.0.unsigned_abs() <= limits::INTEGER_MAX)
            && Position::START < first
            && last.0 <= limits::INTEGER_MAX
    );
    (first, last)
}

/// What a decoder would refuse must not be written: it would be lost.
fn is_within_limits(entry: &Entry<'_>) -> bool {
    let is_name = |name: &str| (1..=limits::NAME_BYTES_MAX).contains(&name.len());
    let is_payload = |text: Option<&str>| text.is_none_or(|text| text.len() <= limits::EVENT_BYTES_MAX);
    let is_body = match &entry.body {
        Body::Event { revision, event_type, data, metadata, tags } => {
            (is_name(event_type) && !event_type.starts_with('$'))
                && (tags.len() <= limits::TAGS_PER_EVENT_MAX && tags.iter().all(is_name))
                && (is_payload(*data) && is_payload(*metadata) && revision.0 <= limits::INTEGER_MAX)
        }
        Body::Fact(Fact::Truncated { before }) => before.0 <= limits::INTEGER_MAX,
        Body::Fact(Fact::Deleted | Fact::Tombstoned) => true,
    };
    is_body && is_name(entry.stream) && entry.time.0.unsigned_abs() <= limits::INTEGER_MAX
}

fn seal(
    frames: &[Frame<'_>],
    columns: Columns<'_>,
    (first, last): (Position, Position),
    entry_count: usize,
) -> LogRecord {
    let (body, text_bytes) = columns.into_body(frames);
    assert!(body.len() <= limits::RECORD_BODY_BYTES_MAX);
    let packed = lz4_flex::block::compress(&body);
    let (packing, stored_body) =
        if packed.len() < body.len() { (Packing::Lz4, &packed) } else { (Packing::Plain, &body) };
    let (commit_count, body_bytes) = (frames.len(), body.len());
    let header = Header { packing, first, last, entry_count, commit_count, body_bytes, text_bytes };
    LogRecord { first, bytes: header.seal(stored_body) }
}

/// One record of these commits, entry by entry in their own order.
pub(super) fn encode_in_order(frames: &[Frame<'_>]) -> LogRecord {
    let places: Vec<Place> = frames
        .iter()
        .enumerate()
        .flat_map(|(frame, Frame { entries, .. })| {
            (0..entries.len()).map(move |entry| Place { frame, entry })
        })
        .collect();
    encode_arranged(frames, &places)
}
