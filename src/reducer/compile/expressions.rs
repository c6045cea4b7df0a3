//! Expressions of the document.

use std::rc::Rc;

use super::Compiler;
use crate::error::Error;
use crate::reducer::expression::{Expression, OPERATORS, Operator};
use crate::reducer::object::{Object, Property};
use crate::reducer::value::Value;

const KNOWN: &str = "; expressions know $literal, $add, $subtract, $multiply, $concat, $cond, $ifNull, $eq, $ne, $lt, $lte, $gt, \
     $gte, $and, $or, $not and $size, each alone in its object";
const ARGUMENTS: &str = "has too few or too many arguments: $subtract and comparisons take 2, $cond takes 3, $not and $size take 1, \
     $ifNull takes 2 or more, $add, $multiply and $concat take 1 or more";

impl Compiler {
    /// What gives a value.
    pub(super) fn expression(&mut self, value: &Value) -> Result<Expression, Error> {
        match value {
            Value::Text(text) => match text.strip_prefix('$') {
                Some(reference) => self.reference(reference).map(Expression::Reference),
                None => Ok(Expression::Literal(value.clone())),
            },
            Value::Array(elements) => self.list(elements).map(Expression::Array),
            Value::Object(object) => self.object(object),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(Expression::Literal(value.clone())),
        }
    }

    fn list(&mut self, elements: &[Value]) -> Result<Vec<Expression>, Error> {
        let mut expressions = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let before = self.enter_element(index);
            expressions.push(self.expression(element)?);
            self.leave(before);
        }
        Ok(expressions)
    }

    fn object(&mut self, object: &Object) -> Result<Expression, Error> {
        let properties = object.in_order();
        if let Some(call) = properties.iter().find(|property| property.name.starts_with('$')) {
            return match properties.len() {
                1 => self.call(&call.name, &call.value),
                _ => Err(self.unknown(&call.name, KNOWN)),
            };
        }
        let mut expressions: Vec<(Rc<str>, Expression)> = Vec::with_capacity(properties.len());
        for Property { name, value } in properties {
            let before = self.enter(name);
            expressions.push((Rc::clone(name), self.expression(value)?));
            self.leave(before);
        }
        Ok(Expression::Object(expressions))
    }

    fn call(&mut self, name: &Rc<str>, value: &Value) -> Result<Expression, Error> {
        if &**name == "$literal" {
            return Ok(Expression::Literal(value.clone()));
        }
        let known = OPERATORS.iter().find(|(known, ..)| *known == &**name);
        let Some((_, operator, least, most)) = known else {
            return Err(self.unknown(name, KNOWN));
        };
        let before = self.enter(name);
        let arguments = match value {
            Value::Array(elements) => self.list(elements)?,
            Value::Object(object) if *operator == Operator::Cond => self.condition(object)?,
            _ => vec![self.expression(value)?],
        };
        if arguments.len() < *least || *most < arguments.len() {
            return Err(self.refused(ARGUMENTS));
        }
        self.leave(before);
        Ok(Expression::Call(*operator, arguments))
    }

    /// The other form of `$cond`: `{ if, then, else }`.
    fn condition(&mut self, object: &Object) -> Result<Vec<Expression>, Error> {
        let mut arguments = Vec::with_capacity(3);
        for name in ["if", "then", "else"] {
            let before = self.enter(name);
            let Some(value) = object.get(name).filter(|_| object.len() == 3) else {
                return Err(self.refused("is to stand in $cond, with if, then and else and nothing more"));
            };
            arguments.push(self.expression(value)?);
            self.leave(before);
        }
        Ok(arguments)
    }
}
