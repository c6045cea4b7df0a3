//! The header of a unit: what it is, and what each block holds.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::cursor::Cursor;
use crate::codec::{Corrupt, varint};
use crate::event::{Position, UnixMillis};
use crate::layout::UnitNumber;
use crate::layout::sealed::{self, Magic};
use crate::layout::stored_numbers::{
    push_time, read_list, read_position, read_position_from, read_time, read_u32,
};
use crate::limits;

const MAGIC: Magic = Magic(b'u');

/// The header of a unit. A unit lives if and only if its header is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitHeader {
    /// The unit.
    pub info: UnitInfo,
    /// Its blocks, in their order.
    pub blocks: Vec<BlockInfo>,
}

/// What is known of a unit without its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitInfo {
    /// Its number.
    pub number: UnitNumber,
    /// How often its events were merged: 0 for a unit that was made from the tail.
    pub level: u32,
    /// The first position that it covers.
    pub first: Position,
    /// The last position that it covers.
    pub last: Position,
    /// How many blocks it has, and as many filters.
    pub block_count: u32,
    /// How many pages of what remains of erased events it has.
    pub remains_count: u32,
    /// How many events and facts its blocks hold.
    pub entry_count: u64,
    /// Bytes of its blocks, its filters and its remains, as they are stored.
    pub stored_bytes: u64,
    /// Bytes of the names, payloads and tags of its entries.
    pub raw_bytes: u64,
    /// The latest time of its commits, erased ones among them.
    pub commit_time: UnixMillis,
    /// When its entries happened. `None` where it has none.
    pub times: Option<Times>,
}

/// The earliest and the latest of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The earliest.
    pub min: UnixMillis,
    /// The latest.
    pub max: UnixMillis,
}

/// What is known of a block without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockInfo {
    /// The stream of its first entry.
    pub first_stream: String,
    /// Its lowest position.
    pub first: Position,
    /// Its highest position.
    pub last: Position,
    /// How many events and facts it holds.
    pub entry_count: u32,
    /// Bytes as it is stored.
    pub stored_bytes: u32,
}

impl Times {
    /// Any time that there is: those of what nobody has read.
    pub const ANY: Self =
        Self { min: UnixMillis(-(limits::INTEGER_MAX as i64)), max: UnixMillis(limits::INTEGER_MAX as i64) };

    /// These times and one more.
    pub fn with(times: Option<Self>, time: UnixMillis) -> Self {
        times.map_or(Self { min: time, max: time }, |times| Self {
            min: times.min.min(time),
            max: times.max.max(time),
        })
    }
}

impl UnitHeader {
    /// The stored form: see FORMAT.md, "The header of a unit".
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        self.info.write(&mut body);
        for block in &self.blocks {
            varint::push_size(&mut body, block.first_stream.len());
            body.extend(block.first_stream.as_bytes());
            varint::push_unsigned(&mut body, block.first.0.saturating_sub(self.info.first.0));
            varint::push_unsigned(&mut body, block.last.0.saturating_sub(block.first.0));
            varint::push_unsigned(&mut body, u64::from(block.entry_count));
            varint::push_unsigned(&mut body, u64::from(block.stored_bytes));
        }
        MAGIC.seal(&body)
    }

    /// Reads the stored form. Errors: [`Corrupt`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Box<Corrupt>> {
        let body = MAGIC.open(bytes)?;
        let mut cursor = sealed::body(&body);
        let info = UnitInfo::read(&mut cursor)?;
        let mut blocks = Vec::new();
        for _ in 0..info.block_count {
            blocks.push(read_block(&mut cursor, &info)?);
        }
        sealed::end(&cursor)?;
        Ok(Self { info, blocks })
    }
}

impl UnitInfo {
    /// Appends the stored form: see FORMAT.md, "The header of a unit".
    pub(in crate::layout) fn write(&self, bytes: &mut Vec<u8>) {
        for number in [
            self.number.0,
            u64::from(self.level),
            self.first.0,
            self.last.0.saturating_sub(self.first.0),
            u64::from(self.block_count),
            u64::from(self.remains_count),
            self.entry_count,
            self.stored_bytes,
            self.raw_bytes,
        ] {
            varint::push_unsigned(bytes, number);
        }
        push_time(bytes, UnixMillis::default(), self.commit_time);
        varint::push_size(bytes, usize::from(self.times.is_some()));
        if let Some(Times { min, max }) = self.times {
            push_time(bytes, self.commit_time, min);
            push_time(bytes, min, max);
        }
    }

    pub(in crate::layout) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Box<Corrupt>> {
        let number = UnitNumber(cursor.integer()?);
        let level = read_u32(cursor)?;
        let first = read_position(cursor)?;
        let last = read_position_from(cursor, first)?;
        let (block_count, remains_count) = (read_part_count(cursor)?, read_part_count(cursor)?);
        let (entry_count, stored_bytes) = (cursor.integer()?, cursor.integer()?);
        let raw_bytes = cursor.integer()?;
        let commit_time = read_time(cursor, UnixMillis::default())?;
        let times = read_list(cursor, |cursor| {
            let min = read_time(cursor, commit_time)?;
            Ok(Times { min, max: read_time(cursor, min)? })
        })?;
        if 1 < times.len() {
            return Err(cursor.corrupt("a unit has more times than two"));
        }
        let times = times.first().copied();
        Ok(Self {
            number,
            level,
            first,
            last,
            block_count,
            remains_count,
            entry_count,
            stored_bytes,
            raw_bytes,
            commit_time,
            times,
        })
    }
}

fn read_part_count(cursor: &mut Cursor<'_>) -> Result<u32, Box<Corrupt>> {
    let count = cursor.size(limits::UNIT_PARTS_MAX as usize, "a unit has too many parts")?;
    Ok(count as u32)
}

fn read_block(cursor: &mut Cursor<'_>, info: &UnitInfo) -> Result<BlockInfo, Box<Corrupt>> {
    let length = cursor.size(limits::NAME_BYTES_MAX, "a name is too long")?;
    let name = std::str::from_utf8(cursor.take(length)?);
    let first_stream = name.map_err(|_| cursor.corrupt("a name is not UTF-8"))?.to_owned();
    let first = read_position_from(cursor, info.first)?;
    let last = read_position_from(cursor, first)?;
    if info.last < last {
        return Err(cursor.corrupt("a block reaches beyond its unit"));
    }
    Ok(BlockInfo {
        first_stream,
        first,
        last,
        entry_count: read_u32(cursor)?,
        stored_bytes: read_u32(cursor)?,
    })
}
