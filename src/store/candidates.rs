//! Which blocks of units may hold what a query asks for, as the directory says.

use crate::layout::directory::{Kind, Summary, key};
use crate::layout::unit::UnitInfo;
use crate::layout::{BlockAddress, BlockIndex, UnitNumber};
use crate::query::{Query, QueryItem};

use super::view::{Stop, View};

/// So many keys are looked up for a query. One with more is answered by reading more blocks.
const KEYS_MAX: usize = 256;

/// The blocks that may hold matches.
pub(super) enum Candidates {
    /// Any block may.
    All,
    /// These may: for each unit that has any, its blocks in ascending order.
    Blocks(Vec<UnitBlocks>),
}

/// Blocks of a unit, in ascending order.
#[derive(Clone)]
pub(super) struct UnitBlocks {
    unit: UnitNumber,
    blocks: Vec<BlockIndex>,
}

impl Candidates {
    /// The blocks that may hold what matches any item.
    #[inline(never)]
    pub fn of(view: &mut View<'_>, query: &Query) -> Result<Self, Stop> {
        let mut keys_left = KEYS_MAX;
        let mut of_items = Self::Blocks(Vec::new());
        for item in query.items() {
            match Self::of_item(view, item, &mut keys_left) {
                Ok(of_item) => of_items = of_items.or(of_item),
                // What the other items need is read in the same transaction.
                Err(Stop::Pending) => {}
                Err(stop) => return Err(stop),
            }
        }
        view.check()?;
        Ok(of_items)
    }

    /// These blocks of a unit.
    pub fn blocks_of(&self, unit: &UnitInfo) -> Vec<BlockIndex> {
        match self {
            Self::All => (0..unit.block_count).map(BlockIndex).collect(),
            Self::Blocks(units) => {
                let found = units.iter().find(|it| it.unit == unit.number);
                found.map_or_else(Vec::new, |found| found.blocks.clone())
            }
        }
    }

    fn of_item(view: &mut View<'_>, item: &QueryItem, keys_left: &mut usize) -> Result<Self, Stop> {
        let mut found = Self::All;
        // Any of the names of one kind, but each of the tags.
        for (kind, names) in
            [(Kind::Stream, &item.streams), (Kind::Type, &item.types), (Kind::Category, &item.categories)]
        {
            if let Some(names) = names {
                found.narrow(view, names.iter().map(|name| key(kind, name)).collect(), keys_left)?;
            }
        }
        for tag in item.tags.iter().flatten() {
            found.narrow(view, vec![key(Kind::Tag, tag)], keys_left)?;
        }
        view.check()?;
        Ok(found)
    }

    /// Leaves those that hold any of these keys, as long as not too many are looked up.
    #[inline(never)]
    fn narrow(
        &mut self,
        view: &mut View<'_>,
        any_of: Vec<Vec<u8>>,
        keys_left: &mut usize,
    ) -> Result<(), Stop> {
        let Some(left) = keys_left.checked_sub(any_of.len()) else { return Ok(()) };
        if !view.root.unread.is_empty() {
            // What the directory does not know may be anything.
            return Ok(());
        }
        *keys_left = left;
        let mut named = Self::Blocks(Vec::new());
        for key in &any_of {
            match view.look_up(key) {
                Ok(summary) => named = named.or(Self::Blocks(blocks_of(summary))),
                // What the other keys need is read in the same transaction.
                Err(Stop::Pending) => {}
                Err(stop) => return Err(stop),
            }
        }
        *self = std::mem::replace(self, Self::All).and(named);
        Ok(())
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Blocks(mut units), Self::Blocks(others)) => {
                for other in others {
                    match units.iter_mut().find(|it| it.unit == other.unit) {
                        Some(unit) => unit.blocks = union(&unit.blocks, &other.blocks),
                        None => units.push(other),
                    }
                }
                Self::Blocks(units)
            }
            _ => Self::All,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, one) | (one, Self::All) => one,
            (Self::Blocks(mut units), Self::Blocks(others)) => {
                for unit in &mut units {
                    let other = others.iter().find(|it| it.unit == unit.unit);
                    let other = other.map_or(&[][..], |it| &it.blocks);
                    unit.blocks.retain(|block| other.binary_search(block).is_ok());
                }
                units.retain(|unit| !unit.blocks.is_empty());
                Self::Blocks(units)
            }
        }
    }
}

/// The blocks that hold events or facts of a key.
fn blocks_of(summary: Option<Summary>) -> Vec<UnitBlocks> {
    match summary {
        None => Vec::new(),
        Some(Summary::Posting(posting)) => posting
            .units
            .into_iter()
            .map(|unit| UnitBlocks { unit: unit.unit, blocks: unit.blocks })
            .collect(),
        Some(Summary::Stream(summary)) => {
            let mut units: Vec<UnitBlocks> = Vec::new();
            let in_runs = summary.runs.iter().map(|run| run.address);
            for BlockAddress { unit, block } in in_runs.chain(summary.fact_blocks) {
                match units.iter_mut().find(|it| it.unit == unit) {
                    Some(found) => found.blocks = union(&found.blocks, &[block]),
                    None => units.push(UnitBlocks { unit, blocks: vec![block] }),
                }
            }
            units
        }
    }
}

/// The blocks of both, in ascending order.
#[inline(never)]
fn union(one: &[BlockIndex], other: &[BlockIndex]) -> Vec<BlockIndex> {
    let mut both = one.to_vec();
    for block in other {
        if let Err(place) = both.binary_search(block) {
            both.insert(place, *block);
        }
    }
    both
}
