//! A run of the directory: pages in the order of their keys, and an index of them.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use crate::codec::{Corrupt, varint};
use crate::event::Position;
use crate::layout::sealed::{self, Magic};
use crate::layout::stored_numbers::{read_position, read_position_from};

use super::page::{PageWriter, push_front_coded, read_front_coded};
use super::{DirectoryEntry, Summary};

const MAGIC: Magic = Magic(b'x');

/// What a run covers, and where in it a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunIndex {
    /// The first position that it knows of.
    pub first: Position,
    /// The last position that it knows of.
    pub last: Position,
    /// The first keys of all pages, one after the other.
    keys: Vec<u8>,
    /// Where in `keys` each of them stands.
    spans: Vec<Range<usize>>,
}

/// Makes a run of entries that come in the order of their keys.
#[derive(Debug)]
pub struct RunBuilder {
    index: RunIndex,
    writer: PageWriter,
    stored_bytes: u64,
}

/// What is left when the last entry was added.
#[derive(Debug)]
pub struct FinishedRun {
    /// The last page. `None` where there is nothing that was not given before.
    pub page: Option<Vec<u8>>,
    /// The index of the run.
    pub index: RunIndex,
    /// The bytes of all pages.
    pub stored_bytes: u64,
}

impl RunBuilder {
    /// A run that covers these positions.
    pub fn new(first: Position, last: Position) -> Self {
        let index = RunIndex { first, last, keys: Vec::new(), spans: Vec::new() };
        Self { index, writer: PageWriter::default(), stored_bytes: 0 }
    }

    /// Adds an entry, whose key comes after all before it. Gives a page whenever one is full: they count from 0.
    pub fn push(&mut self, key: &[u8], summary: &Summary) -> Option<Vec<u8>> {
        self.writer.push(key, summary);
        self.writer.is_full().then(|| self.seal())
    }

    /// Adds an entry: [`RunBuilder::push`].
    pub fn push_entry(&mut self, entry: &DirectoryEntry) -> Option<Vec<u8>> {
        self.push(&entry.key, &entry.summary)
    }

    /// Ends the run. Nothing can be added any more.
    pub fn finish(&mut self) -> FinishedRun {
        let page = (!self.writer.is_empty()).then(|| self.seal());
        let RunIndex { first, last, keys, spans } = &mut self.index;
        let (keys, spans) = (std::mem::take(keys), std::mem::take(spans));
        let index = RunIndex { first: *first, last: *last, keys, spans };
        FinishedRun { page, index, stored_bytes: self.stored_bytes }
    }

    fn seal(&mut self) -> Vec<u8> {
        let (page, first_key) = self.writer.seal();
        self.index.push(&first_key);
        self.stored_bytes = self.stored_bytes.saturating_add(page.len() as u64);
        page
    }
}

impl RunIndex {
    fn push(&mut self, first_key: &[u8]) {
        let start = self.keys.len();
        self.keys.extend(first_key);
        self.spans.push(start..self.keys.len());
    }

    /// How many pages the run has.
    pub fn page_count(&self) -> u32 {
        self.spans.len() as u32
    }

    /// The page that holds `key`, if any does.
    pub fn page_of(&self, key: &[u8]) -> Option<u32> {
        let after = self.pages_before(|first_key| first_key <= key);
        after.checked_sub(1)
    }

    /// The pages that may hold keys that begin with `prefix`.
    pub fn pages_of_prefix(&self, prefix: &[u8]) -> Range<u32> {
        let start = self.pages_before(|first_key| first_key <= prefix).saturating_sub(1);
        let end = self.pages_before(|first_key| first_key < prefix || first_key.starts_with(prefix));
        start..end
    }

    /// What it takes of memory, in bytes, for the budget of a cache.
    pub fn memory_bytes(&self) -> usize {
        let spans = self.spans.capacity().saturating_mul(size_of::<Range<usize>>());
        size_of::<Self>().saturating_add(self.keys.capacity()).saturating_add(spans)
    }

    fn pages_before(&self, holds: impl Fn(&[u8]) -> bool) -> u32 {
        self.spans.partition_point(|span| self.keys.get(span.clone()).is_some_and(&holds)) as u32
    }

