//! Plain JavaScript objects, made field by field.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

/// An object in the making.
pub struct Fields(Object);

impl Fields {
    /// No fields yet.
    pub fn new() -> Self {
        Self(Object::new())
    }

    /// Adds a field.
    #[must_use]
    pub fn with(self, name: &str, value: impl Into<JsValue>) -> Self {
        self.set(name, &value.into());
        self
    }

    /// Adds a whole number, which positions and byte counts are.
    #[must_use]
    pub fn with_whole(self, name: &str, value: u64) -> Self {
        self.with(name, value as f64)
    }

    /// Adds a whole number, or `undefined`.
    #[must_use]
    pub fn with_whole_if_some(self, name: &str, value: Option<u64>) -> Self {
        self.with(name, value.map(|value| value as f64))
    }

    /// Out of line: almost every field of every answer is set here.
    #[inline(never)]
    fn set(&self, name: &str, value: &JsValue) {
        // A new object is extensible and has no setters: setting cannot fail.
        let is_set = Reflect::set(&self.0, &JsValue::from_str(name), value);
        debug_assert!(is_set.is_ok());
    }
}

impl From<Fields> for JsValue {
    fn from(fields: Fields) -> Self {
        fields.0.into()
    }
}
