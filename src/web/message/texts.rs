//! Texts that cross put together, with their lengths beside them.

/// Texts that were put together, read from the front by their lengths in UTF-16 units.
#[derive(Default)]
pub struct Texts<'a> {
    rest: &'a str,
    /// Then a unit is a byte.
    is_ascii: bool,
}

impl<'a> Texts<'a> {
    /// All texts of a message.
    pub fn new(text: &'a str) -> Self {
        Self { rest: text, is_ascii: text.is_ascii() }
    }

    /// The next one. `None` where there is not so much left, or where it would end inside a character.
    pub fn take(&mut self, length: usize) -> Option<&'a str> {
        let length_bytes = if self.is_ascii { length } else { bytes_of_units(self.rest, length)? };
        let (front, rest) = self.rest.split_at_checked(length_bytes)?;
        self.rest = rest;
        Some(front)
    }

    /// The next ones, still put together; `None` as of [`Texts::take`].
    pub fn split(&mut self, length: usize) -> Option<Self> {
        Some(Self { is_ascii: self.is_ascii, rest: self.take(length)? })
    }
}

/// How many bytes the first `units_left` UTF-16 units of a text take. `None` where they end inside a character
/// or after the text.
fn bytes_of_units(text: &str, mut units_left: usize) -> Option<usize> {
    for (offset_bytes, character) in text.char_indices() {
        if units_left == 0 {
            return Some(offset_bytes);
        }
        units_left = units_left.checked_sub(character.len_utf16())?;
    }
    (units_left == 0).then_some(text.len())
}

/// The length of a text in UTF-16 units.
pub fn units_of(text: &str) -> u32 {
    let units = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
    // No text of the store is longer than a commit.
    units as u32
}
