//! Whether an append is a repetition of what stands there already.

use crate::error::{Detail, Error};
use crate::event::{NewEvent, Position, Revision, StreamName};
use crate::id::EventId;
use crate::table::{ByStream, Table, hash_of};

use super::Append;
use super::facts::KnownEvent;
use super::ground::Ground;

/// What the ids of an append say.
pub(super) enum Identity {
    /// None of them stands in its stream.
    New,
    /// All of them stand there as they are given: the places of the originals, in the order of the entries.
    Duplicate(Vec<EntryPlace>),
    /// Anything between.
    Conflict(Error),
}

/// Where an entry stands: its revision, where it is an event, and its position.
pub(super) type EntryPlace = (Option<Revision>, Position);

/// Compares the ids of an append with those that are visible in its streams.
pub(super) fn identify(append: &Append, ground: &Ground<'_>) -> Identity {
    let mut in_commit = Table::default();
    let mut twice = Vec::new();
    let mut known = Vec::new();
    let mut entry_count = 0;
    let is_alone = append.entries().nth(1).is_none();
    for (stream, entry) in append.entries() {
        entry_count += 1;
        let Some((event, id)) = entry.named_event() else { continue };
        // What stands alone stands there once.
        if !is_alone {
            let hash = hash_of(&id.to_bytes());
            if in_commit.find(hash, |other| *other == id).is_some() {
                twice.push((stream, id));
                continue;
            }
            in_commit.push(hash, id);
        }
        if let Some(original) = ground.known(stream, id) {
            known.push(Repeated { stream, id, event, original });
        }
    }
    if !twice.is_empty() {
        return Identity::Conflict(conflict(twice));
    }
    if known.is_empty() {
        return Identity::New;
    }
    if known.len() == entry_count && is_repetition(&known) {
        return Identity::Duplicate(
            known.iter().map(|it| (Some(it.original.revision), it.original.position)).collect(),
        );
    }
    Identity::Conflict(conflict(known.iter().map(|it| (it.stream, it.id)).collect()))
}

struct Repeated<'a> {
    stream: &'a StreamName,
    id: EventId,
    event: &'a NewEvent,
    original: &'a KnownEvent,
}

/// In each stream the originals follow one another, and each has the type and the data that is given now.
fn is_repetition(repeated: &[Repeated<'_>]) -> bool {
    let mut last_revisions: ByStream<Revision> = ByStream::default();
    repeated.iter().all(|it| {
        let previous = last_revisions.insert(it.stream, it.original.revision);
        let consecutive = previous.is_none_or(|previous| previous.next() == it.original.revision);
        let same_data = match (&it.event.data, &it.original.data) {
            (Some(one), Some(other)) => one.means_same(other.as_str()),
            (one, other) => one.is_none() && other.is_none(),
        };
        consecutive && same_data && *it.original.event_type == *it.event.event_type.as_str()
    })
}

/// Names the first stream in conflict, and the ids in conflict there.
fn conflict(ids: Vec<(&StreamName, EventId)>) -> Error {
    let stream = ids.first().map_or("", |(stream, _)| stream.as_str()).to_owned();
    let ids = ids.into_iter().filter(|(of, _)| of.as_str() == stream).map(|(_, id)| id).collect();
    Error::new(Detail::IdConflict { stream, ids })
}
