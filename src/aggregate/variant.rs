//! Writing a variant of an enum: its name apart from what is in it.

use std::fmt;

use serde::Serialize;
use serde::ser::{Error, Impossible, SerializeStructVariant, SerializeTupleVariant, Serializer};

use super::finite_json::to_json;

/// A variant as it is written.
#[derive(Debug)]
pub struct Variant {
    pub name: &'static str,
    /// A JSON text. `None` for a variant that takes nothing.
    pub data: Option<String>,
}

/// Takes variants, as serde writes them by default, and nothing else: what is written as a map, a struct or a text
/// looks like one in JSON, but is none.
#[derive(Debug, Clone, Copy)]
pub struct VariantWriter;

/// Why something cannot be written.
#[derive(Debug)]
pub enum NoVariant {
    /// It is no variant.
    Other,
    /// JSON cannot hold what is in it.
    Data(String),
}

/// What is in a variant, in the making: the texts before the next part.
#[derive(Debug)]
pub struct Parts {
    name: &'static str,
    json: String,
    /// What ends it.
    end: char,
}

impl Parts {
    fn new(name: &'static str, start: char, end: char) -> Self {
        Self { name, json: start.into(), end }
    }

    /// Writes the comma before all parts but the first.
    fn begin_part(&mut self) {
        if 1 < self.json.len() {
            self.json.push(',');
        }
    }

    fn write(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), NoVariant> {
        self.json.push_str(&to_json(value)?);
        Ok(())
    }

    fn finish(mut self) -> Variant {
        self.json.push(self.end);
        Variant { name: self.name, data: Some(self.json) }
    }
}

impl SerializeTupleVariant for Parts {
    type Ok = Variant;
    type Error = NoVariant;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoVariant> {
        self.begin_part();
        self.write(value)
    }

    fn end(self) -> Result<Variant, NoVariant> {
        Ok(self.finish())
    }
}

impl SerializeStructVariant for Parts {
    type Ok = Variant;
    type Error = NoVariant;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), NoVariant> {
        self.begin_part();
        self.write(key)?;
        self.json.push(':');
        self.write(value)
    }

    fn end(self) -> Result<Variant, NoVariant> {
        Ok(self.finish())
    }
}

/// Refuses what is no variant.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$ok, NoVariant> {
            Err(NoVariant::Other)
        })*
    };
}

type Nothing = Impossible<Variant, NoVariant>;

impl Serializer for VariantWriter {
    type Ok = Variant;
    type Error = NoVariant;
    type SerializeSeq = Nothing;
    type SerializeTuple = Nothing;
    type SerializeTupleStruct = Nothing;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Nothing;
    type SerializeStruct = Nothing;
    type SerializeStructVariant = Parts;

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<Variant, NoVariant> {
        Ok(Variant { name, data: None })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<Variant, NoVariant> {
        Ok(Variant { name, data: Some(to_json(value)?) })
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Parts, NoVariant> {
        Ok(Parts::new(name, '[', ']'))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Parts, NoVariant> {
        Ok(Parts::new(name, '{', '}'))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Variant, NoVariant> {
        Err(NoVariant::Other)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<Variant, NoVariant> {
        Err(NoVariant::Other)
    }

    refuse! {
        serialize_bool(bool) -> Variant;
        serialize_i8(i8) -> Variant;
        serialize_i16(i16) -> Variant;
        serialize_i32(i32) -> Variant;
        serialize_i64(i64) -> Variant;
        serialize_u8(u8) -> Variant;
        serialize_u16(u16) -> Variant;
        serialize_u32(u32) -> Variant;
        serialize_u64(u64) -> Variant;
        serialize_f32(f32) -> Variant;
        serialize_f64(f64) -> Variant;
        serialize_char(char) -> Variant;
        serialize_str(&str) -> Variant;
        serialize_bytes(&[u8]) -> Variant;
        serialize_none() -> Variant;
        serialize_unit() -> Variant;
        serialize_unit_struct(&'static str) -> Variant;
        serialize_seq(Option<usize>) -> Nothing;
        serialize_tuple(usize) -> Nothing;
        serialize_tuple_struct(&'static str, usize) -> Nothing;
        serialize_map(Option<usize>) -> Nothing;
        serialize_struct(&'static str, usize) -> Nothing;
    }
}

impl From<serde_json::Error> for NoVariant {
    fn from(error: serde_json::Error) -> Self {
        Self::custom(error)
    }
}

impl Error for NoVariant {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Data(message.to_string())
    }
}

impl fmt::Display for NoVariant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other => formatter.write_str("is no variant of an enum, as serde writes it by default"),
            Self::Data(problem) => write!(formatter, "is no JSON: {problem}"),
        }
    }
}

impl std::error::Error for NoVariant {}
