//! Documents of reducers, and folding with them.

use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::JsValue;

use crate::documents::DocumentReducer;
use crate::error::Error;
use crate::limits;
use crate::supplement::{Folding, Supplied, entered};
use crate::web::message::fold::{self, Definition, Fold, Given};
use crate::web::message::malformed;
use crate::web::message::numbers::Numbers;

use super::{Answering, Asked, unknown};

/// What is asked.
enum Task {
    /// A `ReducerMessage`; the answer is a handle.
    Define(Definition),
    /// A `DocumentReducerMessage`; the answer is a handle.
    DefineDocuments(DocumentReducer),
    /// A `FoldEventsMessage`; the answer is a `FoldOutcome`.
    Given(Given),
    /// A `FoldMessage`: the handle of a reducer, and what is to be folded; the answer is a `FoldOutcome`. The listener hears how
    /// far it is, in positions of the log, and says whether it is still wanted.
    Fold(usize, Fold),
}

/// Does what has to do with reducers, by its code.
#[inline(never)]
pub fn gate_folding_call(_: Supplied<Folding>, asked: Asked) -> Answering {
    entered(Box::pin(async move {
        let task = asked.read(by_code)?;
        let Asked { store, kept, listener, .. } = asked;
        let (reducer, fold) = match task {
            Task::Define(definition) => {
                return Ok(JsValue::from_f64(kept.reducers.borrow_mut().define(definition)? as f64));
            }
            Task::DefineDocuments(reducer) => {
                let mut known = kept.documents.borrow_mut();
                limits::check("reducers", known.len() + 1, limits::REDUCERS_MAX)?;
                known.push(Rc::new(reducer));
                return Ok(JsValue::from_f64((known.len() - 1) as f64));
            }
            Task::Given(given) => {
                return Ok(fold::folded(&fold::fold_given(&kept.reducers.borrow(), &given)?));
            }
            Task::Fold(handle, fold) => (kept.reducers.borrow().get(handle)?, fold),
        };
        let mut progress = fold::listener(told(listener)?);
        let (from, request) = match fold {
            Fold::One { from, request } => (from, request),
            Fold::All { category, as_of } => {
                let all = store.fold_all_json(&reducer, category, as_of, &mut progress).await?;
                return Ok(fold::many_folded(&all).await);
            }
        };
        Ok(fold::folded(&store.fold_json(&reducer, from.folded(), &request, &mut progress).await?))
    }))
}

fn by_code(code: u32, message: &mut Numbers<'_>) -> Result<Task, Error> {
    Ok(match code {
        0 => Task::Define(fold::definition(message)),
        1 => Task::Given(fold::given(message)),
        2 => Task::Fold(message.count(), fold::fold(message)?),
        3 => Task::DefineDocuments(fold::document_reducer(message)?),
        _ => return Err(unknown()),
    })
}

fn told(listener: Option<Function>) -> Result<Function, Error> {
    listener.ok_or_else(|| malformed("nobody is told how far a fold is"))
}
