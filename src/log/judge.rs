//! The judge: decides each queued append on the newest facts.

use std::rc::Rc;

use crate::codec::{Body, DecodedRecord, Entry, Extensions, Frame, Tags};
use crate::error::{Detail, Error, Violation};
use crate::event::{Fact, Position, Revision, StreamName, UnixMillis};
use crate::query::AppendCondition;
use crate::table::ByStream;

use super::facts::{Facts, NumberedCondition};
use super::ground::{ConditionFound, Ground, Placed};
use super::identity::{EntryPlace, Identity, identify};
use super::{Append, NewEntry, StreamState, StreamWrite};

/// What was decided of a queue.
#[derive(Debug)]
pub struct Judgement<'a> {
    /// One for each append, in the order of the queue.
    pub verdicts: Vec<Verdict>,
    /// The commits to write, in order.
    pub frames: Vec<Frame<'a>>,
    /// The last position in use after them.
    pub position: Position,
}

/// What was decided of one append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is to be written, or need not be.
    Accepted(Accepted),
    /// It is not to be written, for this reason.
    Refused(Error),
    /// What happened since the facts were gathered leaves it open: gather and judge again.
    Undecided,
}

/// Where an accepted append stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// One for each write, in order.
    pub writes: Vec<StreamAppended>,
    /// The last position of the commit; of the whole log where it has no entries.
    pub last_position: Position,
    /// Whether all of it stood there already.
    pub duplicate: bool,
}

/// What an append did to one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAppended {
    /// The stream.
    pub stream: StreamName,
    /// The revision of the first event; `None` where no events were given, or for a fact.
    pub first_revision: Option<Revision>,
    /// The revision of the last event; where no events were given that of the stream, `None` without any.
    pub last_revision: Option<Revision>,
    /// The position of the first entry; `None` where none were given, or where a fact held already.
    pub first_position: Option<Position>,
    /// The position of the last entry; where none were given that of the whole log.
    pub last_position: Position,
}

static NO_EXTENSIONS: Extensions = Extensions::new();

/// Decides each append of a queue, in order: tombstones, then ids, then expectations, then the condition.
///
/// `facts` hold up to their position; `tail` is what others committed after it, without a gap; `now` is the
/// host's clock. An append that is refused leaves the ground as it was for those behind it.
pub fn judge<'a>(
    queue: &'a [Rc<Append>],
    facts: &'a Facts,
    tail: &'a [Rc<DecodedRecord>],
    now: UnixMillis,
) -> Judgement<'a> {
    let mut ground = Ground::new(queue, facts, tail);
    let mut frames = Vec::new();
    let mut condition_count = 0;
    let mut is_undecided = false;
    let verdicts = queue
        .iter()
        .map(|append| {
            let condition = append.condition.as_ref().map(|condition| {
                condition_count += 1;
                numbered(condition, condition_count - 1)
            });
            // What is judged again must not be overtaken by what was queued behind it.
            if is_undecided {
                return Verdict::Undecided;
            }
            let verdict = judge_one(append, condition, now, &mut ground, &mut frames);
            is_undecided = verdict == Verdict::Undecided;
            verdict
        })
        .collect();
    Judgement { verdicts, frames, position: ground.position }
}

fn numbered(condition: &AppendCondition, number: usize) -> NumberedCondition<'_> {
    NumberedCondition { query: &condition.fail_if_events_match, after: condition.after, number }
}

fn judge_one<'a>(
    append: &'a Append,
    condition: Option<NumberedCondition<'_>>,
    now: UnixMillis,
    ground: &mut Ground<'a>,
    frames: &mut Vec<Frame<'a>>,
) -> Verdict {
    if let Some(error) = check_tombstones(append, ground) {
        return Verdict::Refused(error);
    }
    match identify(append, ground) {
        Identity::New => {}
        Identity::Duplicate(originals) => return Verdict::Accepted(as_originals(append, &originals, ground)),
        Identity::Conflict(error) => return Verdict::Refused(error),
    }
    if let Some(error) = check_expectations(append, ground) {
        return Verdict::Refused(error);
    }
    match condition.map(|condition| ground.find(&condition)) {
        None | Some(ConditionFound::Nothing) => {}
        Some(ConditionFound::Match(matched)) => {
            return Verdict::Refused(Error::new(Detail::AppendConditionFailed { matched }));
        }
        Some(ConditionFound::Unknown) => return Verdict::Undecided,
    }
    accept(append, now, ground, frames)
}

fn check_tombstones(append: &Append, ground: &Ground<'_>) -> Option<Error> {
    let mut named = ByStream::default();
    let mut streams = Vec::new();
    for write in &append.writes {
        let is_tombstone = matches!(write.entries.as_slice(), [NewEntry::Fact(Fact::Tombstoned, _)]);
        let state = ground.stream(write.stream.as_str()).state;
        if !is_tombstone
            && matches!(state, StreamState::Tombstoned(_))
            && named.insert(&write.stream, ()).is_none()
        {
            streams.push(write.stream.as_str().to_owned());
        }
    }
    let stream = streams.first()?.clone();
    Some(Error::new(Detail::StreamDeleted { stream, streams }))
}

fn check_expectations(append: &Append, ground: &Ground<'_>) -> Option<Error> {
    let mut named = ByStream::default();
    let mut violations = Vec::new();
    for StreamWrite { stream, expected, .. } in &append.writes {
        if let Err(actual) = expected.check(ground.stream(stream.as_str()).state)
            && named.insert(stream, ()).is_none()
        {
            let stream = stream.as_str().to_owned();
            violations.push(Violation { stream, expected: *expected, actual });
        }
    }
    (!violations.is_empty()).then(|| Error::new(Detail::WrongExpectedRevision { violations }))
}

