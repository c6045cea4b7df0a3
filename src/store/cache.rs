//! Decoded records, kept under a budget.

use std::rc::Rc;

use crate::codec::DecodedRecord;
use crate::index::plan::Source;
use crate::layout::BlockAddress;
use crate::table::{Table, hash_of};

/// How much memory decoded records may take, in bytes.
const BUDGET_BYTES: usize = 16 * 1024 * 1024;

/// The records and blocks that were used last.
#[derive(Default)]
pub(super) struct RecordCache {
    records: Table<Cached>,
    use_count: u64,
    size_bytes: usize,
}

struct Cached {
    source: Source,
    record: Rc<DecodedRecord>,
    /// The time of its last use, in uses.
    last_use: u64,
}

impl RecordCache {
    pub fn get(&mut self, source: Source) -> Option<Rc<DecodedRecord>> {
        self.use_count += 1;
        let use_count = self.use_count;
        let cached = self.find(source)?;
        cached.last_use = use_count;
        Some(Rc::clone(&cached.record))
    }

    pub fn insert(&mut self, source: Source, record: &Rc<DecodedRecord>) {
        self.use_count += 1;
        let new = Cached { source, record: Rc::clone(record), last_use: self.use_count };
        self.size_bytes += record.memory_bytes();
        match self.find(source) {
            Some(cached) => {
                let old = std::mem::replace(cached, new);
                self.size_bytes -= old.record.memory_bytes();
            }
            None => self.records.push(hash(source), new),
        }
        while BUDGET_BYTES < self.size_bytes {
            self.forget_oldest();
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets what was not used in the later half of all uses that are remembered. So the budget is met for
    /// long, and records need not be kept in an order.
    #[inline(never)]
    fn forget_oldest(&mut self) {
        let records = std::mem::take(&mut self.records).into_rows();
        let oldest_use = records.iter().map(|cached| cached.last_use).min().unwrap_or_default();
        let half = oldest_use + (self.use_count - oldest_use) / 2;
        self.size_bytes = 0;
        for cached in records {
            if half < cached.last_use {
                self.size_bytes += cached.record.memory_bytes();
                self.records.push(hash(cached.source), cached);
            }
        }
    }

    fn find(&mut self, source: Source) -> Option<&mut Cached> {
        let number = self.records.find(hash(source), |cached| cached.source == source)?;
        self.records.row_mut(number)
    }
}

fn hash(source: Source) -> u32 {
    let (number, index) = match source {
        Source::Log(first) => (first.0, u32::MAX),
        Source::Block(BlockAddress { unit, block }) => (unit.0, block.0),
    };
    hash_of(&number.to_le_bytes()).wrapping_add(hash_of(&index.to_le_bytes()))
}
