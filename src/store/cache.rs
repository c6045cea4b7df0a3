//! Decoded records, kept under a budget.

use std::rc::Rc;

use crate::codec::DecodedRecord;
use crate::event::Position;
use crate::table::{Table, hash_of};

/// How much memory decoded records may take, in bytes.
const BUDGET_BYTES: usize = 16 * 1024 * 1024;

/// The records that were used last, by their first position.
#[derive(Default)]
pub(super) struct RecordCache {
    records: Table<Cached>,
    use_count: u64,
    size_bytes: usize,
}

struct Cached {
    record: Rc<DecodedRecord>,
    /// The time of its last use, in uses.
    last_use: u64,
}

impl RecordCache {
    pub fn get(&mut self, first: Position) -> Option<Rc<DecodedRecord>> {
        self.use_count += 1;
        let use_count = self.use_count;
        let cached = self.find(first)?;
        cached.last_use = use_count;
        Some(Rc::clone(&cached.record))
    }

    pub fn insert(&mut self, record: &Rc<DecodedRecord>) {
        self.use_count += 1;
        let new = Cached { record: Rc::clone(record), last_use: self.use_count };
        self.size_bytes += record.memory_bytes();
        match self.find(record.first()) {
            Some(cached) => {
                let old = std::mem::replace(cached, new);
                self.size_bytes -= old.record.memory_bytes();
            }
            None => self.records.push(hash(record.first()), new),
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
                self.records.push(hash(cached.record.first()), cached);
            }
        }
    }

    fn find(&mut self, first: Position) -> Option<&mut Cached> {
        let number = self.records.find(hash(first), |cached| cached.record.first() == first)?;
        self.records.row_mut(number)
    }
}

fn hash(first: Position) -> u32 {
    hash_of(&first.0.to_le_bytes())
}
