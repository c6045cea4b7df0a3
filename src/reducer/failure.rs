//! Why an event could not be folded.

use std::fmt;

use super::value::{Kind, Value};

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

/// What was wrong, for which somebody above knows the place. Small, because every expression may give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Problem {
    rule: Rule,
    found: Option<Kind>,
}

/// What was not kept to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Json,
    JsonDepth,
    JsonNumber,
    Numbers,
    Texts,
    Size,
    Result,
    StateDepth,
    EventBytes,
    For,
    PathName,
    Container,
    Elements,
    Index,
    Increment,
    Extreme,
    ArrayChange,
    DocumentKey,
}

impl Rule {
    /// How it is said.
    pub fn text(self) -> &'static str {
        match self {
            Self::Json => "is not JSON",
            Self::JsonDepth => "is nested too deeply",
            Self::JsonNumber => "holds a number that is too large for a double",
            Self::Numbers => "$add, $subtract and $multiply take numbers",
            Self::Texts => "$concat takes texts",
            Self::Size => "$size takes an array",
            Self::Result => "the result is too large for a double",
            Self::StateDepth => "the state would nest deeper than 64 levels",
            Self::EventBytes => "one event makes more than 16 MiB of values",
            Self::For => "$for goes through an array",
            Self::PathName => "a name in a path is a text, a number or a boolean",
            Self::Container => "a path leads through objects and arrays",
            Self::Elements => "[\u{2026}] stands for elements of an array",
            Self::Index => "an element of an array is named by its index, at most one more than there are",
            Self::Increment => "$inc adds numbers to numbers",
            Self::Extreme => "$min and $max compare with a value",
            Self::DocumentKey => {
                "a key of a document is a text of 1 to 1,024 bytes, a number or a boolean, or a list of such; null is for no document"
            }
            Self::ArrayChange => "$push, $addToSet and $pull take a value, and an array to change",
        }
    }

    /// Of a value that breaks it, or is missing.
    pub fn broken_by(self, found: Option<&Value>) -> Problem {
        Problem { rule: self, found: Some(found.map_or(Kind::Missing, Value::kind)) }
    }
}

impl From<Rule> for Problem {
    fn from(rule: Rule) -> Self {
        Self { rule, found: None }
    }
}

impl Problem {
    /// The failure at a place, of which `part` is the last step.
    pub fn at(self, place: &str, part: &str) -> ReducerFailure {
        let found = self.found.map_or("", Kind::name);
        let joint = if found.is_empty() { "" } else { ", and this is " };
        ReducerFailure { place: [place, part].concat(), problem: [self.rule.text(), joint, found].concat() }
    }
}
