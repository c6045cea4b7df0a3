//! The log as it should be: a vector of entries, and every answer computed from a prefix of it the slow way.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{ActualRevision, Detail, Error, Matched, Violation};
use crate::event::{Fact, Position, Revision};
use crate::id::EventId;
use crate::log::Expected;
use crate::query::AppendCondition;
use crate::storage::Direction;
use crate::store::{
    AllRead, AppendRequest, Mark, MarkRequest, StreamAppended, StreamInfo, StreamLife, StreamRead,
    WriteRequest,
};

use super::model_entry::{ModelBody, ModelEntry};

/// So many times that a stream was hidden are always told apart, the latest ones.
const TOLD_APART: usize = 63;

/// Everything that was ever appended.
#[derive(Debug, Default)]
pub struct Model {
    entries: Vec<ModelEntry>,
    /// The last position of each commit.
    commit_ends: BTreeSet<u64>,
}

/// What a prefix of the log says of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamView {
    pub life: Life,
    pub last: Option<u64>,
    pub visible_from: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    NeverExisted,
    Live,
    Deleted,
    Tombstoned,
}

/// The right answer to an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub writes: Vec<StreamAppended>,
    pub last_position: u64,
    pub duplicate: bool,
}

impl Model {
    /// The last position in use.
    pub fn head(&self) -> u64 {
        self.entries.len() as u64
    }

    pub fn append(&mut self, commit: Vec<ModelEntry>) {
        self.entries.extend(commit);
        self.commit_ends.insert(self.head());
    }

    pub fn is_commit_end(&self, head: u64) -> bool {
        head == 0 || self.commit_ends.contains(&head)
    }

    /// Every state that the log was in from one head to another.
    pub fn heads(&self, from: u64, to: u64) -> impl DoubleEndedIterator<Item = u64> {
        let start = (from == 0).then_some(0);
        start.into_iter().chain(self.commit_ends.range(from..=to).copied())
    }

    pub fn prefix(&self, head: u64) -> &[ModelEntry] {
        &self.entries[..self.entries.len().min(head as usize)]
    }

    pub fn view(&self, head: u64, stream: &str) -> StreamView {
        let mut view = StreamView { life: Life::NeverExisted, last: None, visible_from: 0 };
        for entry in self.prefix(head).iter().filter(|entry| entry.stream == stream) {
            match entry.body {
                ModelBody::Event { revision, .. } => {
                    view.last = Some(revision);
                    view.life = Life::Live;
                }
                ModelBody::Fact(Fact::Truncated { before }) => view.visible_from = before.0,
                ModelBody::Fact(Fact::Deleted) => {
                    view.life = Life::Deleted;
                    view.visible_from = view.next();
                }
                ModelBody::Fact(Fact::Tombstoned) => {
                    view.life = Life::Tombstoned;
                    view.visible_from = view.next();
                }
            }
        }
        view
    }

    /// What an append is to be answered when it is judged at this head.
    pub fn answer(&self, head: u64, request: &AppendRequest) -> Result<Answer, Error> {
        self.check_tombstones(head, &request.writes)?;
        if let Some(originals) = self.check_ids(head, &request.writes)? {
            return Ok(self.answer_of(head, &request.writes, &originals, true));
        }
        self.check_expectations(
            head,
            request.writes.iter().map(|write| (write.stream.as_str(), write.expected)),
        )?;
        if let Some(condition) = &request.condition {
            self.check_condition(head, condition)?;
        }
        let mut places = Vec::new();
        let mut next: BTreeMap<&str, u64> = BTreeMap::new();
        for write in &request.writes {
            let stream = write.stream.as_str();
            for _ in &write.events {
                let revision = next.entry(stream).or_insert_with(|| self.view(head, stream).next());
                places.push((*revision, head + 1 + places.len() as u64));
                *revision += 1;
            }
        }
        Ok(self.answer_of(head, &request.writes, &places, false))
    }

    /// What a mark is to be answered when it is judged at this head: the fact that is written, if any.
    pub fn answer_mark(&self, head: u64, request: &MarkRequest) -> Result<Option<Fact>, Error> {
        let stream = request.stream.as_str();
        let view = self.view(head, stream);
        if view.life == Life::Tombstoned && request.mark != Mark::Tombstone {
            return Err(stream_deleted(vec![stream.to_owned()]));
        }
        self.check_expectations(head, [(stream, request.expected)])?;
        Ok(match (request.mark, view.life) {
            (Mark::Delete, Life::Live) => Some(Fact::Deleted),
            (Mark::Delete, _) | (Mark::Tombstone, Life::Tombstoned) => None,
            (Mark::Tombstone, _) => Some(Fact::Tombstoned),
            (Mark::Truncate { before }, _) => {
                let before = Revision(before.0.min(view.next()));
                (view.visible_from < before.0).then_some(Fact::Truncated { before })
            }
        })
    }

