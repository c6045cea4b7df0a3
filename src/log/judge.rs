//! The judge: decides each queued append on the newest facts.

use std::rc::Rc;

use crate::codec::{Body, DecodedRecord, Entry, Extensions, Frame, Tags};
use crate::error::{Detail, Error, Violation};
use crate::event::{Fact, Position, Revision, StreamName, UnixMillis};
use crate::query::AppendCondition;
use crate::table::ByStream;

use super::facts::{Facts, NumberedCondition};
use super::ground::{ConditionFound, Ground, Placed};
use super::identity::{Identity, identify};
use super::{Append, NewEntry, StreamState};

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
    pub writes: Vec<WriteResult>,
    /// The last position of the commit; of the whole log where it has no entries.
    pub last_position: Position,
    /// Whether all of it stood there already.
    pub duplicate: bool,
}

/// Where the entries of one write stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteResult {
    /// The first entry's revision; `None` without entries, or for a fact.
    pub first_revision: Option<Revision>,
    /// The last entry's revision; without entries, the stream's last revision.
    pub last_revision: Option<Revision>,
    /// The first entry's position; `None` without entries, or where a fact held already.
    pub first_position: Option<Position>,
    /// The last entry's position; without entries, the last of the log.
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
    let streams: Vec<String> = append
        .writes
        .iter()
        .filter(|write| !matches!(write.entries.as_slice(), [NewEntry::Fact(Fact::Tombstoned, _)]))
        .filter(|write| matches!(ground.stream(write.stream.as_str()).state, StreamState::Tombstoned(_)))
        .filter(|write| named.insert(&write.stream, ()).is_none())
        .map(|write| write.stream.as_str().to_owned())
        .collect();
    let stream = streams.first()?.clone();
    Some(Error::new(Detail::StreamDeleted { stream, streams }))
}

fn check_expectations(append: &Append, ground: &Ground<'_>) -> Option<Error> {
    let mut named = ByStream::default();
    let violations: Vec<Violation> = append
        .writes
        .iter()
        .filter_map(|write| {
            let actual = write.expected.check(ground.stream(write.stream.as_str()).state).err()?;
            let stream = write.stream.as_str().to_owned();
            named.insert(&write.stream, ()).is_none().then_some(Violation {
                stream,
                expected: write.expected,
                actual,
            })
        })
        .collect();
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
    let mut ranges = Vec::with_capacity(append.writes.len());
    for write in &append.writes {
        let first = entries.len();
        let placed = write.entries.iter().filter_map(|new| {
            places.place(&write.stream, new, time, ground).map(|entry| Placed {
                stream: &write.stream,
                new,
                entry,
            })
        });
        entries.extend(placed);
        ranges.push(first..entries.len());
    }
    let head = places.position;
    let results = append
        .writes
        .iter()
        .zip(ranges)
        .map(|(write, range)| {
            result_of(&write.stream, entries.get(range).unwrap_or_default(), head, &places, ground)
        })
        .collect();
    if !entries.is_empty() {
        ground.lay_accepted(&entries, time);
        let entries = entries.into_iter().map(|placed| placed.entry).collect();
        frames.push(Frame { time, extensions: &NO_EXTENSIONS, entries });
    }
    Verdict::Accepted(Accepted { writes: results, last_position: head, duplicate: false })
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

    /// The last revision of a stream after the commit.
    fn last_revision(&self, stream: &StreamName, ground: &Ground<'_>) -> Option<Revision> {
        match self.next_revisions.get(stream.as_str()) {
            Some(next) => next.0.checked_sub(1).map(Revision),
            None => ground.stream(stream.as_str()).state.last_revision(),
        }
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

fn result_of(
    stream: &StreamName,
    entries: &[Placed<'_>],
    head: Position,
    places: &Places,
    ground: &Ground<'_>,
) -> WriteResult {
    let revision = |placed: &Placed<'_>| match placed.entry.body {
        Body::Event { revision, .. } => Some(revision),
        Body::Fact(_) => None,
    };
    match (entries.first(), entries.last()) {
        (Some(first), Some(last)) => WriteResult {
            first_revision: revision(first),
            last_revision: revision(last),
            first_position: Some(first.entry.position),
            last_position: last.entry.position,
        },
        _ => WriteResult {
            first_revision: None,
            last_revision: places.last_revision(stream, ground),
            first_position: None,
            last_position: head,
        },
    }
}

/// The answer that the originals got.
fn as_originals(append: &Append, originals: &[(Revision, Position)], ground: &Ground<'_>) -> Accepted {
    let mut rest = originals;
    let writes = append
        .writes
        .iter()
        .map(|write| {
            let (own, others) = rest.split_at(write.entries.len().min(rest.len()));
            rest = others;
            match (own.first(), own.last()) {
                (Some(first), Some(last)) => WriteResult {
                    first_revision: Some(first.0),
                    last_revision: Some(last.0),
                    first_position: Some(first.1),
                    last_position: last.1,
                },
                _ => WriteResult {
                    first_revision: None,
                    last_revision: ground.stream(write.stream.as_str()).state.last_revision(),
                    first_position: None,
                    last_position: ground.position,
                },
            }
        })
        .collect();
    let last_position = originals.iter().map(|original| original.1).max().unwrap_or(ground.position);
    Accepted { writes, last_position, duplicate: true }
}
