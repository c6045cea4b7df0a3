//! The column of ids: those that the store made share a prefix and count up; all others are raw bytes.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::id::EventId;

use super::Corrupt;
use super::cursor::Cursor;
use super::interner::Interner;
use super::varint;

/// Appends the table of prefixes, and the ids in runs: those that share no prefix have sixteen bytes each, all
/// others what their counters differ from the expected ones.
pub fn push_ids(bytes: &mut Vec<u8>, ids: &[EventId]) {
    let (prefixes, indexes) = shared_prefixes(ids);
    varint::push_size(bytes, prefixes.len());
    prefixes.iter().for_each(|prefix| bytes.extend(*prefix));

    let mut expected = vec![0; prefixes.len()];
    let mut rest = ids;
    for run in indexes.chunk_by(|one, next| one == next) {
        let (ids, after) = rest.split_at_checked(run.len()).unwrap_or_default();
        rest = after;
        let index = run.first().copied().flatten();
        let Some((index, expected)) = index.and_then(|index| Some((index, expected.get_mut(index)?))) else {
            varint::push_size(bytes, ids.len() << 1);
            ids.iter().for_each(|id| bytes.extend(id.to_bytes()));
            continue;
        };
        varint::push_size(bytes, ids.len() << 1 | 1);
        varint::push_size(bytes, index);
        for id in ids {
            let counter = i64::from(id.to_parts().1);
            varint::push_signed(bytes, counter.saturating_sub(*expected));
            *expected = counter.saturating_add(1);
        }
    }
}

/// How often a prefix was met, and its index once that is twice.
#[derive(Clone, Copy, Default)]
struct Met {
    count: usize,
    index: Option<usize>,
}

/// The prefixes that at least two made ids have, in the order in which they are met again, and for each id the
/// index of its own: for one id, a prefix and a counter are longer than the id.
fn shared_prefixes(ids: &[EventId]) -> (Vec<&[u8]>, Vec<Option<usize>>) {
    let mut interner = Interner::default();
    let mut all_met: Vec<Met> = Vec::new();
    let mut prefixes = Vec::new();
    let mut interned = Vec::with_capacity(ids.len());
    for id in ids {
        let prefix = id.prefix();
        let index = id.is_counted().then(|| interner.index_of(prefix));
        interned.push(index);
        let Some(index) = index else { continue };
        if index == all_met.len() {
            all_met.push(Met::default());
        }
        let Some(met) = all_met.get_mut(index) else { continue };
        met.count = met.count.saturating_add(1);
        if met.count == 2 {
            met.index = Some(prefixes.len());
            prefixes.push(prefix);
        }
    }
    for index in &mut interned {
        *index = index.and_then(|index| all_met.get(index)?.index);
    }
    (prefixes, interned)
}

/// Reads the table of prefixes and the ids, which go to `places` one by one.
pub fn read_ids<'a>(
    cursor: &mut Cursor<'_>,
    places: impl ExactSizeIterator<Item = &'a mut EventId>,
) -> Result<(), Box<Corrupt>> {
    let mut reader = IdReader::begin(cursor, places.len())?;
    for place in places {
        *place = reader.next(cursor)?;
    }
    Ok(())
}

/// Reads ids one after the other.
pub struct IdReader {
    /// Each with the counter that its next id is expected to have.
    prefixes: Vec<([u8; EventId::PREFIX_BYTES], i64)>,
    /// How many ids have not been read.
    left: usize,
    /// How many ids of the run that was begun have not been read.
    left_of_run: usize,
    /// The prefix of its ids. `None` where they are not prefixed.
    prefix: Option<usize>,
}

impl IdReader {
    /// Reads the table of prefixes of so many ids.
    pub fn begin(cursor: &mut Cursor<'_>, id_count: usize) -> Result<Self, Box<Corrupt>> {
        let prefix_count = cursor.count(id_count)?;
        let mut prefixes = Vec::with_capacity(prefix_count);
        for _ in 0..prefix_count {
            prefixes.push((cursor.array()?, 0));
        }
        Ok(Self { prefixes, left: id_count, left_of_run: 0, prefix: None })
    }

    /// The next id, of those that there are.
    pub fn next(&mut self, cursor: &mut Cursor<'_>) -> Result<EventId, Box<Corrupt>> {
        if self.left_of_run == 0 {
            self.begin_run(cursor)?;
        }
        self.left_of_run = self.left_of_run.saturating_sub(1);
        match self.prefix.and_then(|prefix| self.prefixes.get_mut(prefix)) {
            None => cursor.array().map(EventId::from_bytes),
            Some((prefix, expected)) => Ok(EventId::from_parts(*prefix, read_counter(cursor, expected)?)),
        }
    }

    /// Passes over so many ids, of those that there are.
    pub fn skip(&mut self, cursor: &mut Cursor<'_>, count: usize) -> Result<(), Box<Corrupt>> {
        let mut left = count;
        while 0 < left {
            if self.left_of_run == 0 {
                self.begin_run(cursor)?;
            }
            let skipped = left.min(self.left_of_run);
            match self.prefix.and_then(|prefix| self.prefixes.get_mut(prefix)) {
                None => drop(cursor.take(skipped.saturating_mul(EventId::BYTES))?),
                Some((_, expected)) => {
                    for _ in 0..skipped {
                        read_counter(cursor, expected)?;
                    }
                }
            }
            self.left_of_run = self.left_of_run.saturating_sub(skipped);
            left = left.saturating_sub(skipped);
        }
        Ok(())
    }

    fn begin_run(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Box<Corrupt>> {
        let head = cursor.size(usize::MAX, "a run of ids is too long")?;
        let id_count = head >> 1;
        if id_count == 0 || self.left < id_count {
            return Err(cursor.corrupt("a run of ids is empty, or longer than there are entries"));
        }
        self.prefix = match head & 1 {
            0 => None,
            _ => Some(cursor.index(self.prefixes.len())? as usize),
        };
        self.left = self.left.saturating_sub(id_count);
        self.left_of_run = id_count;
        Ok(())
    }
}

fn read_counter(cursor: &mut Cursor<'_>, expected: &mut i64) -> Result<u32, Box<Corrupt>> {
    let difference = cursor.signed()?;
    let counter = expected.checked_add(difference).and_then(|counter| u32::try_from(counter).ok());
    let counter = counter.ok_or_else(|| cursor.corrupt("a counter of an id is out of its range"))?;
    *expected = i64::from(counter).saturating_add(1);
    Ok(counter)
}
