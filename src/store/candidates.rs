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
        let types = item.types.as_ref().map(|names| keys(Kind::Type, names.iter().map(|it| &**it)));
        let streams =
            item.streams.as_ref().map(|names| keys(Kind::Stream, names.iter().map(|it| it.as_str())));
        let categories =
            item.categories.as_ref().map(|names| keys(Kind::Category, names.iter().map(|it| &**it)));
        let tags = item.tags.iter().flatten().map(|tag| vec![key(Kind::Tag, tag.as_str())]);
        let mut found = Self::All;
        // Any of the names of one kind, but each of the tags.
        for any_of in [streams, types, categories].into_iter().flatten().chain(tags) {
            match keys_left.checked_sub(any_of.len()) {
                Some(left) => *keys_left = left,
                None => continue,
            }
            let mut named = Self::Blocks(Vec::new());
            for key in &any_of {
                match view.look_up(key) {
                    Ok(summary) => named = named.or(Self::Blocks(blocks_of(summary))),
                    Err(Stop::Pending) => {}
                    Err(stop) => return Err(stop),
                }
            }
            found = found.and(named);
        }
        view.check()?;
        Ok(found)
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

fn keys<'a>(kind: Kind, names: impl Iterator<Item = &'a str>) -> Vec<Vec<u8>> {
    names.map(|name| key(kind, name)).collect()
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
fn union(one: &[BlockIndex], other: &[BlockIndex]) -> Vec<BlockIndex> {
    let mut both = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.iter().copied().peekable(), other.iter().copied().peekable());
    loop {
        let next = match (one.peek(), other.peek()) {
            (Some(a), Some(b)) if b < a => other.next(),
            (Some(a), Some(b)) => {
                if a == b {
                    other.next();
                }
                one.next()
            }
            (Some(_), None) => one.next(),
            (None, _) => other.next(),
        };
        match next {
            Some(block) => both.push(block),
            None => return both,
        }
    }
}
