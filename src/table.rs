//! Rows that are found by a hash: the one hash table of the core. Each other shape of one would cost the
//! download a kilobyte and more.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::event::StreamName;

/// Rows in the order in which they were added, found by the hash of what is unique in each. Rows are never
/// taken out.
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
        self.slots.find(hash, &|number| self.rows.get(number).is_some_and(&is_wanted))
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
        self.slots.push(hash, self.rows.len());
        self.rows.push(row);
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), slots: Slots::default() }
    }
}

impl<T> ByStream<T> {
    /// All streams with what belongs to them, in the order in which they were added.
    pub fn into_rows(self) -> Vec<(StreamName, T)> {
        self.table.rows
    }

    /// All streams that something belongs to, in the order in which they were added.
    pub fn rows(&self) -> &[(StreamName, T)] {
        self.table.rows()
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

    fn find(&self, stream: &str) -> Option<usize> {
        self.table.find(hash_of(stream.as_bytes()), |(name, _)| name.as_str() == stream)
    }
}

impl<T> Default for ByStream<T> {
    fn default() -> Self {
        Self { table: Table::default() }
    }
}

/// Open addressing with linear probing: each row's hash, and its number.
#[derive(Debug, Clone, Default)]
struct Slots {
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
    fn find(&self, hash: u32, is_wanted: &dyn Fn(usize) -> bool) -> Option<usize> {
        let mut place = hash as usize;
        loop {
            let slot = self.at(place)?;
            if slot.is_free() {
                return None;
            }
            if slot.hash == hash && is_wanted(slot.number as usize) {
                return Some(slot.number as usize);
            }
            place += 1;
        }
    }

    /// The slot at a place, counted around the end. `None` where there are no slots at all.
    fn at(&self, place: usize) -> Option<Slot> {
        self.slots.get(place & self.slots.len().wrapping_sub(1)).copied()
    }

    fn push(&mut self, hash: u32, number: usize) {
        if self.slots.len() / 4 * 3 <= number {
            let count = (self.slots.len() * 2).max(Slot::COUNT_MIN);
            let old = std::mem::replace(&mut self.slots, vec![Slot::FREE; count]);
            old.into_iter().filter(|slot| !slot.is_free()).for_each(|slot| self.put(slot));
        }
        self.put(Slot { hash, number: number as u32 });
    }

    fn put(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut place = slot.hash as usize & mask;
        while !self.slots[place].is_free() {
            place = (place + 1) & mask;
        }
        self.slots[place] = slot;
    }
}
