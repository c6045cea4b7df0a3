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
        let Body::Event { revision, event_type, data, metadata, .. } = &entry.body else { return Ok(()) };
        let event = EventView {
            event_type,
            data: *data,
            metadata: *metadata,
            stream: entry.stream,
            revision: Some(revision.0),
            position: entry.position.0,
            time_ms: entry.time.0,
        };
        self.evolve(state, &event)
    }

    fn state_to_json(&self, state: &State) -> Result<String, ReducerFailure> {
        Ok(state.to_json())
    }

    fn state_from_json(&self, json: &str) -> Option<State> {
        State::from_json(json)
    }
}
