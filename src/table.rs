//! Rows that are found by a hash: the one hash table of the core. Each other shape of one would cost the
//! download a kilobyte and more.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::event::StreamName;

/// Rows in the order in which they were added, found by the hash of what is unique in each.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    slots: Slots,
}

/// What belongs to streams, by their names.
#[derive(Debug, Clone)]
pub(crate) struct ByStream<T> {
    table: Table<(StreamName, T)>,
}

/// A hash of bytes, the same in every run: whoever chooses the bytes can make them collide, and slows down
/// their own store.
#[inline(never)]
pub(crate) fn hash_of(bytes: &[u8]) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish() as u32
}

impl<T> Table<T> {
    /// All rows, in the order in which they were added.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// All rows, in the order in which they were added.
    pub fn into_rows(self) -> Vec<T> {
        self.rows
    }

    /// The number of the row with this hash that is the wanted one.
    pub fn find(&self, hash: u32, is_wanted: impl Fn(&T) -> bool) -> Option<usize> {
        let number = self.slots.find(hash, &|number| self.rows.get(number as usize).is_some_and(&is_wanted));
        number.map(|number| number as usize)
    }

    /// The row with this hash that is the wanted one.
    pub fn get(&self, hash: u32, is_wanted: impl Fn(&T) -> bool) -> Option<&T> {
        self.find(hash, is_wanted).and_then(|number| self.rows.get(number))
    }

    /// The row of this number.
    pub fn row_mut(&mut self, number: usize) -> Option<&mut T> {
        self.rows.get_mut(number)
    }

    /// Adds a row that is not there yet.
    pub fn push(&mut self, hash: u32, row: T) {
        self.slots.push(hash, self.rows.len() as u32, self.rows.len());
        self.rows.push(row);
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), slots: Slots::default() }
    }
}

impl<T> ByStream<T> {
    /// All streams that something belongs to, in the order in which they were added.
    pub fn rows(&self) -> &[(StreamName, T)] {
        self.table.rows()
    }

    /// All streams that something belongs to, in the order in which they were added.
    pub fn into_rows(self) -> Vec<(StreamName, T)> {
        self.table.into_rows()
    }

    /// Takes a stream out, and puts the last one in its place.
    pub fn swap_remove(&mut self, number: usize) {
        let last = self.table.rows.len().wrapping_sub(1);
        let hash_at =
            |number: usize| self.rows().get(number).map(|(name, _)| hash_of(name.as_str().as_bytes()));
        let (Some(hash), Some(last_hash)) = (hash_at(number), hash_at(last)) else { return };
        self.table.slots.remove(hash, number as u32);
        if number != last {
            self.table.slots.remove(last_hash, last as u32);
            self.table.slots.push(last_hash, number as u32, last);
        }
        self.table.rows.swap_remove(number);
    }

    /// What belongs to the stream of this name.
    pub fn get(&self, stream: &str) -> Option<&T> {
        self.find(stream).and_then(|number| self.table.rows.get(number)).map(|(_, row)| row)
    }

    /// What belongs to the stream of this name.
    pub fn get_mut(&mut self, stream: &str) -> Option<&mut T> {
        let number = self.find(stream)?;
        self.table.row_mut(number).map(|(_, row)| row)
    }

    /// The number of a stream; where nothing belongs to it yet, `first` is added.
    pub fn number_of(&mut self, stream: &StreamName, first: impl FnOnce() -> T) -> usize {
        let hash = hash_of(stream.as_str().as_bytes());
        self.table.find(hash, |(name, _)| name == stream).unwrap_or_else(|| {
            self.table.push(hash, (stream.clone(), first()));
            self.table.rows.len() - 1
        })
    }

    /// What belongs to the stream of this number.
    pub fn row(&self, number: usize) -> Option<&T> {
        self.table.rows.get(number).map(|(_, row)| row)
    }

    /// What belongs to the stream of this number.
    pub fn row_mut(&mut self, number: usize) -> Option<&mut T> {
        self.table.row_mut(number).map(|(_, row)| row)
    }

    /// Sets what belongs to a stream, and gives what belonged to it before.
    pub fn insert(&mut self, stream: &StreamName, row: T) -> Option<T> {
        let hash = hash_of(stream.as_str().as_bytes());
        let number = self.table.find(hash, |(name, _)| name == stream);
        match number.and_then(|number| self.table.row_mut(number)) {
            Some((_, old)) => Some(std::mem::replace(old, row)),
            None => {
                self.table.push(hash, (stream.clone(), row));
                None
            }
        }
    }

