//! Finds out again what the directory is to know of a unit that is there.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::{Corrupt, DecodedRecord};
use crate::layout::directory::{Kind, Page, Summary};
use crate::layout::{BlockAddress, BlockIndex, UnitNumber, sealed};

use super::known::{EntriesInOrder, Known};

/// What a unit holds, block by block.
#[derive(Debug)]
pub struct Inventory {
    unit: UnitNumber,
    known: Known,
    /// For each number of a key, whether remains say everything that blocks say of the stream.
    is_told: Vec<bool>,
}

impl Inventory {
    /// Of a unit of which nothing was read yet. Its pages of remains come first, then its blocks, in their order.
    pub fn new(unit: UnitNumber) -> Self {
        Self { unit, known: Known::default(), is_told: Vec::new() }
    }

    /// Takes in what remains of streams of which events were erased. Errors: [`Corrupt`].
    pub fn add_remains(&mut self, page: &Page) -> Result<(), Box<Corrupt>> {
        for index in 0..page.len() {
            let name =
                page.key(index).and_then(<[u8]>::split_first).map(|(_, name)| std::str::from_utf8(name));
            let (Some(Ok(name)), Some(Summary::Stream(summary))) = (name, page.summary(index)?) else {
                return Err(sealed::body(&[]).corrupt("remains are of something else than a stream"));
            };
            let number = self.known.number_of(Kind::Stream, name);
            if let Some(stream) = self.known.stream(number) {
                *stream = summary.without_places();
            }
        }
        self.is_told.resize(self.known.len(), true);
        Ok(())
    }

    /// Takes in a block.
    pub fn add_block(&mut self, index: BlockIndex, block: &DecodedRecord) {
        let address = BlockAddress { unit: self.unit, block: index };
        for entry in block.entries() {
            let stream = self.known.number_of(Kind::Stream, entry.stream);
            let is_told = self.is_told.get(stream as usize).is_some_and(|is_told| *is_told);
            if let Some(summary) = self.known.stream(stream).filter(|_| !is_told) {
                summary.lay(&entry);
            }
            self.known.store(stream, &entry, address);
        }
    }

    /// What the directory is to know, in the order of the keys.
    pub fn finish(self) -> EntriesInOrder {
        self.known.into_all_entries()
    }
}
