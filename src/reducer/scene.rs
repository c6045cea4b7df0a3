//! What expressions are evaluated on, beside the state.

use std::borrow::Cow;

use super::budget::Budget;
use super::expression::Given;
use super::failure::{Problem, Rule};
use super::parse;
use super::program::EventView;
use super::value::Value;
use crate::limits;

/// An event while it is folded.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub event: &'a EventView<'a>,
    /// The JSON texts of the fields that the reducer reads; empty where one is not there.
    pub slots: &'a [&'a str],
    /// What `$for` stands at.
    pub item: Item<'a>,
    /// What values this event may still make.
    pub budget: &'a Budget,
}

/// An element of the array that `$for` goes through.
#[derive(Clone, Copy)]
pub enum Item<'a> {
    None,
    Json(&'a str),
    Value(&'a Value),
}

impl<'a> Scene<'a> {
    /// Counts what is made.
    pub fn spend(&self, bytes: usize) -> Result<(), Problem> {
        Ok(self.budget.spend(bytes)?)
    }

    /// A value of one's own.
    pub fn own(&self, given: Cow<'_, Value>) -> Result<Value, Problem> {
        if let Cow::Borrowed(value @ (Value::Array(_) | Value::Object(_))) = &given {
            self.spend(value.size_bytes())?;
        }
        Ok(given.into_owned())
    }

    /// An array or an object that was just put together, of values that were counted.
    pub fn made(&self, value: Value) -> Result<Given<'a>, Problem> {
        match value.depth() {
            ..=limits::JSON_DEPTH_MAX => Ok(Some(Cow::Owned(value))),
            _ => Err(Rule::StateDepth.into()),
        }
    }

    /// The value that a JSON text means.
    pub fn parse(&self, json: &str) -> Result<Given<'a>, Problem> {
        Ok(Some(Cow::Owned(parse::parse(json, self.budget)?)))
    }
}
