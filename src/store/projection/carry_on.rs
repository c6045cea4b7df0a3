//! Carrying a build on without anybody above: events are read, folded into documents, and what they come to is written.
//!
//! A batch is some pages of events. Its documents are read once, folded in memory, and written once. Where an event cannot be folded, what it
//! has begun to change is thrown away, and the batch is folded once more up to it.

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::codec::{Body, DecodedRecord};
use crate::documents::{DocumentReducer, Folding};
use crate::error::Error;
use crate::event::{Fact, Position, Revision, UnixMillis};
use crate::host::Host;
use crate::limits;
use crate::projection::changes::Change;
use crate::reducer::{EventView, ReducerFailure};
use crate::storage::{Area, Storage};

use super::super::catch_up::Slice;
use super::super::{EventPage, Shared, Store};
use super::{Advance, Claim, Projection, Ready, Turn, Whose};

/// So many events are folded before what they come to is written.
const BATCH_EVENTS_MAX: usize = 16_384;
/// Nor longer than this, as long as there is more: who watches sees that it goes on.
const BATCH_MS_MAX: i64 = 500;
/// So far beyond what is written it may be known that nothing has come.
const UNWRITTEN_POSITIONS_MAX: u64 = 4_096;
/// After so many events, or documents, it is looked how long the page was kept busy.
const STEPS_PER_LOOK: usize = 256;

/// A build is to be carried on.
#[derive(Debug)]
pub struct CarryOn<'a> {
    /// Of which projection.
    pub projection: Projection,
    /// The right to do so, and how far the build is.
    pub claim: Claim,
    /// What folds its documents.
    pub reducer: &'a DocumentReducer,
}

/// An event or a fact that is handed over as it is.
#[derive(Debug, Clone)]
pub struct GivenEvent {
    /// What happened.
    pub event_type: Rc<str>,
    /// Where.
    pub stream: Rc<str>,
    /// Its data, a JSON text.
    pub data: Option<Rc<str>>,
    /// Its metadata, a JSON text.
    pub metadata: Option<Rc<str>>,
    /// Its place in its stream. A fact has none.
    pub revision: Option<u64>,
    /// Its place in the log.
    pub position: u64,
    /// When it happened.
    pub time: UnixMillis,
}

/// Gives the next page of events; nothing once no more are wanted.
pub type NextPage<'a> = &'a mut dyn FnMut() -> LocalBoxFuture<'static, Result<Option<EventPage>, Error>>;

/// What became of carrying a build on.
#[derive(Debug)]
pub enum Carried {
    /// No more events are wanted. What was not written is folded again by who goes on.
    Ended,
    /// Another one has the right, or the build is gone: nothing was written.
    Lost,
    /// It went on.
    On(CarriedOn),
}

/// How far a build was carried on.
#[derive(Debug, Default)]
pub struct CarriedOn {
    /// Up to where the log is folded.
    pub position: Position,
    /// Whether it was written: not where nothing has come that is worth it.
    pub is_written: bool,
    /// Whether the build is to answer from now on.
    pub is_ready: bool,
    /// The documents that changed.
    pub changed: Vec<Rc<str>>,
    /// Why it goes no further.
    pub failure: Option<DocumentFailure>,
    /// The page that comes next, where events in it have to be made such of today first.
    pub older: Option<EventPage>,
}

/// Which event could not be folded, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFailure {
    /// Its stream.
    pub stream: String,
    /// Its place there. A fact has none.
    pub revision: Option<Revision>,
    /// What happened.
    pub event_type: String,
    /// Its place in the log.
    pub position: Position,
    /// What was wrong.
    pub problem: String,
    /// How long the document would be, where it is too long.
    pub size_bytes: Option<usize>,
}

/// Events that are folded in one go, and up to where they are all that is wanted.
struct Portion {
    events: Events,
    end: Position,
}

enum Events {
    Stored(EventPage),
    Given(Vec<GivenEvent>),
}

/// What became of a portion.
enum Taken {
    Folded,
    Lost,
    Failed(DocumentFailure),
}

/// What was folded and is not written.
struct Batch {
    folding: Box<dyn Folding>,
    portions: Vec<Portion>,
    event_count: usize,
    position: Position,
    failure: Option<DocumentFailure>,
}

impl<S: Storage, H: Host> Store<S, H> {
    /// Folds what comes after the position of a claim, as far as one batch goes, and writes what it comes to: as
    /// [`Store::advance`]. Waits for the first page as long as there is none.
    ///
    /// # Errors
    ///
    /// Those of `next`; as of [`Store::advance`].
    pub async fn carry_on(&self, carry_on: CarryOn<'_>, next: NextPage<'_>) -> Result<Carried, Error> {
        self.shared.carry_on(carry_on, next).await
    }