    /// The number of the stream of this name.
    pub fn find(&self, stream: &str) -> Option<usize> {
        self.table.find(hash_of(stream.as_bytes()), |(name, _)| name.as_str() == stream)
    }
}

impl<T> Default for ByStream<T> {
    fn default() -> Self {
        Self { table: Table::default() }
    }
}

/// Open addressing with linear probing: the hash and the number of each row, wherever that is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots {
    /// As many as a power of two; at most three quarters of them are taken.
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    number: u32,
}

impl Slot {
    const FREE: Self = Self { hash: 0, number: u32::MAX };
    const COUNT_MIN: usize = 8;

    fn is_free(self) -> bool {
        self.number == u32::MAX
    }
}

impl Slots {
    /// The number of the row with this hash that is the wanted one.
    pub fn find(&self, hash: u32, is_wanted: &dyn Fn(u32) -> bool) -> Option<u32> {
        let place = self.place_of(hash, is_wanted)?;
        self.slots.get(place).map(|slot| slot.number)
    }

    /// How many rows there is memory for.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// The place of the row with this hash that is the wanted one.
    fn place_of(&self, hash: u32, is_wanted: &dyn Fn(u32) -> bool) -> Option<usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut place = hash as usize & mask;
        loop {
            let slot = self.slots.get(place)?;
            if slot.is_free() {
                return None;
            }
            if slot.hash == hash && is_wanted(slot.number) {
                return Some(place);
            }
            place = (place + 1) & mask;
        }
    }

    /// Adds a row, which is not there yet, to so many.
    pub fn push(&mut self, hash: u32, number: u32, row_count: usize) {
        if self.slots.len() / 4 * 3 <= row_count {
            let count = (self.slots.len() * 2).max(Slot::COUNT_MIN);
            let old = std::mem::replace(&mut self.slots, vec![Slot::FREE; count]);
            old.into_iter().filter(|slot| !slot.is_free()).for_each(|slot| self.put(slot));
        }
        self.put(Slot { hash, number });
    }

    fn put(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut place = slot.hash as usize & mask;
        while !self.slots[place].is_free() {
            place = (place + 1) & mask;
        }
        self.slots[place] = slot;
    }

    /// Takes a row out, if it is there. Those that had to give way to it move up.
    pub fn remove(&mut self, hash: u32, number: u32) {
        let Some(mut hole) = self.place_of(hash, &|other| other == number) else { return };
        let mask = self.slots.len() - 1;
        let mut next = (hole + 1) & mask;
        while !self.slots[next].is_free() {
            let way = next.wrapping_sub(self.slots[next].hash as usize) & mask;
            if next.wrapping_sub(hole) & mask <= way {
                self.slots[hole] = self.slots[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.slots[hole] = Slot::FREE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::prng::Prng;

    /// Numbers with hashes that often meet, as rows that come and go.
    #[test]
    fn rows_are_found_as_long_as_they_are_there_and_no_longer() {
        for seed in 0..200 {
            println!("seed {seed}");
            let mut prng = Prng::new(seed);
            let hash_count = *prng.pick(&[1, 7, 1_000, u64::from(u32::MAX)]);
            let (mut slots, mut there, mut next) = (Slots::default(), Vec::new(), 0);
            for _ in 0..300 {
                if prng.chance(600) || there.is_empty() {
                    let hash = prng.below(hash_count) as u32;
                    slots.push(hash, next, there.len());
                    there.push((hash, next));
                    next += 1;
                } else {
                    let (hash, number) = there.swap_remove(prng.index(there.len()));
                    slots.remove(hash, number);
                    assert_eq!(slots.find(hash, &|other| other == number), None);
                }
                for (hash, number) in &there {
                    assert_eq!(slots.find(*hash, &|other| other == *number), Some(*number));
                }
            }
        }
    }

    #[test]
    fn a_stream_that_is_taken_out_leaves_all_others() {
        let name = |number: usize| StreamName::new(format!("stream-{number}")).unwrap();
        let mut streams = ByStream::default();
        (0..100).for_each(|number| assert_eq!(streams.insert(&name(number), number), None));
        let mut prng = Prng::new(1);
        let mut left: Vec<usize> = (0..100).collect();
        while !left.is_empty() {
            let place = prng.index(left.len());
            streams.swap_remove(place);
            let gone = left.swap_remove(place);
            assert_eq!(streams.get(name(gone).as_str()), None);
            assert!(left.iter().all(|number| streams.get(name(*number).as_str()) == Some(number)));
        }
    }
}
