//! Programs as reducers.

use super::Reducer;
use crate::codec::{Body, Entry};
use crate::reducer::{EventView, Program, ReducerFailure, State};

impl Reducer for Program {
    type State = State;

    fn initial(&self) -> State {
        self.initial()
    }

    fn folds(&self, event_type: &str) -> bool {
        self.folds(event_type)
    }

    fn evolve(&self, state: &mut State, entry: &Entry<'_>) -> Result<(), ReducerFailure> {
        view_of(entry).map_or(Ok(()), |event| self.evolve(state, &event))
    }

    fn handler(&self, event_type: &str) -> usize {
        self.number_of(event_type).unwrap_or(usize::MAX)
    }

    fn evolve_by(&self, handler: usize, state: &mut State, entry: &Entry<'_>) -> Result<(), ReducerFailure> {
        view_of(entry).map_or(Ok(()), |event| self.evolve_by(handler, state, &event))
    }

    fn state_to_json(&self, state: &State) -> Result<String, ReducerFailure> {
        Ok(state.to_json())
    }

    fn state_from_json(&self, json: &str) -> Option<State> {
        State::from_json(json)
    }
}

/// An event as programs see it. `None` for a fact.
#[inline(always)]
fn view_of<'a>(entry: &Entry<'a>) -> Option<EventView<'a>> {
    let Body::Event { revision, event_type, data, metadata, .. } = entry.body else { return None };
    Some(EventView {
        event_type,
        data,
        metadata,
        stream: entry.stream,
        revision: Some(revision.0),
        position: entry.position.0,
        time_ms: entry.time.0,
    })
}
