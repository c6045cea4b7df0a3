//! References: where an expression takes a value from.

use std::borrow::Cow;
use std::rc::Rc;

use super::expression::Given;
use super::failure::{Problem, Rule};
use super::number::{self, ShortNumber};
use super::object::FieldName;
use super::scan;
use super::scene::{Item, Scene};
use super::text;
use super::value::Value;

/// `$data.lines.0`, `$state.items.{data.sku}`, `$type`.
#[derive(Debug)]
pub struct Reference {
    pub root: Root,
    /// The way from the root. Of data and metadata only what the search through their text does not know beforehand.
    pub parts: Vec<Segment>,
}

/// Where a reference begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// What was found in data or metadata, by its number.
    Slot(usize),
    State,
    /// The variable of `$for`.
    Item,
    Type,
    Stream,
    Time,
    Revision,
    Position,
}

/// A step on the way from a value to what is inside.
#[derive(Debug)]
pub enum Segment {
    /// The property or the element of this name.
    Name(FieldName),
    /// The property or the element whose name is a value.
    Template(Reference),
    /// All elements of an array. Stands in paths alone, as does the next.
    Every,
    /// The elements whose own property has this value.
    Where { name: Rc<str>, is: Reference },
}

impl Reference {
    /// The value that is there.
    pub fn evaluate<'a>(&'a self, scene: &Scene<'a>, state: &'a Value) -> Result<Given<'a>, Problem> {
        let event = scene.event;
        match self.root {
            Root::Slot(slot) => {
                self.in_json(scene.slots.get(slot).copied().unwrap_or_default(), scene, state)
            }
            // A document that is not there is missing.
            Root::State if matches!(state, Value::Null) => Ok(None),
            Root::State => self.in_value(state, scene, state),
            Root::Item => match scene.item {
                Item::Json(json) => self.in_json(json, scene, state),
                Item::Value(value) => self.in_value(value, scene, state),
                Item::None => Ok(None),
            },
            Root::Type => Ok(given_text(event.event_type)),
            Root::Stream => Ok(given_text(event.stream)),
            Root::Time => Ok(given_number(event.time_ms as f64)),
            Root::Revision => Ok(event.revision.and_then(|revision| given_number(revision as f64))),
            Root::Position => Ok(given_number(event.position as f64)),
        }
    }

    /// The value, where it is a number of few digits that was found in data or metadata. `None` says nothing of any other.
    pub fn short_number(&self, scene: &Scene<'_>) -> Option<f64> {
        match self.root {
            Root::Slot(slot) if self.parts.is_empty() => {
                ShortNumber::read(scene.slots.get(slot)?.as_bytes()).map(ShortNumber::value)
            }
            _ => None,
        }
    }

    /// The JSON text of the value, where it comes from one.
    pub fn json<'s>(&self, scene: &Scene<'s>, state: &Value) -> Result<&'s str, Problem> {
        match (self.root, scene.item) {
            (Root::Slot(slot), _) => {
                self.walk_json(scene.slots.get(slot).copied().unwrap_or_default(), scene, state)
            }
            (Root::Item, Item::Json(json)) => self.walk_json(json, scene, state),
            _ => Ok(""),
        }
    }

    fn in_json<'a>(
        &'a self,
        json: &'a str,
        scene: &Scene<'a>,
        state: &'a Value,
    ) -> Result<Given<'a>, Problem> {
        let json = self.walk_json(json, scene, state)?;
        if json.is_empty() { Ok(None) } else { scene.parse(json) }
    }

    fn walk_json<'j>(&self, json: &'j str, scene: &Scene<'_>, state: &Value) -> Result<&'j str, Problem> {
        let mut json = json;
        for part in &self.parts {
            let found = match part.name(scene, state)? {
                Some(field) if !json.is_empty() => scan::get(json, &field),
                _ => return Ok(""),
            };
            json = found.ok_or(Rule::Json)?.unwrap_or_default();
        }
        Ok(json)
    }

    fn in_value<'a>(
        &'a self,
        value: &'a Value,
        scene: &Scene<'a>,
        state: &'a Value,
    ) -> Result<Given<'a>, Problem> {
        let mut value = value;
        for part in &self.parts {
            let inner = part.name(scene, state)?.and_then(|field| value.get(&field));
            match inner {
                Some(inner) => value = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(Cow::Borrowed(value)))
    }
}

impl Segment {
    /// The name that it stands for. `None` where that is no name.
    fn name(&self, scene: &Scene<'_>, state: &Value) -> Result<Option<FieldName>, Problem> {
        Ok(match self {
            Self::Name(field) => Some(field.clone()),
            Self::Template(reference) => {
                let given = reference.evaluate(scene, state)?;
                given.as_deref().and_then(name_of).map(FieldName::from)
            }
            Self::Every | Self::Where { .. } => None,
        })
    }
}

/// The name of a property that JavaScript makes of a value. `None` for `null`, arrays and objects, of which it makes
/// names that nobody means.
pub fn name_of(value: &Value) -> Option<Rc<str>> {
    match value {
        Value::Text(text) => Some(Rc::clone(text)),
        Value::Number(number) => {
            let mut name = String::new();
            number::write(*number, &mut name);
            Some(name.into())
        }
        Value::Bool(is_true) => Some(if *is_true { "true" } else { "false" }.into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn given_text(plain: &str) -> Given<'static> {
    Some(Cow::Owned(Value::Text(text::spell(plain).into())))
}

fn given_number(number: f64) -> Given<'static> {
    Some(Cow::Owned(Value::Number(number)))
}