    pub fn read_stream(&self, as_of: u64, read: &StreamRead) -> Vec<&ModelEntry> {
        let visible_from = self.view(as_of, read.stream.as_str()).visible_from.max(read.from.0);
        let wanted = |entry: &&ModelEntry| {
            entry.stream == read.stream.as_str()
                && entry.revision().is_some_and(|revision| {
                    visible_from <= revision && read.before.is_none_or(|before| revision < before.0)
                })
        };
        in_direction(self.prefix(as_of).iter().filter(wanted).collect(), read.direction)
    }

    pub fn read_all(&self, as_of: u64, read: &AllRead) -> Vec<&ModelEntry> {
        let wanted = |entry: &&ModelEntry| {
            read.after.0 < entry.position
                && read.before.is_none_or(|before| entry.position < before.0)
                && read.since.is_none_or(|since| since <= entry.time)
                && read.until.is_none_or(|until| entry.time < until)
                && entry.matches(&read.query)
        };
        let found = self.visible(as_of).into_iter().filter(wanted).collect();
        in_direction(found, read.direction)
    }

    /// Whether an event may be missing as of a state: its stream was hidden so often since that the first times are
    /// not told apart, and it is hidden by now.
    pub fn is_untold(&self, as_of: u64, entry: &ModelEntry) -> bool {
        let is_fact = |other: &&ModelEntry| other.stream == entry.stream && other.revision().is_none();
        let (before, after) = self.entries.split_at(self.entries.len().min(as_of as usize));
        let is_hidden =
            || entry.revision().is_some_and(|it| it < self.view(self.head(), &entry.stream).visible_from);
        before.iter().any(|other| is_fact(&other))
            && TOLD_APART <= after.iter().filter(is_fact).count()
            && is_hidden()
    }

    /// All streams that something was ever appended to, in order.
    pub fn stream_names(&self, head: u64) -> BTreeSet<&str> {
        self.prefix(head).iter().map(|entry| entry.stream.as_str()).collect()
    }

    /// The description of a stream at this head.
    pub fn info(&self, head: u64, stream: &str) -> Option<StreamInfo> {
        let view = self.view(head, stream);
        if view.life == Life::NeverExisted && !self.prefix(head).iter().any(|entry| entry.stream == stream) {
            return None;
        }
        let seen = |entry: &&ModelEntry| {
            entry.stream == stream && entry.revision().is_some_and(|it| view.visible_from <= it)
        };
        let seen: Vec<_> = self.prefix(head).iter().filter(seen).collect();
        let (first, last) = (seen.first(), seen.last());
        Some(StreamInfo {
            stream: crate::event::StreamName::new(stream).expect("the simulator draws good names"),
            revision: view.last.map(Revision),
            count: seen.len() as u64,
            first_position: first.map(|entry| Position(entry.position)),
            last_position: last.map(|entry| Position(entry.position)),
            created_at: first.map(|entry| entry.time),
            updated_at: last.map(|entry| entry.time),
            life: match view.life {
                Life::NeverExisted | Life::Live => StreamLife::Live,
                Life::Deleted => StreamLife::Deleted,
                Life::Tombstoned => StreamLife::Tombstoned,
            },
            truncated_before: Revision(view.visible_from),
        })
    }

    /// The entries that are not hidden at this head; facts never are.
    pub fn visible(&self, head: u64) -> Vec<&ModelEntry> {
        let prefix = self.prefix(head);
        // By stream, the revision that comes next, and the first that is seen.
        let mut streams: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for entry in prefix {
            let (next, visible_from) = streams.entry(&entry.stream).or_default();
            match entry.body {
                ModelBody::Event { revision, .. } => *next = revision + 1,
                ModelBody::Fact(Fact::Truncated { before }) => *visible_from = before.0,
                ModelBody::Fact(Fact::Deleted | Fact::Tombstoned) => *visible_from = *next,
            }
        }
        let is_seen = |entry: &&ModelEntry| {
            entry.revision().is_none_or(|revision| streams[entry.stream.as_str()].1 <= revision)
        };
        prefix.iter().filter(is_seen).collect()
    }

    fn check_tombstones(&self, head: u64, writes: &[WriteRequest]) -> Result<(), Error> {
        let mut streams: Vec<String> = Vec::new();
        for write in writes {
            let stream = write.stream.as_str();
            if self.view(head, stream).life == Life::Tombstoned && !streams.iter().any(|it| it == stream) {
                streams.push(stream.to_owned());
            }
        }
        if streams.is_empty() { Ok(()) } else { Err(stream_deleted(streams)) }
    }

