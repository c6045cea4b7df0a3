//! Changes of entries, and the pages that they make of others.

use std::ops::Range;
use std::rc::Rc;

use crate::sort::sort_numbers;

use super::shelf::{Lacks, Shelf};
use super::{Page, Tree};

/// A page that is larger than this is cut into several: so that a change costs little, and a read finds much.
const PAGE_BYTES_MAX: usize = 16 * 1024;

/// What becomes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// In which tree.
    pub tree: Tree,
    /// Its key.
    pub key: Vec<u8>,
    /// Its value; `None` to remove it.
    pub value: Option<Rc<str>>,
}

/// Changes in the order of trees and keys. Of several of one key the last counts.
#[derive(Debug, Default)]
pub struct Changes(Vec<Change>);

/// Changes that concern one page.
#[derive(Debug)]
pub struct PageChange {
    /// Where the page stands.
    pub tree: Tree,
    /// Its fence.
    pub fence: Vec<u8>,
    /// What it is.
    pub page: Rc<Page>,
    /// Which of the changes.
    changes: Range<usize>,
}

impl Changes {
    /// Puts changes in their order.
    pub fn new(changes: Vec<Change>) -> Self {
        let mut places: Vec<u32> = (0..changes.len() as u32).collect();
        let key_of =
            |place: u32| changes.get(place as usize).map(|change| (change.tree, change.key.as_slice()));
        sort_numbers(&mut places, &|one, other| key_of(one) < key_of(other));
        let mut sorted: Vec<Change> = Vec::with_capacity(places.len());
        for place in places {
            let Some(change) = changes.get(place as usize) else { continue };
            match sorted.last_mut() {
                Some(last) if (last.tree, &last.key) == (change.tree, &change.key) => *last = change.clone(),
                _ => sorted.push(change.clone()),
            }
        }
        Self(sorted)
    }

    /// The pages that change.
    pub fn pages(&self, shelf: &mut Shelf) -> Result<Vec<PageChange>, Lacks> {
        let mut pages: Vec<PageChange> = Vec::new();
        let mut lacks = None;
        for (place, Change { tree, key, .. }) in self.0.iter().enumerate() {
            let end = place.saturating_add(1);
            match shelf.covering(*tree, key) {
                Err(missing) => lacks = Some(missing),
                Ok(held) => match pages.last_mut() {
                    Some(last) if last.tree == *tree && last.fence == held.fence() => last.changes.end = end,
                    _ => {
                        let (fence, page) = (held.fence().to_vec(), Rc::clone(held.page()));
                        pages.push(PageChange { tree: *tree, fence, page, changes: place..end });
                    }
                },
            }
        }
        lacks.map_or(Ok(pages), Err)
    }

    /// What becomes of a page: others in its place, in their order, each with its fence. None where nothing is left.
    pub fn apply(&self, change: &PageChange) -> Vec<(Vec<u8>, Rc<Page>)> {
        let changes = self.0.get(change.changes.clone()).unwrap_or_default();
        let (merged, first_change) = merge(&change.page, changes);
        // Where all of it is added at the end, as by keys that count up, what is full stays full.
        let is_growing = first_change == change.page.len();
        cut(merged, &change.fence, is_growing)
    }
}

/// The entries of a page after changes, and the place of the first change among those of the page.
fn merge(page: &Page, changes: &[Change]) -> (Page, usize) {
    let mut merged = Page::default();
    let (mut place, mut first_change) = (0, None);
    for Change { key, value, .. } in changes {
        let from = page.first_from(key);
        first_change.get_or_insert(from);
        copy(page, place..from, &mut merged);
        place = from.saturating_add(usize::from(page.key(from) == Some(key)));
        if let Some(value) = value {
            merged.push(key, value.as_bytes());
        }
    }
    copy(page, place..page.len(), &mut merged);
    (merged, first_change.unwrap_or_default())
}

fn copy(page: &Page, places: Range<usize>, to: &mut Page) {
    for (key, value) in places.filter_map(|place| page.entry(place)) {
        to.push(key, value);
    }
}

/// Cuts a page that is too large into such that are not, as far as single entries allow.
fn cut(page: Page, fence: &[u8], is_growing: bool) -> Vec<(Vec<u8>, Rc<Page>)> {
    if page.is_empty() {
        return Vec::new();
    }
    let size_bytes = page.size_bytes();
    if size_bytes <= PAGE_BYTES_MAX {
        return vec![(fence.to_vec(), Rc::new(page))];
    }
    let target_bytes =
        if is_growing { PAGE_BYTES_MAX } else { size_bytes.div_ceil(size_bytes.div_ceil(PAGE_BYTES_MAX)) };
    let (mut pages, mut part) = (Vec::new(), Page::default());
    let mut part_fence = fence.to_vec();
    for place in 0..page.len() {
        let Some((key, value)) = page.entry(place) else { break };
        let entry_bytes = key.len().saturating_add(value.len());
        if !part.is_empty() && target_bytes < part.size_bytes().saturating_add(entry_bytes) {
            let full_fence = std::mem::replace(&mut part_fence, key.to_vec());
            pages.push((full_fence, Rc::new(std::mem::take(&mut part))));
        }
        part.push(key, value);
    }
    pages.push((part_fence, Rc::new(part)));
    pages
}
