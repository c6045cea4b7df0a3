//! What the store must know of JSON: that a text is a value within the limits, and whether two texts mean
//! the same value.

mod canonical;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::Error;
use crate::limits;

/// Refuses a text that is not one JSON value, or nests deeper than [`limits::JSON_DEPTH_MAX`].
pub fn check_text(text: &str) -> Result<(), Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let depth = Depth { levels_left: limits::JSON_DEPTH_MAX };
    depth.deserialize(&mut deserializer).and_then(|()| deserializer.end()).map_err(|error| {
        if error.is_data() {
            let maximum = limits::JSON_DEPTH_MAX as u64;
            return Error::limit_exceeded("JSON depth", maximum + 1, maximum);
        }
        Error::invalid_argument("", format!("not a JSON text: {error}"))
    })
}

/// Whether two texts mean the same value. A text that is not JSON within the limits means nothing but itself.
pub fn texts_mean_same(one: &str, other: &str) -> bool {
    one == other
        || canonical::canonical_form(one).is_some_and(|form| Some(form) == canonical::canonical_form(other))
}

/// Walks a value without building it, and counts how deep it goes.
struct Depth {
    levels_left: usize,
}

impl Depth {
    fn inner<E: serde::de::Error>(&self) -> Result<Self, E> {
        match self.levels_left.checked_sub(1) {
            Some(levels_left) => Ok(Self { levels_left }),
            None => Err(E::custom("nested too deeply")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while access.next_element_seed(self.inner()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while access.next_key::<serde::de::IgnoredAny>()?.is_some() {
            access.next_value_seed(self.inner()?)?;
        }
        Ok(())
    }
}
