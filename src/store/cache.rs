//! Decoded records, kept under a budget.

use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::codec::DecodedRecord;
use crate::event::Position;

/// How much memory decoded records may take, in bytes.
const BUDGET_BYTES: usize = 16 * 1024 * 1024;

/// The records that were used last, by their first position.
#[derive(Default)]
pub(super) struct RecordCache {
    records: FxHashMap<Position, Cached>,
    /// By the time of their last use, in uses.
    order: BTreeMap<u64, Position>,
    use_count: u64,
    size_bytes: usize,
}

struct Cached {
    record: Rc<DecodedRecord>,
    last_use: u64,
}

impl RecordCache {
    pub fn get(&mut self, first: Position) -> Option<Rc<DecodedRecord>> {
        self.use_count += 1;
        let cached = self.records.get_mut(&first)?;
        self.order.remove(&cached.last_use);
        cached.last_use = self.use_count;
        self.order.insert(self.use_count, first);
        Some(Rc::clone(&cached.record))
    }

    pub fn insert(&mut self, record: &Rc<DecodedRecord>) {
        self.remove(record.first());
        self.use_count += 1;
        self.order.insert(self.use_count, record.first());
        self.records.insert(record.first(), Cached { record: Rc::clone(record), last_use: self.use_count });
        self.size_bytes += record.memory_bytes();
        while BUDGET_BYTES < self.size_bytes
            && let Some((_, oldest)) = self.order.first_key_value()
        {
            self.remove(*oldest);
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn remove(&mut self, first: Position) {
        if let Some(cached) = self.records.remove(&first) {
            self.order.remove(&cached.last_use);
            self.size_bytes -= cached.record.memory_bytes();
        }
    }
}
