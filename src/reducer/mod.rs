//! The declarative reducer: a document that says for each type of event what it changes of a state.
//!
//! [`Program::compile`] checks a document once, [`Program::evolve`] then folds events, each of which it reads only as far
//! as the document asks. docs/reducers.md has the language, with the result of every edge case.
//!
//! Total on any text: events, states and documents give values or errors, never a panic, and no event makes more
//! than [`crate::limits::REDUCER_EVENT_BYTES_MAX`] of values.

mod budget;
mod compile;
mod document;
mod expression;
mod failure;
mod integer;
mod number;
mod object;
mod parse;
mod program;
mod reference;
mod scan;
mod scene;
mod step;
mod target;
mod text;
mod value;
mod versions;

pub use document::{Document, DocumentProgram, IndexPaths, IndexedValue};
pub use failure::ReducerFailure;
pub(crate) use number::ShortNumber;
pub use program::{EventView, Program, State};
pub(crate) use scan::Scanner;
pub use versions::Versions;
