//! What the numbers of a message say, and the names that they point to.
//!
//! The numbers of every message begin with the lengths of its names, in UTF-16 units; the names are one text:
//!
//! ```text
//! nameCount  nameLength...
//! ```
//!
//! A name is written as its place among them. A number that may be left out is `NaN` then.

use std::rc::Rc;

use crate::error::Error;
use crate::event::{StreamName, UnixMillis};
use crate::limits::INTEGER_MAX;
use crate::log::Expected;
use crate::position::Revision;
use crate::storage::Durability;

use super::texts::Texts;
use super::{cut_short, malformed};

/// A message, read from the front.
pub struct Numbers<'a> {
    rest: &'a [f64],
    names: Rc<Vec<Rc<str>>>,
}

impl<'a> Numbers<'a> {
    /// Reads the names; what follows them is next.
    pub fn new(names: &str, numbers: &'a [f64]) -> Result<Self, Error> {
        let mut message = Self { rest: numbers, names: Rc::default() };
        let mut texts = Texts::new(names);
        let mut names = Vec::new();
        for _ in 0..message.count()? {
            names.push(Rc::from(texts.take(message.count()?)?));
        }
        message.names = Rc::new(names);
        Ok(message)
    }

    /// Whether all was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Splits off the next `count` numbers, as a message of the same names.
    pub fn split(&mut self, count: usize) -> Result<Self, Error> {
        let (front, rest) = self.rest.split_at_checked(count).ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(Self { rest: front, names: Rc::clone(&self.names) })
    }

    /// Any number.
    pub fn number(&mut self) -> Result<f64, Error> {
        let (first, rest) = self.rest.split_first().ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(*first)
    }

    /// A whole number from 0 to 2^53 - 1.
    pub fn whole(&mut self) -> Result<u64, Error> {
        whole(self.number()?)
    }

    /// A whole number, where there is one.
    pub fn whole_if_some(&mut self) -> Result<Option<u64>, Error> {
        let number = self.number()?;
        if number.is_nan() { Ok(None) } else { whole(number).map(Some) }
    }

    /// How many of something there are, or the place or the code of one.
    pub fn count(&mut self) -> Result<usize, Error> {
        Ok(self.whole()? as usize)
    }

    /// A moment, where there is one.
    pub fn time_if_some(&mut self) -> Result<Option<UnixMillis>, Error> {
        let number = self.number()?;
        if number.is_nan() {
            return Ok(None);
        }
        let size = whole(number.abs())? as i64;
        Ok(Some(UnixMillis(if number < 0.0 { -size } else { size })))
    }

    /// A name.
    pub fn name(&mut self) -> Result<Rc<str>, Error> {
        let place = self.count()?;
        self.names.get(place).cloned().ok_or_else(cut_short)
    }

    /// A name, where there is one.
    pub fn name_if_some(&mut self) -> Result<Option<Rc<str>>, Error> {
        let place = self.whole_if_some()?;
        place.map(|place| self.names.get(place as usize).cloned().ok_or_else(cut_short)).transpose()
    }

    /// The name of a stream. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
    pub fn stream(&mut self) -> Result<StreamName, Error> {
        StreamName::new(self.name()?).map_err(|error| error.at("stream"))
    }

    /// An expectation: its code, `EXPECTED`, or a revision.
    pub fn expected(&mut self) -> Result<Expected, Error> {
        match self.number()? {
            -1.0 => Ok(Expected::Any),
            -2.0 => Ok(Expected::NoStream),
            -3.0 => Ok(Expected::StreamExists),
            revision => Ok(Expected::Revision(Revision(whole(revision)?))),
        }
    }

    /// A durability, `DURABILITY`, where there is one.
    pub fn durability_if_some(&mut self) -> Result<Option<Durability>, Error> {
        match self.count()? {
            0 => Ok(None),
            1 => Ok(Some(Durability::Memory)),
            2 => Ok(Some(Durability::Relaxed)),
            3 => Ok(Some(Durability::Strict)),
            _ => Err(malformed("a durability has an unknown code")),
        }
    }
}

/// The facade checks what callers pass: a number of another kind is its mistake, not theirs.
fn whole(number: f64) -> Result<u64, Error> {
    let is_whole = number.fract() == 0.0 && (0.0..=INTEGER_MAX as f64).contains(&number);
    if is_whole { Ok(number as u64) } else { Err(malformed("a number is not whole, or too large")) }
}
