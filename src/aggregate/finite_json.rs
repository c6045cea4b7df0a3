//! JSON of values in types, where a number that JSON cannot hold is refused.

use serde::Serialize;
use serde::ser::{self, Error, Serializer};

/// The JSON text of a value. `serde_json` writes `null` for what is not finite, and nobody reads a number in it again; its
/// formatters are not told of the one from the other. So the numbers are looked at before.
pub(super) fn to_json(value: &(impl Serialize + ?Sized)) -> Result<String, serde_json::Error> {
    value.serialize(FiniteNumbers)?;
    serde_json::to_string(value)
}

/// Takes everything but numbers that are not finite, and writes nothing.
#[derive(Clone, Copy)]
struct FiniteNumbers;

type Checked = Result<(), serde_json::Error>;

fn check(number: f64) -> Checked {
    let problem = "a number is not finite, which JSON cannot hold";
    if number.is_finite() { Ok(()) } else { Err(serde_json::Error::custom(problem)) }
}

/// Takes values without parts.
macro_rules! take {
    ($($method:ident($($argument:ty),*);)*) => {
        $(fn $method(self, $(_: $argument),*) -> Checked {
            Ok(())
        })*
    };
}

/// Begins what has parts.
macro_rules! begin {
    ($($method:ident($($argument:ty),*);)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Self, serde_json::Error> {
            Ok(self)
        })*
    };
}

impl Serializer for FiniteNumbers {
    type Ok = ();
    type Error = serde_json::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn serialize_f32(self, number: f32) -> Checked {
        check(number.into())
    }

    fn serialize_f64(self, number: f64) -> Checked {
        check(number)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Checked {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Checked {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Checked {
        value.serialize(self)
    }

    take! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    begin! {
        serialize_seq(Option<usize>);
        serialize_tuple(usize);
        serialize_tuple_struct(&'static str, usize);
        serialize_tuple_variant(&'static str, u32, &'static str, usize);
        serialize_map(Option<usize>);
        serialize_struct(&'static str, usize);
        serialize_struct_variant(&'static str, u32, &'static str, usize);
    }
}

/// Looks at the parts of what has some.
macro_rules! look {
    ($($of:ident: $($method:ident($($name:ty)?)),+;)*) => {
        $(impl ser::$of for FiniteNumbers {
            type Ok = ();
            type Error = serde_json::Error;

            $(fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? part: &T) -> Checked {
                part.serialize(*self)
            })+

            fn end(self) -> Checked {
                Ok(())
            }
        })*
    };
}

look! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeMap: serialize_key(), serialize_value();
    SerializeStruct: serialize_field(&'static str);
    SerializeStructVariant: serialize_field(&'static str);
}
