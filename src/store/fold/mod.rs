//! Folding events into states: one state of a stream or of a query, or a state for each stream.
//!
//! Reading and folding take turns: while some blocks are folded, the next are on their way. What waits knows nothing of
//! reducers, so that it is compiled once: it hands events to a [`Folding`], which is made for one.

pub mod json;
mod states;

use std::ops::ControlFlow;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::aggregate::Reducer;
use crate::codec::DecodedRecord;
use crate::error::{Detail, Error};
use crate::event::{Position, Revision, StreamName, UnixMillis};
use crate::host::Host;
use crate::query::{Query, QueryItem};
use crate::reducer::Versions;
use crate::storage::{Direction, Storage};

use super::catch_up::Slice;
use super::stored::{StoredPlace, StoredWalk};
use super::{AllRead, EventPage, Shared, Store, StreamRead};
use states::{AllStates, Folding, OneState, Taken};

/// So many blocks are folded in one go: as many as one transaction reads.
const PORTION_BLOCKS: usize = 32;
/// So many portions are on their way while one is folded.
const PORTIONS_AHEAD: usize = 4;
/// After so many events it is looked how long the page was kept busy.
const EVENTS_PER_LOOK: usize = 256;

/// What is folded into one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoldSource {
    /// A stream, up to a revision that is no longer of interest, if there is one.
    Stream {
        /// The stream.
        stream: StreamName,
        /// The first revision of no interest; `None` for the end.
        before: Option<Revision>,
    },
    /// What matches a query, in the order of the log.
    Query(Query),
}

/// A fold is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldRequest {
    /// What is folded.
    pub source: FoldSource,
    /// The state of the log to read; `None` for now.
    pub as_of: Option<Position>,
}

/// A state, and how far it has come. Any may be gone on from, with the same reducer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded<S> {
    /// The state.
    pub state: S,
    /// How many events were met.
    pub count: u64,
    /// The revision of the last event. `None` where there was none.
    pub revision: Option<Revision>,
    /// The position of the last event; the start where there was none.
    pub last_position: Position,
    /// Up to which position the log was looked at.
    pub as_of: Position,
}

/// The states of all streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllFolded<S> {
    /// Each stream of which an event is seen, in no order.
    pub streams: Vec<(StreamName, Folded<S>)>,
    /// The state of the log that was read.
    pub as_of: Position,
}

/// How far a fold is, in positions of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// Up to where, about.
    pub done: Position,
    /// Where it ends.
    pub total: Position,
}

/// How a fold ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    /// The state of the log that was read.
    pub as_of: Position,
    /// Whether an event has to be made one of today before it can be folded: all before it are folded.
    pub met: Taken,
}

/// Hears how far a fold is, and says whether it is still wanted.
type Listener<'a> = &'a mut dyn FnMut(Passed) -> ControlFlow<()>;

impl<S> Folded<S> {
    /// The fold of nothing.
    pub fn nothing(state: S) -> Self {
        let (last_position, as_of) = (Position::START, Position::START);
        Self { state, count: 0, revision: None, last_position, as_of }
    }
}

impl<S: Storage, H: Host> Store<S, H> {
    /// Folds a stream, or what matches a query. What is hidden is not folded, nor are facts.
    ///
    /// # Errors
    ///
    /// `REDUCER_FAILED` where the reducer cannot take an event; those of [`Store::read_stream`].
    pub async fn load<R: Reducer>(
        &self,
        reducer: &R,
        request: &FoldRequest,
    ) -> Result<Folded<R::State>, Error> {
        self.fold(reducer, Folded::nothing(reducer.initial()), request, |_| ControlFlow::Continue(())).await
    }

    /// Goes on with a fold of the same source: with what comes after its last revision in the stream, or after the
    /// position up to which the log was looked at. Whether what was folded is still seen, its caller knows.
    ///
    /// # Errors
    ///
    /// As of [`Store::load`]; `ABORTED` where `progress` said that it is not wanted any more.
    pub async fn fold<R: Reducer>(
        &self,
        reducer: &R,
        from: Folded<R::State>,
        request: &FoldRequest,
        mut progress: impl FnMut(Passed) -> ControlFlow<()>,
    ) -> Result<Folded<R::State>, Error> {
        let versions = Versions::default();
        let (start, mut state) = (from.start(), OneState::new(reducer, &versions, from));
        let ended = self.shared.fold_one(&mut state, request, start, &mut progress).await?;
        Ok(Folded { as_of: ended.as_of, ..state.into_folded() })
    }

