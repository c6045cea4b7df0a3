//! Expressions: what a step writes, and on what conditions.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use super::failure::{Problem, Rule};
use super::object::Object;
use super::reference::Reference;
use super::scene::Scene;
use super::text;
use super::value::{OBJECT_BYTES, PROPERTY_BYTES, VALUE_BYTES, Value, compare};

/// A value that is computed from an event and a state.
#[derive(Debug)]
pub enum Expression {
    Literal(Value),
    Reference(Reference),
    Array(Vec<Expression>),
    Object(Vec<(Rc<str>, Expression)>),
    Call(Operator, Vec<Expression>),
}

/// What is done with the arguments of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Concat,
    Cond,
    IfNull,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Not,
    Size,
}

/// Each operator with its name, and the least and the most arguments that it takes.
pub const OPERATORS: [(&str, Operator, usize, usize); 16] = [
    ("$add", Operator::Add, 1, usize::MAX),
    ("$subtract", Operator::Subtract, 2, 2),
    ("$multiply", Operator::Multiply, 1, usize::MAX),
    ("$concat", Operator::Concat, 1, usize::MAX),
    ("$cond", Operator::Cond, 3, 3),
    ("$ifNull", Operator::IfNull, 2, usize::MAX),
    ("$eq", Operator::Equal, 2, 2),
    ("$ne", Operator::NotEqual, 2, 2),
    ("$lt", Operator::Less, 2, 2),
    ("$lte", Operator::LessOrEqual, 2, 2),
    ("$gt", Operator::Greater, 2, 2),
    ("$gte", Operator::GreaterOrEqual, 2, 2),
    ("$and", Operator::And, 0, usize::MAX),
    ("$or", Operator::Or, 0, usize::MAX),
    ("$not", Operator::Not, 1, 1),
    ("$size", Operator::Size, 1, 1),
];

/// What an expression gives. `None` is what is missing, which is not `null`.
pub type Given<'a> = Option<Cow<'a, Value>>;

impl Expression {
    /// Its value.
    pub fn evaluate<'a>(&'a self, scene: &Scene<'a>, state: &'a Value) -> Result<Given<'a>, Problem> {
        match self {
            Self::Literal(value) => Ok(Some(Cow::Borrowed(value))),
            Self::Reference(reference) => reference.evaluate(scene, state),
            Self::Call(operator, arguments) => operator.call(arguments, scene, state),
            Self::Array(expressions) => {
                let mut elements = Vec::with_capacity(expressions.len());
                for expression in expressions {
                    scene.spend(VALUE_BYTES)?;
                    let given = expression.evaluate(scene, state)?;
                    elements.push(given.map_or(Ok(Value::Null), |given| scene.own(given))?);
                }
                scene.made(Value::Array(elements))
            }
            Self::Object(expressions) => {
                scene.spend(OBJECT_BYTES)?;
                let mut object = Object::default();
                for (name, expression) in expressions {
                    if let Some(given) = expression.evaluate(scene, state)? {
                        scene.spend(PROPERTY_BYTES + VALUE_BYTES)?;
                        object.insert(name, scene.own(given)?);
                    }
                }
                scene.made(Value::Object(Box::new(object)))
            }
        }
    }

    /// Its value, where that is a number which is computed of nothing but literals and short numbers of the event. `None` says
    /// nothing of any other: most of what is counted and summed up needs no more.
    pub fn short_number(&self, scene: &Scene<'_>) -> Option<f64> {
        match self {
            Self::Literal(Value::Number(number)) => Some(*number),
            Self::Reference(reference) => reference.short_number(scene),
            Self::Call(operator, arguments) if operator.calculates() => {
                let mut operands = arguments.iter().map(|argument| argument.short_number(scene));
                let first = operands.next()??;
                let result = operands.try_fold(first, |sum, operand| Some(operator.combine(sum, operand?)));
                result.filter(|result| result.is_finite())
            }
            _ => None,
        }
    }

    /// Whether its value is one that counts as true.
    pub fn is_true<'a>(&'a self, scene: &Scene<'a>, state: &'a Value) -> Result<bool, Problem> {
        Ok(self.evaluate(scene, state)?.is_some_and(|given| given.is_true()))
    }
}

