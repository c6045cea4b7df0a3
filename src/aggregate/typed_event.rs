//! Events in types: an enum of which a variant is a type of events, and what is in it the data.

use std::cell::Cell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, VariantAccess, Visitor};
use serde::{Serialize, forward_to_deserialize_any};

use crate::error::Error;
use crate::event::{EventType, Json, NewEvent};

use super::plain::{Doubt, Plain};
use super::variant::{NoVariant, Variant, VariantWriter};

/// Why an event is none of the enum's.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It has no such variant.
    UnknownType,
    /// The data is not the variant's.
    Data(String),
    /// The data is not spelled plainly, or not the variant's.
    Doubt,
}

/// The event of a type and its data.
pub(super) fn read_event<E: DeserializeOwned>(event_type: &str, data: Option<&str>) -> Result<E, Refusal> {
    let is_doubted = Cell::new(false);
    let read = E::deserialize(Stored { event_type, data, spelling: Spelling::Plain(&is_doubted) });
    // Whatever was made of it: of a doubt the enum may have made another error, or a variant of its own.
    if !is_doubted.get() {
        return read;
    }
    E::deserialize(Stored { event_type, data, spelling: Spelling::Any })
}

/// What is appended for an event: its variant's name is the type, what is in it the data. A variant without
/// anything has no data.
///
/// Errors: `INVALID_ARGUMENT` where the event is no variant of an enum, or nothing that JSON can hold; what
/// [`EventType::new`] and [`Json::parse`] refuse.
pub fn to_new_event<E: Serialize>(event: &E) -> Result<NewEvent, Error> {
    let refused =
        |refusal: NoVariant| Error::invalid_argument("", ["the event ", &refusal.to_string()].concat());
    let Variant { name, data } = event.serialize(VariantWriter).map_err(refused)?;
    let data = data.map(Json::parse).transpose()?;
    Ok(NewEvent { data, ..NewEvent::new(EventType::new(name)?) })
}

/// An event as it stands in the log, to be read as a variant.
#[derive(Clone, Copy)]
struct Stored<'a> {
    event_type: &'a str,
    data: Option<&'a str>,
    spelling: Spelling<'a>,
}

/// How its data may be spelled. Most are [`Plain`], which takes fewer steps to read.
#[derive(Clone, Copy)]
enum Spelling<'a> {
    /// To be noted down where it is not, or may not be the variant's.
    Plain(&'a Cell<bool>),
    Any,
}

impl<'de> Deserializer<'de> for Stored<'de> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Stored<'de> {
    type Error = Refusal;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Refusal> {
        Ok((seed.deserialize(StrDeserializer::<Refusal>::new(self.event_type))?, self))
    }
}

impl<'de> VariantAccess<'de> for Stored<'de> {
    type Error = Refusal;

    /// Whatever data there is, a variant that takes none needs none.
    fn unit_variant(self) -> Result<(), Refusal> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refusal> {
        match self.spelling {
            Spelling::Plain(is_doubted) => self.read_plain(is_doubted, |json| seed.deserialize(json)),
            Spelling::Any => self.read_any(|json| seed.deserialize(json)),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refusal> {
        match self.spelling {
            Spelling::Plain(is_doubted) => {
                self.read_plain(is_doubted, |json| json.deserialize_tuple(length, visitor))
            }
            Spelling::Any => self.read_any(|json| json.deserialize_tuple(length, visitor)),
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.spelling {
            Spelling::Plain(is_doubted) => {
                self.read_plain(is_doubted, |json| json.deserialize_struct("", fields, visitor))
            }
            Spelling::Any => self.read_any(|json| json.deserialize_struct("", fields, visitor)),
        }
    }
}

impl<'de> Stored<'de> {
    /// An event without data is read as one whose data is `null`.
    fn json(self) -> &'de str {
        self.data.unwrap_or("null")
    }

    fn read_plain<T>(
        self,
        is_doubted: &Cell<bool>,
        read: impl FnOnce(&mut Plain<'de>) -> Result<T, Doubt>,
    ) -> Result<T, Refusal> {
        let mut json = Plain::new(self.json());
        let value = read(&mut json);
        value.and_then(|value| json.end().map(|()| value)).map_err(|Doubt| {
            is_doubted.set(true);
            Refusal::Doubt
        })
    }

    fn read_any<T>(
        self,
        read: impl FnOnce(
            &mut serde_json::Deserializer<serde_json::de::StrRead<'de>>,
        ) -> Result<T, serde_json::Error>,
    ) -> Result<T, Refusal> {
        let mut json = serde_json::Deserializer::from_str(self.json());
        let value = read(&mut json);
        value.and_then(|value| json.end().map(|()| value)).map_err(|error| {
            Refusal::Data(["the data is not what its type says: ", &error.to_string()].concat())
        })
    }
}

impl serde::de::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Data(message.to_string())
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::UnknownType
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UnknownType => "no such type",
            Self::Data(problem) => problem,
            Self::Doubt => "the data may be of another type",
        })
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests;
