//! What the numbers of a message say, and the names that they point to.
//!
//! The numbers of every message end with the lengths of its names, in UTF-16 units; the names are one text:
//!
//! ```text
//! nameLength...  nameCount
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

use super::malformed;
use super::texts::Texts;

/// A message, read from the front.
///
/// What makes no sense is noted, and reads as nothing from there on: so it is asked for once, at the end, by
/// [`Numbers::finish`], which every reader of a message calls before anything is done with what it read.
pub struct Numbers<'a> {
    rest: &'a [f64],
    names: &'a [Rc<str>],
    problem: Option<&'static str>,
}

/// Reads the names of a message. Returns them, and the numbers before their lengths.
///
/// Errors: `INTERNAL`.
pub fn names<'a>(text: &str, numbers: &'a [f64]) -> Result<(Vec<Rc<str>>, &'a [f64]), Error> {
    let (numbers, last) = numbers.split_at(numbers.len().saturating_sub(1));
    let mut message = Numbers::new(&[], last);
    let start = numbers.len().checked_sub(message.count());
    let (rest, lengths) = message.present(start.and_then(|start| numbers.split_at_checked(start)));
    message.rest = lengths;
    let mut texts = Texts::new(text);
    let mut names = Vec::with_capacity(lengths.len());
    for _ in lengths {
        let length = message.count();
        names.push(Rc::from(message.present(texts.take(length))));
    }
    message.finish(Ok((names, rest)))
}

impl<'a> Numbers<'a> {
    /// The numbers of a message before the lengths of its names.
    pub fn new(names: &'a [Rc<str>], rest: &'a [f64]) -> Self {
        Self { rest, names, problem: None }
    }

    /// What was made of the message, where all of it made sense. Errors: `INTERNAL` where it did not.
    pub fn finish<T>(&self, made: Result<T, Error>) -> Result<T, Error> {
        match self.problem {
            None => made,
            Some(problem) => Err(malformed(problem)),
        }
    }

    /// Notes what makes no sense, if it is the first.
    #[cold]
    #[inline(never)]
    pub fn fail(&mut self, problem: &'static str) {
        self.problem.get_or_insert(problem);
        self.rest = &[];
    }

    /// What has to be there.
    pub fn present<T: Default>(&mut self, found: Option<T>) -> T {
        if found.is_none() {
            self.fail("it is cut short");
        }
        found.unwrap_or_default()
    }

    /// Whether all was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Splits off the next `count` numbers, as a message of the same names.
    pub fn split(&mut self, count: usize) -> Self {
        let (front, rest) = self.present(self.rest.split_at_checked(count));
        self.rest = rest;
        Self::new(self.names, front)
    }

    /// Any number.
    #[inline(never)]
    pub fn number(&mut self) -> f64 {
        let first = self.rest.split_off_first().copied();
        self.present(first)
    }

    /// A whole number from 0 to 2^53 - 1.
    #[inline(never)]
    pub fn whole(&mut self) -> u64 {
        let number = self.number();
        self.as_whole(number)
    }

    /// A whole number, where there is one.
    #[inline(never)]
    pub fn whole_if_some(&mut self) -> Option<u64> {
        let number = self.number();
        (!number.is_nan()).then(|| self.as_whole(number))
    }

    /// 64 bits, as their upper and their lower half.
    pub fn halves(&mut self) -> u64 {
        let [upper, lower] = [self.whole(), self.whole()];
        upper << u32::BITS | lower
    }

    /// How much of something there is, or the place or the code of one.
    pub fn count(&mut self) -> usize {
        self.whole() as usize
    }

    /// How many entries a list has, each of which takes one number at least.
    #[inline(never)]
    pub fn length(&mut self) -> usize {
        let length = self.count();
        self.checked_length(length)
    }

    /// How many entries a list has, where there is one.
    #[inline(never)]
    pub fn length_if_some(&mut self) -> Option<usize> {
        let length = self.whole_if_some()?;
        Some(self.checked_length(length as usize))
    }

    fn checked_length(&mut self, length: usize) -> usize {
        self.present((length <= self.rest.len()).then_some(length))
    }

    /// A moment, where there is one.
    pub fn time_if_some(&mut self) -> Option<UnixMillis> {
        let number = self.number();
        if number.is_nan() {
            return None;
        }
        let size = self.as_whole(number.abs()) as i64;
        Some(UnixMillis(if number < 0.0 { -size } else { size }))
    }

    /// A name.
    #[inline(never)]
    pub fn name(&mut self) -> Rc<str> {
        let place = self.count();
        self.present(self.names.get(place).cloned())
    }

    /// A name, where there is one.
    pub fn name_if_some(&mut self) -> Option<Rc<str>> {
        let place = self.whole_if_some()?;
        Some(self.present(self.names.get(place as usize).cloned()))
    }

    /// The name of a stream. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
    #[inline(never)]
    pub fn stream(&mut self) -> Result<StreamName, Error> {
        StreamName::new(self.name()).map_err(|error| error.at("stream"))
    }

    /// An expectation: its code, `EXPECTED`, or a revision.
    #[inline(never)]
    pub fn expected(&mut self) -> Expected {
        match self.number() {
            -1.0 => Expected::Any,
            -2.0 => Expected::NoStream,
            -3.0 => Expected::StreamExists,
            revision => Expected::Revision(Revision(self.as_whole(revision))),
        }
    }

    /// A durability, `DURABILITY`, where there is one.
    #[inline(never)]
    pub fn durability_if_some(&mut self) -> Option<Durability> {
        match self.count() {
            0 => None,
            1 => Some(Durability::Memory),
            2 => Some(Durability::Relaxed),
            3 => Some(Durability::Strict),
            _ => {
                self.fail("a durability has an unknown code");
                None
            }
        }
    }

    /// The facade checks what callers pass: a number of another kind is its mistake, not theirs.
    fn as_whole(&mut self, number: f64) -> u64 {
        if number.fract() != 0.0 || !(0.0..=INTEGER_MAX as f64).contains(&number) {
            self.fail("a number is not whole, or too large");
            return 0;
        }
        number as u64
    }
}
