//! The root: which units and which runs live, in one record that is read at open.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::cursor::Cursor;
use crate::codec::{Corrupt, varint};
use crate::event::{Position, UnixMillis};
use crate::storage::Key;

use super::RunNumber;
use super::keys::UnitRecord;
use super::sealed::{self, Magic};
use super::stored_numbers::{push_time, read_list, read_position, read_position_from, read_time, read_u32};
use super::unit::UnitInfo;

const MAGIC: Magic = Magic(b'o');

/// What was compacted, as of a layout of the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Root {
    /// The layout that it speaks of. Of another one than the head's, it is stale.
    pub layout: u64,
    /// The last position that units cover. Records of the log begin after it.
    pub covered: Position,
    /// The latest time of a commit that units cover.
    pub commit_time: UnixMillis,
    /// The units, in the order of their positions.
    pub units: Vec<UnitInfo>,
    /// The runs of the directory, in the order of the positions that they cover.
    pub runs: Vec<RunInfo>,
    /// How many streams units know of.
    pub stream_count: u64,
    /// How many events of units are seen.
    pub visible_count: u64,
    /// The next number of a unit or a run.
    pub next_number: u64,
    /// Numbers that a compaction claimed, in ascending order: what stands under them does not live yet.
    pub staged: Vec<u64>,
    /// The keys of blocks and remains that could not be read when the directory was made: it does not know what they
    /// hold.
    pub unread: Vec<Key>,
}

/// A run of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunInfo {
    /// Its number.
    pub number: RunNumber,
    /// How often its entries were merged: 0 for the run of one unit.
    pub level: u32,
    /// The first position that it knows of.
    pub first: Position,
    /// The last position that it knows of.
    pub last: Position,
    /// How many pages it has.
    pub page_count: u32,
    /// Bytes of its pages as they are stored.
    pub stored_bytes: u64,
}

impl Root {
    /// The stored form: see FORMAT.md, "The root".
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        varint::push_unsigned(&mut body, self.layout);
        varint::push_unsigned(&mut body, self.covered.0);
        push_time(&mut body, UnixMillis::default(), self.commit_time);
        for number in [self.stream_count, self.visible_count, self.next_number] {
            varint::push_unsigned(&mut body, number);
        }
        varint::push_size(&mut body, self.staged.len());
        self.staged.iter().for_each(|number| varint::push_unsigned(&mut body, *number));
        varint::push_size(&mut body, self.units.len());
        self.units.iter().for_each(|unit| unit.write(&mut body));
        varint::push_size(&mut body, self.runs.len());
        self.runs.iter().for_each(|run| run.write(&mut body));
        self.unread.iter().for_each(|key| {
            if let Key::Bytes(key) = key {
                body.extend(key)
            }
        });
        MAGIC.seal(&body)
    }

    /// Reads the stored form. Errors: [`Corrupt`] for anything else, and where units or runs are not in their order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Box<Corrupt>> {
        let body = MAGIC.open(bytes)?;
        let mut cursor = sealed::body(&body);
        let layout = cursor.unsigned()?;
        let covered = read_position(&mut cursor)?;
        let commit_time = read_time(&mut cursor, UnixMillis::default())?;
        let (stream_count, visible_count) = (cursor.integer()?, cursor.integer()?);
        let next_number = cursor.integer()?;
        let staged = read_list(&mut cursor, |cursor| cursor.integer())?;
        let units = read_list(&mut cursor, UnitInfo::read)?;
        let runs = read_list(&mut cursor, RunInfo::read)?;
        let mut unread = Vec::new();
        while 0 < cursor.remaining() {
            let key = Key::Bytes(cursor.array::<{ UnitRecord::KEY_BYTES }>()?.to_vec());
            unread.push(key);
        }
        let are_ordered = units.is_sorted_by(|one, next| one.last < next.first)
            && runs.is_sorted_by(|one, next| one.last < next.first)
            && staged.is_sorted_by(|one, next| one < next)
            && units.last().map_or(Position::START, |unit| unit.last) <= covered;
        if !are_ordered {
            return Err(cursor.corrupt("units, runs or numbers are not in their order"));
        }
        Ok(Self {
            layout,
            covered,
            commit_time,
            units,
            runs,
            stream_count,
            visible_count,
            next_number,
            staged,
            unread,
        })
    }
}

impl RunInfo {
    fn write(&self, bytes: &mut Vec<u8>) {
        for number in [
            self.number.0,
            u64::from(self.level),
            self.first.0,
            self.last.0.saturating_sub(self.first.0),
            u64::from(self.page_count),
            self.stored_bytes,
        ] {
            varint::push_unsigned(bytes, number);
        }
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Box<Corrupt>> {
        let (number, level) = (RunNumber(cursor.integer()?), read_u32(cursor)?);
        let first = read_position(cursor)?;
        let last = read_position_from(cursor, first)?;
        let page_count = read_u32(cursor)?;
        Ok(Self { number, level, first, last, page_count, stored_bytes: cursor.integer()? })
    }
}
