//! Finding values in a JSON text without building any.
//!
//! The texts were checked when they were stored, so what is passed over is not checked again: a text that is no JSON
//! gives some value or none, and never a panic.

use std::borrow::Cow;

use super::object::FieldName;
use super::text;

/// What to look for in a text: paths that share their beginnings, as a tree.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Which of the values found this one is.
    slot: Option<usize>,
    children: Vec<WantedChild>,
}

#[derive(Debug)]
struct WantedChild {
    field: FieldName,
    wanted: Wanted,
}

impl Wanted {
    /// Whether nothing is looked for.
    pub fn is_nothing(&self) -> bool {
        self.slot.is_none() && self.children.is_empty()
    }

    /// The slot of the value at a path. One that is not looked for yet gets `next`.
    pub fn slot_of(&mut self, path: Vec<FieldName>, next: usize) -> usize {
        let mut wanted = self;
        for field in path {
            let known = wanted.children.iter().position(|child| child.field.name == field.name);
            let number = known.unwrap_or_else(|| {
                wanted.children.push(WantedChild { field, wanted: Self::default() });
                wanted.children.len() - 1
            });
            wanted = &mut wanted.children[number].wanted;
        }
        *wanted.slot.get_or_insert(next)
    }

    /// Finds all that is looked for. Slots of what is not there stay empty. `None` where the text is no JSON.
    pub fn find<'t>(&self, json: &'t str, slots: &mut [&'t str]) -> Option<()> {
        self.find_at(&mut Scanner::new(json), slots)
    }

    fn find_at<'t>(&self, scanner: &mut Scanner<'t>, slots: &mut [&'t str]) -> Option<()> {
        let first = scanner.peek();
        let begin = scanner.at;
        let json = match first {
            b'{' | b'[' if !self.children.is_empty() => {
                match first {
                    b'{' => self.find_in_object(scanner, slots)?,
                    _ => self.find_in_array(scanner, slots)?,
                }
                scanner.text.get(begin..scanner.at)?
            }
            _ => scanner.skip()?,
        };
        if let Some(slot) = self.slot.and_then(|slot| slots.get_mut(slot)) {
            *slot = json;
        }
        Some(())
    }

    fn find_in_object<'t>(&self, scanner: &mut Scanner<'t>, slots: &mut [&'t str]) -> Option<()> {
        scanner.enter();
        while let Some(name) = scanner.next_name()? {
            match self.children.iter().find(|child| *child.field.name == *name) {
                Some(child) => {
                    // Of properties with the same name the last one counts.
                    child.wanted.forget_inside(slots);
                    child.wanted.find_at(scanner, slots)?;
                }
                None => drop(scanner.skip()?),
            }
        }
        Some(())
    }

    fn find_in_array<'t>(&self, scanner: &mut Scanner<'t>, slots: &mut [&'t str]) -> Option<()> {
        let mut index = 0;
        scanner.enter();
        while scanner.next_element()? {
            match self.children.iter().find(|child| child.field.index == Some(index)) {
                Some(child) => child.wanted.find_at(scanner, slots)?,
                None => drop(scanner.skip()?),
            }
            index += 1;
        }
        Some(())
    }

    fn forget_inside(&self, slots: &mut [&str]) {
        for child in &self.children {
            if let Some(slot) = child.wanted.slot.and_then(|slot| slots.get_mut(slot)) {
                *slot = "";
            }
            child.wanted.forget_inside(slots);
        }
    }
}

/// The text of an own property or an element of the value that a text is. `Some(None)` where it is not there, `None`
/// where the text is no JSON.
pub fn get<'t>(json: &'t str, field: &FieldName) -> Option<Option<&'t str>> {
    let mut scanner = Scanner::new(json);
    let mut found = None;
    match scanner.peek() {
        b'{' => {
            scanner.enter();
            while let Some(next) = scanner.next_name()? {
                let value = scanner.skip()?;
                if *next == *field.name {
                    found = Some(value);
                }
            }
        }
        b'[' => {
            let mut at = 0;
            scanner.enter();
            while scanner.next_element()? {
                let value = scanner.skip()?;
                if Some(at) == field.index {
                    found = Some(value);
                }
                at += 1;
            }
        }
        _ => {}
    }
    Some(found)
}

/// A place in a JSON text.
#[derive(Debug)]
pub struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// Whether a bracket was passed, and nothing behind it.
    is_first: bool,
}

