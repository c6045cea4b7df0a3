//! Which commits go into which record.

use crate::limits;
use crate::storage::LogRecord;

use super::encode::encode_in_order;
use super::{Body, Entry, Frame};

/// A record at least this full is not tried again with more.
const FULL_BYTES: usize = limits::RECORD_BYTES_TARGET / 10 * 9;
/// What a record is planned to be: a little less than it may be, because the estimate is one.
const PLANNED_BYTES: usize = limits::RECORD_BYTES_TARGET / 100 * 97;
/// How often a record is tried to be fuller before what fits is taken.
const ATTEMPTS_MAX: usize = 4;

/// About what an entry adds to a body beside its text: flags, indexes, lengths and a raw id.
pub(crate) const ENTRY_BYTES: usize = 24;
/// About what a commit adds beside its entries: a time and a count.
pub(crate) const FRAME_BYTES: usize = 8;

/// Packs commits into as few records as it can, in their order.
///
/// Each record is at most [`limits::RECORD_BYTES_TARGET`] bytes, its body at most about
/// [`limits::RECORD_BODY_BYTES_TARGET`], with at most [`limits::RECORD_ENTRIES_MAX`] entries; a commit is
/// never cut, so one that is larger is a record of its own. A commit without entries leaves nothing. The same
/// commits always give the same bytes.
///
/// # Panics
///
/// Where entries exceed [`crate::limits`]: what is to be encoded has been checked.
pub fn encode_records(frames: &[Frame<'_>]) -> Vec<LogRecord> {
    let has_entries = |frame: &&Frame<'_>| !frame.entries.is_empty();
    let mut kept = Vec::new();
    let mut frames = frames;
    if !frames.iter().all(|frame| has_entries(&frame)) {
        kept.extend(frames.iter().filter(has_entries).cloned());
        frames = &kept;
    }
    let estimates: Vec<usize> = frames.iter().map(estimate_bytes).collect();
    let mut ratio = Ratio::GUESS;
    let mut records = Vec::new();
    let mut start = 0;
    while start < frames.len() {
        let (record, taken) = pack_first(&frames[start..], &estimates[start..], &mut ratio);
        records.push(record);
        start += taken;
    }
    records
}

/// The record of as many of the first commits as it holds, and their number.
///
/// LZ4 does not say beforehand what it makes of a text. So the cut is guessed from what it made of the last
/// one, and moved while the record is too large, or much too small; each guess lies between what is
/// known to fit and what is known not to.
fn pack_first(frames: &[Frame<'_>], estimates: &[usize], ratio: &mut Ratio) -> (LogRecord, usize) {
    let mut exceeding = allowed_count(estimates) + 1;
    let mut fitting: Option<(LogRecord, usize)> = None;
    for attempt in 0.. {
        let least = fitting.as_ref().map_or(1, |(_, count)| count + 1);
        let guess = match attempt {
            0..ATTEMPTS_MAX => count_within(estimates, ratio.unpacked_bytes(PLANNED_BYTES)),
            _ => exceeding / 2,
        };
        let count = guess.clamp(least, exceeding - 1);
        let record = encode_in_order(&frames[..count]);
        ratio.learn(estimates[..count].iter().sum(), record.bytes.len());
        if count == 1 || record.bytes.len() <= limits::RECORD_BYTES_TARGET {
            let is_full = FULL_BYTES <= record.bytes.len();
            fitting = Some((record, count));
            if is_full {
                break;
            }
        } else {
            exceeding = count;
        }
        let is_decided = fitting.as_ref().is_some_and(|(_, count)| count + 1 == exceeding);
        if is_decided || ATTEMPTS_MAX <= attempt + 1 && fitting.is_some() {
            break;
        }
    }
    fitting.unwrap_or_else(|| (encode_in_order(&frames[..1]), 1))
}

/// How many of the first commits a record may have, whatever LZ4 makes of them.
fn allowed_count(estimates: &[usize]) -> usize {
    // The entries need no count of their own: so large a body has room for fewer than a record may have.
    const { assert!(limits::RECORD_BODY_BYTES_TARGET / ENTRY_BYTES <= limits::RECORD_ENTRIES_MAX) };
    count_within(estimates, limits::RECORD_BODY_BYTES_TARGET).max(1)
}

fn count_within(estimates: &[usize], maximum: usize) -> usize {
    let mut sum = 0;
    estimates
        .iter()
        .take_while(|&&estimate| {
            sum += estimate;
            sum <= maximum
        })
        .count()
}

/// About what a commit adds to a body. Names count each time: how often they repeat is not known yet, and the
/// ratio learns it.
fn estimate_bytes(frame: &Frame<'_>) -> usize {
    let extensions: usize = frame.extensions.iter().map(|(_, bytes)| bytes.len() + FRAME_BYTES).sum();
    let entries: usize = frame.entries.iter().map(|entry| ENTRY_BYTES + text_bytes(entry)).sum();
    FRAME_BYTES + extensions + entries
}

/// The text of an entry, in bytes: names, payloads and tags.
pub(crate) fn text_bytes(entry: &Entry<'_>) -> usize {
    let body = match &entry.body {
        Body::Fact(_) => 0,
        Body::Event { event_type, data, metadata, tags, .. } => {
            event_type.len()
                + data.map_or(0, str::len)
                + metadata.map_or(0, str::len)
                + tags.iter().map(str::len).sum::<usize>()
        }
    };
    entry.stream.len() + body
}

/// What a record's bytes are to the estimate of its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio {
    stored_bytes: usize,
    estimated_bytes: usize,
}

impl Ratio {
    /// Before anything is known.
    pub(crate) const GUESS: Self = Self { stored_bytes: 1, estimated_bytes: 2 };

    /// Takes over what one record came to.
    pub(crate) fn learn(&mut self, estimated_bytes: usize, stored_bytes: usize) {
        *self = Self { stored_bytes, estimated_bytes };
    }

    /// The estimate of a body that makes a record of `stored_bytes`.
    pub(crate) fn unpacked_bytes(self, stored_bytes: usize) -> usize {
        (stored_bytes as u64 * self.estimated_bytes as u64 / self.stored_bytes as u64) as usize
    }
}
