//! A reducer that was compiled.

use super::budget::Budget;
use super::compile;
use super::failure::{Problem, ReducerFailure, Rule};
use super::parse;
use super::scan::Wanted;
use super::scene::{Item, Scene};
use super::step::Step;
use super::value::Value;
use crate::error::Error;
use crate::table::{Table, hash_of};

/// An event as reducers see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventView<'a> {
    /// What happened.
    pub event_type: &'a str,
    /// Its data, a JSON text. `None` is not the JSON `null`: every field of it is missing.
    pub data: Option<&'a str>,
    /// Its metadata, a JSON text. `None` is the empty object.
    pub metadata: Option<&'a str>,
    /// Its stream.
    pub stream: &'a str,
    /// Its place in its stream. A fact has none.
    pub revision: Option<u64>,
    /// Its place in the log.
    pub position: u64,
    /// When it happened, in Unix milliseconds.
    pub time_ms: i64,
}

/// What was folded so far: an object.
#[derive(Debug, Clone)]
pub struct State(Value);

/// A declarative reducer: steps for each type of event, compiled from a document.
///
/// It knows nothing but its document, so the same events give the same state, everywhere and always.
#[derive(Debug)]
pub struct Program {
    handlers: Table<(Box<str>, Handler)>,
    initial: Value,
}

/// The steps for one type of event, and what they read.
#[derive(Debug, Default)]
pub(super) struct Handler {
    pub steps: Vec<Step>,
    pub data: Wanted,
    pub metadata: Wanted,
    /// How many values are looked for in both.
    pub slot_count: usize,
}

/// The type whose steps are for all types that have none of their own.
const ANY_TYPE: &str = "*";
/// So many values that are looked for need no memory of their own.
const SLOTS_INLINE: usize = 12;

impl Program {
    /// Compiles a document of steps for each type of event, and the state that a fold begins with, both as JSON texts.
    ///
    /// Errors: `INVALID_ARGUMENT` with the path of what is wrong and what is allowed there, `LIMIT_EXCEEDED`.
    pub fn compile(evolve: &str, initial: &str) -> Result<Self, Error> {
        compile::compile(evolve, initial)
    }

    pub(super) fn new(initial: Value) -> Self {
        Self { handlers: Table::default(), initial }
    }

    pub(super) fn add(&mut self, hash: u32, event_type: Box<str>, handler: Handler) {
        self.handlers.push(hash, (event_type, handler));
    }

    /// The state before the first event.
    pub fn initial(&self) -> State {
        State(self.initial.clone())
    }

    pub(super) fn run(&self, state: &mut Value, event: &EventView<'_>) -> Result<(), ReducerFailure> {
        let steps = self.number_of(event.event_type).and_then(|number| self.handlers.rows().get(number));
        steps.map_or(Ok(()), |(_, handler)| handler.run(state, event))
    }

    /// Folds one event. One of a type for which there are no steps changes nothing.
    ///
    /// Errors: where a step cannot be taken. The state may then be changed in part, and is of no use any more.
    pub fn evolve(&self, state: &mut State, event: &EventView<'_>) -> Result<(), ReducerFailure> {
        self.run(&mut state.0, event)
    }

    /// Folds one event by the steps of this number, which are those of its type. Where there are none, it changes nothing.
    ///
    /// Errors: those of [`Program::evolve`].
    pub fn evolve_by(
        &self,
        number: usize,
        state: &mut State,
        event: &EventView<'_>,
    ) -> Result<(), ReducerFailure> {
        self.handlers.rows().get(number).map_or(Ok(()), |(_, handler)| handler.run(&mut state.0, event))
    }

    /// Whether there are steps for this type of event.
    pub fn folds(&self, event_type: &str) -> bool {
        self.number_of(event_type).is_some()
    }

    /// The number of the steps for this type of event. Facts are for those alone that are named for them.
    pub fn number_of(&self, event_type: &str) -> Option<usize> {
        self.number(event_type).or_else(|| self.number(ANY_TYPE).filter(|_| !event_type.starts_with('$')))
    }

    pub(super) fn handler(&self, event_type: &str) -> Option<&Handler> {
        let row = self.handlers.rows().get(self.number(event_type)?);
        row.map(|(_, handler)| handler)
    }

    fn number(&self, event_type: &str) -> Option<usize> {
        self.handlers.find(hash_of(event_type.as_bytes()), |(known, _)| **known == *event_type)
    }
}

impl State {
    /// Its JSON text: to the byte what `JSON.stringify` gives of the same value.
    pub fn to_json(&self) -> String {
        let mut json = String::new();
        self.0.write(&mut json);
        json
    }

    /// The state of a JSON text. `None` where that is no object within the limits.
    pub fn from_json(json: &str) -> Option<Self> {
        parse::parse(json, &Budget::boundless())
            .ok()
            .filter(|value| matches!(value, Value::Object(_)))
            .map(Self)
    }
}

impl Handler {
    fn run(&self, state: &mut Value, event: &EventView<'_>) -> Result<(), ReducerFailure> {
        self.on_scene(event, &mut |scene| self.steps.iter().try_for_each(|step| step.run(scene, state)))
    }

    /// Does something with an event of which all is found that is read.
    pub fn on_scene(
        &self,
        event: &EventView<'_>,
        act: &mut dyn FnMut(&Scene<'_>) -> Result<(), ReducerFailure>,
    ) -> Result<(), ReducerFailure> {
        let mut inline = [""; SLOTS_INLINE];
        let mut heap = Vec::new();
        let slots = match inline.get_mut(..self.slot_count) {
            Some(slots) => slots,
            None => {
                heap.resize(self.slot_count, "");
                heap.as_mut_slice()
            }
        };
        find(&self.data, event.data, slots, "data")?;
        find(&self.metadata, event.metadata.or(Some("{}")), slots, "metadata")?;
        let budget = Budget::of_event();
        act(&Scene { event, slots, item: Item::None, budget: &budget })
    }
}

fn find<'t>(
    wanted: &Wanted,
    json: Option<&'t str>,
    slots: &mut [&'t str],
    place: &str,
) -> Result<(), ReducerFailure> {
    match json {
        Some(json) if !wanted.is_nothing() => {
            wanted.find(json, slots).ok_or_else(|| Problem::from(Rule::Json).at(place, ""))
        }
        _ => Ok(()),
    }
}
