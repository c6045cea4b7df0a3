//! Folding where neither the reducer nor its states are known as types: states go in and out as JSON texts.

use std::fmt;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::aggregate::Reducer;
use crate::codec::Entry;
use crate::error::{Detail, Error};
use crate::event::{Position, StreamName};
use crate::host::Host;
use crate::reducer::Versions;
use crate::storage::Storage;

use super::states::{AllStates, Folding, OneState, Taken};
use super::{FoldRequest, Folded, Passed, Shared, Slice, Start, Store};

/// A reducer that is known by what it does alone, with the versions of types that it was written for.
pub struct JsonReducer {
    versioned: Box<dyn Begin>,
}

/// Begins folds whose states nobody knows as types.
trait Begin {
    /// Begins or goes on with one state. Errors: `INVALID_ARGUMENT` where the text is no state.
    fn one(&self, from: Folded<Option<&str>>) -> Result<Box<dyn JsonFolding<'_> + '_>, Error>;

    /// Begins with a state for each stream.
    fn all(&self) -> Box<dyn JsonFolding<'_> + '_>;
}

/// States in the making.
trait JsonFolding<'r>: Folding {
    fn finish(self: Box<Self>) -> Texts<'r>;
}

/// The texts of states, each of which is made when it is asked for: many take long. Errors: `INTERNAL` where one cannot be
/// a JSON text.
type Texts<'r> = Box<dyn Iterator<Item = Result<JsonState, Error>> + 'r>;

/// After so many states it is looked how long the page was kept busy.
const STATES_PER_LOOK: usize = 64;

/// A state as a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonState {
    /// Its stream, where there is a state for each.
    pub stream: Option<StreamName>,
    /// The state. Up to which position the log was looked at, [`JsonFolded`] says.
    pub folded: Folded<String>,
}

/// What a fold came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFolded {
    /// The states.
    pub states: Vec<JsonState>,
    /// The state of the log that was read.
    pub as_of: Position,
    /// Whether it ended before an event that has to be made one of today first.
    pub is_cut_short: bool,
}

struct Versioned<R> {
    reducer: R,
    versions: Versions,
}

impl JsonReducer {
    /// A reducer of events of these versions.
    pub fn new(reducer: impl Reducer + 'static, versions: Versions) -> Self {
        Self { versioned: Box::new(Versioned { reducer, versions }) }
    }
}

impl fmt::Debug for JsonReducer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("JsonReducer").finish_non_exhaustive()
    }
}

impl<R: Reducer> Begin for Versioned<R> {
    fn one(&self, from: Folded<Option<&str>>) -> Result<Box<dyn JsonFolding<'_> + '_>, Error> {
        let state = match from.state {
            None => self.reducer.initial(),
            Some(json) => self
                .reducer
                .state_from_json(json)
                .ok_or_else(|| Error::invalid_argument("state", "is no state of the reducer"))?,
        };
        let Folded { count, revision, last_position, as_of, .. } = from;
        let folded = Folded { state, count, revision, last_position, as_of };
        Ok(Box::new(OneState::new(&self.reducer, &self.versions, folded)))
    }

    fn all(&self) -> Box<dyn JsonFolding<'_> + '_> {
        Box::new(AllStates::new(&self.reducer, &self.versions))
    }
}

impl<'r, R: Reducer> JsonFolding<'r> for OneState<'r, R> {
    fn finish(self: Box<Self>) -> Texts<'r> {
        let reducer = self.reducer();
        Box::new(std::iter::once(self.into_folded()).map(move |folded| to_json(reducer, None, folded)))
    }
}

impl<'r, R: Reducer> JsonFolding<'r> for AllStates<'r, R> {
    fn finish(self: Box<Self>) -> Texts<'r> {
        let reducer = self.reducer();
        let streams = self.into_streams().into_iter();
        Box::new(streams.map(move |(stream, folded)| to_json(reducer, Some(stream), folded)))
    }
}

fn to_json<R: Reducer>(
    reducer: &R,
    stream: Option<StreamName>,
    folded: Folded<R::State>,
) -> Result<JsonState, Error> {
    let state = reducer.state_to_json(&folded.state);
    let state = state.map_err(|failure| Error::new(Detail::Internal { problem: failure.to_string() }))?;
    let Folded { count, revision, last_position, as_of, .. } = folded;
    Ok(JsonState { stream, folded: Folded { state, count, revision, last_position, as_of } })
}

impl<S: Storage, H: Host> Store<S, H> {
    /// [`Store::fold`], with states as JSON texts: from none, the fold begins with the first. It ends before the first
    /// event of another version than the reducer was written for.
    ///
    /// # Errors
    ///
    /// As of [`Store::fold`]; `INVALID_ARGUMENT` where the text is no state.
    pub async fn fold_json(
        &self,
        reducer: &JsonReducer,
        from: Folded<Option<&str>>,
        request: &FoldRequest,
        progress: &mut dyn FnMut(Passed) -> ControlFlow<()>,
    ) -> Result<JsonFolded, Error> {
        let start: Start = from.start();
        let mut state = reducer.versioned.one(from)?;
        let ended = self.shared.fold_one(&mut *state, request, start, progress).await?;
        let is_cut_short = ended.met == Taken::IsOfOtherVersion;
        Ok(JsonFolded { states: state.finish().collect::<Result<_, _>>()?, as_of: ended.as_of, is_cut_short })
    }

    /// [`Store::load_all`], with states as JSON texts, in the state of the log as of a position. It ends before
    /// the first event of another version than the reducer was written for, and then gives no states.
    ///
    /// # Errors
    ///
    /// As of [`Store::load_all`].
    pub async fn fold_all_json(
        &self,
        reducer: &JsonReducer,
        category: Option<Rc<str>>,
        as_of: Option<Position>,
        progress: &mut dyn FnMut(Passed) -> ControlFlow<()>,
    ) -> Result<JsonFolded, Error> {
        let mut states = reducer.versioned.all();
        let ended = self.shared.fold_all(&mut *states, category, as_of, progress).await?;
        let is_cut_short = ended.met == Taken::IsOfOtherVersion;
        let states = if is_cut_short { Vec::new() } else { self.shared.texts(states.finish()).await? };
        Ok(JsonFolded { states, as_of: ended.as_of, is_cut_short })
    }
}

impl<S: Storage, H: Host> Shared<S, H> {
    /// Makes texts, and gives way meanwhile as a fold does.
    async fn texts(&self, texts: Texts<'_>) -> Result<Vec<JsonState>, Error> {
        let mut slice = Slice::begin(&self.host);
        let mut states = Vec::new();
        for (count, state) in (1..).zip(texts) {
            states.push(state?);
            if count % STATES_PER_LOOK == 0 {
                slice.yield_when_over(&self.host).await;
            }
        }
        Ok(states)
    }
}

/// Folds events that stand in no log yet, or not like this. Errors: `REDUCER_FAILED`; `INVALID_ARGUMENT` where the text is no
/// state.
pub fn fold_entries(
    reducer: &JsonReducer,
    from: Folded<Option<&str>>,
    entries: &[Entry<'_>],
) -> Result<JsonFolded, Error> {
    let as_of = from.as_of;
    let mut state = reducer.versioned.one(from)?;
    entries.iter().try_for_each(|entry| state.entry(entry))?;
    Ok(JsonFolded { states: state.finish().collect::<Result<_, _>>()?, as_of, is_cut_short: false })
}
