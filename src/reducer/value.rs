//! Values of JSON, as a state is made of.

use std::cmp::Ordering;
use std::rc::Rc;

use super::number;
use super::object::{FieldName, Object, Property};
use super::text;
use crate::sort::sort_numbers;

/// A value of JSON. At most [`crate::limits::JSON_DEPTH_MAX`] levels deep, which whoever makes one sees to.
#[derive(Debug, Clone)]
pub enum Value {
    Null,
    Bool(bool),
    /// Always finite.
    Number(f64),
    /// In the one spelling; see [`text`].
    Text(Rc<str>),
    Array(Vec<Value>),
    Object(Box<Object>),
}

/// The kinds of values, in the order in which BSON compares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Missing,
    Null,
    Number,
    Text,
    Object,
    Array,
    Bool,
}

impl Kind {
    /// What it is called in a message.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Bool => "a boolean",
        }
    }
}

/// What the place of a value takes in memory, in an array or a property, in bytes: with the room that is kept for
/// more. This and what follows is what the bound on the work for an event counts.
pub const VALUE_BYTES: usize = 32;
/// What a property takes beside its name and the place of its value.
pub const PROPERTY_BYTES: usize = 16;
/// What an object takes beside its properties.
pub const OBJECT_BYTES: usize = 64;

impl Value {
    /// What kind of value it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::Array(_) => Kind::Array,
            Self::Object(_) => Kind::Object,
        }
    }

    /// How many arrays and objects are around its innermost value.
    pub fn depth(&self) -> usize {
        let inner = match self {
            Self::Array(elements) => elements.iter().map(Self::depth).max(),
            Self::Object(object) => object.properties().map(|property| property.value.depth()).max(),
            _ => return 0,
        };
        1 + inner.unwrap_or(0)
    }

    /// What a copy of it takes, and its place, in bytes. Texts are shared.
    pub fn size_bytes(&self) -> usize {
        let inner: usize = match self {
            Self::Array(elements) => elements.iter().map(Self::size_bytes).sum(),
            Self::Object(object) => object.size_bytes(),
            _ => 0,
        };
        VALUE_BYTES + inner
    }

    /// Whether MongoDB takes it for true: all but `false`, `null` and zero.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(is_true) => *is_true,
            Self::Number(number) => *number != 0.0,
            _ => true,
        }
    }

    /// Its own property or element of this name.
    pub fn get(&self, field: &FieldName) -> Option<&Self> {
        match self {
            Self::Object(object) => object.get(&field.name),
            Self::Array(elements) => elements.get(field.index? as usize),
            _ => None,
        }
    }

    /// Writes it as `JSON.stringify` does.
    pub fn write(&self, json: &mut String) {
        match self {
            Self::Null => json.push_str("null"),
            Self::Bool(is_true) => json.push_str(if *is_true { "true" } else { "false" }),
            Self::Number(number) => number::write(*number, json),
            Self::Text(text) => write_text(text, json),
            Self::Array(elements) => {
                json.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index != 0 {
                        json.push(',');
                    }
                    element.write(json);
                }
                json.push(']');
            }
            Self::Object(object) => {
                json.push('{');
                for (index, Property { name, value }) in object.in_order().into_iter().enumerate() {
                    if index != 0 {
                        json.push(',');
                    }
                    write_text(name, json);
                    json.push(':');
                    value.write(json);
                }
                json.push('}');
            }
        }
    }
}

fn write_text(spelled: &str, json: &mut String) {
    json.push('"');
    json.push_str(spelled);
    json.push('"');
}

/// The order of any two values: by kind, as BSON orders kinds, and among one kind by value. Numbers and texts as
/// JavaScript compares them; arrays element by element; objects as lists of their properties by ascending name,
/// so that the order in which properties were added counts for nothing.
pub fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => one.partial_cmp(other).unwrap_or(Ordering::Equal),
        (Value::Text(one), Value::Text(other)) if one == other => Ordering::Equal,
        (Value::Text(one), Value::Text(other)) => text::compare(one, other),
        (Value::Array(ones), Value::Array(others)) => {
            let mut pairs = ones.iter().zip(others).map(|(one, other)| compare(one, other));
            pairs.find(|order| order.is_ne()).unwrap_or_else(|| ones.len().cmp(&others.len()))
        }
        (Value::Object(one), Value::Object(other)) => compare_objects(one, other),
        _ => one.kind().cmp(&other.kind()),
    }
}

fn compare_objects(one: &Object, other: &Object) -> Ordering {
    let (ones, others) = (by_name(one), by_name(other));
    for (one, other) in ones.iter().zip(&others) {
        let by_name = text::compare(&one.name, &other.name);
        let order = by_name.then_with(|| compare(&one.value, &other.value));
        if order.is_ne() {
            return order;
        }
    }
    ones.len().cmp(&others.len())
}

fn by_name(object: &Object) -> Vec<&Property> {
    let properties: Vec<&Property> = object.properties().collect();
    let mut numbers: Vec<u32> = (0..properties.len() as u32).collect();
    let name = |number: u32| properties.get(number as usize).map_or("", |property| &property.name);
    sort_numbers(&mut numbers, &|one, other| text::compare(name(one), name(other)).is_lt());
    numbers.iter().filter_map(|number| properties.get(*number as usize).copied()).collect()
}
