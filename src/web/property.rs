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

/// What a property holds that not every browser has.
pub fn get_if_some<T: JsCast>(object: &JsValue, name: &str) -> Option<T> {
    let value = get(object, name).ok()?;
    let is_none = value.is_undefined() || value.is_null();
    (!is_none).then(|| value.unchecked_into())
}

/// The value of a property that is a text; an empty one where it is not.
pub fn text(object: &JsValue, name: &str) -> String {
    get(object, name).ok().and_then(|value| value.as_string()).unwrap_or_default()
}

/// Sets a handler, an option or a field, all of which can be set.
pub fn set(object: &JsValue, name: &str, value: &JsValue) {
    let is_set = Reflect::set(object, &JsValue::from_str(name), value);
    debug_assert!(is_set.is_ok());
}
