//! Aggregates as those reach them who know no types of theirs: states, commands and events are JSON texts.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::finite_json::to_json;
use super::typed_event::to_new_event;
use super::{Aggregate, Moment, Typed};
use crate::error::{Detail, Error};
use crate::event::NewEvent;

/// An aggregate that is known by its name, of whatever types: [`Typed`], where commands can be read and refusals written.
pub trait Exported {
    /// [`Aggregate::NAME`].
    fn name(&self) -> &'static str;

    /// [`Aggregate::VERSION`].
    fn version(&self) -> u32;

    /// The state before the first event, as a JSON text. Errors: `INTERNAL` where it cannot be one.
    fn initial_json(&self) -> Result<String, Error>;

    /// Decides a command on a state. Errors: `INVALID_ARGUMENT` with the path `command` or `state` where the text is none
    /// of the aggregate's, and where what is decided is no event.
    fn decide_json(&self, state: &str, command: &str, moment: &Moment) -> Result<JsonDecision, Error>;
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonDecision {
    /// These events happen. A JSON text: an array of objects with `type` and, where it has some, `data`.
    Events(String),
    /// A rule is against it.
    Refused {
        /// Why, for people: how [`Aggregate::Error`] displays itself.
        message: String,
        /// Why, for programs: the JSON text of [`Aggregate::Error`], `null` where that cannot be one.
        error: String,
    },
}

impl<A> Exported for Typed<A>
where
    A: Aggregate,
    A::Command: DeserializeOwned,
    A::Error: Serialize + Display,
{
    fn name(&self) -> &'static str {
        A::NAME
    }

    fn version(&self) -> u32 {
        A::VERSION
    }

    fn initial_json(&self) -> Result<String, Error> {
        to_json(&A::initial()).map_err(|error| {
            let problem = ["the first state of ", A::NAME, " is no JSON: ", &error.to_string()].concat();
            Error::new(Detail::Internal { problem })
        })
    }

    fn decide_json(&self, state: &str, command: &str, moment: &Moment) -> Result<JsonDecision, Error> {
        let state: A::State = read(state, "state", A::NAME)?;
        let command = read(command, "command", A::NAME)?;
        match A::decide(&state, command, moment) {
            Ok(events) => Ok(JsonDecision::Events(events_to_json(&events)?)),
            Err(error) => {
                let json = serde_json::to_string(&error).unwrap_or_else(|_| "null".to_owned());
                Ok(JsonDecision::Refused { message: error.to_string(), error: json })
            }
        }
    }
}

/// Reads what came as a JSON text.
fn read<T: DeserializeOwned>(json: &str, what: &str, aggregate: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| {
        let problem = ["is no ", what, " of the aggregate ", aggregate, ": ", &error.to_string()].concat();
        Error::invalid_argument(what, problem)
    })
}

fn events_to_json<E: Serialize>(events: &[E]) -> Result<String, Error> {
    let mut json = String::from("[");
    for event in events {
        let NewEvent { event_type, data, .. } = to_new_event(event)?;
        json.push_str(if json.len() == 1 { "{\"type\":" } else { ",{\"type\":" });
        json.push_str(&serde_json::Value::from(event_type.as_str()).to_string());
        if let Some(data) = data {
            json.push_str(",\"data\":");
            json.push_str(data.as_str());
        }
        json.push('}');
    }
    json.push(']');
    Ok(json)
}

/// Whether no name stands twice: of two aggregates with one name only one would be found.
#[doc(hidden)]
pub const fn names_differ(names: &[&str]) -> bool {
    let mut later = 1;
    while later < names.len() {
        let mut earlier = 0;
        while earlier < later {
            if is_same(names[earlier].as_bytes(), names[later].as_bytes()) {
                return false;
            }
            earlier += 1;
        }
        later += 1;
    }
    true
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut place = 0;
    while place < one.len() {
        if one[place] != other[place] {
            return false;
        }
        place += 1;
    }
    true
}

/// Exports aggregates to JavaScript: what a page loads that loads the wasm of the crate where this stands, in place of
/// everfold's own. The npm package's `useWasm` takes it, and `rustAggregate` names them.
///
/// Once in a crate, of the type `cdylib`, with all aggregates of that wasm. Each is an [`Aggregate`] whose `Command` is
/// `DeserializeOwned` and whose `Error` is `Serialize + Display`; names differ. All that crosses is JSON, of which numbers are
/// those of JavaScript: whole numbers beyond 2^53 are to be texts. Anywhere but in wasm it only checks that.
///
/// The wasm is bound by wasm-bindgen of the version that everfold asks for, for its target `bundler`. `examples/rust-aggregate` is
/// such a crate.
///
/// # Example
///
/// ```
/// # use everfold::aggregate::{Aggregate, Moment};
/// # struct Counter;
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # enum Event { Counted }
/// # impl Aggregate for Counter {
/// #     const NAME: &'static str = "counter";
/// #     const VERSION: u32 = 1;
/// #     type State = u32;
/// #     type Event = Event;
/// #     type Command = ();
/// #     type Error = String;
/// #     fn initial() -> u32 { 0 }
/// #     fn evolve(count: &mut u32, _: Event) { *count += 1; }
/// #     fn decide(_: &u32, (): (), _: &Moment) -> Result<Vec<Event>, String> { Ok(vec![Event::Counted]) }
/// # }
/// everfold::export_aggregates!(Counter);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_aggregates {
    ($($aggregate:ty),+ $(,)?) => {
        const _: () = {
            const _: &[&dyn $crate::aggregate::Exported] = &[$(&$crate::aggregate::Typed::<$aggregate>::new()),+];
            assert!(
                $crate::aggregate::names_differ(&[$(<$aggregate as $crate::aggregate::Aggregate>::NAME),+]),
                "two aggregates have the same name"
            );
        };

        #[cfg(target_arch = "wasm32")]
        $crate::export_to_javascript!($($aggregate),+);
    };
}