    /// The same with events that are handed over, whatever their version: all that is wanted up to a position.
    ///
    /// # Errors
    ///
    /// As of [`Store::advance`].
    pub async fn carry_on_by(
        &self,
        carry_on: CarryOn<'_>,
        events: Vec<GivenEvent>,
        end: Position,
        ready: Ready,
    ) -> Result<Carried, Error> {
        let portion = Portion { events: Events::Given(events), end };
        let mut batch = Batch::new(&carry_on);
        if self.shared.take(&carry_on, &mut batch, portion).await? == Turn::Lost {
            return Ok(Carried::Lost);
        }
        // There were events, though none of them may be left.
        batch.event_count = batch.event_count.max(1);
        self.shared.write_batch(carry_on, batch, ready).await
    }
}

impl<S: Storage, H: Host> Shared<S, H> {
    async fn carry_on(&self, carry_on: CarryOn<'_>, next: NextPage<'_>) -> Result<Carried, Error> {
        let mut batch = Batch::new(&carry_on);
        let mut older = None;
        let mut begun = None;
        let ready = loop {
            let Some(page) = next().await? else { return Ok(Carried::Ended) };
            let began = *begun.get_or_insert_with(|| self.host.now());
            if has_older(&page, carry_on.reducer) {
                older = Some(page);
                break Ready::NotYet;
            }
            let is_last = page.next.is_none();
            let end = page.next.map_or(page.as_of, Position).max(carry_on.claim.position);
            let portion = Portion { events: Events::Stored(page), end };
            if self.take(&carry_on, &mut batch, portion).await? == Turn::Lost {
                return Ok(Carried::Lost);
            }
            let lasted_ms = self.host.now().0.saturating_sub(began.0);
            if is_last && batch.failure.is_none() {
                break Ready::Now;
            }
            // A clock that was set back ends the batch early, which does no harm.
            let is_over = BATCH_EVENTS_MAX <= batch.event_count || !(0..BATCH_MS_MAX).contains(&lasted_ms);
            if is_over || batch.failure.is_some() {
                break Ready::NotYet;
            }
        };
        let carried = self.write_batch(carry_on, batch, ready).await?;
        Ok(match carried {
            Carried::On(on) => Carried::On(CarriedOn { older, ..on }),
            other => other,
        })
    }

    /// Takes a portion into a batch: up to the first event that cannot be folded.
    async fn take(&self, carry_on: &CarryOn<'_>, batch: &mut Batch, portion: Portion) -> Result<Turn, Error> {
        match self.fold_portion(carry_on, &mut *batch.folding, &portion, None).await? {
            Taken::Lost => return Ok(Turn::Lost),
            Taken::Folded => {
                batch.event_count += portion.events.len();
                batch.position = portion.end;
                batch.portions.push(portion);
            }
            Taken::Failed(failure) => {
                let before = Position(failure.position.0.saturating_sub(1));
                batch.position = batch.position.max(before);
                batch.event_count += portion.events.len();
                batch.portions.push(portion);
                batch.folding = carry_on.reducer.begin();
                for portion in &batch.portions {
                    let until = Some(failure.position);
                    let taken = self.fold_portion(carry_on, &mut *batch.folding, portion, until).await?;
                    if matches!(taken, Taken::Lost) {
                        return Ok(Turn::Lost);
                    }
                }
                batch.failure = Some(failure);
            }
        }
        Ok(Turn::Done)
    }

    /// Folds the events of a portion that come before a position, where one is said.
    fn fold_portion<'a>(
        &'a self,
        carry_on: &'a CarryOn<'a>,
        folding: &'a mut dyn Folding,
        portion: &'a Portion,
        until: Option<Position>,
    ) -> LocalBoxFuture<'a, Result<Taken, Error>> {
        async move {
            let events = &portion.events;
            let mut slice = Slice::begin(&self.host);
            let count = events.count_before(until);
            for place in 0..count {
                if let Err(failure) = events.on(place, &mut |event| folding.meet(event)) {
                    return Ok(Taken::Failed(failure));
                }
                if place % STEPS_PER_LOOK == 0 {
                    slice.yield_when_over(&self.host).await;
                }
            }
            let lacking = folding.lacking();
            if !lacking.is_empty() {
                let name = &carry_on.projection.name;
                let whose = Whose::Own(carry_on.claim.token);
                let Some(stored) = self.documents(name, whose, &lacking).await? else {
                    return Ok(Taken::Lost);
                };
                if let Some(key) = folding.bring(stored) {
                    let place = [Area::Documents.name(), "/", name].concat();
                    let problem = ["the document ", &key, " is none"].concat();
                    return Err(Error::corrupt_data(None, place, problem));
                }
            }
            for place in 0..count {
                if let Err(failure) = events.on(place, &mut |event| folding.fold(event)) {
                    return Ok(Taken::Failed(failure));
                }
                if place % STEPS_PER_LOOK == 0 {
                    slice.yield_when_over(&self.host).await;
                }
            }
            Ok(Taken::Folded)
        }
        .boxed_local()
    }

    /// Writes what a batch has come to, where that is worth it.
    async fn write_batch(&self, carry_on: CarryOn<'_>, batch: Batch, ready: Ready) -> Result<Carried, Error> {
        let CarryOn { projection, claim, .. } = carry_on;
        let Claim { token, position: before, is_answering } = claim;
        let Batch { folding, portions, event_count, position, failure } = batch;
        let mut on = CarriedOn { position, failure, ..CarriedOn::default() };
        let is_news = ready == Ready::Now && !is_answering;
        // That nothing has come is worth no write, unless it would take long to find out again.
        if event_count == 0 && !is_news && position.0 <= before.0.saturating_add(UNWRITTEN_POSITIONS_MAX) {
            return Ok(Carried::On(on));
        }
        let mut changes: Vec<Change> = Vec::new();
        let mut slice = Slice::begin(&self.host);
        for number in 0..folding.count() {
            let changed = folding.change(number);
            if limits::DOCUMENT_BYTES_MAX < changed.size_bytes {
                on.failure = too_large(&portions, changed.last_position, changed.size_bytes);
                on.position = before;
                return Ok(Carried::On(on));
            }
            on.changed.extend(changed.key);
            changes.extend(changed.changes);
            if number % STEPS_PER_LOOK == 0 {
                slice.yield_when_over(&self.host).await;
            }
        }
        drop((folding, portions));
        (on.is_written, on.is_ready) = (true, ready == Ready::Now);
        let changed = on.changed.clone();
        let advance = Advance { projection, token, position, changed, changes, ready };
        Ok(match self.advance(advance).await? {
            Turn::Done => Carried::On(on),
            Turn::Lost => Carried::Lost,
        })
    }
}

