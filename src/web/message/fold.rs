//! What is to be folded, and what it came to: states as JSON texts, numbers beside them.

use std::ops::ControlFlow;
use std::rc::Rc;

use js_sys::{Array, Float64Array, Function, Uint32Array};
use wasm_bindgen::JsValue;

use crate::codec::{Body, Entry, Tags};
use crate::documents::DocumentReducer;
use crate::error::Error;
use crate::event::{Position, Revision, UnixMillis};
use crate::id::EventId;
use crate::layout::{BlockAddress, BlockIndex, UnitNumber};
use crate::limits;
use crate::reducer::{IndexPaths, Program, Versions};
use crate::store::{
    FoldRequest, FoldSource, Folded, JsonFolded, JsonReducer, JsonState, Passed, StoredPage, StoredPlace,
    StoredRead, fold_entries,
};
use crate::table::{Table, hash_of};
use crate::web::browser_host::give_way;
use crate::web::fields::Fields;

use super::numbers::Numbers;
use super::texts::units_of;
use super::{NONE, malformed, page, read};

/// About so long is a text of many states. It is handed over and read in a few milliseconds.
const TEXT_BYTES: usize = 256 * 1024;

/// The reducers of a store, by their handles. None is ever let go, so the same text is compiled once.
#[derive(Default)]
pub struct Reducers {
    known: Table<(Definition, Rc<JsonReducer>)>,
}

/// A reducer as it is defined.
#[derive(PartialEq, Eq)]
pub struct Definition {
    evolve: Rc<str>,
    initial: Rc<str>,
    versions: Vec<(Rc<str>, u32)>,
}

/// What is to be folded.
pub enum Fold {
    /// One state, from where it was.
    One { from: Begun, request: FoldRequest },
    /// A state for each stream of a category, or of the log.
    All { category: Option<Rc<str>>, as_of: Option<Position> },
}

/// Where a fold begins: as a [`Folded`], which owns its text.
pub struct Begun {
    folded: Folded<Option<Rc<str>>>,
}

/// Events that are to be folded as they are given.
pub struct Given {
    handle: usize,
    from: Begun,
    events: Vec<GivenEvent>,
}

struct GivenEvent {
    event_type: Rc<str>,
    stream: Rc<str>,
    data: Option<Rc<str>>,
    metadata: Option<Rc<str>>,
    revision: u64,
    position: u64,
    time: UnixMillis,
}

impl Reducers {
    /// Compiles a reducer, and gives its handle: the one that it has, where it is known. Errors: those of
    /// [`Program::compile`]; `LIMIT_EXCEEDED` where there are too many.
    pub fn define(&mut self, definition: Definition) -> Result<usize, Error> {
        let (evolve, initial) = (Rc::clone(&definition.evolve), Rc::clone(&definition.initial));
        self.define_as(definition, |versions| {
            Ok(JsonReducer::new(Program::compile(&evolve, &initial)?, versions))
        })
    }

    /// Gives the handle of a reducer: the one that it has, where it is known, else of what is made for the versions that it is
    /// defined for. Errors: those of `make`; `LIMIT_EXCEEDED` where there are too many.
    pub fn define_as(
        &mut self,
        definition: Definition,
        make: impl FnOnce(Versions) -> Result<JsonReducer, Error>,
    ) -> Result<usize, Error> {
        let hash = hash_of(definition.evolve.as_bytes());
        if let Some(handle) = self.known.find(hash, |(known, _)| *known == definition) {
            return Ok(handle);
        }
        let handle = self.known.rows().len();
        limits::check("reducers", handle + 1, limits::REDUCERS_MAX)?;
        let reducer = make(Versions::new(definition.versions.iter().cloned()))?;
        self.known.push(hash, (definition, Rc::new(reducer)));
        Ok(handle)
    }

    /// The reducer of a handle. Errors: `INTERNAL`.
    pub fn get(&self, handle: usize) -> Result<Rc<JsonReducer>, Error> {
        let row = self.known.rows().get(handle);
        row.map(|(_, reducer)| Rc::clone(reducer)).ok_or_else(|| malformed("a reducer has an unknown handle"))
    }
}

