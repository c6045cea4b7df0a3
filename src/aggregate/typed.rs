//! Aggregates as reducers.

use std::fmt;
use std::marker::PhantomData;

use super::finite_json::to_json;
use super::typed_event::{Refusal, read_event};
use super::{Aggregate, Reducer, ReducerFailure};
use crate::codec::{Body, Entry};

/// An aggregate, to fold with.
pub struct Typed<A>(PhantomData<A>);

impl<A: Aggregate> Reducer for Typed<A> {
    type State = A::State;

    fn initial(&self) -> A::State {
        A::initial()
    }

    /// Which variants an enum has, serde says only when one is read.
    fn folds(&self, _: &str) -> bool {
        true
    }

    fn evolve(&self, state: &mut A::State, entry: &Entry<'_>) -> Result<(), ReducerFailure> {
        let Body::Event { event_type, data, .. } = &entry.body else { return Ok(()) };
        match read_event(event_type, *data) {
            Ok(event) => A::evolve(state, event),
            Err(Refusal::UnknownType) => {}
            Err(refusal) => {
                return Err(ReducerFailure { place: String::new(), problem: refusal.to_string() });
            }
        }
        Ok(())
    }

    fn state_to_json(&self, state: &A::State) -> Result<String, ReducerFailure> {
        let failure = |error: serde_json::Error| ReducerFailure {
            place: String::new(),
            problem: ["the state is no JSON: ", &error.to_string()].concat(),
        };
        to_json(state).map_err(failure)
    }

    fn state_from_json(&self, json: &str) -> Option<A::State> {
        serde_json::from_str(json).ok()
    }
}

impl<A> Typed<A> {
    /// The aggregate `A`.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A> Default for Typed<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Aggregate> fmt::Debug for Typed<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(A::NAME)
    }
}
