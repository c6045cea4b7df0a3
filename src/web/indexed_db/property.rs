//! Properties of the browser's objects, by name. A property that is read or set here needs no function of its own
//! at the boundary, each of which costs every page that loads the wasm some bytes.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;

/// The value of a property; `undefined` where there is none.
///
/// # Errors
///
/// What the browser throws.
pub fn get(object: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    Reflect::get(object, &JsValue::from_str(name))
}

/// The value of a property that is a text; an empty one where it is not.
pub fn text(object: &JsValue, name: &str) -> String {
    get(object, name).ok().and_then(|value| value.as_string()).unwrap_or_default()
}

/// Sets a handler or an option, all of which can be set.
pub fn set(object: &JsValue, name: &str, value: &JsValue) {
    let is_set = Reflect::set(object, &JsValue::from_str(name), value);
    debug_assert!(is_set.is_ok());
}