impl Begun {
    fn read(message: &mut Numbers<'_>) -> Self {
        let state = message.name_if_some();
        let count = message.whole();
        let revision = message.whole_if_some().map(Revision);
        let (last_position, as_of) = (Position(message.whole()), Position(message.whole()));
        Self { folded: Folded { state, count, revision, last_position, as_of } }
    }

    /// The fold that it is.
    pub fn folded(&self) -> Folded<Option<&str>> {
        let Folded { state, count, revision, last_position, as_of } = &self.folded;
        let (count, revision) = (*count, *revision);
        Folded { state: state.as_deref(), count, revision, last_position: *last_position, as_of: *as_of }
    }
}

impl Definition {
    /// A reducer that is code, by its name, with which no document begins.
    pub fn exported(name: Rc<str>, versions: Vec<(Rc<str>, u32)>) -> Self {
        Self { evolve: name, initial: Rc::from(""), versions }
    }
}

/// Reads a `ReducerMessage`.
pub fn definition(message: &mut Numbers<'_>) -> Definition {
    let (evolve, initial) = (message.name(), message.name());
    Definition { evolve, initial, versions: versions(message) }
}

/// Reads a `DocumentReducerMessage`. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
pub fn document_reducer(message: &mut Numbers<'_>) -> Result<DocumentReducer, Error> {
    let (on, key) = (message.name(), message.name_if_some());
    let mut indexes = Vec::new();
    for _ in 0..message.length() {
        let is_each = message.count() == 1;
        let paths: Vec<Rc<str>> = (0..message.length()).map(|_| message.name()).collect();
        indexes.push(match paths.as_slice() {
            [path] if is_each => IndexPaths::of_items(path),
            paths => IndexPaths::of_values(paths.iter().map(|path| &**path)),
        });
    }
    DocumentReducer::compile(&on, key.as_deref(), indexes, Versions::new(versions(message)))
}

/// Reads types with their versions.
pub fn versions(message: &mut Numbers<'_>) -> Vec<(Rc<str>, u32)> {
    let mut versions = Vec::new();
    for _ in 0..message.length() {
        let name = message.name();
        // One that the core cannot hold is of no event that it folds, as is 0.
        versions.push((name, u32::try_from(message.whole()).unwrap_or(0)));
    }
    versions
}

/// Reads what is to be folded by a `FoldMessage`, behind the handle of a reducer. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
pub fn fold(message: &mut Numbers<'_>) -> Result<Fold, Error> {
    let kind = message.count();
    let as_of = message.whole_if_some().map(Position);
    if kind == 2 {
        return Ok(Fold::All { category: message.name_if_some(), as_of });
    }
    let from = Begun::read(message);
    let source = match kind {
        0 => FoldSource::Stream { stream: message.stream()?, before: message.whole_if_some().map(Revision) },
        1 => FoldSource::Query(read::query(message)?),
        _ => return Err(malformed("a fold has an unknown code")),
    };
    Ok(Fold::One { from, request: FoldRequest { source, as_of } })
}

/// Reads a `FoldEventsMessage`.
pub fn given(message: &mut Numbers<'_>) -> Given {
    let (handle, from) = (message.count(), Begun::read(message));
    let mut events = Vec::new();
    for _ in 0..message.length() {
        events.push(GivenEvent {
            event_type: message.name(),
            stream: message.name(),
            data: message.name_if_some(),
            metadata: message.name_if_some(),
            revision: message.whole(),
            position: message.whole(),
            time: message.time_if_some().unwrap_or_default(),
        });
    }
    Given { handle, from, events }
}

/// Folds events that were given. Errors: `REDUCER_FAILED`, `INVALID_ARGUMENT`.
pub fn fold_given(reducers: &Reducers, given: &Given) -> Result<JsonFolded, Error> {
    let reducer = reducers.get(given.handle)?;
    let entries: Vec<Entry<'_>> = given.events.iter().map(GivenEvent::as_entry).collect();
    fold_entries(&reducer, given.from.folded(), &entries)
}

