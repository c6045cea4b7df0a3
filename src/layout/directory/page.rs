//! A page of a run: entries in the order of their keys.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use crate::codec::cursor::Cursor;
use crate::codec::{Corrupt, varint};
use crate::layout::sealed::{self, Magic};

use super::Summary;
use super::entry::KEY_BYTES_MAX;

/// A page with this much before packing is full. Packed, it is about 8 KiB.
const FULL_BYTES: usize = 11 * 1024;
const MAGIC: Magic = Magic(b'p');

/// Writes one page after the other.
#[derive(Debug, Default)]
pub struct PageWriter {
    body: Vec<u8>,
    first_key: Vec<u8>,
    last_key: Vec<u8>,
    /// The stored form of one summary, for its length to stand before it.
    summary: Vec<u8>,
}

impl PageWriter {
    /// Adds an entry, whose key comes after all before it.
    pub fn push(&mut self, key: &[u8], summary: &Summary) {
        if self.is_empty() {
            self.first_key = key.to_vec();
            self.last_key.clear();
        }
        push_front_coded(&mut self.body, &self.last_key, key);
        self.summary.clear();
        summary.write(&mut self.summary);
        varint::push_size(&mut self.body, self.summary.len());
        self.body.extend(&self.summary);
        self.last_key.clear();
        self.last_key.extend(key);
    }

    /// Whether nothing was added since the last page.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Whether the page is as large as one should be.
    pub fn is_full(&self) -> bool {
        FULL_BYTES <= self.body.len()
    }

    /// The page as it is stored, and its first key. Begins the next one.
    pub fn seal(&mut self) -> (Vec<u8>, Vec<u8>) {
        let page = MAGIC.seal(&self.body);
        self.body.clear();
        (page, std::mem::take(&mut self.first_key))
    }
}

/// A page that was read. Summaries are read when they are asked for.
#[derive(Debug)]
pub struct Page {
    body: Vec<u8>,
    keys: Vec<u8>,
    entries: Vec<Spans>,
}

#[derive(Debug)]
struct Spans {
    /// In the keys.
    key: Range<usize>,
    /// In the body.
    summary: Range<usize>,
}

impl Page {
    /// Reads a page. Errors: [`Corrupt`] for anything else than what a [`PageWriter`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Box<Corrupt>> {
        let body = MAGIC.open(bytes)?;
        let (mut keys, mut entries) = (Vec::new(), Vec::<Spans>::new());
        let mut cursor = sealed::body(&body);
        while 0 < cursor.remaining() {
            let last = entries.last().map_or(0..0, |last| last.key.clone());
            let key = read_front_coded(&mut cursor, &mut keys, last)?;
            let length = cursor.count(usize::MAX)?;
            let start = body.len().saturating_sub(cursor.remaining());
            cursor.take(length)?;
            entries.push(Spans { key, summary: start..start.saturating_add(length) });
        }
        if entries.is_empty() {
            return Err(cursor.corrupt("the page is empty"));
        }
        Ok(Self { body, keys, entries })
    }

    /// How many entries there are: at least one.
    #[allow(clippy::len_without_is_empty, reason = "a page is never empty")]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The key of the entry at this index.
    pub fn key(&self, index: usize) -> Option<&[u8]> {
        self.keys.get(self.entries.get(index)?.key.clone())
    }

    /// What is known under the key at this index. `None` beyond the last.
    pub fn summary(&self, index: usize) -> Result<Option<Summary>, Box<Corrupt>> {
        let stored = |spans: &Spans| self.body.get(spans.summary.clone());
        match (self.key(index), self.entries.get(index).and_then(stored)) {
            (Some(key), Some(bytes)) => Summary::read(key, bytes).map(Some),
            _ => Ok(None),
        }
    }

    /// The index of the first entry whose key is not before `key`.
    pub fn first_from(&self, key: &[u8]) -> usize {
        self.entries.partition_point(|spans| self.keys.get(spans.key.clone()).is_some_and(|it| it < key))
    }

    /// What is known under `key`, if it is here.
    pub fn find(&self, key: &[u8]) -> Result<Option<Summary>, Box<Corrupt>> {
        let index = self.first_from(key);
        if self.key(index) == Some(key) { self.summary(index) } else { Ok(None) }
    }

    /// What it takes of memory, in bytes, for the budget of a cache.
    pub fn memory_bytes(&self) -> usize {
        let spans = self.entries.capacity().saturating_mul(size_of::<Spans>());
        size_of::<Self>()
            .saturating_add(self.body.capacity())
            .saturating_add(self.keys.capacity())
            .saturating_add(spans)
    }
}

/// Appends what `key` has in common with `previous` as a length, and the rest of it.
pub(super) fn push_front_coded(bytes: &mut Vec<u8>, previous: &[u8], key: &[u8]) {
    let shared = previous.iter().zip(key).take_while(|(one, other)| one == other).count();
    let rest = key.get(shared..).unwrap_or_default();
    varint::push_size(bytes, shared);
    varint::push_size(bytes, rest.len());
    bytes.extend(rest);
}

/// Reads a key behind `keys`, where the one before it stands at `previous`: it must come after that one.
pub(super) fn read_front_coded(
    cursor: &mut Cursor<'_>,
    keys: &mut Vec<u8>,
    previous: Range<usize>,
) -> Result<Range<usize>, Box<Corrupt>> {
    const PROBLEM: &str = "a key is too long";
    let shared = cursor.size(previous.len(), "a key shares more than there is")?;
    let rest_length = cursor.size(KEY_BYTES_MAX.saturating_sub(shared), PROBLEM)?;
    let rest = cursor.take(rest_length)?;
    let start = keys.len();
    keys.extend_from_within(previous.start..previous.start.saturating_add(shared));
    keys.extend(rest);
    let key = start..keys.len();
    if keys.get(key.clone()) <= keys.get(previous) {
        return Err(cursor.corrupt("keys are not in their order"));
    }
    Ok(key)
}
