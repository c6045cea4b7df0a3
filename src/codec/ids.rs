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
    mut places: impl ExactSizeIterator<Item = &'a mut EventId>,
) -> Result<(), Box<Corrupt>> {
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

fn read_counter(cursor: &mut Cursor<'_>, expected: &mut i64) -> Result<u32, Box<Corrupt>> {
    let difference = cursor.signed()?;
    let counter = expected.checked_add(difference).and_then(|counter| u32::try_from(counter).ok());
    let counter = counter.ok_or_else(|| cursor.corrupt("a counter of an id is out of its range"))?;
    *expected = i64::from(counter).saturating_add(1);
    Ok(counter)
}
