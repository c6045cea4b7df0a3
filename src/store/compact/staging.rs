//! What is written before it lives: records under a claimed number, a bounded transaction at a time.

use crate::storage::{Area, Durability, GuardedWrite, Key, LayoutChange};

use super::claim::Stored;

/// What one transaction comes to, in bytes.
const TRANSACTION_BYTES: usize = 256 * 1024;

/// Records that wait to be written.
pub(super) struct Staging {
    root: (Area, Key, Option<Vec<u8>>),
    puts: Vec<(Area, Key, Vec<u8>)>,
    size_bytes: usize,
}

impl Staging {
    pub fn new(claimed: &Stored) -> Self {
        Self { root: claimed.expectation(), puts: Vec::new(), size_bytes: 0 }
    }

    pub fn put(&mut self, area: Area, key: Key, bytes: Vec<u8>) {
        self.size_bytes += bytes.len();
        self.puts.push((area, key, bytes));
    }

    pub fn is_full(&self) -> bool {
        TRANSACTION_BYTES <= self.size_bytes
    }

    /// The write of all that waits. `None` where nothing does.
    pub fn take(&mut self) -> Option<GuardedWrite> {
        self.size_bytes = 0;
        let puts = std::mem::take(&mut self.puts);
        (!puts.is_empty()).then(|| GuardedWrite {
            expect: vec![self.root.clone()],
            deletes: Vec::new(),
            puts,
            layout: LayoutChange::Keep,
            durability: Durability::Relaxed,
        })
    }
}