impl<'t> Scanner<'t> {
    /// The beginning of a text.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0, is_first: false }
    }

    /// The next byte that is not white space; zero at the end.
    #[inline(always)]
    pub fn peek(&mut self) -> u8 {
        match self.byte() {
            byte @ b'!'.. => byte,
            _ => self.peek_behind_space(),
        }
    }

    #[inline(never)]
    fn peek_behind_space(&mut self) -> u8 {
        while let b' ' | b'\t' | b'\n' | b'\r' = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    /// Whether nothing is left but white space.
    pub fn is_at_end(&mut self) -> bool {
        self.peek();
        self.at == self.text.len()
    }

    /// Goes into the object or the array that begins here.
    pub fn enter(&mut self) {
        self.at += 1;
        self.is_first = true;
    }

    /// Goes on to the value of the next property of the object that was entered, and gives its name. `None` inside
    /// where there is no further one: the object is passed.
    #[inline(always)]
    pub fn next_name(&mut self) -> Option<Option<Cow<'t, str>>> {
        if !self.goes_on(b'}')? {
            return Some(None);
        }
        if self.peek() != b'"' {
            return None;
        }
        let name = self.text_inside()?;
        if self.peek() != b':' {
            return None;
        }
        self.at += 1;
        Some(Some(name))
    }

    /// Goes on to the next element of the array that was entered, and says whether there is one. Where there is none,
    /// the array is passed.
    pub fn next_element(&mut self) -> Option<bool> {
        self.goes_on(b']')
    }

    /// Passes over the comma before what follows, or over the bracket that closes, and says which. `None` where neither is
    /// there.
    #[inline(always)]
    pub fn goes_on(&mut self, closing: u8) -> Option<bool> {
        let is_first = std::mem::take(&mut self.is_first);
        let next = self.peek();
        let is_closed = next == closing;
        if is_closed || next == b',' && !is_first {
            self.at += 1;
            return Some(!is_closed);
        }
        is_first.then_some(true)
    }

    /// Passes over a colon, or over a bracket that closes, and says whether it was there.
    #[inline(always)]
    pub fn passes(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == wanted;
        if is_there {
            (self.at, self.is_first) = (self.at + 1, false);
        }
        is_there
    }

    /// Passes over a text that begins here, and gives what stands inside, where nothing of it is escaped. `None` for any
    /// other text.
    #[inline(always)]
    pub fn plain_text(&mut self) -> Option<&'t str> {
        if self.peek() != b'"' {
            return None;
        }
        let begin = self.at + 1;
        match self.skip_text()? {
            Spelling::Plain => self.text.get(begin..self.at - 1),
            Spelling::Escaped => None,
        }
    }

    /// Passes over a text that begins here, and gives what stands inside in the one spelling.
    #[inline(always)]
    pub fn text_inside(&mut self) -> Option<Cow<'t, str>> {
        let begin = self.at + 1;
        let spelling = self.skip_text()?;
        let inside = self.text.get(begin..self.at - 1)?;
        match spelling {
            Spelling::Plain => Some(Cow::Borrowed(inside)),
            Spelling::Escaped => text::respell(inside),
        }
    }

    /// Passes over a value, and gives its text.
    pub fn skip(&mut self) -> Option<&'t str> {
        let first = self.peek();
        let begin = self.at;
        match first {
            b'"' => drop(self.skip_text()?),
            b'{' | b'[' => self.skip_nested()?,
            _ => self.skip_word(),
        }
        self.text.get(begin..self.at).filter(|text| !text.is_empty())
    }

    fn skip_nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match *self.text.as_bytes().get(self.at)? {
                b'"' => {
                    self.skip_text()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    #[inline(always)]
    fn skip_text(&mut self) -> Option<Spelling> {
        let bytes = self.text.as_bytes();
        let end = end_of_plain(bytes, self.at + 1);
        if let Some(b'"') = bytes.get(end) {
            self.at = end + 1;
            return Some(Spelling::Plain);
        }
        self.skip_escaped_text(end)
    }

    /// Passes over the rest of a text, of which something stands at a place that is not plain.
    #[cold]
    #[inline(never)]
    fn skip_escaped_text(&mut self, mut at: usize) -> Option<Spelling> {
        let bytes = self.text.as_bytes();
        loop {
            match *bytes.get(at)? {
                b'"' => break,
                b'\\' => at += 1,
                _ => {}
            }
            at = end_of_plain(bytes, at + 1);
        }
        self.at = at + 1;
        Some(Spelling::Escaped)
    }

    /// Passes over a number, `true`, `false` or `null`.
    fn skip_word(&mut self) {
        while let b'0'..=b'9' | b'-' | b'+' | b'.' | b'a'..=b'z' | b'A'..=b'Z' = self.byte() {
            self.at += 1;
        }
    }

    #[inline(always)]
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }
}

/// Where, from a place on, the first byte stands that is not plain inside a text: a quotation mark, a backslash or a
/// control character; the end where there is none. Most names and texts are short, and eight bytes are looked at in one
/// go, as in "Bit Twiddling Hacks" (Anderson, 2005): a borrow can mark a byte wrongly only above one that is marked rightly.
fn end_of_plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        let is_quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let is_backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let marks = (is_quote | is_backslash | below(word, b' ')) & ONES << 7;
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | b'\0'..b' ');
    while bytes.get(at).is_some_and(is_plain) {
        at += 1;
    }
    at
}

/// How a text is spelled that was passed.
#[derive(Clone, Copy)]
enum Spelling {
    /// In the one spelling already.
    Plain,
    /// With escapes, or with what may not stand in a text.
    Escaped,
}
