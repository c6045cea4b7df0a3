//! Building a value from a JSON text, as `JSON.parse` does.

use std::rc::Rc;

use super::failure::Rule;
use super::number;
use super::object::Object;
use super::scan::Scanner;
use super::value::Value;
use crate::limits;

/// The value that a text means. Errors: what is wrong with the text.
pub fn parse(json: &str) -> Result<Value, Rule> {
    if let Some(b'0'..=b'9' | b'-') = json.as_bytes().first() {
        // What most fields are that are read, found without white space around.
        return number(json.trim_end_matches([' ', '\t', '\n', '\r']));
    }
    let mut scanner = Scanner::new(json);
    let value = value(&mut scanner, limits::JSON_DEPTH_MAX)?;
    if scanner.is_at_end() { Ok(value) } else { Err(Rule::Json) }
}

fn value(scanner: &mut Scanner<'_>, levels_left: usize) -> Result<Value, Rule> {
    match scanner.peek() {
        b'{' => object(scanner, levels_left.checked_sub(1).ok_or(Rule::JsonDepth)?),
        b'[' => array(scanner, levels_left.checked_sub(1).ok_or(Rule::JsonDepth)?),
        b'"' => scanner.text_inside().map(|text| Value::Text(text.into())).ok_or(Rule::Json),
        _ => word(scanner.skip().ok_or(Rule::Json)?),
    }
}

fn object(scanner: &mut Scanner<'_>, levels_left: usize) -> Result<Value, Rule> {
    let mut object = Object::default();
    scanner.enter();
    while let Some(name) = scanner.next_name().ok_or(Rule::Json)? {
        let name: Rc<str> = name.into();
        object.insert(&name, value(scanner, levels_left)?);
    }
    Ok(Value::Object(Box::new(object)))
}

fn array(scanner: &mut Scanner<'_>, levels_left: usize) -> Result<Value, Rule> {
    let mut elements = Vec::new();
    scanner.enter();
    while scanner.next_element().ok_or(Rule::Json)? {
        elements.push(value(scanner, levels_left)?);
    }
    Ok(Value::Array(elements))
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
