//! Plain JavaScript objects, made field by field.

use js_sys::Object;
use wasm_bindgen::JsValue;

use super::property;

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
        self.with_value(name, value.into())
    }

    /// By value and out of line: almost every field of every answer is set here.
    #[inline(never)]
    fn with_value(self, name: &str, value: JsValue) -> Self {
        property::set(&self.0, name, &value);
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
}

impl From<Fields> for JsValue {
    fn from(fields: Fields) -> Self {
        fields.0.into()
    }
}
