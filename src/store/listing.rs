//! Names in their order: what the directory holds under keys that begin alike, over all runs.

use std::ops::Range;
use std::rc::Rc;

use crate::layout::RunNumber;
use crate::layout::directory::{Page, Summary};

use super::view::{Stop, View};

/// So many pages of a run are read at once.
const PAGES_AHEAD: u32 = 4;

/// The keys that begin with a prefix, in their order, each with what all runs say of it.
pub(super) struct Listing {
    prefix: Vec<u8>,
    /// In the order of the runs: the oldest first.
    cursors: Vec<Cursor>,
}

/// Where a listing stands in a run.
struct Cursor {
    run: RunNumber,
    /// The pages that are not begun.
    pages: Range<u32>,
    /// The page with the next entry, and its index there. `None` at the end.
    at: Option<(Rc<Page>, usize)>,
}

impl Listing {
    /// The keys from `start` on that begin with `prefix`.
    pub fn from(view: &mut View<'_>, prefix: &[u8], start: &[u8]) -> Result<Self, Stop> {
        let mut cursors = Vec::new();
        let root = view.root;
        for run in &root.runs {
            match Cursor::begin(view, run.number, prefix, start) {
                Ok(cursor) => cursors.push(cursor),
                // What the other runs need is read in the same transaction.
                Err(Stop::Pending) => {}
                Err(stop) => return Err(stop),
            }
        }
        view.check()?;
        Ok(Self { prefix: prefix.to_vec(), cursors })
    }

    /// The next key.
    pub fn key(&self) -> Option<&[u8]> {
        let keys = self.cursors.iter().filter_map(Cursor::key);
        keys.filter(|key| key.starts_with(&self.prefix)).min()
    }

    /// Takes the next key with what is known of it.
    pub fn take(&mut self, view: &mut View<'_>) -> Result<Option<(Vec<u8>, Summary)>, Stop> {
        let Some(key) = self.key().map(<[u8]>::to_vec) else { return Ok(None) };
        let mut found: Option<Summary> = None;
        for cursor in &mut self.cursors {
            if cursor.key() != Some(&key) {
                continue;
            }
            if let Some(newer) = cursor.take(view)? {
                newer.add_to(&mut found);
            }
        }
        view.check()?;
        Ok(found.map(|summary| (key, summary)))
    }
}

impl Cursor {
    fn begin(view: &mut View<'_>, run: RunNumber, prefix: &[u8], start: &[u8]) -> Result<Self, Stop> {
        let index = view.run_index(run)?;
        let mut pages = index.pages_of_prefix(prefix);
        pages.start = pages.start.max(index.page_of(start).unwrap_or_default());
        let mut cursor = Self { run, pages, at: None };
        cursor.turn(view)?;
        if let Some((page, at)) = &mut cursor.at {
            *at = page.first_from(start);
            if *at == page.len() {
                cursor.turn(view)?;
            }
        }
        Ok(cursor)
    }

    fn key(&self) -> Option<&[u8]> {
        let (page, index) = self.at.as_ref()?;
        page.key(*index)
    }

    /// The summary here; goes on to the next entry.
    fn take(&mut self, view: &mut View<'_>) -> Result<Option<Summary>, Stop> {
        let Some((page, index)) = &mut self.at else { return Ok(None) };
        let summary = page.summary(*index).map_err(|_| Stop::Directory)?;
        *index += 1;
        if *index == page.len() {
            match self.turn(view) {
                Ok(()) | Err(Stop::Pending) => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(summary)
    }

    /// Goes on to the next page.
    fn turn(&mut self, view: &mut View<'_>) -> Result<(), Stop> {
        self.at = None;
        let Some(next) = self.pages.next() else { return Ok(()) };
        let page = view.page(self.run, next);
        if matches!(page, Err(Stop::Pending)) {
            for ahead in self.pages.clone().take(PAGES_AHEAD as usize) {
                // It is asked for, which is all that is wanted.
                let _ = view.page(self.run, ahead);
            }
        }
        self.at = Some((page?, 0));
        Ok(())
    }
}
