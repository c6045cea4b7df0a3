//! JavaScript's numbers as whole ones.

use crate::error::Error;
use crate::event::UnixMillis;
use crate::limits::INTEGER_MAX;

/// A whole number from 0 to 2^53 - 1. Errors: `INVALID_ARGUMENT` at `path`.
pub fn whole(value: f64, path: &str) -> Result<u64, Error> {
    let is_whole = value.fract() == 0.0 && (0.0..=INTEGER_MAX as f64).contains(&value);
    if is_whole { Ok(value as u64) } else { Err(not_whole(value, path, 0)) }
}

/// As [`whole`], where there is one.
pub fn whole_if_some(value: Option<f64>, path: &str) -> Result<Option<u64>, Error> {
    value.map(|value| whole(value, path)).transpose()
}

/// A moment. Errors: `INVALID_ARGUMENT` at `path`.
pub fn time(value: f64, path: &str) -> Result<UnixMillis, Error> {
    let is_whole = value.fract() == 0.0 && value.abs() <= INTEGER_MAX as f64;
    if is_whole { Ok(UnixMillis(value as i64)) } else { Err(not_whole(value, path, -(INTEGER_MAX as i64))) }
}

/// As [`time`], where there is one.
pub fn time_if_some(value: Option<f64>, path: &str) -> Result<Option<UnixMillis>, Error> {
    value.map(|value| time(value, path)).transpose()
}

fn not_whole(value: f64, path: &str, minimum: i64) -> Error {
    Error::invalid_argument(
        path,
        format!("is {value}; a whole number from {minimum} to {INTEGER_MAX} is needed"),
    )
}
