//! Appending to the log, and guarded writes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use web_sys::IdbRequest;

use crate::storage::{
    Area, Batch, Direction, GuardedWrite, Head, Key, KeyRange, LayoutChange, LogRecord, Outcome, Seen,
    Written,
};

use super::fault::Fault;
use super::reading::{Listing, read_head, read_value, request_head};
use super::record;
use super::supplies::Supplies;
use super::transaction::{Operation, Scope, Slot, Step, thrown};

/// The areas that a commit needs.
pub const COMMIT_AREAS: [Area; 2] = [Area::Meta, Area::Log];

/// So many commits look first after one that found others ahead: where tabs append in turns, most writes would be in vain.
const WARY_COUNT: u32 = 16;

/// What the port calls `judge`.
pub type Judge = Box<dyn FnMut(Head, &[LogRecord]) -> Option<Batch>>;

/// In which order a commit asks. Nothing is kept that was not found to follow the head, in either.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// For the head, and at once for all that is to be written if it is the one that was seen. Where it is another, the
    /// transaction is aborted. This spares the writes a turn of the event loop.
    AtOnce,
    /// For the head first, and by what it is for the rest.
    HeadFirst,
}

/// A commit to the log, as all attempts at it share it.
pub struct Commit {
    pub seen: Seen,
    pub judge: RefCell<Judge>,
    /// So many commits of the storage are still to ask for the head first.
    pub wary_count: Rc<Cell<u32>>,
    pub outcome: Slot<Outcome>,
}

/// Appends to the log what the commit's `judge` wants appended.
pub fn append_judged(commit: &Rc<Commit>, asking: Asking) -> Operation {
    let commit = Rc::clone(commit);
    let Seen { head: seen, tail_bytes_max } = commit.seen;
    let mut stage = Stage::Begin;
    Box::new(move |scope| match &mut stage {
        Stage::Begin => {
            let (request, ahead) = commit.ask(scope, asking)?;
            stage = Stage::Head(request.clone(), ahead);
            Ok(Step::Until(request))
        }
        Stage::Head(request, ahead) => {
            let head = read_head(request)?;
            head.check_writer()?;
            if let Some(step) = commit.verify(ahead, head) {
                return Ok(step);
            }
            if head == seen {
                return commit.judge(scope, head, &[]);
            }
            if head.appended_since(seen).is_none_or(|bytes| tail_bytes_max < bytes) {
                commit.outcome.set(Some(Outcome::Behind(head)));
                return Ok(Step::Done);
            }
            let tail = request_tail(scope, seen)?;
            let last = tail.last_request();
            stage = Stage::Tail(head, tail);
            Ok(Step::Until(last))
        }
        Stage::Tail(head, tail) => match read_tail(tail)? {
            Some(records) => commit.judge(scope, *head, &records),
            None => Ok(Step::Until(tail.last_request())),
        },
    })
}

enum Stage {
    Begin,
    Head(IdbRequest, Ahead),
    Tail(Head, Listing),
}

/// What was asked for before the head was known.
enum Ahead {
    NotAsked,
    /// Nothing is to be written, if the head is the one that was seen.
    Nothing,
    /// The last write, and the head that it leaves.
    Written(IdbRequest, Head),
}

impl Commit {
    /// Asks for the head and, where it is not to be known first, for what is to be written if it is the one that was seen.
    fn ask(&self, scope: &Scope, asking: Asking) -> Result<(IdbRequest, Ahead), Fault> {
        let request = request_head(scope)?;
        if asking == Asking::HeadFirst {
            return Ok((request, Ahead::NotAsked));
        }
        // Should this instance stop in the middle of its writes, it is the event of this request that aborts them.
        scope.listen(&request);
        let seen = self.seen.head;
        let batch = (*self.judge.borrow_mut())(seen, &[]);
        let ahead = match batch {
            Some(batch) => Ahead::Written(append(scope, &batch, seen)?, batch.head),
            None => Ahead::Nothing,
        };
        Ok((request, ahead))
    }

    /// What the head makes of what was asked for before it was known. `None` where it is still to be judged.
    fn verify(&self, ahead: &Ahead, head: Head) -> Option<Step> {
        let is_seen = head == self.seen.head;
        let wary_count = self.wary_count.get().saturating_sub(1);
        self.wary_count.set(if is_seen { wary_count } else { WARY_COUNT });
        let (outcome, step) = match ahead {
            Ahead::Written(..) if !is_seen => return Some(Step::Withdraw),
            Ahead::Written(last, after) => (Outcome::Committed(*after), Step::Complete(last.clone())),
            Ahead::Nothing if is_seen => (Outcome::Rejected, Step::Done),
            Ahead::Nothing | Ahead::NotAsked => return None,
        };
        self.outcome.set(Some(outcome));
        Some(step)
    }

