//! Names on their way into a record: each is written once.

use std::collections::HashMap;

use super::varint;

/// A table of names, in the order in which they were first met.
#[derive(Debug, Default)]
pub struct Interner<'a> {
    indexes: HashMap<&'a str, usize>,
    names: Vec<&'a str>,
}

impl<'a> Interner<'a> {
    /// The index of `name`, which is added where it is new.
    pub fn index_of(&mut self, name: &'a str) -> usize {
        *self.indexes.entry(name).or_insert_with(|| {
            self.names.push(name);
            self.names.len() - 1
        })
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Appends the names themselves to the text of the record.
    pub fn push_text(&self, text: &mut Vec<u8>) {
        self.names.iter().for_each(|name| text.extend(name.as_bytes()));
    }

    /// Appends the lengths of the names.
    pub fn push_lengths(&self, bytes: &mut Vec<u8>) {
        self.names.iter().for_each(|name| varint::push_size(bytes, name.len()));
    }
}
