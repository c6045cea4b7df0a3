//! The column of ids: those that the store made share a prefix and count up; all others are raw bytes.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::HashMap;

use crate::id::EventId;

use super::Corrupt;
use super::cursor::Cursor;
use super::varint;

type Prefix = [u8; EventId::PREFIX_BYTES];

/// How ids that follow each other are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    /// Sixteen bytes each.
    Raw,
    /// By the index of their prefix, and what their counters differ from the expected ones.
    Prefixed(usize),
}

/// Appends the table of prefixes, and the ids in runs.
pub fn push_ids(bytes: &mut Vec<u8>, ids: &[EventId]) {
    let (prefixes, indexes) = shared_prefixes(ids);
    varint::push_size(bytes, prefixes.len());
    prefixes.iter().for_each(|prefix| bytes.extend(prefix));

    let run_of = |id: &EventId| indexes.get(&id.to_parts().0).map_or(Run::Raw, |&index| Run::Prefixed(index));
    let mut expected = vec![0; prefixes.len()];
    for ids in ids.chunk_by(|one, next| run_of(one) == run_of(next)) {
        match ids.first().map_or(Run::Raw, run_of) {
            Run::Raw => {
                varint::push_size(bytes, ids.len() << 1);
                ids.iter().for_each(|id| bytes.extend(id.to_bytes()));
            }
            Run::Prefixed(index) => {
                varint::push_size(bytes, ids.len() << 1 | 1);
                varint::push_size(bytes, index);
                for counter in ids.iter().map(|id| i64::from(id.to_parts().1)) {
                    if let Some(expected) = expected.get_mut(index) {
                        varint::push_signed(bytes, counter.saturating_sub(*expected));
                        *expected = counter.saturating_add(1);
                    }
                }
            }
        }
    }
}

/// The prefixes that at least two made ids have, in the order in which they are first met, and their indexes:
/// for one id, a prefix and a counter are longer than the id.
fn shared_prefixes(ids: &[EventId]) -> (Vec<Prefix>, HashMap<Prefix, usize>) {
    let mut counts = HashMap::<Prefix, usize>::new();
    let mut prefixes = Vec::new();
    for prefix in ids.iter().map(|id| id.to_parts().0).filter(is_made) {
        let count = counts.entry(prefix).or_default();
        *count = count.saturating_add(1);
        if *count == 2 {
            prefixes.push(prefix);
        }
    }
    let indexes = prefixes.iter().enumerate().map(|(index, prefix)| (*prefix, index)).collect();
    (prefixes, indexes)
}

/// Whether a prefix is one of a UUIDv8.
fn is_made([_, _, _, _, _, _, version, _, variant, ..]: &Prefix) -> bool {
    version >> 4 == 8 && variant >> 6 == 0b10
}

/// Reads the table of prefixes and the ids, which go to `places` one by one.
pub fn read_ids<'a>(
    cursor: &mut Cursor<'_>,
    mut places: impl ExactSizeIterator<Item = &'a mut EventId>,
) -> Result<(), Corrupt> {
    let prefix_count = cursor.count(places.len())?;
    let mut prefixes = Vec::with_capacity(prefix_count);
    for _ in 0..prefix_count {
        prefixes.push((cursor.array()?, 0));
    }
    while 0 < places.len() {
        let head = cursor.size(usize::MAX, "a run of ids is too long")?;
        let id_count = head >> 1;
        if id_count == 0 || places.len() < id_count {
            return Err(cursor.corrupt("a run of ids is empty, or longer than there are entries"));
        }
        if head & 1 == 0 {
            for place in places.by_ref().take(id_count) {
                *place = EventId::from_bytes(cursor.array()?);
            }
            continue;
        }
        let index = cursor.index(prefixes.len())?;
        let Some((prefix, expected)) = prefixes.get_mut(index as usize) else {
            return Err(cursor.corrupt("an index is beyond its table"));
        };
        for place in places.by_ref().take(id_count) {
            *place = EventId::from_parts(*prefix, read_counter(cursor, expected)?);
        }
    }
    Ok(())
}

fn read_counter(cursor: &mut Cursor<'_>, expected: &mut i64) -> Result<u32, Corrupt> {
    let difference = cursor.signed()?;
    let counter = expected.checked_add(difference).and_then(|counter| u32::try_from(counter).ok());
    let counter = counter.ok_or_else(|| cursor.corrupt("a counter of an id is out of its range"))?;
    *expected = i64::from(counter).saturating_add(1);
    Ok(counter)
}
