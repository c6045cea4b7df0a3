//! What was read and decoded, kept under a budget.

use std::rc::Rc;

use crate::codec::DecodedRecord;
use crate::event::Position;
use crate::index::plan::Source;
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

/// The blocks of a log that has no more are kept when all of it is walked through.
const KEPT_WALK_BLOCKS_MAX: u64 = 64;

/// What is kept of that which a look reads, for those who look next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    All,
    AllButBlocks,
}

/// The parts that were used last: entries under one budget, and what leads to them under another, because a read of
/// everything would leave nothing of it.
pub(super) struct Cache {
    entries: Shelf,
    layout: Shelf,
    /// The order of the unit that was read last from one position to the next.
    order: Option<Rc<UnitOrder>>,
    /// What is kept of the walk through the log that began last, if there was one.
    walk: Option<Keep>,
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
            walk: None,
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

    /// A walk through this many blocks begins, each of which it needs once. The first through a long log leaves none: they
    /// would push out what is read again and again, and each would take new memory where that of the one before will do.
    /// Who walks again is likely to do so once more, and has them kept, as in the queues of "2Q" (Johnson and Shasha,
    /// VLDB 1994).
    pub fn begin_walk(&mut self, block_count: u64) -> Keep {
        let passes = self.walk.is_none() && KEPT_WALK_BLOCKS_MAX < block_count;
        *self.walk.insert(if passes { Keep::AllButBlocks } else { Keep::All })
    }

    /// What is kept of the walk that began last.
    pub fn keep_of_walk(&self) -> Keep {
        self.walk.unwrap_or(Keep::All)
    }

    /// Forgets the records of the log up to a position: units cover them, and nobody asks for them any more.
    pub fn forget_covered(&mut self, covered: Position) {
        self.entries.keep(&|cached| match cached.part {
            Part::Entries(Source::Log(first)) => covered < first,
            _ => true,
        });
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
    fn forget_oldest(&mut self) {
        let oldest_use = self.rows.rows().iter().map(|cached| cached.last_use).min().unwrap_or_default();
        let half = oldest_use + (self.use_count - oldest_use) / 2;
        self.keep(&|cached| half < cached.last_use);
    }

    #[inline(never)]
    fn keep(&mut self, is_kept: &dyn Fn(&Cached) -> bool) {
        let rows = std::mem::take(&mut self.rows).into_rows();
        self.size_bytes = 0;
        for cached in rows {
            if is_kept(&cached) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::BlockAddress;

    #[test]
    fn records_that_units_cover_are_forgotten_and_nothing_else_is() {
        let records = [1, 5, 9].map(|first| Part::Entries(Source::Log(Position(first))));
        let unit = UnitNumber(1);
        let others =
            [Part::Entries(Source::Block(BlockAddress { unit, block: BlockIndex(0) })), Part::Header(unit)];
        let mut cache = Cache::default();
        records.into_iter().chain(others).for_each(|part| cache.insert(part, Item::Unreadable));
        cache.forget_covered(Position(5));
        assert_eq!(records.map(|part| cache.get(part).is_some()), [false, false, true]);
        assert_eq!(others.map(|part| cache.get(part).is_some()), [true, true]);
    }
}
