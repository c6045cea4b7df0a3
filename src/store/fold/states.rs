//! States in the making.

use crate::aggregate::{Reducer, ReducerFailure};
use crate::codec::{Body, DecodedRecord, Entry, EventNumbers};
use crate::error::{Detail, Error};
use crate::event::{Position, Revision, StreamName};
use crate::reducer::Versions;
use crate::table::ByStream;

use super::Folded;

/// What events are handed to, one after the other.
pub trait Folding {
    /// The next events are of this record.
    fn begin_record(&mut self, record: &DecodedRecord);

    /// The next events are of this stream.
    fn turn_to(&mut self, stream: &str) -> Result<(), Error>;

    /// Folds the event or passes over the fact at a place of the record. Errors: `REDUCER_FAILED`.
    fn event(&mut self, record: &DecodedRecord, place: usize) -> Result<Taken, Error>;

    /// Folds an event of any version. Errors: `REDUCER_FAILED`.
    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), Error>;
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is folded.
    Folded,
    /// It was not: its version is not the one that the reducer was written for.
    IsOfOtherVersion,
}

/// One state.
pub(super) struct OneState<'r, R: Reducer> {
    way: Way<'r, R>,
    folded: Folded<R::State>,
}

/// A state for each stream.
pub(super) struct AllStates<'r, R: Reducer> {
    way: Way<'r, R>,
    streams: ByStream<Folded<R::State>>,
    /// The number of the stream whose events come.
    current: usize,
}

/// How events of one record are folded.
struct Way<'r, R: Reducer> {
    reducer: &'r R,
    versions: &'r Versions,
    /// What is known of the types of the record, by their numbers.
    types: Vec<KnownType>,
}

struct KnownType {
    is_folded: bool,
    /// What the reducer knows it by.
    handler: usize,
    version: Option<u32>,
}

impl<'r, R: Reducer> OneState<'r, R> {
    pub fn new(reducer: &'r R, versions: &'r Versions, folded: Folded<R::State>) -> Self {
        Self { way: Way::new(reducer, versions), folded }
    }

    pub fn reducer(&self) -> &'r R {
        self.way.reducer
    }

    pub fn into_folded(self) -> Folded<R::State> {
        self.folded
    }
}

impl<'r, R: Reducer> AllStates<'r, R> {
    pub fn new(reducer: &'r R, versions: &'r Versions) -> Self {
        Self { way: Way::new(reducer, versions), streams: ByStream::default(), current: 0 }
    }

    pub fn reducer(&self) -> &'r R {
        self.way.reducer
    }

    pub fn into_streams(self) -> Vec<(StreamName, Folded<R::State>)> {
        self.streams.into_rows()
    }
}

impl<R: Reducer> Folding for OneState<'_, R> {
    fn begin_record(&mut self, record: &DecodedRecord) {
        self.way.begin_record(record);
    }

    fn turn_to(&mut self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn event(&mut self, record: &DecodedRecord, place: usize) -> Result<Taken, Error> {
        match record.numbers(place) {
            Some(numbers) => self.way.event(&mut self.folded, record, place, numbers),
            None => Ok(Taken::Folded),
        }
    }

    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        self.way.entry(&mut self.folded, entry)
    }
}

impl<R: Reducer> Folding for AllStates<'_, R> {
    fn begin_record(&mut self, record: &DecodedRecord) {
        self.way.begin_record(record);
    }

    fn turn_to(&mut self, stream: &str) -> Result<(), Error> {
        self.current = match self.streams.find(stream) {
            Some(number) => number,
            None => {
                let first = || Folded::nothing(self.way.reducer.initial());
                self.streams.number_of(&StreamName::new(stream)?, first)
            }
        };
        Ok(())
    }

    fn event(&mut self, record: &DecodedRecord, place: usize) -> Result<Taken, Error> {
        match (record.numbers(place), self.streams.row_mut(self.current)) {
            // Where the log was compacted meanwhile, what was folded comes by again.
            (Some(numbers), Some(folded)) if folded.last_position < numbers.position => {
                self.way.event(folded, record, place, numbers)
            }
            _ => Ok(Taken::Folded),
        }
    }

    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        self.turn_to(entry.stream)?;
        let folded = self.streams.row_mut(self.current);
        folded.map_or(Ok(()), |folded| self.way.entry(folded, entry))
    }
}

impl<'r, R: Reducer> Way<'r, R> {
    fn new(reducer: &'r R, versions: &'r Versions) -> Self {
        Self { reducer, versions, types: Vec::new() }
    }

    fn begin_record(&mut self, record: &DecodedRecord) {
        let known = |name: &str| KnownType {
            is_folded: self.reducer.folds(name),
            handler: self.reducer.handler(name),
            version: self.versions.of(name),
        };
        self.types.clear();
        self.types.extend(record.type_names().map(known));
    }

    /// Folds an event that comes after all others; facts count for nothing. Of an event that changes nothing only numbers
    /// are looked at.
    fn event(
        &self,
        folded: &mut Folded<R::State>,
        record: &DecodedRecord,
        place: usize,
        EventNumbers { position, revision, type_number }: EventNumbers,
    ) -> Result<Taken, Error> {
        let known = self.types.get(type_number);
        if let Some(version) = known.and_then(|known| known.version)
            && !self.versions.is_of(record.metadata(place), version)
        {
            return Ok(Taken::IsOfOtherVersion);
        }
        if let Some(known) = known.filter(|known| known.is_folded)
            && let Some(entry) = record.entry(place)
        {
            let done = self.reducer.evolve_by(known.handler, &mut folded.state, &entry);
            done.map_err(|failure| failed(&entry, failure))?;
        }
        folded.pass(position, revision);
        Ok(Taken::Folded)
    }

    fn entry(&self, folded: &mut Folded<R::State>, entry: &Entry<'_>) -> Result<(), Error> {
        let Body::Event { revision, .. } = entry.body else { return Ok(()) };
        self.reducer.evolve(&mut folded.state, entry).map_err(|failure| failed(entry, failure))?;
        folded.pass(entry.position, revision);
        Ok(())
    }
}

#[cold]
#[inline(never)]
fn failed(entry: &Entry<'_>, failure: ReducerFailure) -> Error {
    let (revision, event_type) = match entry.body {
        Body::Event { revision, event_type, .. } => (revision, event_type),
        Body::Fact(_) => (Revision::FIRST, ""),
    };
    Error::new(Detail::ReducerFailed {
        stream: entry.stream.to_owned(),
        revision,
        event_type: event_type.to_owned(),
        problem: failure.to_string(),
    })
}

impl<S> Folded<S> {
    /// Notes an event as folded.
    fn pass(&mut self, position: Position, revision: Revision) {
        self.count += 1;
        (self.last_position, self.revision) = (position, Some(revision));
    }
}
