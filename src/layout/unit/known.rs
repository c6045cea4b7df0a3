//! What a unit in the making knows under each key of the directory.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::{Body, Entry};
use crate::event::category_of;
use crate::layout::directory::{DirectoryEntry, Kind, Summary};
use crate::layout::{BlockAddress, Posting, StreamSummary};
use crate::sort::sort_numbers;
use crate::table::{Table, hash_of};

/// What is known, by key. Keys are numbered as they are met.
#[derive(Debug, Default)]
pub(super) struct Known {
    entries: Table<DirectoryEntry>,
    /// The key that is looked up.
    sought: Vec<u8>,
}

/// The entries of a unit for the directory, in the order of their keys.
#[derive(Debug)]
pub struct EntriesInOrder {
    known: Known,
    order: std::vec::IntoIter<u32>,
}

impl Known {
    /// The number of a name.
    pub fn number_of(&mut self, kind: Kind, name: &str) -> u32 {
        self.sought.clear();
        self.sought.push(kind.byte());
        self.sought.extend(name.as_bytes());
        let hash = hash_of(&self.sought);
        if let Some(number) = self.entries.find(hash, |entry| entry.key == self.sought) {
            return number as u32;
        }
        let number = self.len() as u32;
        let summary = match kind {
            Kind::Stream => Summary::Stream(StreamSummary::default()),
            Kind::Category | Kind::Tag | Kind::Type => Summary::Posting(Posting::default()),
        };
        self.entries.push(hash, DirectoryEntry { key: self.sought.clone(), summary });
        number
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.rows().len()
    }

    /// The key of this number, and what is known under it.
    pub fn entry(&self, number: u32) -> Option<&DirectoryEntry> {
        self.entries.rows().get(number as usize)
    }

    /// What is known of a stream.
    pub fn stream(&mut self, number: u32) -> Option<&mut StreamSummary> {
        match &mut self.entries.row_mut(number as usize)?.summary {
            Summary::Stream(summary) => Some(summary),
            Summary::Posting(_) => None,
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
        let entry = self.entries.row_mut(number as usize);
        if let Some(DirectoryEntry { summary: Summary::Posting(posting), .. }) = entry {
            posting.add(address, event_count);
        }
    }

    /// Whether one key stands before another.
    pub fn is_less(&self, one: u32, other: u32) -> bool {
        self.key(one) < self.key(other)
    }

    fn key(&self, number: u32) -> &[u8] {
        self.entry(number).map_or(&[], |entry| &entry.key)
    }

    /// The entries of the directory, whatever the numbers of their keys are.
    pub fn into_all_entries(self) -> EntriesInOrder {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        sort_numbers(&mut order, &|one, other| self.is_less(one, other));
        EntriesInOrder { known: self, order: order.into_iter() }
    }

    /// The entries of the directory. The numbers of all streams come before all others; both are given in the order of
    /// their keys.
    pub fn into_entries(self, streams: &[u32], others: &[u32]) -> EntriesInOrder {
        let before = others.partition_point(|number| self.key(*number) < [Kind::Stream.byte()].as_slice());
        let (before, after) = others.split_at_checked(before).unwrap_or_default();
        let order = [before, streams, after].concat();
        EntriesInOrder { known: self, order: order.into_iter() }
    }
}

impl Iterator for EntriesInOrder {
    type Item = DirectoryEntry;

    fn next(&mut self) -> Option<DirectoryEntry> {
        let number = self.order.next()?;
        let entry = self.known.entries.row_mut(number as usize)?;
        let nothing = DirectoryEntry { key: Vec::new(), summary: Summary::Posting(Posting::default()) };
        Some(std::mem::replace(entry, nothing))
    }
}
