//! What was read and decoded, kept under a budget.

use std::rc::Rc;

use crate::codec::DecodedRecord;
use crate::layout::unit::UnitOrder;
use crate::layout::{BlockIndex, UnitNumber};
use crate::table::Table;

use super::parts::{Item, Part};

/// How much memory entries may take, in bytes. Those of a unit have to fit, or who reads the log in its order has them read
/// again for each page.
const ENTRIES_BUDGET_BYTES: usize = 28 * 1024 * 1024;
/// How much memory what was read of the layout may take, in bytes. What one commit to a
/// thousand streams looks at has to fit, or each commit reads it anew.
const LAYOUT_BUDGET_BYTES: usize = 16 * 1024 * 1024;

/// The parts that were used last: entries under one budget, and what leads to them under another, because a read of
/// everything would leave nothing of it.
pub(super) struct Cache {
    entries: Shelf,
    layout: Shelf,
    /// The order of the unit that was read last from one position to the next.
    order: Option<Rc<UnitOrder>>,
}

/// The parts that were used last.
struct Shelf {
    budget_bytes: usize,
    rows: Table<Cached>,
    use_count: u64,
    size_bytes: usize,
}

struct Cached {
    part: Part,
    item: Item,
    /// The time of its last use, in uses.
    last_use: u64,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            entries: Shelf::new(ENTRIES_BUDGET_BYTES),
            layout: Shelf::new(LAYOUT_BUDGET_BYTES),
            order: None,
        }
    }
}

impl Cache {
    pub fn get(&mut self, part: Part) -> Option<Item> {
        self.shelf(part).get(part)
    }

    pub fn insert(&mut self, part: Part, item: Item) {
        self.shelf(part).insert(part, item);
    }

    /// The order of these blocks of a unit, whose records are these.
    pub fn order(
        &mut self,
        unit: UnitNumber,
        blocks: &[BlockIndex],
        records: &[Rc<DecodedRecord>],
    ) -> Rc<UnitOrder> {
        let kept = self.order.take().filter(|order| order.covers(unit, blocks));
        let order = kept.unwrap_or_else(|| Rc::new(UnitOrder::new(unit, blocks, records)));
        self.order = Some(Rc::clone(&order));
        order
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn shelf(&mut self, part: Part) -> &mut Shelf {
        match part {
            Part::Entries(_) | Part::Unpacked(_) => &mut self.entries,
            _ => &mut self.layout,
        }
    }
}

impl Shelf {
    fn new(budget_bytes: usize) -> Self {
        Self { budget_bytes, rows: Table::default(), use_count: 0, size_bytes: 0 }
    }

    fn get(&mut self, part: Part) -> Option<Item> {
        self.use_count += 1;
        let use_count = self.use_count;
        let cached = self.find(part)?;
        cached.last_use = use_count;
        Some(cached.item.clone())
    }

    #[inline(never)]
    fn insert(&mut self, part: Part, item: Item) {
        self.use_count += 1;
        self.size_bytes += item.memory_bytes();
        let new = Cached { part, item, last_use: self.use_count };
        match self.find(part) {
            Some(cached) => {
                let old = std::mem::replace(cached, new);
                self.size_bytes -= old.item.memory_bytes();
            }
            None => self.rows.push(part.hash(), new),
        }
        while self.budget_bytes < self.size_bytes {
            self.forget_oldest();
        }
    }

    /// Forgets what was not used in the later half of all uses that are remembered. So the budget is met for
    /// long, and nothing need be kept in an order.
    #[inline(never)]
    fn forget_oldest(&mut self) {
        let rows = std::mem::take(&mut self.rows).into_rows();
        let oldest_use = rows.iter().map(|cached| cached.last_use).min().unwrap_or_default();
        let half = oldest_use + (self.use_count - oldest_use) / 2;
        self.size_bytes = 0;
        for cached in rows {
            if half < cached.last_use {
                self.size_bytes += cached.item.memory_bytes();
                self.rows.push(cached.part.hash(), cached);
            }
        }
    }

    fn find(&mut self, part: Part) -> Option<&mut Cached> {
        let number = self.rows.find(part.hash(), |cached| cached.part == part)?;
        self.rows.row_mut(number)
    }
}