impl Operator {
    fn call<'a>(
        self,
        arguments: &'a [Expression],
        scene: &Scene<'a>,
        state: &'a Value,
    ) -> Result<Given<'a>, Problem> {
        match self {
            _ if self.calculates() => {
                self.calculate(arguments, scene, state).map(|number| Some(Cow::Owned(Value::Number(number))))
            }
            Self::Concat => concat(arguments, scene, state),
            Self::Cond => {
                let [condition, then, otherwise] = arguments else { return Ok(None) };
                let chosen = if condition.is_true(scene, state)? { then } else { otherwise };
                chosen.evaluate(scene, state)
            }
            Self::IfNull => {
                let mut given = None;
                for argument in arguments {
                    given = argument.evaluate(scene, state)?;
                    if given.as_ref().is_some_and(|given| !matches!(**given, Value::Null)) {
                        break;
                    }
                }
                Ok(given)
            }
            Self::Size => {
                let [argument] = arguments else { return Ok(None) };
                match argument.evaluate(scene, state)?.as_deref() {
                    Some(Value::Array(elements)) => {
                        Ok(Some(Cow::Owned(Value::Number(elements.len() as f64))))
                    }
                    other => Err(Rule::Size.broken_by(other)),
                }
            }
            _ => self.judge(arguments, scene, state).map(|is_true| Some(Cow::Owned(Value::Bool(is_true)))),
        }
    }

    fn calculates(self) -> bool {
        matches!(self, Self::Add | Self::Subtract | Self::Multiply)
    }

    /// What an operator that calculates makes of two numbers.
    fn combine(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Add => one + other,
            Self::Subtract => one - other,
            _ => one * other,
        }
    }

    fn calculate<'a>(
        self,
        arguments: &'a [Expression],
        scene: &Scene<'a>,
        state: &'a Value,
    ) -> Result<f64, Problem> {
        let mut result = None;
        for argument in arguments {
            let operand = match argument.evaluate(scene, state)?.as_deref() {
                Some(Value::Number(number)) => *number,
                other => return Err(Rule::Numbers.broken_by(other)),
            };
            result = Some(result.map_or(operand, |result| self.combine(result, operand)));
        }
        finite(result.unwrap_or_default())
    }

    fn judge<'a>(
        self,
        arguments: &'a [Expression],
        scene: &Scene<'a>,
        state: &'a Value,
    ) -> Result<bool, Problem> {
        if matches!(self, Self::And | Self::Or | Self::Not) {
            for argument in arguments {
                // What is decided is not computed any further.
                if argument.is_true(scene, state)? != (self == Self::And) {
                    return Ok(self == Self::Or);
                }
            }
            return Ok(self != Self::Or);
        }
        let [one, other] = arguments else { return Ok(false) };
        let one = one.evaluate(scene, state)?;
        let other = other.evaluate(scene, state)?;
        let order = match (one, other) {
            (Some(one), Some(other)) => compare(&one, &other),
            (one, other) => one.is_some().cmp(&other.is_some()),
        };
        Ok(match self {
            Self::Equal => order == Ordering::Equal,
            Self::NotEqual => order != Ordering::Equal,
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            _ => order != Ordering::Less,
        })
    }
}

fn concat<'a>(
    arguments: &'a [Expression],
    scene: &Scene<'a>,
    state: &'a Value,
) -> Result<Given<'a>, Problem> {
    let mut joined = String::new();
    for argument in arguments {
        match argument.evaluate(scene, state)?.as_deref() {
            Some(Value::Text(text)) => {
                scene.spend(text.len())?;
                joined.push_str(text);
            }
            other => return Err(Rule::Texts.broken_by(other)),
        }
    }
    // Where two halves of a pair of surrogates meet they are one character, which is spelled otherwise.
    let joined = text::respell(&joined).unwrap_or_default();
    Ok(Some(Cow::Owned(Value::Text(joined.into()))))
}

/// A number that JSON can hold.
pub fn finite(number: f64) -> Result<f64, Problem> {
    if number.is_finite() { Ok(number) } else { Err(Rule::Result.into()) }
}
