//! Names on their way into a record: each is written once.

use rustc_hash::FxHashMap;

use super::varint;

/// A table of names, in the order in which they were first met. A name is any bytes: texts, and the prefixes
/// of ids.
#[derive(Debug, Default)]
pub struct Interner<'a> {
    indexes: FxHashMap<&'a [u8], u32>,
    names: Vec<&'a [u8]>,
}

impl<'a> Interner<'a> {
    /// The index of `name`, which is added where it is new.
    pub fn index_of(&mut self, name: &'a [u8]) -> usize {
        let next = self.names.len();
        let index = *self.indexes.entry(name).or_insert(next as u32) as usize;
        if index == next {
            self.names.push(name);
        }
        index
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Appends the names themselves to the text of the record.
    pub fn push_text(&self, text: &mut Vec<u8>) {
        self.names.iter().for_each(|name| text.extend(*name));
    }

    /// Appends the lengths of the names.
    pub fn push_lengths(&self, bytes: &mut Vec<u8>) {
        self.names.iter().for_each(|name| varint::push_size(bytes, name.len()));
    }
}
