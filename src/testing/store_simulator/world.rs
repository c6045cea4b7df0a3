//! What was asked, what was answered, and what is in the log: each checked against the other two.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use crate::error::{Detail, Error, WriteOutcome};
use crate::event::{NewEvent, Position, StreamName, UnixMillis};
use crate::id::EventId;
use crate::store::{AppendRequest, Appended, Mark, MarkRequest, Marked, WriteRequest};
use crate::testing::executor::{Scheduler, TabId};
use crate::testing::simulated_storage::SimulatedDatabase;

use super::consuming::Consumed;
use super::model::Model;
use super::model_entry::ModelBody;
use super::projected::Projected;
use super::subscribing::Subscribers;
use super::summary::Summary;

/// A simulation's memory.
pub struct World {
    pub model: Model,
    pub calls: Vec<Call>,
    pub summary: Summary,
    pub trace: Vec<String>,
    /// What was found wrong first.
    pub failure: Option<String>,
    /// Whether storages were made to fail: only then may an operation.
    pub is_foul: bool,
    pub subscribers: Subscribers,
    pub consumed: Consumed,
    pub projected: Projected,
    /// For each read and the like that is under way, its tab.
    reads_under_way: Vec<TabId>,
    /// The events of each content, with their streams.
    pub(super) contents: Vec<Vec<(StreamName, NewEvent)>>,
    pub(super) landings: BTreeMap<u64, Landing>,
    pub(super) made_ids: BTreeSet<EventId>,
    pub(super) last_time: UnixMillis,
    /// The layout that was found stored last.
    pub(super) layout: u64,
    /// The positions of events that were hidden, and are no longer stored.
    pub(super) erased: BTreeSet<u64>,
    /// Every root that an audit has seen.
    pub(super) roots: Vec<Vec<u8>>,
    /// Whether an older root ever took the place of the newest. Numbers may then be forgotten under which something
    /// stands: it stays, and nobody looks there.
    pub(super) has_older_root: bool,
    pub(super) database: SimulatedDatabase,
    scheduler: Scheduler,
}

/// An append or a mark that a tab asked for.
pub struct Call {
    pub tab: TabId,
    pub request: Request,
    /// How far the log reached when it was made.
    pub head: u64,
    pub fate: Fate,
}

#[derive(Debug, Clone)]
pub enum Request {
    Append(AppendRequest, Content),
    Mark(MarkRequest),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Open,
    /// It stands in the log, or need not, or was refused for a reason.
    Answered,
    NotWritten,
    /// Nobody knows: its outcome was lost, or its tab is gone.
    Unknown,
}

/// What a commit consists of, as far as the log can tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    Events(usize),
    Fact(String, &'static str),
}

/// A commit in the log.
pub struct Landing {
    pub content: Content,
    pub is_claimed: bool,
}

impl World {
    pub fn new(database: &SimulatedDatabase, scheduler: &Scheduler) -> Self {
        Self {
            model: Model::default(),
            calls: Vec::new(),
            summary: Summary::default(),
            trace: Vec::new(),
            failure: None,
            is_foul: false,
            subscribers: Subscribers::default(),
            consumed: Consumed::default(),
            projected: Projected::default(),
            reads_under_way: Vec::new(),
            contents: Vec::new(),
            landings: BTreeMap::new(),
            made_ids: BTreeSet::new(),
            last_time: UnixMillis(i64::MIN),
            layout: 0,
            erased: BTreeSet::new(),
            roots: Vec::new(),
            has_older_root: false,
            database: database.clone(),
            scheduler: scheduler.clone(),
        }
    }

    pub fn note(&mut self, text: impl Into<String>) {
        self.trace.push(format!("{:>6} ms  {}", self.scheduler.now_ms(), text.into()));
    }

    /// Remembers the first failure: those after it follow from it.
    pub fn fail(&mut self, problem: impl Into<String>) {
        let problem = problem.into();
        self.note(format!("WRONG: {problem}"));
        self.failure.get_or_insert(problem);
    }

    /// The mark that the data of a new append's events bears.
    pub fn next_content(&self) -> usize {
        self.contents.len()
    }

    /// Takes down a call, and gives its number.
    pub fn call(&mut self, tab: TabId, request: Request) -> usize {
        self.audit();
        if let Request::Append(append, Content::Events(content)) = &request
            && *content == self.contents.len()
        {
            let stream_of = |write: &WriteRequest| write.stream.clone();
            let events = append
                .writes
                .iter()
                .flat_map(|write| write.events.iter().map(move |event| (stream_of(write), event.clone())));
            self.contents.push(events.collect());
        }
        let number = self.calls.len();
        self.note(format!("{tab:?} call {number}: {}", described(&request)));
        self.calls.push(Call { tab, request, head: self.model.head(), fate: Fate::Open });
        number
    }