    /// Writes what comes of what others committed.
    fn judge(&self, scope: &Scope, head: Head, tail: &[LogRecord]) -> Result<Step, Fault> {
        let batch = (*self.judge.borrow_mut())(head, tail);
        let Some(batch) = batch else {
            self.outcome.set(Some(Outcome::Rejected));
            return Ok(Step::Done);
        };
        self.outcome.set(Some(Outcome::Committed(batch.head)));
        append(scope, &batch, head).map(Step::Complete)
    }
}

/// Writes the batch, which must follow `after`. Returns the last request.
#[inline(never)]
fn append(scope: &Scope, batch: &Batch, after: Head) -> Result<IdbRequest, Fault> {
    batch.assert_follows(after);
    // Each request wakes the storage, unless another has just done so: so they are made in a row.
    let (log, meta) = (scope.store(Area::Log)?, scope.store(Area::Meta)?);
    let head = record::bytes_to_js(&batch.head.to_bytes());
    for LogRecord { first, bytes } in &batch.records {
        let key = record::key_to_js(Area::Log, &Key::Position(*first));
        thrown(log.add_with_key(&record::bytes_to_js(bytes), &key))?;
    }
    thrown(meta.put_with_key(&head, &Supplies::get().head_key))
}

fn put(scope: &Scope, area: Area, key: &Key, value: &[u8]) -> Result<IdbRequest, Fault> {
    let key = record::key_to_js(area, key);
    thrown(scope.store(area)?.put_with_key(&record::bytes_to_js(value), &key))
}

/// Asks for what others have appended since. The head says that it is not too much.
fn request_tail(scope: &Scope, seen: Head) -> Result<Listing, Fault> {
    let range = KeyRange { from: Some(Key::Position(seen.position.next())), to: None };
    let range = record::range_to_js(Area::Log, &range)?.unwrap_or_default();
    Listing::begin(scope, Area::Log, &range, Direction::Forwards, u32::MAX)
}

/// What others have appended since, once all of it is there.
fn read_tail(listing: &mut Listing) -> Result<Option<Vec<LogRecord>>, Fault> {
    let mut tail = Vec::new();
    let is_all = listing.advance(&mut |key, value| {
        let record = record::record_from_js(Area::Log, key, value)?;
        if let Key::Position(first) = record.key {
            tail.push(LogRecord { first, bytes: record.value });
        }
        Ok(())
    })?;
    Ok(is_all.then_some(tail))
}

/// The areas that a guarded write needs. A transaction needs one, even if nothing is asked of it.
pub fn areas_of(write: &GuardedWrite) -> Vec<Area> {
    let mut areas = write.areas();
    if areas.is_empty() {
        areas.push(Area::Meta);
    }
    areas
}

/// Deletes and writes where the layout is the one that is said, and every expectation holds.
pub fn guarded(write: &Rc<GuardedWrite>, written: &Slot<Written>) -> Operation {
    let write = Rc::clone(write);
    let written = Slot::clone(written);
    let mut asked: Vec<IdbRequest> = Vec::new();
    Box::new(move |scope| {
        if asked.is_empty() {
            for (area, key, _) in &write.expect {
                asked.push(thrown(scope.store(*area)?.get(&record::key_to_js(*area, key)))?);
            }
            if write.layout != LayoutChange::Keep {
                asked.push(request_head(scope)?);
            }
            if let Some(last) = asked.last() {
                return Ok(Step::Until(last.clone()));
            }
        }
        let mut holds = true;
        for ((_, _, value), request) in write.expect.iter().zip(&asked) {
            holds &= read_value(request)? == *value;
        }
        let mut head = None;
        if let Some(request) = asked.last().filter(|_| write.layout != LayoutChange::Keep) {
            let found = read_head(request)?;
            found.check_writer()?;
            let changed = found.changed(write.layout);
            holds &= changed.is_some();
            head = changed.filter(|changed| *changed != found);
        }
        if !holds {
            written.set(Some(Written::Refused));
            return Ok(Step::Done);
        }
        written.set(Some(Written::Yes));
        change(scope, &write, head)
    })
}

/// Makes the changes of a write, and writes the head where it has another layout.
fn change(scope: &Scope, write: &GuardedWrite, head: Option<Head>) -> Result<Step, Fault> {
    let mut last = None;
    for (area, range) in &write.deletes {
        if let Some(range) = record::range_to_js(*area, range)? {
            last = Some(thrown(scope.store(*area)?.delete(&range))?);
        }
    }
    for (area, key, value) in &write.puts {
        last = Some(put(scope, *area, key, value)?);
    }
    if let Some(head) = head {
        let head = record::bytes_to_js(&head.to_bytes());
        last = Some(thrown(scope.store(Area::Meta)?.put_with_key(&head, &Supplies::get().head_key))?);
    }
    Ok(last.map_or(Step::Done, Step::Complete))
}
