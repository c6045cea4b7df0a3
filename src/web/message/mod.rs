//! The messages that cross between the facade and the store, and their values on this side.
//!
//! `ts/engine.ts` describes the layouts; names of fields and constants are the same on both sides. The facade
//! checks what callers pass, and names the argument that is wrong; what is wrong with a message all the same
//! is refused here, never trusted.

pub mod append;
pub mod describe;
pub mod numbers;
pub mod options;
pub mod page;
pub mod read;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use crate::error::{Detail, Error};

/// The length of a text that is not there, and a revision or a position that is none.
const NONE: f64 = -1.0;

/// Reads a small message.
pub fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, Error> {
    serde_wasm_bindgen::from_value(value).map_err(|error| malformed(&error.to_string()))
}

/// Writes a small message.
pub fn to_js<T: Serialize>(value: &T) -> Result<JsValue, Error> {
    serde_wasm_bindgen::to_value(value).map_err(|error| malformed(&error.to_string()))
}

/// A message that this package's own facade did not write.
fn malformed(problem: &str) -> Error {
    Error::new(Detail::Internal { problem: format!("a malformed message: {problem}") })
}
