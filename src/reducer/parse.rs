//! Building a value from a JSON text, as `JSON.parse` does.

use std::rc::Rc;

use super::budget::Budget;
use super::failure::Rule;
use super::number;
use super::object::Object;
use super::scan::Scanner;
use super::value::{OBJECT_BYTES, PROPERTY_BYTES, VALUE_BYTES, Value};
use crate::limits;

/// The value that a text means. Its place is whose it is to be. Errors: what is wrong with the text, or that it means
/// more than may be made.
pub fn parse(json: &str, budget: &Budget) -> Result<Value, Rule> {
    if let Some(b'0'..=b'9' | b'-') = json.as_bytes().first() {
        // What most fields are that are read, found without white space around.
        return number(json.trim_end_matches([' ', '\t', '\n', '\r']));
    }
    let mut parser = Parser { scanner: Scanner::new(json), budget };
    let value = parser.value(limits::JSON_DEPTH_MAX)?;
    if parser.scanner.is_at_end() { Ok(value) } else { Err(Rule::Json) }
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    budget: &'a Budget,
}

impl Parser<'_> {
    fn value(&mut self, levels_left: usize) -> Result<Value, Rule> {
        match self.scanner.peek() {
            b'{' => self.object(levels_left.checked_sub(1).ok_or(Rule::JsonDepth)?),
            b'[' => self.array(levels_left.checked_sub(1).ok_or(Rule::JsonDepth)?),
            b'"' => {
                let text: Rc<str> = self.scanner.text_inside().ok_or(Rule::Json)?.into();
                self.budget.spend(text.len())?;
                Ok(Value::Text(text))
            }
            _ => word(self.scanner.skip().ok_or(Rule::Json)?),
        }
    }

    fn object(&mut self, levels_left: usize) -> Result<Value, Rule> {
        self.budget.spend(OBJECT_BYTES)?;
        let mut object = Object::default();
        self.scanner.enter();
        while let Some(name) = self.scanner.next_name().ok_or(Rule::Json)? {
            let name: Rc<str> = name.into();
            self.budget.spend(name.len() + PROPERTY_BYTES + VALUE_BYTES)?;
            object.insert(&name, self.value(levels_left)?);
        }
        Ok(Value::Object(Box::new(object)))
    }

    fn array(&mut self, levels_left: usize) -> Result<Value, Rule> {
        let mut elements = Vec::new();
        self.scanner.enter();
        while self.scanner.next_element().ok_or(Rule::Json)? {
            self.budget.spend(VALUE_BYTES)?;
            elements.push(self.value(levels_left)?);
        }
        Ok(Value::Array(elements))
    }
}

fn word(word: &str) -> Result<Value, Rule> {
    Ok(match word {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => return number(word),
    })
}

fn number(word: &str) -> Result<Value, Rule> {
    match number::read(word.as_bytes()) {
        Some(number) if number.is_finite() => Ok(Value::Number(number)),
        Some(_) => Err(Rule::JsonNumber),
        None => Err(Rule::Json),
    }
}