    /// Folds each stream of a category, or of the whole log, in one pass. `progress` hears how far it is, and says whether
    /// it is still wanted.
    ///
    /// # Errors
    ///
    /// As of [`Store::fold`].
    pub async fn load_all<R: Reducer>(
        &self,
        reducer: &R,
        category: Option<&str>,
        mut progress: impl FnMut(Passed) -> ControlFlow<()>,
    ) -> Result<AllFolded<R::State>, Error> {
        let versions = Versions::default();
        let mut states = AllStates::new(reducer, &versions);
        let category = category.map(Rc::from);
        let ended = self.shared.fold_all(&mut states, category, None, &mut progress).await?;
        let (mut streams, as_of) = (states.into_streams(), ended.as_of);
        streams.iter_mut().for_each(|(_, folded)| folded.as_of = as_of);
        Ok(AllFolded { streams, as_of })
    }

    /// The position before the first event or fact, in their order, that is later than a time; that of the log where
    /// there is none. A state as of it is the state at that time.
    ///
    /// # Errors
    ///
    /// As of [`Store::read_all`].
    pub async fn position_at(&self, time: UnixMillis) -> Result<Position, Error> {
        let facts = ["$deleted", "$tombstoned", "$truncated"].map(Rc::from).to_vec();
        let facts = QueryItem { types: Some(facts), ..QueryItem::default() };
        let query = Query::new(vec![QueryItem::default(), facts])?;
        let since = Some(UnixMillis(time.0.saturating_add(1)));
        let mut read = AllRead { query, since, limit: Some(1), ..AllRead::everything() };
        loop {
            let page = self.read_all(&read).await?;
            let first = page.entries().next().map(|entry| entry.position);
            match (first, page.next) {
                // What was hidden from there on is seen again before it, and may be later than the time as well.
                (Some(first), _) => {
                    (read.after, read.as_of) = (Position::START, Some(Position(first.0.saturating_sub(1))));
                }
                (None, Some(next)) => (read.after, read.as_of) = (Position(next), Some(page.as_of)),
                (None, None) => return Ok(page.as_of),
            }
        }
    }
}

/// Where a fold of a source begins.
#[derive(Clone, Copy)]
pub(super) struct Start {
    revision: Revision,
    after: Position,
}

impl<S> Folded<S> {
    pub(super) fn start(&self) -> Start {
        Start { revision: self.revision.map_or(Revision::FIRST, Revision::next), after: self.as_of }
    }
}

/// A read of what is folded into one state.
enum Reading {
    Stream(StreamRead),
    All(AllRead),
}

impl Reading {
    fn new(FoldRequest { source, as_of }: &FoldRequest, start: Start) -> Self {
        let as_of = *as_of;
        match source {
            FoldSource::Stream { stream, before } => Self::Stream(StreamRead {
                stream: stream.clone(),
                from: start.revision,
                before: *before,
                direction: Direction::Forwards,
                limit: None,
                as_of,
            }),
            FoldSource::Query(query) => Self::All(AllRead {
                after: start.after,
                query: query.clone(),
                as_of,
                ..AllRead::everything()
            }),
        }
    }

    /// Goes on after a page.
    fn go_on(&mut self, next: u64, state: Position) {
        match self {
            Self::Stream(read) => (read.from, read.as_of) = (Revision(next), Some(state)),
            Self::All(read) => (read.after, read.as_of) = (Position(next), Some(state)),
        }
    }
}

