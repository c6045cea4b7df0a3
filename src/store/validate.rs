//! The arguments of an append, checked before anything is queued.

use crate::error::Error;
use crate::event::{Fact, NewEvent, UnixMillis};
use crate::host::Host;
use crate::id::{EventId, IdGenerator};
use crate::limits;
use crate::log::{Append, Expected, NewEntry, StreamWrite};
use crate::storage::Storage;
use crate::table::ByStream;

use super::queue::Order;
use super::{AppendRequest, Mark, MarkRequest, Shared, WriteRequest};

impl<S: Storage, H: Host> Shared<S, H> {
    pub(super) fn checked_append(&self, request: AppendRequest) -> Result<Order, Error> {
        let size_bytes = check_writes(&request.writes)?;
        if let Some(condition) = &request.condition
            && limits::INTEGER_MAX < condition.after.0
        {
            return Err(too_large("condition.after"));
        }
        let writes = request
            .writes
            .into_iter()
            .map(|write| StreamWrite {
                stream: write.stream,
                expected: write.expected,
                entries: write.events.into_iter().map(|event| self.named(event)).collect(),
            })
            .collect();
        let append = Append { writes, condition: request.condition };
        let durability = request.durability.unwrap_or(self.durability);
        Ok(Order { append, durability, size_bytes })
    }

    pub(super) fn checked_mark(&self, request: MarkRequest) -> Result<Order, Error> {
        check_expected(request.expected)?;
        let fact = match request.mark {
            Mark::Delete => Fact::Deleted,
            Mark::Tombstone => Fact::Tombstoned,
            Mark::Truncate { before } if limits::INTEGER_MAX < before.0 => return Err(too_large("before")),
            Mark::Truncate { before } => Fact::Truncated { before },
        };
        let size_bytes = request.stream.as_str().len();
        let write = StreamWrite {
            stream: request.stream,
            expected: request.expected,
            entries: vec![NewEntry::Fact(fact, self.next_id())],
        };
        let append = Append { writes: vec![write], condition: None };
        Ok(Order { append, durability: request.durability.unwrap_or(self.durability), size_bytes })
    }

    fn named(&self, event: NewEvent) -> NewEntry {
        let id = event.id.unwrap_or_else(|| self.next_id());
        NewEntry::Event(event, id)
    }

    fn next_id(&self) -> EventId {
        let mut ids = self.ids.borrow_mut();
        if ids.remaining() == 0 {
            *ids = new_generator(&self.host);
        }
        ids.next_id()
    }
}

pub(super) fn new_generator(host: &impl Host) -> IdGenerator {
    let mut prefix = [0; EventId::PREFIX_BYTES];
    host.random(&mut prefix);
    IdGenerator::new(prefix)
}

/// Checks all writes of a commit, and adds up their size.
fn check_writes(writes: &[WriteRequest]) -> Result<usize, Error> {
    let event_count: usize = writes.iter().map(|write| write.events.len()).sum();
    limits::check("commit events", event_count, limits::COMMIT_EVENTS_MAX)?;
    limits::check("commit writes", writes.len(), limits::COMMIT_WRITES_MAX)?;
    let mut placed = ByStream::default();
    let mut size_bytes = 0;
    for (write_index, write) in writes.iter().enumerate() {
        check_expectation(&mut placed, write).map_err(|error| error.at(&format!("writes[{write_index}]")))?;
        for (index, event) in write.events.iter().enumerate() {
            check_event(event)
                .map_err(|error| error.at(&format!("writes[{write_index}].events[{index}]")))?;
            size_bytes += event.size_bytes();
        }
        size_bytes += write.stream.as_str().len();
    }
    limits::check("commit bytes", size_bytes, limits::COMMIT_BYTES_MAX)?;
    Ok(size_bytes)
}

/// A stream may stand in a commit twice, where only one expectation is placed on it: `any` places none.
fn check_expectation(placed: &mut ByStream<Expected>, write: &WriteRequest) -> Result<(), Error> {
    check_expected(write.expected)?;
    if write.expected == Expected::Any {
        return Ok(());
    }
    match placed.insert(&write.stream, write.expected) {
        Some(before) if before != write.expected => {
            let problem = format!(
                "{} is expected of stream \"{}\" here, and {before} in the same commit before",
                write.expected, write.stream
            );
            Err(Error::invalid_argument("expected", problem))
        }
        _ => Ok(()),
    }
}

fn check_expected(expected: Expected) -> Result<(), Error> {
    match expected {
        Expected::Revision(revision) if limits::INTEGER_MAX < revision.0 => Err(too_large("expected")),
        _ => Ok(()),
    }
}

fn check_event(event: &NewEvent) -> Result<(), Error> {
    limits::check("event tags", event.tags.len(), limits::TAGS_PER_EVENT_MAX)
        .map_err(|error| error.at("tags"))?;
    limits::check("event bytes", event.size_bytes(), limits::EVENT_BYTES_MAX)?;
    match event.time {
        Some(UnixMillis(time)) if limits::INTEGER_MAX < time.unsigned_abs() => Err(too_large("time")),
        _ => Ok(()),
    }
}

fn too_large(path: &str) -> Error {
    Error::invalid_argument(path, format!("the number is beyond {}", limits::INTEGER_MAX))
}
