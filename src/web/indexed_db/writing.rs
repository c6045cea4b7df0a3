//! Appending to the log, and guarded writes.

use std::cell::Cell;
use std::rc::Rc;

use web_sys::IdbRequest;

use crate::storage::{
    Area, Batch, Direction, GuardedWrite, Head, Key, KeyRange, LogRecord, Outcome, Record, Seen,
    StorageFault, Written,
};

use super::reading::{Listing, request_head};
use super::record::{self, Query};
use super::transaction::{Scope, Step, result_of, thrown};

/// The areas that a commit needs.
pub const COMMIT_AREAS: [Area; 2] = [Area::Meta, Area::Log];

/// A judge that waits to be called, which happens at most once. It is shared by the attempts of a commit: one
/// that failed before its judgement may be repeated.
pub struct Pending<J> {
    judge: Rc<Cell<Option<J>>>,
}

impl<J> Pending<J> {
    /// A judge that was not called yet.
    pub fn new(judge: J) -> Self {
        Self { judge: Rc::new(Cell::new(Some(judge))) }
    }

    /// Whether another attempt can call it.
    pub fn is_uncalled(&self) -> bool {
        let judge = self.judge.take();
        let is_uncalled = judge.is_some();
        self.judge.set(judge);
        is_uncalled
    }
}

impl<J> Clone for Pending<J> {
    fn clone(&self) -> Self {
        Self { judge: Rc::clone(&self.judge) }
    }
}

/// Appends to the log what `judge` wants appended.
pub fn commit<J>(
    Seen { head: seen, tail_bytes_max }: Seen,
    judge: Pending<J>,
) -> impl FnMut(&Scope<'_>) -> Result<Step<Outcome>, StorageFault> + 'static
where
    J: FnOnce(Head, &[LogRecord]) -> Option<Batch> + 'static,
{
    let mut stage = Stage::Begin;
    move |scope| match &mut stage {
        Stage::Begin => {
            let request = request_head(scope)?;
            stage = Stage::Head(request.clone());
            Ok(Step::Until(request))
        }
        Stage::Head(request) => {
            let head = record::head_from_js(&result_of(request)?)?;
            if head == seen {
                return append(scope, head, &[], &judge);
            }
            if head.appended_since(seen).is_none_or(|bytes| tail_bytes_max < bytes) {
                return Ok(Step::Answer(Outcome::Behind(head)));
            }
            let tail = request_tail(scope, seen)?;
            let last = tail.last_request().clone();
            stage = Stage::Tail(head, Some(tail));
            Ok(Step::Until(last))
        }
        Stage::Tail(head, tail) => {
            let tail = read_tail(tail.take())?;
            append(scope, *head, &tail, &judge)
        }
    }
}

enum Stage {
    Begin,
    Head(IdbRequest),
    Tail(Head, Option<Listing>),
}

fn append<J>(
    scope: &Scope<'_>,
    head: Head,
    tail: &[LogRecord],
    judge: &Pending<J>,
) -> Result<Step<Outcome>, StorageFault>
where
    J: FnOnce(Head, &[LogRecord]) -> Option<Batch>,
{
    let judge = judge.judge.take();
    assert!(judge.is_some(), "a transaction judges twice");
    let Some(batch) = judge.and_then(|judge| judge(head, tail)) else {
        return Ok(Step::Answer(Outcome::Rejected));
    };
    batch.assert_follows(head);
    let log = scope.store(Area::Log)?;
    for LogRecord { first, bytes } in &batch.records {
        let key = record::key_to_js(Area::Log, &Key::Position(*first));
        thrown(log.add_with_key(&record::bytes_to_js(bytes), &key))?;
    }
    let head = record::bytes_to_js(&batch.head.to_bytes());
    let key = record::key_to_js(Area::Meta, &Key::text(Head::KEY));
    let last = thrown(scope.store(Area::Meta)?.put_with_key(&head, &key))?;
    Ok(Step::Complete(last, Outcome::Committed(batch.head)))
}

/// Asks for what others have appended since. The head says that it is not too much.
fn request_tail(scope: &Scope<'_>, seen: Head) -> Result<Listing, StorageFault> {
    let range = KeyRange { from: Some(Key::Position(seen.position.next())), to: None };
    let query = Query::new(Area::Log, &range)?;
    Listing::begin(&scope.store(Area::Log)?, &query, Direction::Forwards, u32::MAX)
}

fn read_tail(listing: Option<Listing>) -> Result<Vec<LogRecord>, StorageFault> {
    let Some(mut listing) = listing else { return Ok(Vec::new()) };
    // Forwards, the browser gives all at once.
    listing.advance(Area::Log)?;
    let log_record = |record: Record| match record.key {
        Key::Position(first) => Some(LogRecord { first, bytes: record.value }),
        Key::Bytes(_) => None,
    };
    Ok(listing.into_records().into_iter().filter_map(log_record).collect())
}

/// The areas that a guarded write needs.
pub fn areas_of(write: &GuardedWrite) -> Vec<Area> {
    let expected = write.expect.iter().map(|(area, ..)| *area);
    let put = write.puts.iter().map(|(area, ..)| *area);
    let deleted = write.deletes.iter().map(|(area, ..)| *area);
    let mut areas: Vec<Area> = expected.chain(put).chain(deleted).collect();
    areas.sort_unstable();
    areas.dedup();
    areas
}

/// Writes and deletes where every expectation holds.
pub fn guarded(
    write: Rc<GuardedWrite>,
) -> impl FnMut(&Scope<'_>) -> Result<Step<Written>, StorageFault> + 'static {
    let mut expected: Option<Vec<IdbRequest>> = None;
    move |scope| {
        let Some(requests) = &expected else {
            let get = |(area, key, _): &(Area, Key, _)| {
                thrown(scope.store(*area)?.get(&record::key_to_js(*area, key)))
            };
            let requests: Vec<IdbRequest> = write.expect.iter().map(get).collect::<Result<_, _>>()?;
            let Some(last) = requests.last().cloned() else { return change(scope, &write) };
            expected = Some(requests);
            return Ok(Step::Until(last));
        };
        for ((area, _, value), request) in write.expect.iter().zip(requests) {
            if record::value_from_js(*area, &result_of(request)?)? != *value {
                return Ok(Step::Answer(Written::Refused));
            }
        }
        change(scope, &write)
    }
}

fn change(scope: &Scope<'_>, write: &GuardedWrite) -> Result<Step<Written>, StorageFault> {
    let mut last = None;
    for (area, key, value) in &write.puts {
        let key = record::key_to_js(*area, key);
        last = Some(thrown(scope.store(*area)?.put_with_key(&record::bytes_to_js(value), &key))?);
    }
    for (area, key) in &write.deletes {
        last = Some(thrown(scope.store(*area)?.delete(&record::key_to_js(*area, key)))?);
    }
    Ok(match last {
        Some(last) => Step::Complete(last, Written::Yes),
        None => Step::Answer(Written::Yes),
    })
}
