//! The one form that all texts of a JSON value have in common.

use std::str::Chars;

use crate::limits;
use crate::sort::sort_numbers;

/// The canonical form of a text: two texts have the same one where they mean the same value, and only there.
/// It is of use for nothing but that comparison. `None` for what is not one JSON value within the limits.
///
/// White space is left out. A string is its UTF-16 code units, as JavaScript sees them, so that a lone
/// surrogate is one as well. A number is what its digits say: `10`, `10.0` and `1e1` are one number, as are `0`
/// and `-0`. Of properties with the same name the last one counts, and their order does not.
pub fn canonical_form(text: &str) -> Option<Vec<u16>> {
    let mut reader = Reader { rest: text.chars() };
    let mut form = Vec::with_capacity(text.len());
    reader.value(&mut form, limits::JSON_DEPTH_MAX)?;
    reader.token().is_none().then_some(form)
}

/// Reads a text once, from its beginning to its end. Each method appends the canonical form of what it read,
/// none of which is the beginning of another.
struct Reader<'a> {
    rest: Chars<'a>,
}

impl Reader<'_> {
    fn value(&mut self, form: &mut Vec<u16>, levels_left: usize) -> Option<()> {
        match self.token()? {
            '{' => self.object(form, levels_left.checked_sub(1)?),
            '[' => self.array(form, levels_left.checked_sub(1)?),
            '"' => self.string(form),
            '-' => {
                let first = self.rest.next()?;
                self.number(form, '-', first)
            }
            first @ '0'..='9' => self.number(form, '+', first),
            'n' => self.word(form, 'n', "ull"),
            't' => self.word(form, 't', "rue"),
            'f' => self.word(form, 'f', "alse"),
            _ => None,
        }
    }

    /// Goes on after the opening brace. Properties are put in descending order, of the same name the last first.
    fn object(&mut self, form: &mut Vec<u16>, levels_left: usize) -> Option<()> {
        form.push(unit('{'));
        let mut properties: Vec<(Vec<u16>, Vec<u16>)> = Vec::new();
        while !(properties.is_empty() && self.accepts_token('}')) {
            let (mut name, mut value) = (Vec::new(), Vec::new());
            if self.token()? != '"' {
                return None;
            }
            self.string(&mut name)?;
            if self.token()? != ':' {
                return None;
            }
            self.value(&mut value, levels_left)?;
            properties.push((name, value));
            match self.token()? {
                ',' => {}
                '}' => break,
                _ => return None,
            }
        }
        let name = |number: u32| (&properties[number as usize].0, number);
        let mut numbers: Vec<u32> = (0..properties.len() as u32).collect();
        sort_numbers(&mut numbers, &|one, other| name(other) < name(one));
        let mut last_name: &[u16] = &[];
        for number in numbers {
            let (name, value) = &properties[number as usize];
            if name != last_name {
                form.extend(name);
                form.extend(value);
                last_name = name;
            }
        }
        form.push(unit('}'));
        Some(())
    }

    /// Goes on after the opening bracket.
    fn array(&mut self, form: &mut Vec<u16>, levels_left: usize) -> Option<()> {
        form.push(unit('['));
        let mut is_empty = true;
        while !(is_empty && self.accepts_token(']')) {
            is_empty = false;
            self.value(form, levels_left)?;
            match self.token()? {
                ',' => {}
                ']' => break,
                _ => return None,
            }
        }
        form.push(unit(']'));
        Some(())
    }

    /// Goes on after the opening quotation mark.
    fn string(&mut self, form: &mut Vec<u16>) -> Option<()> {
        form.push(unit('"'));
        loop {
            let written = match self.rest.next()? {
                '"' => break,
                '\\' => self.escaped()?,
                '\0'..' ' => return None,
                character if character.len_utf16() == 1 => unit(character),
                character => {
                    form.extend(character.encode_utf16(&mut [0; 2]).iter());
                    continue;
                }
            };
            if written == unit('"') || written == unit('\\') {
                form.push(unit('\\'));
            }
            form.push(written);
        }
        form.push(unit('"'));
        Some(())
    }

    /// The code unit of an escape, after its backslash.
    fn escaped(&mut self) -> Option<u16> {
        let character = match self.rest.next()? {
            character @ ('"' | '\\' | '/') => character,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let mut unit = 0;
                for _ in 0..4 {
                    unit = unit << 4 | self.rest.next()?.to_digit(16)? as u16;
                }
                return Some(unit);
            }
            _ => return None,
        };
        Some(unit(character))
    }

    /// Goes on after the sign and the first digit: all digits but for zeros at either end, and the power of ten
    /// that they are to be multiplied with.
    fn number(&mut self, form: &mut Vec<u16>, sign: char, first: char) -> Option<()> {
        let mut digits = vec![unit(first)];
        first.to_digit(10)?;
        if first != '0' {
            self.digits(&mut digits);
        }
        let mut exponent = 0;
        if self.accepts('.') {
            let fraction_digits = self.digits(&mut digits);
            if fraction_digits == 0 {
                return None;
            }
            exponent -= i64::try_from(fraction_digits).ok()?;
        }
        if self.accepts('e') || self.accepts('E') {
            exponent += self.exponent()?;
        }
        while digits.pop_if(|digit| *digit == unit('0')).is_some() {
            exponent += 1;
        }
        let significant = digits.iter().skip_while(|digit| **digit == unit('0'));
        if digits.is_empty() {
            form.push(unit('0'));
            return Some(());
        }
        form.push(unit(sign));
        form.extend(significant);
        form.push(unit('e'));
        form.extend([
            exponent as u16,
            (exponent >> 16) as u16,
            (exponent >> 32) as u16,
            (exponent >> 48) as u16,
        ]);
        Some(())
    }

    /// What stands after the `e`. An exponent that no number can have in earnest is no number.
    fn exponent(&mut self) -> Option<i64> {
        let is_negative = self.accepts('-');
        if !is_negative {
            self.accepts('+');
        }
        let mut digits = Vec::new();
        if self.digits(&mut digits) == 0 {
            return None;
        }
        let mut exponent: i32 = 0;
        for digit in digits {
            exponent = exponent.checked_mul(10)?.checked_add(i32::from(digit - unit('0')))?;
        }
        Some(i64::from(if is_negative { -exponent } else { exponent }))
    }

    /// Reads digits, as many as there are, and says how many that is.
    fn digits(&mut self, digits: &mut Vec<u16>) -> usize {
        let count_before = digits.len();
        while let Some(digit) = self.rest.clone().next().filter(char::is_ascii_digit) {
            self.rest.next();
            digits.push(unit(digit));
        }
        digits.len() - count_before
    }

    fn word(&mut self, form: &mut Vec<u16>, first: char, others: &str) -> Option<()> {
        form.push(unit(first));
        self.rest = self.rest.as_str().strip_prefix(others)?.chars();
        Some(())
    }

    /// The next character that is not white space.
    fn token(&mut self) -> Option<char> {
        loop {
            match self.rest.next()? {
                ' ' | '\t' | '\n' | '\r' => {}
                character => return Some(character),
            }
        }
    }

    fn accepts_token(&mut self, wanted: char) -> bool {
        let before = self.rest.clone();
        let accepted = self.token() == Some(wanted);
        if !accepted {
            self.rest = before;
        }
        accepted
    }

    fn accepts(&mut self, wanted: char) -> bool {
        let accepted = self.rest.clone().next() == Some(wanted);
        if accepted {
            self.rest.next();
        }
        accepted
    }
}

/// The code unit of a character that has only one.
fn unit(character: char) -> u16 {
    character as u16
}
