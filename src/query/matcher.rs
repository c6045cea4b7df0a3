//! A query as it is asked of many events: what an event costs does not grow with items times names.

use std::rc::Rc;

use crate::event::category_of;
use crate::limits;
use crate::table::{Table, hash_of};

use super::{QueryItem, Subject};

/// How many items one word of a set has room for.
const ITEMS_PER_WORD: usize = u64::BITS as usize;

/// For every name of a query the set of items that list it. An event asks for its own names, and what is in the sets of
/// all of them matches.
#[derive(Debug)]
pub(super) struct Matcher {
    names: Table<Listed>,
    /// The items without a list of types, of streams, of categories.
    unlisted: [Items; 3],
    /// How many different tags each item wants, for each word of a set.
    wanted_tags: Vec<Counts>,
}

/// A name, and the items that list it.
#[derive(Debug)]
struct Listed {
    kind: Kind,
    name: Rc<str>,
    items: Items,
}

/// A set of items, a bit each.
type Items = Vec<u64>;

/// A number for each item of a word, its binary digits apart, the lowest first: so all are counted at once. Those that
/// would be too large stay above what an event has tags.
type Counts = [u64; 7];
const _: () = assert!(limits::TAGS_PER_EVENT_MAX < 64, "a count that is too large could be that of an event");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Type,
    Stream,
    Category,
    Tag,
}

impl Matcher {
    pub fn of(items: &[QueryItem]) -> Self {
        let word_count = items.len().div_ceil(ITEMS_PER_WORD);
        let none = vec![0; word_count];
        let unlisted = [none.clone(), none.clone(), none];
        let wanted_tags = vec![Counts::default(); word_count];
        let mut matcher = Self { names: Table::default(), unlisted, wanted_tags };
        for (item, QueryItem { types, tags, streams, categories }) in items.iter().enumerate() {
            types.iter().flatten().for_each(|name| matcher.list(Kind::Type, Rc::clone(name), item));
            streams.iter().flatten().for_each(|name| matcher.list(Kind::Stream, name.to_shared(), item));
            categories.iter().flatten().for_each(|name| matcher.list(Kind::Category, Rc::clone(name), item));
            tags.iter().flatten().for_each(|tag| matcher.list(Kind::Tag, tag.to_shared(), item));
            let is_listed = [types.is_some(), streams.is_some(), categories.is_some()];
            for (unlisted, is_listed) in matcher.unlisted.iter_mut().zip(is_listed) {
                if !is_listed {
                    insert(unlisted, item);
                }
            }
        }
        matcher
    }

    #[inline(never)]
    fn list(&mut self, kind: Kind, name: Rc<str>, item: usize) {
        let hash = hash_of(name.as_bytes());
        let is_wanted = |row: &Listed| row.kind == kind && row.name == name;
        let number = self.names.find(hash, is_wanted).unwrap_or_else(|| {
            let items = vec![0; self.wanted_tags.len()];
            self.names.push(hash, Listed { kind, name: Rc::clone(&name), items });
            self.names.rows().len() - 1
        });
        let is_new = self.names.row_mut(number).is_some_and(|row| insert(&mut row.items, item));
        if is_new
            && kind == Kind::Tag
            && let Some(counts) = self.wanted_tags.get_mut(item / ITEMS_PER_WORD)
        {
            count(counts, 1 << (item % ITEMS_PER_WORD));
        }
    }

    /// The different streams that every match must be in, where each item names some.
    pub fn streams(&self) -> Option<impl Iterator<Item = &str>> {
        let [_, streams, ..] = &self.unlisted;
        let rows = self.names.rows().iter().filter(|row| row.kind == Kind::Stream);
        streams.iter().all(|word| *word == 0).then(|| rows.map(|row| &*row.name))
    }

    pub fn matches<'a>(&self, subject: Subject<'a, impl Iterator<Item = &'a str>>) -> bool {
        let Subject { event_type, stream, tags } = subject;
        let [typeless, streamless, categoryless] = &self.unlisted;
        // The store's own facts match only where they are named.
        let typeless = if event_type.starts_with('$') { &[][..] } else { typeless };
        let kinds = [
            (self.listed(Kind::Type, event_type), typeless),
            (self.listed(Kind::Stream, stream), streamless),
            (self.listed(Kind::Category, category_of(stream)), categoryless),
        ];
        let (mut tags, mut held) = (Some(tags), Vec::new());
        self.wanted_tags.iter().enumerate().any(|(place, wanted)| {
            let word = |items: &[u64]| items.get(place).copied().unwrap_or_default();
            let left = kinds.iter().fold(u64::MAX, |left, (listed, unlisted)| {
                left & (listed.map_or(0, |row| word(&row.items)) | word(unlisted))
            });
            if left == 0 {
                return false;
            }
            if let Some(mut tags) = tags.take() {
                held = self.listed_tags(&mut tags);
            }
            let mut found = Counts::default();
            held.iter().for_each(|row| count(&mut found, word(&row.items)));
            let differing = found.iter().zip(wanted).fold(0, |all, (found, wanted)| all | (found ^ wanted));
            left & !differing != 0
        })
    }

    /// The rows of tags, each once.
    fn listed_tags<'a>(&self, tags: &mut dyn Iterator<Item = &'a str>) -> Vec<&Listed> {
        let mut held: Vec<&Listed> = Vec::new();
        for row in tags.filter_map(|tag| self.listed(Kind::Tag, tag)) {
            if !held.iter().any(|it| std::ptr::eq(*it, row)) {
                held.push(row);
            }
        }
        held
    }

    #[inline(never)]
    fn listed(&self, kind: Kind, name: &str) -> Option<&Listed> {
        if self.names.rows().is_empty() {
            return None;
        }
        self.names.get(hash_of(name.as_bytes()), |row| row.kind == kind && *row.name == *name)
    }
}

/// Adds an item to a set. Returns whether it was not there.
fn insert(items: &mut Items, item: usize) -> bool {
    let Some(word) = items.get_mut(item / ITEMS_PER_WORD) else { return false };
    let bit = 1 << (item % ITEMS_PER_WORD);
    let is_new = *word & bit == 0;
    *word |= bit;
    is_new
}

/// Adds one to the numbers of these items.
fn count(counts: &mut Counts, items: u64) {
    let mut carried = items;
    for digit in counts.iter_mut() {
        (*digit, carried) = (*digit ^ carried, *digit & carried);
    }
    let [.., highest] = counts;
    *highest |= carried;
}
