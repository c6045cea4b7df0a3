//! Aggregates of a crate that has everfold in its wasm. What is here is called by what `export_aggregates!` writes there,
//! and is not in everfold's own wasm.

use std::rc::Rc;

use crate::aggregate::{Exported, JsonDecision, Moment, Reducer, Typed};
use crate::error::Error;
use crate::event::{Revision, UnixMillis};
use crate::reducer::Versions;
use crate::store::JsonReducer;

use super::error::to_js;
use super::message::fold;
use super::message::numbers::{self, Numbers};

pub use super::engine::Engine;
pub use wasm_bindgen::{self, JsValue};

/// An exported aggregate, to fold with where its types are not known.
pub trait Export: Exported {
    /// What folds events of these versions.
    fn reducer(&self, versions: Versions) -> JsonReducer;
}

impl<A: 'static> Export for Typed<A>
where
    Typed<A>: Exported + Reducer,
{
    fn reducer(&self, versions: Versions) -> JsonReducer {
        JsonReducer::new(Typed::<A>::new(), versions)
    }
}

/// Writes the `ExportsMessage`, as a JSON text.
pub fn describe(exports: &[&dyn Export]) -> Result<String, JsValue> {
    let mut aggregates = Vec::with_capacity(exports.len());
    for export in exports {
        let initial = export.initial_json().map_err(|error| to_js(&error))?;
        let (name, version) = (serde_json::Value::from(export.name()), export.version());
        aggregates.push(format!("{{\"name\":{name},\"version\":{version},\"initial\":{initial}}}"));
    }
    let everfold = env!("CARGO_PKG_VERSION");
    Ok(format!("{{\"everfold\":\"{everfold}\",\"aggregates\":[{}]}}", aggregates.join(",")))
}

/// Reads an `ExportedReducerMessage`, and gives the handle of the reducer.
pub fn define(
    exports: &[&dyn Export],
    engine: &Engine,
    names: &str,
    numbers: &[f64],
) -> Result<f64, JsValue> {
    let define = || {
        let (names, rest) = numbers::names(names, numbers)?;
        let mut message = Numbers::new(&names, rest);
        let (name, versions) = (message.name(), fold::versions(&mut message));
        message.finish(Ok(()))?;
        engine.define_exported(Rc::clone(&name), versions, |versions| {
            Ok(find(exports, &name)?.reducer(versions))
        })
    };
    define().map(|handle| handle as f64).map_err(|error| to_js(&error))
}

/// Decides a command. Gives a `DecisionMessage`, as a JSON text.
pub fn decide(
    exports: &[&dyn Export],
    aggregate: &str,
    state: &str,
    command: &str,
    now: f64,
    revision: Option<f64>,
) -> Result<String, JsValue> {
    let moment =
        Moment { now: UnixMillis(now as i64), revision: revision.map(|revision| Revision(revision as u64)) };
    let decided = find(exports, aggregate).and_then(|export| export.decide_json(state, command, &moment));
    match decided.map_err(|error| to_js(&error))? {
        JsonDecision::Events(events) => Ok(["{\"events\":", &events, "}"].concat()),
        JsonDecision::Refused { message, error } => {
            let message = serde_json::Value::from(message);
            Ok(format!("{{\"refused\":{{\"message\":{message},\"error\":{error}}}}}"))
        }
    }
}

fn find<'e>(exports: &'e [&dyn Export], name: &str) -> Result<&'e dyn Export, Error> {
    let found = exports.iter().find(|export| export.name() == name);
    found.copied().ok_or_else(|| Error::invalid_argument("name", "is no aggregate of this wasm"))
}

/// What `export_aggregates!` comes to in wasm: the functions by which the facade reaches the aggregates.
#[doc(hidden)]
#[macro_export]
macro_rules! export_to_javascript {
    ($($aggregate:ty),+) => {
        const _: () = {
            use $crate::web::exports::{self, Export, JsValue, wasm_bindgen};

            const EXPORTS: &[&dyn Export] = &[$(&$crate::aggregate::Typed::<$aggregate>::new()),+];

            #[wasm_bindgen::prelude::wasm_bindgen(js_name = everfoldAggregates, wasm_bindgen = wasm_bindgen)]
            pub fn everfold_aggregates() -> Result<String, JsValue> {
                exports::describe(EXPORTS)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(js_name = everfoldDefine, wasm_bindgen = wasm_bindgen)]
            pub fn everfold_define(
                engine: &exports::Engine,
                names: &str,
                numbers: &[f64],
            ) -> Result<f64, JsValue> {
                exports::define(EXPORTS, engine, names, numbers)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(js_name = everfoldDecide, wasm_bindgen = wasm_bindgen)]
            pub fn everfold_decide(
                aggregate: &str,
                state: &str,
                command: &str,
                now: f64,
                revision: Option<f64>,
            ) -> Result<String, JsValue> {
                exports::decide(EXPORTS, aggregate, state, command, now, revision)
            }
        };
    };
}
