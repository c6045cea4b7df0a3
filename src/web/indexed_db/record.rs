//! Keys, ranges and values as IndexedDB has them: positions are numbers, everything else is bytes.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::IdbKeyRange;

use crate::event::Position;
use crate::limits::INTEGER_MAX;
use crate::storage::{Area, FaultKind, Head, Key, KeyRange, StorageFault};

use super::fault::{self, Moment};

/// The key, which must be of the area's kind, for a request.
pub fn key_to_js(area: Area, key: &Key) -> JsValue {
    area.assert_fits(key);
    match key {
        Key::Position(position) => JsValue::from_f64(position.0 as f64),
        Key::Bytes(bytes) => bytes_to_js(bytes).into(),
    }
}

/// The bytes in an array of their own: a view of the wasm memory would be stored with all of that memory.
pub fn bytes_to_js(bytes: &[u8]) -> Uint8Array {
    Uint8Array::new_from_slice(bytes)
}

/// The key of a record of this area.
///
/// # Errors
///
/// [`FaultKind::Foreign`] where it is of a kind that everfold does not write.
pub fn key_from_js(area: Area, key: &JsValue) -> Result<Key, StorageFault> {
    let found = match area {
        Area::Log => key.as_f64().and_then(position_of).map(Key::Position),
        _ => key.dyn_ref::<ArrayBuffer>().map(|buffer| Key::Bytes(Uint8Array::new(buffer).to_vec())),
    };
    found.ok_or_else(|| foreign(area, "key"))
}

/// The bytes of a record of this area; `None` where there is no record.
///
/// # Errors
///
/// [`FaultKind::Foreign`] where the value is of a kind that everfold does not write.
pub fn value_from_js(area: Area, value: &JsValue) -> Result<Option<Vec<u8>>, StorageFault> {
    if value.is_undefined() {
        return Ok(None);
    }
    array_of(area, value).map(|bytes| Some(bytes.to_vec()))
}

/// How many bytes a record counts for, without moving its value.
///
/// # Errors
///
/// [`FaultKind::Foreign`] where key or value is of a kind that everfold does not write.
pub fn size_bytes(area: Area, key: &JsValue, value: &JsValue) -> Result<u64, StorageFault> {
    let value_bytes = u64::from(array_of(area, value)?.byte_length());
    Ok(key_from_js(area, key)?.size_bytes() + value_bytes)
}

/// The head in what a request for it found.
///
/// # Errors
///
/// [`FaultKind::Damaged`] where it is not in its stored form.
pub fn head_from_js(value: &JsValue) -> Result<Head, StorageFault> {
    match value_from_js(Area::Meta, value)? {
        None => Ok(Head::default()),
        Some(bytes) => Head::from_bytes(&bytes)
            .ok_or_else(|| fault::found(FaultKind::Damaged, "the head is not in its stored form")),
    }
}

/// A range of keys as a request takes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// No key is in it: its bounds are crossed, which IndexedDB refuses.
    Empty,
    /// Every key is in it.
    All,
    /// Those between the bounds.
    Range(IdbKeyRange),
}

impl Query {
    /// The keys of an area that are in the range.
    ///
    /// # Errors
    ///
    /// What the browser throws.
    pub fn new(area: Area, range: &KeyRange) -> Result<Self, StorageFault> {
        let to_js = |key: &Key| key_to_js(area, key);
        let range = match (&range.from, &range.to) {
            (None, None) => return Ok(Self::All),
            (Some(from), Some(to)) if to < from => return Ok(Self::Empty),
            (Some(from), Some(to)) => IdbKeyRange::bound(&to_js(from), &to_js(to)),
            (Some(from), None) => IdbKeyRange::lower_bound(&to_js(from)),
            (None, Some(to)) => IdbKeyRange::upper_bound(&to_js(to)),
        };
        range.map(Self::Range).map_err(|exception| fault::from_exception(&exception, Moment::Begun))
    }

    /// All keys after one that was read.
    ///
    /// # Errors
    ///
    /// What the browser throws.
    pub fn after(key: &JsValue) -> Result<Self, StorageFault> {
        let range = IdbKeyRange::lower_bound_with_open(key, true);
        range.map(Self::Range).map_err(|exception| fault::from_exception(&exception, Moment::Begun))
    }

    /// The argument of a request; an empty one must not be asked for.
    pub fn to_js(&self) -> JsValue {
        match self {
            Self::Range(range) => range.into(),
            Self::All | Self::Empty => JsValue::UNDEFINED,
        }
    }
}

fn position_of(number: f64) -> Option<Position> {
    let is_position = number.fract() == 0.0 && (0.0..=INTEGER_MAX as f64).contains(&number);
    is_position.then_some(Position(number as u64))
}

fn array_of(area: Area, value: &JsValue) -> Result<&Uint8Array, StorageFault> {
    value.dyn_ref::<Uint8Array>().ok_or_else(|| foreign(area, "value"))
}

fn foreign(area: Area, part: &str) -> StorageFault {
    let cause =
        format!("another program wrote to the object store \"{}\": a {part} is not ours", area.name());
    fault::found(FaultKind::Foreign, cause)
}
