//! What reads are made of: records of the log, and the records of units and of the directory.

use std::mem::size_of;
use std::rc::Rc;

use crate::codec::{DecodedRecord, UnpackedRecord};
use crate::error::Error;
use crate::event::Position;
use crate::index::plan::Source;
use crate::layout::directory::{Page, RunIndex};
use crate::layout::keys::{RunRecord, UnitRecord, tied};
use crate::layout::unit::{BlockInfo, UnitHeader, decode_block, unpack_block};
use crate::layout::{BlockAddress, Filter, RunNumber, UnitNumber};
use crate::storage::{Area, Key};
use crate::table::hash_of;

/// A record of the storage that something is read from. What is in it never changes under the same name, but for
/// records of the log, which go when units cover them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Entries.
    Entries(Source),
    /// A block of which only what one stream has in it is to be read.
    Unpacked(BlockAddress),
    /// The filter of a block.
    Filter(BlockAddress),
    /// The header of a unit.
    Header(UnitNumber),
    /// A page of what remains in a unit of erased events.
    Remains(UnitNumber, u32),
    /// The index of a run of the directory.
    RunIndex(RunNumber),
    /// A page of a run.
    Page(RunNumber, u32),
}

/// What a part is once it is decoded.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Entries(Rc<DecodedRecord>),
    Unpacked(Rc<UnpackedRecord>),
    Filter(Rc<Filter>),
    Header(Rc<UnitHeader>),
    RunIndex(Rc<RunIndex>),
    Page(Rc<Page>),
    /// It cannot be read, and what it says can be found out without it.
    Unreadable,
    /// It cannot be read, and nothing else says what stood there.
    Damaged(Error),
}

impl Part {
    /// A record of a unit.
    pub fn of_unit(unit: UnitNumber, record: UnitRecord) -> Self {
        match record {
            UnitRecord::Header => Self::Header(unit),
            UnitRecord::Block(block) => Self::Entries(Source::Block(BlockAddress { unit, block })),
            UnitRecord::Filter(block) => Self::Filter(BlockAddress { unit, block }),
            UnitRecord::Remains(page) => Self::Remains(unit, page),
        }
    }

    /// Where it is kept.
    pub fn key(self) -> (Area, Key) {
        match self {
            Self::Entries(Source::Log(first)) => (Area::Log, Key::Position(first)),
            Self::Entries(Source::Block(BlockAddress { unit, block }))
            | Self::Unpacked(BlockAddress { unit, block }) => {
                (Area::Units, UnitRecord::Block(block).key(unit))
            }
            Self::Filter(BlockAddress { unit, block }) => (Area::Units, UnitRecord::Filter(block).key(unit)),
            Self::Header(unit) => (Area::Units, UnitRecord::Header.key(unit)),
            Self::Remains(unit, page) => (Area::Units, UnitRecord::Remains(page).key(unit)),
            Self::RunIndex(run) => (Area::Index, RunRecord::Index.key(run)),
            Self::Page(run, page) => (Area::Index, RunRecord::Page(page).key(run)),
        }
    }

    /// Reads what is stored of it. Errors: what is wrong with it.
    pub fn decode(self, stored: Option<Vec<u8>>) -> Result<Item, String> {
        let bytes = &tied(&self.key().1, stored.ok_or("the record is missing")?);
        let decoded = match self {
            Self::Entries(Source::Log(first)) => {
                DecodedRecord::decode(bytes, first).map(|it| Item::Entries(Rc::new(it))).map_err(Box::new)
            }
            Self::Entries(Source::Block(_)) => {
                decode_block(bytes).map(|it| Item::Entries(Rc::new(it))).map_err(Box::new)
            }
            Self::Unpacked(_) => unpack_block(bytes).map(|it| Item::Unpacked(Rc::new(it))).map_err(Box::new),
            Self::Filter(_) => Filter::from_bytes(bytes).map(|it| Item::Filter(Rc::new(it))),
            Self::Header(_) => UnitHeader::from_bytes(bytes).map(|it| Item::Header(Rc::new(it))),
            Self::RunIndex(_) => RunIndex::from_bytes(bytes).map(|it| Item::RunIndex(Rc::new(it))),
            Self::Page(..) | Self::Remains(..) => Page::from_bytes(bytes).map(|it| Item::Page(Rc::new(it))),
        };
        decoded.map_err(|corrupt| corrupt.to_string())
    }

    /// Whether the next part follows this one in the storage, with nothing between them.
    pub fn stands_beside(self, next: Self) -> bool {
        let follows = |one: BlockAddress, next: BlockAddress| {
            one.unit == next.unit && one.block.0.checked_add(1) == Some(next.block.0)
        };
        match (self, next) {
            (Self::Entries(Source::Block(one)), Self::Entries(Source::Block(next)))
            | (Self::Unpacked(one), Self::Unpacked(next))
            | (Self::Filter(one), Self::Filter(next)) => follows(one, next),
            (Self::Page(run, one), Self::Page(other, next)) => {
                run == other && one.checked_add(1) == Some(next)
            }
            (Self::Remains(unit, one), Self::Remains(other, next)) => {
                unit == other && one.checked_add(1) == Some(next)
            }
            _ => false,
        }
    }

    pub fn hash(self) -> u32 {
        let (kind, number, index) = match self {
            Self::Entries(Source::Log(first)) => (0, first.0, 0),
            Self::Entries(Source::Block(BlockAddress { unit, block })) => (1, unit.0, block.0),
            Self::Filter(BlockAddress { unit, block }) => (2, unit.0, block.0),
            Self::Header(unit) => (3, unit.0, 0),
            Self::RunIndex(run) => (4, run.0, 0),
            Self::Page(run, page) => (5, run.0, page),
            Self::Remains(unit, page) => (6, unit.0, page),
            Self::Unpacked(BlockAddress { unit, block }) => (7, unit.0, block.0),
        };
        hash_of(&(number << 3 | kind).to_le_bytes()) ^ hash_of(&index.to_le_bytes())
    }

    /// The name of it in an error.
    pub fn name(self) -> String {
        match self {
            Self::Entries(Source::Log(first)) => format!("{}/{first}", Area::Log.name()),
            Self::Entries(Source::Block(BlockAddress { unit, block }))
            | Self::Unpacked(BlockAddress { unit, block })
            | Self::Filter(BlockAddress { unit, block }) => {
                format!("{}/{}/{}", Area::Units.name(), unit.0, block.0)
            }
            Self::Header(unit) | Self::Remains(unit, _) => format!("{}/{}", Area::Units.name(), unit.0),
            Self::RunIndex(run) | Self::Page(run, _) => format!("{}/{}", Area::Index.name(), run.0),
        }
    }
}

impl From<Position> for Part {
    /// The record of the log with this first position.
    fn from(first: Position) -> Self {
        Self::Entries(Source::Log(first))
    }
}

impl Item {
    /// What it takes of memory, in bytes, for the budget of a cache.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Entries(record) => record.memory_bytes(),
            Self::Unpacked(record) => record.memory_bytes(),
            Self::Filter(filter) => filter.memory_bytes(),
            Self::Header(header) => {
                let names: usize = header.blocks.iter().map(|block| block.first_stream.capacity()).sum();
                size_of::<UnitHeader>() + header.blocks.capacity() * size_of::<BlockInfo>() + names
            }
            Self::RunIndex(index) => index.memory_bytes(),
            Self::Page(page) => page.memory_bytes(),
            Self::Unreadable | Self::Damaged(_) => 0,
        }
    }
}
