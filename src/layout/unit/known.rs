//! What a unit in the making knows under each key of the directory.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::codec::{Body, Entry};
use crate::event::category_of;
use crate::layout::directory::{DirectoryEntry, Kind, Summary};
use crate::layout::{BlockAddress, Posting, StreamSummary};

/// What is known, by key. Keys are numbered as they are met.
#[derive(Debug, Default)]
pub(super) struct Known {
    numbers: FxHashMap<Rc<[u8]>, u32>,
    keys: Vec<Rc<[u8]>>,
    summaries: Vec<Summary>,
    /// The key that is looked up.
    sought: Vec<u8>,
}

/// The entries of a unit for the directory, in the order of their keys.
#[derive(Debug)]
pub struct EntriesInOrder {
    order: KeyOrder,
    summaries: Vec<Summary>,
}

/// Numbers of keys in the order of the keys. What is not taken is not sorted.
#[derive(Debug, Default)]
pub(super) struct KeyOrder {
    heap: BinaryHeap<Reverse<(Rc<[u8]>, u32)>>,
}

impl Known {
    /// The number of a name.
    pub fn number_of(&mut self, kind: Kind, name: &str) -> u32 {
        self.sought.clear();
        self.sought.push(kind.byte());
        self.sought.extend(name.as_bytes());
        if let Some(number) = self.numbers.get(self.sought.as_slice()) {
            return *number;
        }
        let number = self.keys.len() as u32;
        let key: Rc<[u8]> = Rc::from(self.sought.as_slice());
        self.numbers.insert(Rc::clone(&key), number);
        self.keys.push(key);
        self.summaries.push(match kind {
            Kind::Stream => Summary::Stream(StreamSummary::default()),
            Kind::Category | Kind::Tag | Kind::Type => Summary::Posting(Posting::default()),
        });
        number
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// What is known of a stream.
    pub fn stream(&mut self, number: u32) -> Option<&mut StreamSummary> {
        match self.summaries.get_mut(number as usize) {
            Some(Summary::Stream(summary)) => Some(summary),
            _ => None,
        }
    }

    /// What is known of a stream, to look at.
    pub fn summary(&self, number: u32) -> Option<&StreamSummary> {
        match self.summaries.get(number as usize) {
            Some(Summary::Stream(summary)) => Some(summary),
            _ => None,
        }
    }

    /// Notes that an entry of the stream of this number stands in a block.
    pub fn store(&mut self, stream: u32, entry: &Entry<'_>, address: BlockAddress) {
        if let Some(summary) = self.stream(stream) {
            summary.store(&entry.body, address);
        }
        let category = self.number_of(Kind::Category, category_of(entry.stream));
        match &entry.body {
            Body::Fact(fact) => {
                let fact = self.number_of(Kind::Type, fact.type_name());
                self.post(fact, address, 1);
                self.post(category, address, 0);
            }
            Body::Event { event_type, tags, .. } => {
                let event_type = self.number_of(Kind::Type, event_type);
                self.post(event_type, address, 1);
                self.post(category, address, 1);
                for (index, tag) in tags.iter().enumerate() {
                    // An event counts once for each tag, however often it has it.
                    if !tags.iter().take(index).any(|earlier| earlier == tag) {
                        let tag = self.number_of(Kind::Tag, tag);
                        self.post(tag, address, 1);
                    }
                }
            }
        }
    }

    fn post(&mut self, number: u32, address: BlockAddress, event_count: u64) {
        if let Some(Summary::Posting(posting)) = self.summaries.get_mut(number as usize) {
            posting.add(address, event_count);
        }
    }

    /// All keys, in their order.
    pub fn order(&self) -> KeyOrder {
        KeyOrder { heap: self.keys.iter().cloned().zip(0..).map(Reverse).collect() }
    }

    /// The entries of the directory.
    pub fn into_entries(self) -> EntriesInOrder {
        EntriesInOrder { order: self.order(), summaries: self.summaries }
    }
}

impl KeyOrder {
    pub fn next(&mut self) -> Option<(Rc<[u8]>, u32)> {
        self.heap.pop().map(|Reverse(next)| next)
    }
}

impl Iterator for EntriesInOrder {
    type Item = DirectoryEntry;

    fn next(&mut self) -> Option<DirectoryEntry> {
        let (key, number) = self.order.next()?;
        let summary = self.summaries.get_mut(number as usize)?;
        let summary = std::mem::replace(summary, Summary::Posting(Posting::default()));
        Some(DirectoryEntry { key: key.to_vec(), summary })
    }
}
