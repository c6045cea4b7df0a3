//! From the text of a document to a program. Whatever is wrong with a document is found here, once, and not while
//! events are folded.

mod expressions;
mod paths;

use std::rc::Rc;

use super::budget::Budget;
use super::expression::Expression;
use super::object::Property;
use super::parse::parse;
use super::program::{Handler, Program};
use super::step::{Step, Write};
use super::target::{UPDATES, Update};
use super::text;
use super::value::Value;
use crate::error::Error;
use crate::limits;
use crate::table::hash_of;

const STEP_KEYS: &str = "; a step is made of $set, $unset, $inc, $min, $max, $push, $pull, $addToSet, and of $if and $for; $remove is for projections";
const STEPS: &str = "is neither a step, which is an object, nor a list of steps";
const OVERLAP: &str = " beside it in the same step, and one of the two paths is the other or a part of it; make two steps of it";
const FIELDS: &str = "is no object of paths and values";
const REMOVE: &str =
    "is not true, or stands beside other changes; a document is taken away by a step of its own";
const NO_STATE: &str = "has \"$state\"; which document an event is of follows from the event alone";
const UNSET: &str = "is neither a path nor a list of paths";
const VARIABLE: &str = "is not one variable and its array, such as { \"line\": \"$data.lines\" }: letters, digits and _, and none of \
     data, metadata, state, type, stream, time, revision, position";

/// What events are folded into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Into {
    /// A state, which is always there.
    State,
    /// A document, which may come and go. Facts change it too.
    Document,
}

/// What belongs to the handler that is being compiled.
pub(super) struct Compiler {
    into: Into,
    /// Where in the document it is.
    place: String,
    handler: Handler,
    /// What `$for` of this step calls its elements.
    variable: Option<Rc<str>>,
    /// Whether a reference to the state was met.
    reads_state: bool,
    write_count: usize,
}

/// A path that a step writes.
struct Written<'d> {
    path: &'d str,
    parts: Vec<&'d str>,
}

/// Compiles a document and the state that a fold begins with, both JSON texts.
pub(super) fn compile(evolve: &str, initial: &str) -> Result<Program, Error> {
    let document = read(evolve, "evolve")?;
    let state = read(initial, "initial")?;
    if !matches!(state, Value::Object(_)) {
        return Err(Error::invalid_argument(
            "initial",
            ["is ", state.kind().name(), ", and no object"].concat(),
        ));
    }
    let mut program = Program::new(state);
    Compiler::new("evolve", Into::State).types(&document, &mut program)?;
    Ok(program)
}

/// Compiles the document of a projection, a JSON text, for documents that begin as none.
pub(super) fn compile_documents(on: &str) -> Result<Program, Error> {
    let mut program = Program::new(Value::Null);
    Compiler::new("on", Into::Document).types(&read(on, "on")?, &mut program)?;
    Ok(program)
}

/// Compiles what gives the keys of the documents that an event is of, a JSON text; and what it reads.
pub(super) fn compile_key(key: &str) -> Result<(Expression, Handler), Error> {
    let mut compiler = Compiler::new("key", Into::Document);
    let expression = compiler.expression(&read(key, "key")?)?;
    if compiler.reads_state {
        return Err(compiler.refused(NO_STATE));
    }
    Ok((expression, compiler.handler))
}

/// The step that takes a document away.
pub(super) fn removal() -> Handler {
    let place: Box<str> = "on".into();
    let write = Write { place: place.clone(), update: Update::Remove, path: Vec::new(), operand: None };
    let step = Step { place, each: None, condition: None, writes: vec![write], reads_first: false };
    Handler { steps: vec![step], ..Handler::default() }
}

fn read(json: &str, what: &'static str) -> Result<Value, Error> {
    limits::check("reducer bytes", json.len(), limits::REDUCER_BYTES_MAX).map_err(|error| error.at(what))?;
    parse(json, &Budget::boundless()).map_err(|rule| Error::invalid_argument(what, rule.text()))
}

impl Compiler {
    fn new(place: &str, into: Into) -> Self {
        Self {
            into,
            place: place.into(),
            handler: Handler::default(),
            variable: None,
            reads_state: false,
            write_count: 0,
        }
    }

    /// Adds the steps for each type of event to a program.
    fn types(&mut self, document: &Value, program: &mut Program) -> Result<(), Error> {
        let Value::Object(types) = document else {
            return Err(self.refused("is no object of event types and steps"));
        };
        for Property { name, value } in types.in_order() {
            let before = self.enter(name);
            let is_fact = matches!(&**name, "$deleted" | "$tombstoned" | "$truncated");
            let is_handed = is_fact && self.into == Into::Document || !name.starts_with('$');
            let Some(event_type) = text::plain(name).filter(|_| is_handed) else {
                return Err(self.refused("is no type of events that are handed to reducers"));
            };
            self.steps(value)?;
            self.leave(before);
            let handler = std::mem::take(&mut self.handler);
            program.add(hash_of(event_type.as_bytes()), event_type.into(), handler);
        }
        Ok(())
    }

    fn steps(&mut self, steps: &Value) -> Result<(), Error> {
        match steps {
            Value::Object(_) => self.step(steps),
            Value::Array(list) => {
                for (index, step) in list.iter().enumerate() {
                    let before = self.enter_element(index);
                    self.step(step)?;
                    self.leave(before);
                }
                Ok(())
            }
            _ => Err(self.refused(STEPS)),
        }
    }

