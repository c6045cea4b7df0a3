//! Documents of a projection: folded as states are, but for that they come and go.

use super::budget::Budget;
use super::compile;
use super::expression::Expression;
use super::failure::{ReducerFailure, Rule};
use super::object::FieldName;
use super::parse;
use super::program::{EventView, Handler, Program};
use super::reference::name_of;
use super::text;
use super::value::Value;
use crate::error::Error;
use crate::limits;
use crate::table::hash_of;

/// A document: an object, or none.
#[derive(Debug, Clone)]
pub struct Document(Value);

/// A declarative projection: of which documents an event is, and what becomes of each.
#[derive(Debug)]
pub struct DocumentProgram {
    program: Program,
    /// Nothing where each stream has a document of its own.
    key: Option<Key>,
}

/// What gives the keys of documents, and what it reads of an event.
#[derive(Debug)]
struct Key {
    expression: Expression,
    reads: Handler,
}

/// What an index finds documents by: the value at a path, the values at several, or each item of the list at one.
#[derive(Debug)]
pub struct IndexPaths {
    paths: Vec<Vec<FieldName>>,
    is_each: bool,
}

/// A value that an index has of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexedValue {
    /// `true` or `false`.
    Boolean(bool),
    /// Any number.
    Number(f64),
    /// A text of at most 1,024 UTF-16 units.
    Text(String),
}

/// Longest text that is found by, in UTF-16 units.
const TEXT_UNITS_MAX: usize = 1_024;

impl DocumentProgram {
    /// Compiles steps for each type of event, and what gives the keys of documents, both as JSON texts. Where there is no
    /// such, each stream has a document, which goes with it.
    ///
    /// Errors: as of [`Program::compile`].
    pub fn compile(on: &str, key: Option<&str>) -> Result<Self, Error> {
        let mut program = compile::compile_documents(on)?;
        let key = match key {
            Some(key) => {
                let (expression, reads) = compile::compile_key(key)?;
                Some(Key { expression, reads })
            }
            None => {
                for fact in ["$deleted", "$tombstoned"] {
                    if program.handler(fact).is_none() {
                        program.add(hash_of(fact.as_bytes()), fact.into(), compile::removal());
                    }
                }
                None
            }
        };
        Ok(Self { program, key })
    }

    /// Tells the key of each document that an event or a fact is of, some of them twice. None is of a type without steps.
    ///
    /// Errors: where what is given is no key.
    pub fn keys(&self, event: &EventView<'_>, take: &mut dyn FnMut(&str)) -> Result<(), ReducerFailure> {
        if !self.program.folds(event.event_type) {
            return Ok(());
        }
        let Some(Key { expression, reads }) = &self.key else {
            take(event.stream);
            return Ok(());
        };
        reads.on_scene(event, &mut |scene| {
            let given = expression.evaluate(scene, &Value::Null);
            match given.map_err(|problem| problem.at("key", ""))?.as_deref() {
                None => Ok(()),
                Some(Value::Array(keys)) => keys.iter().try_for_each(|key| take_key(key, take)),
                Some(key) => take_key(key, take),
            }
        })
    }

    /// Folds an event or a fact into one of its documents.
    ///
    /// Errors: where a step cannot be taken. The document may then be changed in part, and is of no use any more.
    pub fn fold(&self, document: &mut Document, event: &EventView<'_>) -> Result<(), ReducerFailure> {
        self.program.run(&mut document.0, event)
    }
}

fn take_key(key: &Value, take: &mut dyn FnMut(&str)) -> Result<(), ReducerFailure> {
    if matches!(key, Value::Null) {
        return Ok(());
    }
    let plain = name_of(key).and_then(|name| text::plain(&name));
    match plain {
        Some(key) if (1..=limits::DOCUMENT_KEY_BYTES_MAX).contains(&key.len()) => {
            take(&key);
            Ok(())
        }
        _ => Err(Rule::DocumentKey.broken_by(Some(key)).at("key", "")),
    }
}

impl Document {
    /// No document.
    pub const NONE: Self = Self(Value::Null);

    /// The document of a JSON text. `None` where that is no object within the limits.
    pub fn from_json(json: &str) -> Option<Self> {
        let value = parse::parse(json, &Budget::boundless()).ok();
        value.filter(|value| matches!(value, Value::Object(_))).map(Self)
    }

    /// Its JSON text: to the byte what `JSON.stringify` gives of the same value. `None` where there is no document.
    pub fn to_json(&self) -> Option<String> {
        let mut json = String::new();
        match self.0 {
            Value::Null => None,
            _ => {
                self.0.write(&mut json);
                Some(json)
            }
        }
    }

    /// Hands over the values of each entry that an index has of it; of items that are equal, all.
    pub fn entries(&self, of: &IndexPaths, take: &mut dyn FnMut(&[IndexedValue])) {
        if !of.is_each {
            let values: Option<Vec<IndexedValue>> = of.paths.iter().map(|path| self.value_at(path)).collect();
            if let Some(values) = values {
                take(&values);
            }
            return;
        }
        let items = of.paths.first().and_then(|path| self.at(path));
        let Some(Value::Array(items)) = items else { return };
        for value in items.iter().filter_map(indexed) {
            take(&[value]);
        }
    }

    fn at(&self, path: &[FieldName]) -> Option<&Value> {
        path.iter().try_fold(&self.0, |value, field| value.get(field))
    }

    fn value_at(&self, path: &[FieldName]) -> Option<IndexedValue> {
        match self.at(path) {
            Some(value) => indexed(value),
            // It is a property of lists of its own, and reads so of documents that functions fold.
            None => match path.split_last() {
                Some((last, rest)) if &*last.name == "length" => match self.at(rest)? {
                    Value::Array(items) => Some(IndexedValue::Number(items.len() as f64)),
                    _ => None,
                },
                _ => None,
            },
        }
    }
}

impl IndexPaths {
    /// Of the values at paths, such as `customer.city`.
    pub fn of_values<'t>(paths: impl IntoIterator<Item = &'t str>) -> Self {
        Self { paths: paths.into_iter().map(fields).collect(), is_each: false }
    }

    /// Of each item of the list at a path.
    pub fn of_items(path: &str) -> Self {
        Self { paths: vec![fields(path)], is_each: true }
    }
}

fn fields(path: &str) -> Vec<FieldName> {
    path.split('.').map(|name| FieldName::from(&*text::spell(name))).collect()
}

fn indexed(value: &Value) -> Option<IndexedValue> {
    match value {
        Value::Bool(value) => Some(IndexedValue::Boolean(*value)),
        Value::Number(number) => Some(IndexedValue::Number(*number)),
        Value::Text(spelled) => {
            let plain = text::plain(spelled)?;
            let is_short = plain.len() <= TEXT_UNITS_MAX || plain.encode_utf16().count() <= TEXT_UNITS_MAX;
            is_short.then_some(IndexedValue::Text(plain))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