impl<S: Storage, H: Host> Shared<S, H> {
    /// Folds pages into one state.
    pub(super) fn fold_one<'a>(
        &'a self,
        folding: &'a mut dyn Folding,
        request: &'a FoldRequest,
        start: Start,
        progress: Listener<'a>,
    ) -> LocalBoxFuture<'a, Result<Ended, Error>> {
        async move {
            let mut reading = Reading::new(request, start);
            let mut slice = Slice::begin(&self.host);
            loop {
                let page = match &reading {
                    Reading::Stream(read) => self.read_stream(read).await?,
                    Reading::All(read) => self.read_all(read).await?,
                };
                let as_of = page.as_of;
                if self.fold_page(folding, &page, &mut slice).await? == Taken::IsOfOtherVersion {
                    return Ok(Ended { as_of, met: Taken::IsOfOtherVersion });
                }
                let Some(next) = page.next else { return Ok(Ended { as_of, met: Taken::Folded }) };
                let last = page.events.last().and_then(|(record, place)| record.position(*place));
                go_on(progress, last.unwrap_or_default(), as_of)?;
                reading.go_on(next, as_of);
            }
        }
        .boxed_local()
    }

    async fn fold_page(
        &self,
        folding: &mut dyn Folding,
        page: &EventPage,
        slice: &mut Slice,
    ) -> Result<Taken, Error> {
        let mut current: Option<&Rc<DecodedRecord>> = None;
        for (count, (record, place)) in (1..).zip(&page.events) {
            if current.is_none_or(|current| !Rc::ptr_eq(current, record)) {
                folding.begin_record(record);
                current = Some(record);
            }
            if folding.event(record, *place)? == Taken::IsOfOtherVersion {
                return Ok(Taken::IsOfOtherVersion);
            }
            if count % EVENTS_PER_LOOK == 0 {
                slice.yield_when_over(&self.host).await;
            }
        }
        Ok(Taken::Folded)
    }

    /// Folds the log in the order in which it is stored into a state for each stream.
    pub(super) fn fold_all<'a>(
        &'a self,
        folding: &'a mut dyn Folding,
        category: Option<Rc<str>>,
        as_of: Option<Position>,
        progress: Listener<'a>,
    ) -> LocalBoxFuture<'a, Result<Ended, Error>> {
        async move {
            let mut place = StoredPlace::default();
            // What the read before did not need any more is let go.
            self.early.take();
            // While the newest state is found out, what is known to be read is already read.
            let known = StoredWalk::new(category.clone(), as_of.unwrap_or_else(|| self.head_position()))?;
            self.fold_early(&known, place);
            let as_of = self.state_to_read(as_of).await?;
            let walk = StoredWalk::new(category, as_of)?;
            let keep = self.begin_walk();
            let mut slice = Slice::begin(&self.host);
            // Which blocks follow is said by the directory: as soon as that is there, more than the first are asked for.
            self.look(&mut |view| walk.look_at_plan(view, place, PORTION_BLOCKS)).await?;
            loop {
                self.fold_early(&walk, place);
                let mut portion = None;
                self.look_and(keep, &mut |view| {
                    portion = Some(walk.portion(view, place, PORTION_BLOCKS)?);
                    Ok(())
                })
                .await?;
                let Some(portion) = portion else { return Ok(Ended { as_of, met: Taken::Folded }) };
                for (record, runs) in &portion.records {
                    folding.begin_record(record);
                    for run in runs {
                        let mut visible = walk.visible(record, run, place.after);
                        if fold_run(folding, record, &mut visible)? == Taken::IsOfOtherVersion {
                            return Ok(Ended { as_of, met: Taken::IsOfOtherVersion });
                        }
                    }
                    slice.yield_when_over(&self.host).await;
                }
                go_on(progress, portion.done, as_of)?;
                match portion.next {
                    Some(next) => place = next,
                    None => return Ok(Ended { as_of, met: Taken::Folded }),
                }
            }
        }
        .boxed_local()
    }

    /// Asks for what begins at a place, and for what follows.
    fn fold_early(&self, walk: &StoredWalk, place: StoredPlace) {
        self.begin_early(&mut |view| walk.look_ahead(view, place, PORTION_BLOCKS, PORTIONS_AHEAD));
    }
}

/// Folds events of one stream.
fn fold_run(
    folding: &mut dyn Folding,
    record: &DecodedRecord,
    places: &mut dyn Iterator<Item = usize>,
) -> Result<Taken, Error> {
    let mut has_begun = false;
    for place in places {
        if !std::mem::replace(&mut has_begun, true) {
            folding.turn_to(record.stream(place).unwrap_or_default())?;
        }
        if folding.event(record, place)? == Taken::IsOfOtherVersion {
            return Ok(Taken::IsOfOtherVersion);
        }
    }
    Ok(Taken::Folded)
}

fn go_on(progress: Listener<'_>, done: Position, total: Position) -> Result<(), Error> {
    match progress(Passed { done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::new(Detail::Aborted)),
    }
}
