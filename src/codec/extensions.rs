//! What later versions put beside a commit.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::slice;

use crate::limits;

use super::Corrupt;
use super::cursor::Cursor;

/// Bytes by number, kept verbatim, in the order of their numbers. A commit has at most
/// [`limits::EXTENSIONS_PER_COMMIT_MAX`], each of at most [`limits::EXTENSION_BYTES_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions {
    by_number: Vec<(u64, Vec<u8>)>,
}

impl Extensions {
    /// None, which is what commits have today.
    pub const fn new() -> Self {
        Self { by_number: Vec::new() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_number.len()
    }

    /// The extensions with their numbers, in ascending order.
    pub fn iter(&self) -> slice::Iter<'_, (u64, Vec<u8>)> {
        self.by_number.iter()
    }

    /// Puts an extension in its place, which replaces the one that has its number.
    pub fn insert(&mut self, number: u64, bytes: Vec<u8>) {
        match self.by_number.binary_search_by(|(other, _)| other.cmp(&number)) {
            Ok(index) => {
                if let Some((_, before)) = self.by_number.get_mut(index) {
                    *before = bytes;
                }
            }
            Err(index) => self.by_number.insert(index, (number, bytes)),
        }
    }
}

impl FromIterator<(u64, Vec<u8>)> for Extensions {
    fn from_iter<I: IntoIterator<Item = (u64, Vec<u8>)>>(given: I) -> Self {
        let mut extensions = Self::new();
        given.into_iter().for_each(|(number, bytes)| extensions.insert(number, bytes));
        extensions
    }
}

impl<const N: usize> From<[(u64, Vec<u8>); N]> for Extensions {
    fn from(given: [(u64, Vec<u8>); N]) -> Self {
        given.into_iter().collect()
    }
}

/// Reads the extensions of a commit, and hands each over with its number.
pub(super) fn read(cursor: &mut Cursor<'_>, take: &mut dyn FnMut(u64, &[u8])) -> Result<(), Box<Corrupt>> {
    let count = cursor.count(limits::EXTENSIONS_PER_COMMIT_MAX)?;
    if count == 0 {
        return Err(cursor.corrupt("an extended commit has no extension"));
    }
    let mut last_number = None;
    for _ in 0..count {
        let number = cursor.unsigned()?;
        if last_number.is_some_and(|last| number <= last) {
            return Err(cursor.corrupt("extensions are not in the order of their numbers"));
        }
        last_number = Some(number);
        let length = cursor.count(limits::EXTENSION_BYTES_MAX)?;
        take(number, cursor.take(length)?);
    }
    Ok(())
}
