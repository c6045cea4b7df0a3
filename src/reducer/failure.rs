//! Why an event could not be folded.

use std::borrow::Cow;
use std::fmt;

/// Why a reducer could not take an event. What it left of the state is to be thrown away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReducerFailure {
    /// Which part of the reducer, such as `evolve.ItemAdded[0].$inc.count`; empty where it has no parts.
    pub place: String,
    /// What was wrong, and what is allowed.
    pub problem: String,
}

impl fmt::Display for ReducerFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            formatter.write_str(&self.place)?;
            formatter.write_str(": ")?;
        }
        formatter.write_str(&self.problem)
    }
}

impl std::error::Error for ReducerFailure {}

/// What was wrong, for which somebody above knows the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Problem {
    rule: &'static str,
    found: &'static str,
}

impl Problem {
    /// A rule that was broken.
    pub fn new(rule: &'static str) -> Self {
        Self { rule, found: "" }
    }

    /// A rule, and of which kind the value is that breaks it.
    pub fn found(rule: &'static str, found: &'static str) -> Self {
        Self { rule, found }
    }

    /// The failure at a place, of which `part` is the last step.
    pub fn at(self, place: &str, part: &str) -> ReducerFailure {
        let found = Cow::Borrowed(if self.found.is_empty() { "" } else { ", and this is " });
        ReducerFailure { place: [place, part].concat(), problem: [self.rule, &found, self.found].concat() }
    }
}
