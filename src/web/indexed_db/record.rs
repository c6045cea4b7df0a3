//! Keys, ranges and values as IndexedDB has them: positions are numbers, everything else is bytes.

use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::IdbKeyRange;

use crate::event::Position;
use crate::limits::INTEGER_MAX;
use crate::storage::{Area, FaultKind, Key, KeyRange, Record};

use super::fault::{self, Fault};
use super::transaction::thrown;

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
pub fn key_from_js(area: Area, key: &JsValue) -> Result<Key, Fault> {
    let found = match area {
        Area::Log => key.as_f64().and_then(position_of).map(Key::Position),
        _ => key.dyn_ref::<ArrayBuffer>().map(|buffer| Key::Bytes(Uint8Array::new(buffer).to_vec())),
    };
    found.ok_or_else(|| {
        let name = area.name();
        let cause = format_args!("another program wrote to the object store \"{name}\": a key is not ours");
        fault::found(FaultKind::Foreign, cause)
    })
}

/// The bytes of a value; none of one that cannot be read, or that is of a kind which everfold does not write.
pub fn value_from_js(value: &JsValue) -> Vec<u8> {
    value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec).unwrap_or_default()
}

/// A record of this area.
///
/// # Errors
///
/// [`FaultKind::Foreign`] where the key is of a kind that everfold does not write.
pub fn record_from_js(area: Area, key: &JsValue, value: &JsValue) -> Result<Record, Fault> {
    Ok(Record { key: key_from_js(area, key)?, value: value_from_js(value) })
}

/// How many bytes a record counts for, without moving its value.
///
/// # Errors
///
/// [`FaultKind::Foreign`] where the key is of a kind that everfold does not write.
pub fn size_bytes(area: Area, key: &JsValue, value: &JsValue) -> Result<u64, Fault> {
    let value_bytes = value.dyn_ref::<Uint8Array>().map_or(0, Uint8Array::byte_length);
    Ok(key_from_js(area, key)?.size_bytes() + u64::from(value_bytes))
}

/// The keys of an area that are in the range, as a request takes them; `None` where there can be none: the
/// bounds are crossed, which IndexedDB refuses.
///
/// # Errors
///
/// What the browser throws.
pub fn range_to_js(area: Area, range: &KeyRange) -> Result<Option<JsValue>, Fault> {
    let KeyRange { from: lower, to: upper } = range;
    if let (Some(lower), Some(upper)) = (lower, upper)
        && upper < lower
    {
        return Ok(None);
    }
    // A range that is open at both ends is still a range: nothing can be deleted without one. To IndexedDB, this number is the lowest of all keys, and an array is above all numbers and bytes.
    let lower = lower.as_ref().map_or(f64::NEG_INFINITY.into(), |key| key_to_js(area, key));
    let upper = upper.as_ref().map_or_else(above_all, |key| key_to_js(area, key));
    Ok(Some(thrown(IdbKeyRange::bound_with_lower_open(&lower, &upper, false))?.into()))
}

fn above_all() -> JsValue {
    Array::new().into()
}

/// All keys after one that was read, as a request takes them.
///
/// # Errors
///
/// What the browser throws.
pub fn keys_after(key: &JsValue) -> Result<JsValue, Fault> {
    Ok(thrown(IdbKeyRange::bound_with_lower_open(key, &above_all(), true))?.into())
}

fn position_of(number: f64) -> Option<Position> {
    let is_position = number.fract() == 0.0 && (0.0..=INTEGER_MAX as f64).contains(&number);
    is_position.then_some(Position(number as u64))
}