impl Batch {
    fn new(CarryOn { claim, reducer, .. }: &CarryOn<'_>) -> Self {
        let (folding, position) = (reducer.begin(), claim.position);
        Self { folding, portions: Vec::new(), event_count: 0, position, failure: None }
    }
}

impl Events {
    fn len(&self) -> usize {
        match self {
            Self::Stored(page) => page.events.len(),
            Self::Given(events) => events.len(),
        }
    }

    /// How many come before a position.
    fn count_before(&self, until: Option<Position>) -> usize {
        let Some(until) = until else { return self.len() };
        match self {
            Self::Stored(page) => {
                let position = |(record, place): &(Rc<DecodedRecord>, usize)| record.position(*place);
                page.events.iter().take_while(|event| position(event) < Some(until)).count()
            }
            Self::Given(events) => events.iter().take_while(|event| event.position < until.0).count(),
        }
    }

    /// Does something with the event at a place.
    fn on(
        &self,
        place: usize,
        act: &mut dyn FnMut(&EventView<'_>) -> Result<(), ReducerFailure>,
    ) -> Result<(), DocumentFailure> {
        let mut act = |event: &EventView<'_>| {
            act(event).map_err(|failure| failure_at(event, failure.to_string(), None))
        };
        match self {
            Self::Stored(page) => {
                let found = page.events.get(place).and_then(|(record, place)| record.entry(*place));
                let Some(entry) = found else { return Ok(()) };
                let (position, stream, time_ms) = (entry.position.0, entry.stream, entry.time.0);
                let of_fact;
                let (event_type, data, metadata, revision) = match &entry.body {
                    Body::Event { revision, event_type, data, metadata, .. } => {
                        (*event_type, *data, *metadata, Some(revision.0))
                    }
                    Body::Fact(fact) => {
                        of_fact = data_of(*fact);
                        (fact.type_name(), of_fact.as_deref(), None, None)
                    }
                };
                act(&EventView { event_type, data, metadata, stream, revision, position, time_ms })
            }
            Self::Given(events) => {
                let Some(event) = events.get(place) else { return Ok(()) };
                act(&EventView {
                    event_type: &event.event_type,
                    data: event.data.as_deref(),
                    metadata: event.metadata.as_deref(),
                    stream: &event.stream,
                    revision: event.revision,
                    position: event.position,
                    time_ms: event.time.0,
                })
            }
        }
    }
}

/// What a fact says, as a JSON text.
fn data_of(fact: Fact) -> Option<String> {
    match fact {
        Fact::Truncated { before } => Some(["{\"before\":", &before.to_string(), "}"].concat()),
        Fact::Deleted | Fact::Tombstoned => None,
    }
}

/// Whether events of a page have to be made such of today first.
fn has_older(page: &EventPage, reducer: &DocumentReducer) -> bool {
    page.entries().any(|entry| match entry.body {
        Body::Event { event_type, metadata, .. } => !reducer.is_for(event_type, metadata),
        Body::Fact(_) => false,
    })
}

fn failure_at(event: &EventView<'_>, problem: String, size_bytes: Option<usize>) -> DocumentFailure {
    DocumentFailure {
        stream: event.stream.to_owned(),
        revision: event.revision.map(Revision),
        event_type: event.event_type.to_owned(),
        position: Position(event.position),
        problem,
        size_bytes,
    }
}

/// That the document is too large to which the event at a position has led.
fn too_large(portions: &[Portion], position: u64, size_bytes: usize) -> Option<DocumentFailure> {
    let mut failure = None;
    for events in portions.iter().map(|portion| &portion.events) {
        for place in 0..events.len() {
            // It cannot fail.
            drop(events.on(place, &mut |event| {
                if event.position == position {
                    failure = Some(failure_at(event, String::new(), Some(size_bytes)));
                }
                Ok(())
            }));
        }
    }
    failure
}