impl GivenEvent {
    fn as_entry(&self) -> Entry<'_> {
        Entry {
            position: Position(self.position),
            stream: &self.stream,
            // No reducer sees the id of an event.
            id: EventId::from_bytes([0; EventId::BYTES]),
            time: self.time,
            body: Body::Event {
                revision: Revision(self.revision),
                event_type: &self.event_type,
                data: self.data.as_deref(),
                metadata: self.metadata.as_deref(),
                tags: Tags::NONE,
            },
        }
    }
}

/// Writes a `FoldOutcome` of few states.
pub fn folded(folded: &JsonFolded) -> JsValue {
    let texts = Array::new();
    portions(folded).for_each(|states| {
        texts.push(&text_of(states));
    });
    outcome(folded, texts)
}

/// Writes a `FoldOutcome`, and gives way after each of its texts.
pub async fn many_folded(folded: &JsonFolded) -> JsValue {
    let texts = Array::new();
    for states in portions(folded) {
        texts.push(&text_of(states));
        give_way().await;
    }
    outcome(folded, texts)
}

/// The states in portions, none of them much longer than [`TEXT_BYTES`] but for one that has a single state.
fn portions(folded: &JsonFolded) -> impl Iterator<Item = &[JsonState]> {
    let mut bytes = 0;
    folded.states.chunk_by(move |state, _| {
        bytes += state.folded.state.len();
        let is_full = TEXT_BYTES <= bytes;
        if is_full {
            bytes = 0;
        }
        !is_full
    })
}

/// The text of an array of states.
fn text_of(states: &[JsonState]) -> JsValue {
    let length = states.iter().map(|state| state.folded.state.len() + 1).sum::<usize>() + 1;
    let mut text = String::with_capacity(length);
    for state in states {
        text.push_str(if text.is_empty() { "[" } else { "," });
        text.push_str(&state.folded.state);
    }
    text.push(']');
    JsValue::from_str(&text)
}

fn outcome(folded: &JsonFolded, texts: Array) -> JsValue {
    let (mut names, mut name_lengths, mut numbers) = (String::new(), Vec::new(), Vec::new());
    for state in &folded.states {
        if let Some(stream) = &state.stream {
            names.push_str(stream.as_str());
            name_lengths.push(units_of(stream.as_str()));
        }
        let revision = state.folded.revision.map_or(NONE, |revision| revision.0 as f64);
        numbers.extend([state.folded.count as f64, revision, state.folded.last_position.0 as f64]);
    }
    Fields::new()
        .with("states", texts)
        .with("names", names)
        .with("nameLengths", Uint32Array::from(&*name_lengths))
        .with("numbers", Float64Array::from(&*numbers))
        .with_whole("asOf", folded.as_of.0)
        .with("isCutShort", folded.is_cut_short)
        .into()
}

/// Reads a `StoredReadMessage`.
pub fn stored_read(message: &mut Numbers<'_>) -> StoredRead {
    let category = message.name_if_some();
    let after = Position(message.whole());
    let (unit, block) = (message.whole_if_some(), message.whole_if_some());
    let block = unit
        .zip(block)
        .map(|(unit, block)| BlockAddress { unit: UnitNumber(unit), block: BlockIndex(block as u32) });
    let as_of = message.whole_if_some().map(Position);
    StoredRead { category, place: StoredPlace { after, block }, as_of }
}

/// Writes a `StoredPageMessage`.
pub fn stored_page(StoredPage { page, next }: &StoredPage) -> JsValue {
    let place = next.map(|StoredPlace { after, block }| {
        let block = block.map(|it| (it.unit.0 as f64, f64::from(it.block.0)));
        let (unit, block) = block.unwrap_or((f64::NAN, f64::NAN));
        Float64Array::from(&[after.0 as f64, unit, block][..])
    });
    page::fields(page).with("place", place).into()
}

/// Who is told how far a fold is, and says whether it is still wanted.
pub fn listener(on_progress: Function) -> impl FnMut(Passed) -> ControlFlow<()> {
    move |Passed { done, total }| {
        let (done, total) = (JsValue::from_f64(done.0 as f64), JsValue::from_f64(total.0 as f64));
        match on_progress.call2(&JsValue::UNDEFINED, &done, &total) {
            Ok(wanted) if wanted.is_falsy() => ControlFlow::Break(()),
            // A listener that throws must not fail what it listens to.
            _ => ControlFlow::Continue(()),
        }
    }
}