    /// The stored form: see FORMAT.md, "A run".
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        varint::push_unsigned(&mut body, self.first.0);
        varint::push_unsigned(&mut body, self.last.0.saturating_sub(self.first.0));
        let mut previous: &[u8] = &[];
        for key in self.spans.iter().filter_map(|span| self.keys.get(span.clone())) {
            push_front_coded(&mut body, previous, key);
            previous = key;
        }
        MAGIC.seal(&body)
    }

    /// Reads the stored form. Errors: [`Corrupt`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Box<Corrupt>> {
        let body = MAGIC.open(bytes)?;
        let mut cursor = sealed::body(&body);
        let first = read_position(&mut cursor)?;
        let last = read_position_from(&mut cursor, first)?;
        let (mut keys, mut spans) = (Vec::new(), Vec::<Range<usize>>::new());
        while 0 < cursor.remaining() {
            let previous = spans.last().cloned().unwrap_or(0..0);
            spans.push(read_front_coded(&mut cursor, &mut keys, previous)?);
        }
        Ok(Self { first, last, keys, spans })
    }
}

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may end where it is surprised"
)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::directory::{Kind, Page, key};
    use crate::layout::{BlockAddress, BlockIndex, Posting, UnitNumber};
    use crate::testing::prng::Prng;

    fn run_of(keys: &[Vec<u8>]) -> (Vec<Vec<u8>>, RunIndex) {
        let mut builder = RunBuilder::new(Position(5), Position(9));
        let mut pages = Vec::new();
        for (number, key) in keys.iter().enumerate() {
            let mut posting = Posting::default();
            let block = BlockIndex(number as u32);
            posting.add(BlockAddress { unit: UnitNumber(1), block }, number as u64);
            pages.extend(builder.push(key, &Summary::Posting(posting)));
        }
        let finished = builder.finish();
        pages.extend(finished.page);
        assert_eq!(pages.iter().map(Vec::len).sum::<usize>() as u64, finished.stored_bytes);
        (pages, RunIndex::from_bytes(&finished.index.to_bytes()).unwrap())
    }

    /// Every key is found on the page that the index names, and no other is found.
    #[track_caller]
    fn check(key_count: u64, prefixes: &[&str]) {
        let mut prng = Prng::new(key_count);
        let mut keys: Vec<Vec<u8>> =
            (0..key_count).map(|_| key(Kind::Tag, &format!("k{}", prng.below(1 << 40)))).collect();
        keys.sort();
        keys.dedup();
        let (pages, index) = run_of(&keys);
        assert_eq!(pages.len(), index.page_count() as usize);
        let pages: Vec<Page> = pages.iter().map(|page| Page::from_bytes(page).unwrap()).collect();
        for (number, key) in keys.iter().enumerate() {
            let page = &pages[index.page_of(key).unwrap() as usize];
            let Some(Summary::Posting(posting)) = page.find(key).unwrap() else { panic!("{key:?}") };
            assert_eq!(posting.event_count(), number as u64);
            let absent = [key.as_slice(), b"x"].concat();
            assert_eq!(pages[index.page_of(&absent).unwrap() as usize].find(&absent), Ok(None));
        }
        for prefix in prefixes {
            let prefix = key(Kind::Tag, prefix);
            let matching = keys.iter().filter(|key| key.starts_with(&prefix)).count();
            let found: usize = index
                .pages_of_prefix(&prefix)
                .map(|number| &pages[number as usize])
                .map(|page| {
                    (page.first_from(&prefix)..page.len())
                        .take_while(|at| page.key(*at).unwrap().starts_with(&prefix))
                        .count()
                })
                .sum();
            assert_eq!(found, matching, "{prefix:?}");
        }
    }

    #[test]
    fn every_key_is_found_and_no_other() {
        check(1, &["k", "", "j", "l"]);
        check(20_000, &["k", "k1", "k12", "k99", "kx", "a", "z", ""]);
    }

    #[test]
    fn a_run_of_nothing_has_no_page() {
        let (pages, index) = run_of(&[]);
        assert_eq!((pages.len(), index.page_count(), index.page_of(b"gx")), (0, 0, None));
        assert!(index.pages_of_prefix(b"g").is_empty());
    }
}
