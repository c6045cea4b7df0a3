//! Names on their way into a record: each is written once.

use crate::table::{Table, hash_of};

use super::varint;

/// A table of names, in the order in which they were first met. A name is any bytes: texts, and the prefixes
/// of ids.
#[derive(Debug, Default)]
pub struct Interner<'a> {
    names: Table<&'a [u8]>,
}

impl<'a> Interner<'a> {
    /// The index of `name`, which is added where it is new.
    pub fn index_of(&mut self, name: &'a [u8]) -> usize {
        let hash = hash_of(name);
        self.names.find(hash, |other| *other == name).unwrap_or_else(|| {
            self.names.push(hash, name);
            self.len() - 1
        })
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.rows().len()
    }

    /// Appends the names themselves to the text of the record.
    pub fn push_text(&self, text: &mut Vec<u8>) {
        self.names.rows().iter().for_each(|name| text.extend(*name));
    }

    /// Appends the lengths of the names.
    pub fn push_lengths(&self, bytes: &mut Vec<u8>) {
        self.names.rows().iter().for_each(|name| varint::push_size(bytes, name.len()));
    }
}