    /// Takes down that a tab is gone: what it asked for and was not answered may be written.
    pub fn crashed(&mut self, tab: TabId) {
        self.audit();
        self.summary.crashes += 1;
        self.subscribers.crashed(tab);
        self.reads_under_way.retain(|reading| *reading != tab);
        for call in self.calls.iter_mut().filter(|call| call.tab == tab && call.fate == Fate::Open) {
            call.fate = Fate::Unknown;
        }
    }

    /// Takes an append's answer, and checks that it was right at some moment since the call.
    pub fn answered(&mut self, number: usize, result: Result<Appended, Error>) {
        self.audit();
        self.note(format!(
            "call {number}: {}",
            outcome_text(&result, |appended| appended.last_position.to_string())
        ));
        let Request::Append(request, content) = self.calls[number].request.clone() else { return };
        let given = match result {
            Ok(appended) => {
                self.calls[number].fate = Fate::Answered;
                Ok(appended)
            }
            Err(error) => match self.failed(number, error) {
                Some(error) => Err(error),
                None => return,
            },
        };
        let heads: Vec<u64> = self.model.heads(self.calls[number].head, self.model.head()).collect();
        let is_right =
            heads.into_iter().rev().any(|head| match (&given, self.model.answer(head, &request)) {
                (Ok(given), Ok(right)) => {
                    right.writes == given.writes
                        && right.last_position == given.last_position.0
                        && right.duplicate == given.duplicate
                }
                (Err(given), Err(right)) => is_same_refusal(given, &right),
                _ => false,
            });
        if !is_right {
            return self.fail(format!("call {number} was never to be answered {given:?}"));
        }
        match given {
            Ok(appended) if appended.duplicate => self.summary.duplicates += 1,
            Ok(appended) => {
                self.summary.accepted += 1;
                let first = appended.writes.iter().filter_map(|write| write.first_position).min();
                if let Some(first) = first {
                    self.claim(number, &content, first);
                }
            }
            Err(error) => self.summary.count_refusal(&error),
        }
    }

    /// Takes a mark's answer, and checks that it was right at some moment since the call.
    pub fn marked(&mut self, number: usize, result: Result<Marked, Error>) {
        self.audit();
        self.note(format!(
            "call {number}: {}",
            outcome_text(&result, |marked| format!("{:?}", marked.position))
        ));
        let Request::Mark(request) = self.calls[number].request.clone() else { return };
        let given = match result {
            Ok(marked) => {
                self.calls[number].fate = Fate::Answered;
                Ok(marked.position)
            }
            Err(error) => match self.failed(number, error) {
                Some(error) => Err(error),
                None => return,
            },
        };
        let heads: Vec<u64> = self.model.heads(self.calls[number].head, self.model.head()).collect();
        let is_right = heads.into_iter().any(|head| match (&given, self.model.answer_mark(head, &request)) {
            (Ok(Some(position)), Ok(Some(fact))) => {
                let entry = self.model.prefix(self.model.head()).get(head as usize);
                position.0 == head + 1 && entry.is_some_and(|entry| entry.body == ModelBody::Fact(fact))
            }
            (Ok(None), Ok(None)) => true,
            (Err(given), Err(right)) => is_same_refusal(given, &right),
            _ => false,
        });
        if !is_right {
            return self.fail(format!("call {number} was never to be answered {given:?}"));
        }
        match given {
            Ok(position) => {
                self.summary.marked += 1;
                let content = self.calls[number].request.content();
                if let Some(position) = position {
                    self.claim(number, &content, position);
                }
            }
            Err(error) => self.summary.count_refusal(&error),
        }
    }

    /// Takes a failure that is no judgement. Gives back a refusal, which has to be checked.
    fn failed(&mut self, number: usize, error: Error) -> Option<Error> {
        let fate = match error.detail() {
            Detail::StorageFailed { outcome: WriteOutcome::Unknown, .. } => Fate::Unknown,
            Detail::StorageFailed { .. }
            | Detail::QuotaExceeded { .. }
            | Detail::StorageUnavailable { .. } => Fate::NotWritten,
            Detail::Aborted => {
                self.calls[number].fate = Fate::NotWritten;
                return None;
            }
            _ => {
                self.calls[number].fate = Fate::Answered;
                return Some(error);
            }
        };
        self.calls[number].fate = fate;
        match fate {
            Fate::Unknown => self.summary.unknown += 1,
            _ => self.summary.not_written += 1,
        }
        if !self.is_foul {
            self.fail(format!("call {number} failed on a storage that did not: {error:?}"));
        }
        None
    }

