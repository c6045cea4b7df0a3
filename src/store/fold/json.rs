//! Folding where neither the reducer nor its states are known as types: states go in and out as JSON texts.

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
use super::{FoldRequest, Folded, Passed, Start, Store};

/// A reducer behind a handle.
pub trait JsonReducer {
    /// Begins or goes on with one state. Errors: `INVALID_ARGUMENT` where the text is no state.
    fn one(&self, from: Folded<Option<&str>>) -> Result<Box<dyn JsonFolding + '_>, Error>;

    /// Begins with a state for each stream.
    fn all(&self) -> Box<dyn JsonFolding + '_>;
}

/// States in the making.
pub trait JsonFolding: Folding {
    /// The states. Errors: `INTERNAL` where one cannot be a JSON text.
    fn finish(self: Box<Self>) -> Result<Vec<JsonState>, Error>;
}

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

/// A reducer, and the versions of types that it was written for.
#[derive(Debug)]
pub struct Versioned<R> {
    /// The reducer.
    pub reducer: R,
    /// The versions.
    pub versions: Versions,
}

impl<R: Reducer> JsonReducer for Versioned<R> {
    fn one(&self, from: Folded<Option<&str>>) -> Result<Box<dyn JsonFolding + '_>, Error> {
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

    fn all(&self) -> Box<dyn JsonFolding + '_> {
        Box::new(AllStates::new(&self.reducer, &self.versions))
    }
}

impl<R: Reducer> JsonFolding for OneState<'_, R> {
    fn finish(self: Box<Self>) -> Result<Vec<JsonState>, Error> {
        let reducer = self.reducer();
        Ok(vec![JsonState { stream: None, folded: to_json(reducer, &self.into_folded())? }])
    }
}

impl<R: Reducer> JsonFolding for AllStates<'_, R> {
    fn finish(self: Box<Self>) -> Result<Vec<JsonState>, Error> {
        let reducer = self.reducer();
        let mut states = Vec::new();
        for (stream, folded) in self.into_streams(Position::START) {
            states.push(JsonState { stream: Some(stream), folded: to_json(reducer, &folded)? });
        }
        Ok(states)
    }
}

fn to_json<R: Reducer>(reducer: &R, folded: &Folded<R::State>) -> Result<Folded<String>, Error> {
    let state = reducer.state_to_json(&folded.state);
    let state = state.map_err(|failure| Error::new(Detail::Internal { problem: failure.to_string() }))?;
    let Folded { count, revision, last_position, as_of, .. } = *folded;
    Ok(Folded { state, count, revision, last_position, as_of })
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
        reducer: &dyn JsonReducer,
        from: Folded<Option<&str>>,
        request: &FoldRequest,
        progress: &mut dyn FnMut(Passed) -> ControlFlow<()>,
    ) -> Result<JsonFolded, Error> {
        let start: Start = from.start();
        let mut state = reducer.one(from)?;
        let ended = self.shared.fold_one(&mut *state, request, start, progress).await?;
        let is_cut_short = ended.met == Taken::IsOfOtherVersion;
        Ok(JsonFolded { states: state.finish()?, as_of: ended.as_of, is_cut_short })
    }

    /// [`Store::load_all`], with states as JSON texts, in the state of the log as of a position. It ends before
    /// the first event of another version than the reducer was written for, and then gives no states.
    ///
    /// # Errors
    ///
    /// As of [`Store::load_all`].
    pub async fn fold_all_json(
        &self,
        reducer: &dyn JsonReducer,
        category: Option<Rc<str>>,
        as_of: Option<Position>,
        progress: &mut dyn FnMut(Passed) -> ControlFlow<()>,
    ) -> Result<JsonFolded, Error> {
        let mut states = reducer.all();
        let ended = self.shared.fold_all(&mut *states, category, as_of, progress).await?;
        let is_cut_short = ended.met == Taken::IsOfOtherVersion;
        let states = if is_cut_short { Vec::new() } else { states.finish()? };
        Ok(JsonFolded { states, as_of: ended.as_of, is_cut_short })
    }
}

/// Folds events that stand in no log yet, or not like this. Errors: `REDUCER_FAILED`; `INVALID_ARGUMENT` where the text is no
/// state.
pub fn fold_entries(
    reducer: &dyn JsonReducer,
    from: Folded<Option<&str>>,
    entries: &[Entry<'_>],
) -> Result<JsonFolded, Error> {
    let as_of = from.as_of;
    let mut state = reducer.one(from)?;
    entries.iter().try_for_each(|entry| state.entry(entry))?;
    Ok(JsonFolded { states: state.finish()?, as_of, is_cut_short: false })
}