/// Gives the entries their places, and makes a commit of them where there are any.
fn accept<'a>(
    append: &'a Append,
    now: UnixMillis,
    ground: &mut Ground<'a>,
    frames: &mut Vec<Frame<'a>>,
) -> Verdict {
    let time = now.max(ground.time);
    let mut places = Places { position: ground.position, next_revisions: ByStream::default() };
    let mut entries = Vec::new();
    let mut own_places = Vec::new();
    let mut counts = Vec::with_capacity(append.writes.len());
    for StreamWrite { stream, entries: new_entries, .. } in &append.writes {
        let before = entries.len();
        for new in new_entries {
            let Some(entry) = places.place(stream, new, time, ground) else { continue };
            let revision = match entry.body {
                Body::Event { revision, .. } => Some(revision),
                Body::Fact(_) => None,
            };
            own_places.push((revision, entry.position));
            entries.push(Placed { stream, new, entry });
        }
        counts.push(entries.len() - before);
    }
    if !entries.is_empty() {
        ground.lay_accepted(&entries, time);
        let entries = entries.into_iter().map(|placed| placed.entry).collect();
        frames.push(Frame { time, extensions: &NO_EXTENSIONS, entries });
    }
    let writes = writes_of(append, &own_places, &counts, ground);
    Verdict::Accepted(Accepted { writes, last_position: ground.position, duplicate: false })
}

/// Hands out positions and revisions within one commit.
struct Places {
    position: Position,
    /// Streams that the commit has written to, and their next revisions.
    next_revisions: ByStream<Revision>,
}

impl Places {
    /// The entry with its place; `None` for a fact that holds already.
    fn place<'a>(
        &mut self,
        stream: &'a StreamName,
        new: &'a NewEntry,
        time: UnixMillis,
        ground: &Ground<'_>,
    ) -> Option<Entry<'a>> {
        let (body, id, time) = match new {
            NewEntry::Event(event, id) => {
                let body = Body::Event {
                    revision: self.take_revision(stream, ground),
                    event_type: event.event_type.as_str(),
                    data: event.data.as_ref().map(|data| data.as_str()),
                    metadata: event.metadata.as_ref().map(|metadata| metadata.as_str()),
                    tags: Tags::Given(&event.tags),
                };
                (body, *id, event.time.unwrap_or(time))
            }
            NewEntry::Fact(fact, id) => (Body::Fact(effective(*fact, stream, ground)?), *id, time),
        };
        self.position = self.position.next();
        Some(Entry { position: self.position, stream: stream.as_str(), id, time, body })
    }

    fn take_revision(&mut self, stream: &StreamName, ground: &Ground<'_>) -> Revision {
        let next = self.next_revisions.get(stream.as_str()).copied();
        let revision = next.unwrap_or_else(|| ground.stream(stream.as_str()).state.next_revision());
        self.next_revisions.insert(stream, revision.next());
        revision
    }
}

/// What a fact comes to on this ground: nothing where it would change nothing. A truncation past the end
/// hides what is there, and nothing that comes later.
fn effective(fact: Fact, stream: &StreamName, ground: &Ground<'_>) -> Option<Fact> {
    let facts = ground.stream(stream.as_str());
    match (fact, facts.state) {
        (Fact::Deleted, StreamState::Live(_)) => Some(fact),
        (Fact::Deleted, _) => None,
        (Fact::Tombstoned, StreamState::Tombstoned(_)) => None,
        (Fact::Tombstoned, _) => Some(fact),
        (Fact::Truncated { before }, state) => {
            let before = before.min(state.next_revision());
            (facts.visible_from < before).then_some(Fact::Truncated { before })
        }
    }
}

/// The answer that the originals got.
fn as_originals(append: &Append, originals: &[EntryPlace], ground: &Ground<'_>) -> Accepted {
    let counts: Vec<usize> = append.writes.iter().map(|write| write.entries.len()).collect();
    let writes = writes_of(append, originals, &counts, ground);
    let last_position = originals.iter().map(|original| original.1).max().unwrap_or(ground.position);
    Accepted { writes, last_position, duplicate: true }
}

/// Where the writes of an append stand on this ground, which it has been laid on: `places` are those of its entries,
/// and `counts` says how many of them each write has.
#[inline(never)]
fn writes_of(
    append: &Append,
    places: &[EntryPlace],
    counts: &[usize],
    ground: &Ground<'_>,
) -> Vec<StreamAppended> {
    let mut rest = places;
    let mut writes = Vec::with_capacity(append.writes.len());
    for (StreamWrite { stream, .. }, count) in append.writes.iter().zip(counts) {
        let (own, others) = rest.split_at(rest.len().min(*count));
        rest = others;
        let mut appended = StreamAppended {
            stream: stream.clone(),
            first_revision: None,
            last_revision: None,
            first_position: None,
            last_position: ground.position,
        };
        if let ([first, ..], [.., last]) = (own, own) {
            appended.first_revision = first.0;
            appended.last_revision = last.0;
            appended.first_position = Some(first.1);
            appended.last_position = last.1;
        } else {
            appended.last_revision = ground.stream(stream.as_str()).state.last_revision();
        }
        writes.push(appended);
    }
    writes
}