    /// An acknowledged commit stands where it is said to, and is no other call's. Two calls that gave the same
    /// ids to all of their events may both be told of one commit, should they have met in the same millisecond.
    fn claim(&mut self, number: usize, content: &Content, first: Position) {
        let has_all_ids = match content {
            Content::Events(content) => self.contents[*content].iter().all(|(_, event)| event.id.is_some()),
            Content::Fact(..) => false,
        };
        match self.landings.get_mut(&first.0) {
            Some(landing) if landing.content == *content && (has_all_ids || !landing.is_claimed) => {
                landing.is_claimed = true;
            }
            _ => self.fail(format!("call {number} is acknowledged at {first}, where it does not stand")),
        }
    }

    /// At the end, what nobody was told of must be what nobody could be told of.
    pub fn check_unclaimed(&mut self) {
        self.audit();
        let mut unclaimed: BTreeMap<Content, u64> = BTreeMap::new();
        for landing in self.landings.values().filter(|landing| !landing.is_claimed) {
            *unclaimed.entry(landing.content.clone()).or_default() += 1;
        }
        for (content, count) in unclaimed {
            self.summary.landed_unanswered += count;
            let may_be = |call: &&Call| call.fate == Fate::Unknown && call.request.content() == content;
            let uncertain = self.calls.iter().filter(may_be).count() as u64;
            if uncertain < count {
                self.fail(format!("{content:?} stands {count} times too often, and may {uncertain} times"));
            }
        }
    }

    /// Whether every call of a living tab is answered, and every read has ended.
    pub fn is_quiet(&self) -> bool {
        self.reads_under_way.is_empty() && self.calls.iter().all(|call| call.fate != Fate::Open)
    }

    /// Takes down that a tab reads, and gives how far the log reaches.
    pub fn begin_read(&mut self, tab: TabId) -> u64 {
        self.audit();
        self.reads_under_way.push(tab);
        self.model.head()
    }

    /// Takes down that a read has ended.
    pub fn end_read(&mut self, tab: TabId) {
        self.audit();
        self.summary.reads += 1;
        if let Some(place) = self.reads_under_way.iter().position(|reading| *reading == tab) {
            self.reads_under_way.swap_remove(place);
        }
    }

    /// What is still under way.
    pub fn unrest(&self) -> String {
        let open = self.calls.iter().enumerate().filter(|(_, call)| call.fate == Fate::Open);
        let calls: Vec<usize> = open.map(|(number, _)| number).collect();
        format!("calls {calls:?}, reads of {:?}", self.reads_under_way)
    }

    /// Takes an error that is no judgement, of something that writes nothing.
    pub fn read_failed(&mut self, what: &str, error: &Error, is_closing: bool) {
        self.note(format!("{what} failed: {}", error.code()));
        let is_expected = match error.detail() {
            Detail::StorageFailed { .. }
            | Detail::StorageUnavailable { .. }
            | Detail::QuotaExceeded { .. } => self.is_foul,
            Detail::Closed => is_closing,
            _ => false,
        };
        if !is_expected {
            self.fail(format!("{what} failed: {error:?}"));
        }
    }
}

impl Request {
    pub fn content(&self) -> Content {
        match self {
            Self::Append(_, content) => content.clone(),
            Self::Mark(request) => {
                let kind = match request.mark {
                    Mark::Delete => "$deleted",
                    Mark::Tombstone => "$tombstoned",
                    Mark::Truncate { .. } => "$truncated",
                };
                Content::Fact(request.stream.as_str().to_owned(), kind)
            }
        }
    }
}

/// Which of several conflicting ids is named is the store's to choose; everything else must be the same.
fn is_same_refusal(given: &Error, right: &Error) -> bool {
    given == right || given.code() == "ID_CONFLICT" && right.code() == "ID_CONFLICT"
}

fn outcome_text<T>(result: &Result<T, Error>, text: impl Fn(&T) -> String) -> String {
    match result {
        Ok(value) => format!("done, {}", text(value)),
        Err(error) => format!("{}: {error}", error.code()),
    }
}

/// A request in one line.
fn described(request: &Request) -> String {
    let Request::Append(append, content) = request else { return format!("{request:?}") };
    let writes: Vec<String> = append
        .writes
        .iter()
        .map(|write| {
            let ids: Vec<_> = write.events.iter().map(|event| event.id.map(|id| id.to_parts().1)).collect();
            format!("{} if {}: {} events {ids:?}", write.stream.as_str(), write.expected, ids.len())
        })
        .collect();
    format!("{content:?} [{}] unless {:?}", writes.join("; "), append.condition)
}
