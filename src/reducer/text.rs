//! Texts in one spelling: what `JSON.stringify` would write between the quotation marks.
//!
//! A text of JavaScript may hold half a pair of surrogates, which no `str` can. Spelled as JSON it can: the half is
//! an escape, `\ud83d`. So a text is kept in the spelling that `JSON.stringify` gives it, of which there is exactly one:
//! texts are equal where their bytes are, most are copied from a payload as they stand there, and writing one is a copy.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::str::Chars;

/// The one spelling of what stands between the quotation marks of a JSON text. `None` where that is no text.
pub fn respell(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.bytes().any(|byte| byte == b'\\' || byte < b' ') {
        return Some(Cow::Borrowed(raw));
    }
    let mut units = Units::of(raw);
    let mut decoded = Vec::with_capacity(raw.len());
    while let Some(unit) = units.next() {
        decoded.push(unit);
    }
    if units.is_broken {
        return None;
    }
    let mut spelled = String::with_capacity(raw.len());
    for character in char::decode_utf16(decoded) {
        match character {
            Ok(character) => push(&mut spelled, character),
            Err(half) => push_escape(&mut spelled, half.unpaired_surrogate()),
        }
    }
    Some(Cow::Owned(spelled))
}

/// A plain text in its spelling.
pub fn spell(plain: &str) -> Cow<'_, str> {
    if !plain.bytes().any(|byte| byte == b'\\' || byte == b'"' || byte < b' ') {
        return Cow::Borrowed(plain);
    }
    let mut spelled = String::with_capacity(plain.len() + 2);
    plain.chars().for_each(|character| push(&mut spelled, character));
    Cow::Owned(spelled)
}

/// The plain text of a spelling. `None` where it holds half a pair of surrogates.
pub fn plain(spelled: &str) -> Option<String> {
    if !spelled.contains('\\') {
        return Some(spelled.to_owned());
    }
    let mut units = Units::of(spelled);
    let mut decoded = Vec::new();
    while let Some(unit) = units.next() {
        decoded.push(unit);
    }
    String::from_utf16(&decoded).ok()
}

/// Which of two spelled texts comes first in JavaScript, which compares code units.
pub fn compare(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (Units::of(one), Units::of(other));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return Ordering::Equal,
            (one, other) if one != other => return one.cmp(&other),
            _ => {}
        }
    }
}

fn push(spelled: &mut String, character: char) {
    let letter = match character {
        '"' | '\\' => character,
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\0'..' ' => return push_escape(spelled, character as u16),
        _ => return spelled.push(character),
    };
    spelled.push('\\');
    spelled.push(letter);
}

fn push_escape(spelled: &mut String, unit: u16) {
    spelled.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        spelled.push(char::from_digit(u32::from(unit >> shift & 0xf), 16).unwrap_or_default());
    }
}

/// The UTF-16 code units that a spelling stands for, up to what is no spelling.
struct Units<'a> {
    rest: Chars<'a>,
    /// The second half of a character that takes two units.
    second: Option<u16>,
    is_broken: bool,
}

impl<'a> Units<'a> {
    fn of(spelled: &'a str) -> Self {
        Self { rest: spelled.chars(), second: None, is_broken: false }
    }

    fn next(&mut self) -> Option<u16> {
        if let Some(second) = self.second.take() {
            return Some(second);
        }
        match self.rest.next()? {
            '\\' => {
                let unit = self.escaped();
                self.is_broken |= unit.is_none();
                unit
            }
            '\0'..' ' => {
                self.is_broken = true;
                None
            }
            character => {
                let mut units = [0; 2];
                let is_pair = 1 < character.encode_utf16(&mut units).len();
                self.second = is_pair.then_some(units[1]);
                Some(units[0])
            }
        }
    }

    /// The code unit of an escape, after its backslash.
    fn escaped(&mut self) -> Option<u16> {
        Some(match self.rest.next()? {
            character @ ('"' | '\\' | '/') => character as u16,
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => {
                let mut unit = 0;
                for _ in 0..4 {
                    unit = unit << 4 | self.rest.next()?.to_digit(16)? as u16;
                }
                unit
            }
            _ => return None,
        })
    }
}
