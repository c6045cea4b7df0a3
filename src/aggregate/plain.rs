//! Reading types out of JSON that is spelled as most is.
//!
//! What is read here, `serde_json` reads as the same value, only in more steps: it knows nothing of where a text comes from. What is
//! spelled otherwise is doubted, as is whatever may be wrong; `serde_json` then reads it from the beginning, and has the last
//! word on what is an error, and which. So it is also where a type makes do with something else for what it cannot read:
//! a doubt stays, whoever has passed over it.

use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::reducer::{Scanner, ShortNumber};

/// The text is not spelled plainly, or no such value.
#[derive(Debug)]
pub(super) struct Doubt;

/// Reads a text once, from its beginning to its end: strings without escapes, numbers of few digits without exponents, and
/// what is put together of them, to a depth that no stack minds.
pub(super) struct Plain<'de> {
    scanner: Scanner<'de>,
    levels_left: usize,
    is_doubted: bool,
}

/// So deep values may nest; `serde_json` takes twice as many.
const LEVELS_MAX: usize = 64;
/// What the names of types begin with that `serde_json` alone knows how to read.
const OWN_NAME: &str = "$serde_json";

impl<'de> Plain<'de> {
    pub fn new(json: &'de str) -> Self {
        Self { scanner: Scanner::new(json), levels_left: LEVELS_MAX, is_doubted: false }
    }

    /// Doubts a text that goes on, or of which anything was doubted.
    pub fn end(mut self) -> Result<(), Doubt> {
        if self.scanner.is_at_end() && !self.is_doubted { Ok(()) } else { Err(Doubt) }
    }

    #[cold]
    fn doubt(&mut self) -> Doubt {
        self.is_doubted = true;
        Doubt
    }

    /// What is not there is doubted.
    #[inline(always)]
    fn sure<T>(&mut self, found: Option<T>) -> Result<T, Doubt> {
        found.ok_or_else(|| self.doubt())
    }

    fn text(&mut self) -> Result<&'de str, Doubt> {
        let text = self.scanner.plain_text();
        self.sure(text)
    }

    fn number(&mut self) -> Result<ShortNumber, Doubt> {
        let number = self.scanner.skip().and_then(|word| ShortNumber::read(word.as_bytes()));
        self.sure(number)
    }

    fn whole_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Doubt> {
        match self.number()? {
            ShortNumber::Whole(number) => visitor.visit_u64(number),
            ShortNumber::NegativeWhole(number) => visitor.visit_i64(number),
            ShortNumber::Broken(_) => Err(self.doubt()),
        }
    }

    fn bool(&mut self) -> Result<bool, Doubt> {
        match self.scanner.skip() {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ => Err(self.doubt()),
        }
    }

    fn null(&mut self) -> Result<(), Doubt> {
        let null = self.scanner.skip().filter(|word| *word == "null");
        self.sure(null).map(drop)
    }

    /// Goes into an object or an array, and has it read to its end.
    fn inside<T>(
        &mut self,
        opening: u8,
        closing: u8,
        read: impl FnOnce(&mut Self) -> Result<T, Doubt>,
    ) -> Result<T, Doubt> {
        if self.scanner.peek() != opening {
            return Err(self.doubt());
        }
        let levels_left = self.levels_left.checked_sub(1);
        self.levels_left = self.sure(levels_left)?;
        self.scanner.enter();
        // Where it was left before its end, `serde_json` goes on elsewhere.
        let value = read(self).map_err(|Doubt| self.doubt())?;
        self.levels_left += 1;
        // Where its end was met, the bracket is still there.
        let closed = self.scanner.passes(closing).then_some(value);
        self.sure(closed)
    }

    fn seq<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Doubt> {
        self.inside(b'[', b']', |inside| visitor.visit_seq(Parts(inside)))
    }

    fn map<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Doubt> {
        self.inside(b'{', b'}', |inside| visitor.visit_map(Parts(inside)))
    }

    /// Goes on to the next part of what was gone into, and says whether there is one.
    fn goes_on(&mut self, closing: u8) -> Result<bool, Doubt> {
        if self.scanner.peek() == closing {
            return Ok(false);
        }
        let goes_on = self.scanner.goes_on(closing);
        self.sure(goes_on)
    }

    /// The name of a property, and goes on to its value.
    fn name(&mut self) -> Result<&'de str, Doubt> {
        let name = self.text()?;
        let passed = self.scanner.passes(b':').then_some(name);
        self.sure(passed)
    }

    /// Passes over a value, of which all is looked at.
    fn ignore(&mut self) -> Result<(), Doubt> {
        match self.scanner.peek() {
            b'"' => self.text().map(drop),
            b'{' => self.inside(b'{', b'}', |inside| {
                while inside.goes_on(b'}')? {
                    inside.name()?;
                    inside.ignore()?;
                }
                Ok(())
            }),
            b'[' => self.inside(b'[', b']', |inside| {
                while inside.goes_on(b']')? {
                    inside.ignore()?;
                }
                Ok(())
            }),
            b't' | b'f' => self.bool().map(drop),
            b'n' => self.null(),
            _ => self.number().map(drop),
        }
    }
}

