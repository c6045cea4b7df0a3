//! The judge: decides each queued append on the newest facts.

use std::rc::Rc;

use crate::codec::{Body, DecodedRecord, Entry, Extensions, Frame, Tags};
use crate::error::{Detail, Error, Violation};
use crate::event::{Fact, Position, Revision, StreamName, UnixMillis};
use crate::query::AppendCondition;
use crate::table::ByStream;

use super::facts::{Facts, NumberedCondition, StreamFacts};
use super::ground::{ConditionFound, Ground};
use super::identity::{EntryPlace, Identity, identify};
use super::{Append, Expected, NewEntry, StreamState, StreamWrite};

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
        .enumerate()
        .map(|(index, append)| {
            ground.is_asked_again = index + 1 < queue.len();
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

fn check_tombstones(append: &Append, ground: &mut Ground<'_>) -> Option<Error> {
    let mut named = ByStream::default();
    let mut streams = Vec::new();
    for write in &append.writes {
        let is_tombstone = matches!(write.entries.as_slice(), [NewEntry::Fact(Fact::Tombstoned, _)]);
        let number = ground.number_of(&write.stream);
        let state = ground.facts_of(number).state;
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
        if *expected != Expected::Any
            && let Err(actual) = expected.check(ground.stream(stream.as_str()).state)
            && named.insert(stream, ()).is_none()
        {
            let stream = stream.as_str().to_owned();
            violations.push(Violation { stream, expected: *expected, actual });
        }
    }
    (!violations.is_empty()).then(|| Error::new(Detail::WrongExpectedRevision { violations }))
}

/// Gives the entries their places, lays them, and makes a commit of them where there are any.
fn accept<'a>(
    append: &'a Append,
    now: UnixMillis,
    ground: &mut Ground<'a>,
    frames: &mut Vec<Frame<'a>>,
) -> Verdict {
    let time = now.max(ground.time);
    let mut entries = Vec::with_capacity(append.writes.iter().map(|write| write.entries.len()).sum());
    let mut writes = Vec::with_capacity(append.writes.len());
    for StreamWrite { stream, entries: new_entries, .. } in &append.writes {
        let mut appended = StreamAppended::nothing(stream);
        let number = ground.number_of(stream);
        for new in new_entries {
            let facts = ground.facts_of(number);
            let Some(entry) = place(stream, new, time, facts, ground.position.next()) else { continue };
            let revision = match entry.body {
                Body::Event { revision, .. } => Some(revision),
                Body::Fact(_) => None,
            };
            appended.add((revision, entry.position));
            ground.lay_accepted(number, stream, new, &entry);
            entries.push(entry);
        }
        writes.push(appended);
    }
    if !entries.is_empty() {
        ground.time = time;
        frames.push(Frame { time, extensions: &NO_EXTENSIONS, entries });
    }
    finish(&mut writes, ground);
    Verdict::Accepted(Accepted { writes, last_position: ground.position, duplicate: false })
}

/// The entry as it stands at this position, in a stream of which this is known; `None` for a fact that holds already.
fn place<'a>(
    stream: &'a StreamName,
    new: &'a NewEntry,
    time: UnixMillis,
    facts: StreamFacts,
    position: Position,
) -> Option<Entry<'a>> {
    let (body, id, time) = match new {
        NewEntry::Event(event, id) => {
            let body = Body::Event {
                revision: facts.state.next_revision(),
                event_type: event.event_type.as_str(),
                data: event.data.as_ref().map(|data| data.as_str()),
                metadata: event.metadata.as_ref().map(|metadata| metadata.as_str()),
                tags: Tags::Given(&event.tags),
            };
            (body, *id, event.time.unwrap_or(time))
        }
        NewEntry::Fact(fact, id) => (Body::Fact(effective(*fact, facts)?), *id, time),
    };
    Some(Entry { position, stream: stream.as_str(), id, time, body })
}

/// What a fact comes to in a stream of which this is known: nothing where it would change nothing. A truncation past the end
/// hides what is there, and nothing that comes later.
fn effective(fact: Fact, facts: StreamFacts) -> Option<Fact> {
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
    let mut rest = originals.iter();
    let appended = |write: &StreamWrite| {
        let mut appended = StreamAppended::nothing(&write.stream);
        rest.by_ref().take(write.entries.len()).for_each(|place| appended.add(*place));
        appended
    };
    let mut writes = append.writes.iter().map(appended).collect::<Vec<_>>();
    finish(&mut writes, ground);
    let last_position = originals.iter().map(|original| original.1).max().unwrap_or(ground.position);
    Accepted { writes, last_position, duplicate: true }
}

/// Says of writes without entries what stands on this ground.
fn finish(writes: &mut [StreamAppended], ground: &Ground<'_>) {
    for write in writes.iter_mut().filter(|write| write.first_position.is_none()) {
        write.last_revision = ground.stream(write.stream.as_str()).state.last_revision();
        write.last_position = ground.position;
    }
}

impl StreamAppended {
    /// What nothing did to a stream.
    fn nothing(stream: &StreamName) -> Self {
        Self {
            stream: stream.clone(),
            first_revision: None,
            last_revision: None,
            first_position: None,
            last_position: Position::START,
        }
    }

    /// Goes on with the place of the next entry.
    fn add(&mut self, (revision, position): EntryPlace) {
        if self.first_position.is_none() {
            self.first_position = Some(position);
            self.first_revision = revision;
        }
        self.last_revision = revision;
        self.last_position = position;
    }
}