    fn step(&mut self, step: &Value) -> Result<(), Error> {
        let Value::Object(keys) = step else { return Err(self.refused(STEPS)) };
        let mut compiled = Step {
            place: self.place.as_str().into(),
            each: None,
            condition: None,
            writes: Vec::new(),
            reads_first: false,
        };
        self.variable = None;
        if let Some(each) = keys.get("$for") {
            compiled.each = Some(self.each(each)?);
        }
        if let Some(condition) = keys.get("$if") {
            let before = self.enter("$if");
            compiled.condition = Some(self.expression(condition)?);
            self.leave(before);
        }
        let mut paths = Vec::new();
        for Property { name, value } in keys.in_order() {
            if &**name == "$for" || &**name == "$if" {
                continue;
            }
            let is_known = |(known, update): &&(&str, Update)| {
                *known == &**name && (*update != Update::Remove || self.into == Into::Document)
            };
            let Some((_, update)) = UPDATES.iter().find(is_known) else {
                return Err(self.unknown(name, STEP_KEYS));
            };
            let before = self.enter(name);
            match update {
                Update::Unset => self.unset(value, &mut compiled, &mut paths)?,
                Update::Remove if matches!(value, Value::Bool(true)) => {
                    self.write(*update, "", None, &mut compiled, &mut paths)?;
                }
                Update::Remove => return Err(self.refused(REMOVE)),
                _ => self.fields(*update, value, &mut compiled, &mut paths)?,
            }
            self.leave(before);
        }
        self.handler.steps.push(compiled);
        Ok(())
    }

    /// `$for`: the variable, and the array that it goes through.
    fn each(&mut self, each: &Value) -> Result<Expression, Error> {
        let before = self.enter("$for");
        let properties = match each {
            Value::Object(object) => object.in_order(),
            _ => Vec::new(),
        };
        let [Property { name, value }] = properties.as_slice() else { return Err(self.refused(VARIABLE)) };
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if name.is_empty() || !is_word || paths::root_named(name).is_some() {
            return Err(self.refused(VARIABLE));
        }
        let inner = self.enter(name);
        let array = self.expression(value)?;
        self.leave(inner);
        self.leave(before);
        self.variable = Some(Rc::clone(name));
        Ok(array)
    }

    fn unset<'d>(
        &mut self,
        value: &'d Value,
        step: &mut Step,
        paths: &mut Vec<Written<'d>>,
    ) -> Result<(), Error> {
        match value {
            Value::Text(path) => self.write(Update::Unset, path, None, step, paths),
            Value::Array(list) => {
                for (index, element) in list.iter().enumerate() {
                    let before = self.enter_element(index);
                    let Value::Text(path) = element else { return Err(self.refused(UNSET)) };
                    self.write(Update::Unset, path, None, step, paths)?;
                    self.leave(before);
                }
                Ok(())
            }
            _ => Err(self.refused(UNSET)),
        }
    }

    fn fields<'d>(
        &mut self,
        update: Update,
        fields: &'d Value,
        step: &mut Step,
        paths: &mut Vec<Written<'d>>,
    ) -> Result<(), Error> {
        let Value::Object(fields) = fields else { return Err(self.refused(FIELDS)) };
        for Property { name, value } in fields.in_order() {
            let before = self.enter(name);
            self.write(update, name, Some(value), step, paths)?;
            self.leave(before);
        }
        Ok(())
    }

    fn write<'d>(
        &mut self,
        update: Update,
        path: &'d str,
        operand: Option<&Value>,
        step: &mut Step,
        paths: &mut Vec<Written<'d>>,
    ) -> Result<(), Error> {
        self.write_count += 1;
        limits::check("reducer writes", self.write_count, limits::REDUCER_WRITES_MAX)
            .map_err(|error| error.at(&self.place))?;
        let parts = if update == Update::Remove { Vec::new() } else { paths::split(path) };
        // Of no parts, a path is a part of all others.
        if !paths.is_empty() && (parts.is_empty() || paths.iter().any(|written| written.parts.is_empty())) {
            return Err(self.refused(REMOVE));
        }
        let overlaps =
            |written: &&Written<'_>| written.parts.iter().zip(&parts).all(|(one, other)| one == other);
        if let Some(other) = paths.iter().find(overlaps) {
            return Err(self.unknown(other.path, OVERLAP));
        }
        self.reads_state = false;
        let write = Write {
            place: self.place.as_str().into(),
            update,
            path: self.path(&parts)?,
            operand: operand.map(|operand| self.expression(operand)).transpose()?,
        };
        step.reads_first |= self.reads_state && !step.writes.is_empty();
        step.writes.push(write);
        paths.push(Written { path, parts });
        Ok(())
    }

    /// Goes to a property, and gives how to come back.
    fn enter(&mut self, name: &str) -> usize {
        let before = self.place.len();
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
        if is_word && !name.is_empty() {
            self.place.push('.');
            self.place.push_str(name);
        } else {
            ["[\"", name, "\"]"].iter().for_each(|part| self.place.push_str(part));
        }
        before
    }

    /// Goes to an element, and gives how to come back.
    fn enter_element(&mut self, index: usize) -> usize {
        let before = self.place.len();
        self.place.push('[');
        super::number::write(index as f64, &mut self.place);
        self.place.push(']');
        before
    }

    fn leave(&mut self, before: usize) {
        self.place.truncate(before);
    }

    /// What is not known here, and what is.
    fn unknown(&self, found: &str, known: &str) -> Error {
        self.refused(&["has \"", found, "\"", known].concat())
    }

    /// What is wrong here.
    fn refused(&self, problem: &str) -> Error {
        Error::invalid_argument(self.place.as_str(), problem)
    }
}