    /// The places of the originals where the append is a repetition.
    fn check_ids(&self, head: u64, writes: &[WriteRequest]) -> Result<Option<Vec<(u64, u64)>>, Error> {
        let given =
            || writes.iter().flat_map(|write| write.events.iter().map(move |event| (&write.stream, event)));
        let conflict = || Err(Error::new(Detail::IdConflict { stream: String::new(), ids: Vec::new() }));
        let mut ids = BTreeSet::new();
        if !given().filter_map(|(_, event)| event.id).all(|id| ids.insert(id)) {
            return conflict();
        }
        let seen = self.visible(head);
        let original = |stream: &str, id: EventId| {
            seen.iter().find(|entry| entry.stream == stream && entry.id == id && entry.revision().is_some())
        };
        let originals: Vec<Option<&&ModelEntry>> =
            given().map(|(stream, event)| event.id.and_then(|id| original(stream.as_str(), id))).collect();
        if originals.iter().all(Option::is_none) {
            return Ok(None);
        }
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        let mut places = Vec::new();
        for ((stream, event), original) in given().zip(originals) {
            let Some(original) = original else { return conflict() };
            let ModelBody::Event { revision, event_type, data, .. } = &original.body else {
                return conflict();
            };
            let previous = last.insert(stream.as_str(), *revision);
            let follows = previous.is_none_or(|previous| previous + 1 == *revision);
            // The simulator writes the same value in one way only.
            let same_data = event.data.as_ref().map(|data| data.as_str()) == data.as_deref();
            if !follows || !same_data || event.event_type.as_str() != event_type {
                return conflict();
            }
            places.push((*revision, original.position));
        }
        Ok(Some(places))
    }

    fn check_expectations<'a>(
        &self,
        head: u64,
        expectations: impl IntoIterator<Item = (&'a str, Expected)>,
    ) -> Result<(), Error> {
        let mut violations: Vec<Violation> = Vec::new();
        for (stream, expected) in expectations {
            let view = self.view(head, stream);
            let holds = match expected {
                Expected::Any => true,
                Expected::NoStream => view.life != Life::Live,
                Expected::StreamExists => view.life == Life::Live,
                Expected::Revision(revision) => view.last == Some(revision.0),
            };
            if !holds && !violations.iter().any(|violation| violation.stream == stream) {
                let actual = match (view.life, view.last) {
                    (Life::Live, Some(last)) => ActualRevision::At(Revision(last)),
                    (Life::NeverExisted, _) => ActualRevision::NoStream,
                    _ => ActualRevision::Deleted,
                };
                violations.push(Violation { stream: stream.to_owned(), expected, actual });
            }
        }
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Error::new(Detail::WrongExpectedRevision { violations }))
        }
    }

    fn check_condition(&self, head: u64, condition: &AppendCondition) -> Result<(), Error> {
        let forbidden = self.visible(head).into_iter().find(|entry| {
            condition.after.0 < entry.position && entry.matches(&condition.fail_if_events_match)
        });
        let Some(entry) = forbidden else { return Ok(()) };
        let matched = Matched {
            position: Position(entry.position),
            stream: entry.stream.clone(),
            event_type: entry.type_name().to_owned(),
        };
        Err(Error::new(Detail::AppendConditionFailed { matched }))
    }

    /// The answer to writes whose events stand at these revisions and positions.
    fn answer_of(
        &self,
        head: u64,
        writes: &[WriteRequest],
        places: &[(u64, u64)],
        duplicate: bool,
    ) -> Answer {
        let mut rest = places;
        let end = if duplicate { head } else { head + places.len() as u64 };
        let mut last_revisions: BTreeMap<&str, u64> = BTreeMap::new();
        if !duplicate {
            let streams = writes.iter().flat_map(|write| write.events.iter().map(|_| write.stream.as_str()));
            last_revisions.extend(streams.zip(places.iter().map(|place| place.0)));
        }
        let answered = writes.iter().map(|write| {
            let (own, others) = rest.split_at(write.events.len());
            rest = others;
            let stream = write.stream.as_str();
            let last_of_stream = last_revisions.get(stream).copied().or(self.view(head, stream).last);
            StreamAppended {
                stream: write.stream.clone(),
                first_revision: own.first().map(|place| Revision(place.0)),
                last_revision: own.last().map(|place| place.0).or(last_of_stream).map(Revision),
                first_position: own.first().map(|place| Position(place.1)),
                last_position: Position(own.last().map_or(end, |place| place.1)),
            }
        });
        let writes = answered.collect();
        let last_position = places.iter().map(|place| place.1).max().unwrap_or(end);
        Answer { writes, last_position, duplicate }
    }
}

impl StreamView {
    /// The revision that the next event gets.
    pub fn next(self) -> u64 {
        self.last.map_or(0, |last| last + 1)
    }
}

fn in_direction(mut entries: Vec<&ModelEntry>, direction: Direction) -> Vec<&ModelEntry> {
    if direction == Direction::Backwards {
        entries.reverse();
    }
    entries
}

fn stream_deleted(streams: Vec<String>) -> Error {
    Error::new(Detail::StreamDeleted { stream: streams[0].clone(), streams })
}