/// Reads strings.
macro_rules! texts {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
            visitor.visit_borrowed_str(self.text()?)
        })*
    };
}

/// Reads numbers.
macro_rules! numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
            match self.number()? {
                ShortNumber::Whole(number) => visitor.visit_u64(number),
                ShortNumber::NegativeWhole(number) => visitor.visit_i64(number),
                ShortNumber::Broken(number) => visitor.visit_f64(number),
            }
        })*
    };
}

/// Doubts what is seldom.
macro_rules! doubt {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Doubt> {
            Err(self.doubt())
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Plain<'de> {
    type Error = Doubt;

    /// A number that is not whole is doubted: how exact it is to be, its reader may have said to `serde_json`.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        match self.scanner.peek() {
            b'"' => visitor.visit_borrowed_str(self.text()?),
            b'{' => self.map(visitor),
            b'[' => self.seq(visitor),
            b't' | b'f' => visitor.visit_bool(self.bool()?),
            b'n' => self.null().and_then(|()| visitor.visit_unit()),
            _ => self.whole_number(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        visitor.visit_bool(self.bool()?)
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f64
    }

    /// As `deserialize_any` has it.
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        self.whole_number(visitor)
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    doubt! { deserialize_i128 deserialize_u128 deserialize_bytes deserialize_byte_buf }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        match self.scanner.peek() {
            b'n' => self.null().and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        self.null().and_then(|()| visitor.visit_unit())
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        if name.starts_with(OWN_NAME) {
            return Err(self.doubt());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        self.seq(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Doubt> {
        self.seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        self.seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        self.map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        self.map(visitor)
    }

    /// A variant with something in it is doubted.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.text()?))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        self.ignore()?;
        visitor.visit_unit()
    }
}

/// The parts of an object or an array that was gone into.
struct Parts<'a, 'de>(&'a mut Plain<'de>);

impl<'de> SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Doubt;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Doubt> {
        if !self.0.goes_on(b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.0).map(Some)
    }
}

impl<'de> MapAccess<'de> for Parts<'_, 'de> {
    type Error = Doubt;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Doubt> {
        if !self.0.goes_on(b'}')? {
            return Ok(None);
        }
        let name = self.0.name()?;
        seed.deserialize(Key { name, is_doubted: &mut self.0.is_doubted }).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Doubt> {
        seed.deserialize(&mut *self.0)
    }
}

/// The name of a property. Whoever makes a number of it, or anything else than a text, is doubted.
struct Key<'a, 'de> {
    name: &'de str,
    is_doubted: &'a mut bool,
}

impl Key<'_, '_> {
    #[cold]
    fn doubt(self) -> Doubt {
        *self.is_doubted = true;
        Doubt
    }
}

impl<'de> Deserializer<'de> for Key<'_, 'de> {
    type Error = Doubt;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        visitor.visit_borrowed_str(self.name)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        visitor.visit_newtype_struct(self)
    }

    doubt! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_bytes deserialize_byte_buf deserialize_option
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Doubt> {
        Err(self.doubt())
    }
}

impl serde::de::Error for Doubt {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the text is not plain")
    }
}

impl std::error::Error for Doubt {}

#[cfg(test)]
mod tests;
