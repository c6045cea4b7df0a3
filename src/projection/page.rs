//! A page of a tree: entries in the order of their keys.

use crate::codec::{Corrupt, varint};
use crate::layout::keys::tied;
use crate::layout::sealed::{self, Magic};
use crate::limits;
use crate::storage::Key;

const MAGIC: Magic = Magic(b'd');
/// What is kept of an entry besides its bytes.
const ENTRY_BYTES: usize = size_of::<Ends>();

/// Entries, each a key and a value. None of them twice, and none for a value that is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Keys and values, in turns.
    bytes: Vec<u8>,
    entries: Vec<Ends>,
}

/// Where the key and the value of an entry end. It begins where the one before it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    key: usize,
    value: usize,
}

impl Page {
    /// Adds an entry, whose key comes after all that are there.
    pub fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend(key);
        let key = self.bytes.len();
        self.bytes.extend(value);
        self.entries.push(Ends { key, value: self.bytes.len() });
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none. Such a page is not stored.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The key and the value at a place. `None` beyond the last.
    pub fn entry(&self, place: usize) -> Option<(&[u8], &[u8])> {
        let ends = self.entries.get(place)?;
        let before = place.checked_sub(1).and_then(|before| self.entries.get(before));
        let start = before.map_or(0, |before| before.value);
        Some((self.bytes.get(start..ends.key)?, self.bytes.get(ends.key..ends.value)?))
    }

    /// The key at a place. `None` beyond the last.
    pub fn key(&self, place: usize) -> Option<&[u8]> {
        self.entry(place).map(|(key, _)| key)
    }

    /// The key of the last entry.
    pub fn last_key(&self) -> Option<&[u8]> {
        self.key(self.len().checked_sub(1)?)
    }

    /// The place of the first entry whose key is not before `key`.
    pub fn first_from(&self, key: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle).is_some_and(|it| it < key) {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        low
    }

    /// The value under a key, if it is here.
    pub fn find(&self, key: &[u8]) -> Option<&[u8]> {
        let (found, value) = self.entry(self.first_from(key))?;
        (found == key).then_some(value)
    }

    /// What it takes of memory, in bytes; about what it takes of a record before that is packed.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len().saturating_add(self.len().saturating_mul(ENTRY_BYTES))
    }

    /// The stored form under this key.
    pub fn to_bytes(&self, place: &Key) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.size_bytes());
        let mut previous: &[u8] = &[];
        for entry in 0..self.len() {
            let Some((key, value)) = self.entry(entry) else { break };
            let shared = previous.iter().zip(key).take_while(|(one, other)| one == other).count();
            let rest = key.get(shared..).unwrap_or_default();
            for size in [shared, rest.len(), value.len()] {
                varint::push_size(&mut body, size);
            }
            body.extend(rest);
            body.extend(value);
            previous = key;
        }
        tied(place, MAGIC.seal(&body))
    }

    /// Reads what is stored under a key. Errors: [`Corrupt`] for any other bytes, and for those of another key.
    pub fn from_bytes(place: &Key, bytes: Vec<u8>) -> Result<Self, Box<Corrupt>> {
        let body = MAGIC.open(&tied(place, bytes))?;
        let mut cursor = sealed::body(&body);
        let (mut page, mut key) = (Self::default(), Vec::new());
        while 0 < cursor.remaining() {
            let shared = cursor.size(key.len(), "a key shares more than there is")?;
            let rest_length = cursor.count(usize::MAX)?;
            let value_length = cursor.count(usize::MAX)?;
            let rest = cursor.take(rest_length)?;
            // Of two keys, the later one goes on with more where they differ first.
            if !page.is_empty() && rest.first() <= key.get(shared) {
                return Err(cursor.corrupt("keys are not in their order"));
            }
            key.truncate(shared);
            key.extend(rest);
            if limits::RECORD_BODY_BYTES_MAX < page.size_bytes().saturating_add(key.len()) {
                return Err(cursor.corrupt("the keys are too long"));
            }
            page.push(&key, cursor.take(value_length)?);
        }
        if page.is_empty() {
            return Err(cursor.corrupt("the page is empty"));
        }
        Ok(page)
    }
}

#[allow(clippy::indexing_slicing, reason = "a test may end where it is surprised")]
#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::Bytes(b"place".to_vec())
    }

    fn page(entries: &[(&str, &str)]) -> Page {
        let mut page = Page::default();
        entries.iter().for_each(|(key, value)| page.push(key.as_bytes(), value.as_bytes()));
        page
    }

    #[track_caller]
    fn check(entries: &[(&str, &str)]) {
        let page = page(entries);
        let bytes = page.to_bytes(&key());
        assert_eq!(Page::from_bytes(&key(), bytes.clone()).as_ref(), Ok(&page));
        assert!(Page::from_bytes(&Key::Bytes(b"elsewhere".to_vec()), bytes).is_err());
        for (place, (key, value)) in entries.iter().enumerate() {
            assert_eq!(page.find(key.as_bytes()), Some(value.as_bytes()));
            assert_eq!(page.first_from(key.as_bytes()), place);
            assert_eq!(page.find(&[key.as_bytes(), b"\0"].concat()), None);
        }
    }

    #[test]
    fn entries_come_back() {
        check(&[("", "")]);
        check(&[("a", "1"), ("ab", ""), ("abc", "3"), ("b", "4")]);
        check(&[("order-1", "{}"), ("order-10", "{}"), ("order-2", "{}")]);
    }

    #[test]
    fn any_other_body_is_refused() {
        let problem =
            |body: &[u8]| Page::from_bytes(&key(), tied(&key(), MAGIC.seal_plain(body))).unwrap_err().problem;
        assert_eq!(problem(b""), "the page is empty");
        assert_eq!(problem(b"\x01\x00\x00"), "a key shares more than there is");
        assert_eq!(problem(b"\x00\x01\x00b\x00\x01\x00a"), "keys are not in their order");
        assert_eq!(problem(b"\x00\x01\x00b\x01\x00\x00"), "keys are not in their order");
        assert_eq!(problem(b"\x00\x01\x00b\x00\x01\x00b"), "keys are not in their order");
        assert_eq!(problem(b"\x00\x02\x00b"), "the bytes end early");
    }
}
