//! A query as it is asked of many events: what an event costs does not grow with items times names.

use std::rc::Rc;

use crate::event::category_of;
use crate::limits;
use crate::table::{Table, hash_of};

use super::{Kind, QueryItem, Subject};

/// For every name of a query the items that list it. An event looks up its own names, and matches an item that it finds
/// as often as the item wants: once for each of its lists, and once for each of its tags.
#[derive(Debug)]
pub(super) struct Matcher {
    names: Table<(Kind, Rc<str>)>,
    /// For each name the set of its items, a bit each.
    sets: Vec<u64>,
    /// How often each item wants to be found, for each word of a set.
    wanted: Vec<Counts>,
}

/// A number for each item of a word, its binary digits apart, the lowest first: so all items are counted at once. One
/// that grows too large stays above what any event comes to.
type Counts = [u64; 7];
const ITEMS_PER_WORD: usize = u64::BITS as usize;
const _: () = assert!(limits::TAGS_PER_EVENT_MAX + 3 < 1 << 6, "an event may come to more than is counted");

impl Matcher {
    pub fn of(items: &[QueryItem]) -> Self {
        // In the last word there may be places of no item, which nothing is to match.
        let unused = [0, 0, 0, 0, 0, 0, u64::MAX];
        let wanted = vec![unused; items.len().div_ceil(ITEMS_PER_WORD)];
        let mut matcher = Self { names: Table::default(), sets: Vec::new(), wanted };
        let any = [Rc::from("")];
        for (number, item) in items.iter().enumerate() {
            let (place, bit) = (number / ITEMS_PER_WORD, 1 << (number % ITEMS_PER_WORD));
            if let Some([.., highest]) = matcher.wanted.get_mut(place) {
                *highest ^= bit;
            }
            for (kind, names) in item.lists() {
                match names {
                    Some(names) => matcher.list(kind, names, place, bit),
                    None if kind == Kind::Type => matcher.list(Kind::AnyType, &any, place, bit),
                    None => {}
                }
            }
        }
        matcher
    }

    /// Notes that the item with this bit lists these names.
    #[inline(never)]
    fn list(&mut self, kind: Kind, names: &[Rc<str>], place: usize, bit: u64) {
        let mut is_wanted = true;
        for name in names {
            let number = self.find(kind, name).unwrap_or_else(|| {
                self.names.push(hash_of(name.as_bytes()), (kind, Rc::clone(name)));
                self.sets.resize(self.names.rows().len() * self.wanted.len(), 0);
                self.names.rows().len() - 1
            });
            let word = self.sets.get_mut(number * self.wanted.len() + place);
            let (Some(word), Some(wanted)) = (word, self.wanted.get_mut(place)) else { return };
            // Any name of a list will do, but each tag is wanted, once however often it stands there.
            if is_wanted && *word & bit == 0 {
                count(wanted, bit);
            }
            *word |= bit;
            is_wanted = kind == Kind::Tag;
        }
    }

    /// The streams that are named, each once.
    pub fn streams(&self) -> Vec<&str> {
        self.names.rows().iter().filter(|(kind, _)| *kind == Kind::Stream).map(|(_, name)| &**name).collect()
    }

    #[inline(never)]
    pub fn matches<'a>(&self, subject: Subject<'a, impl Iterator<Item = &'a str>>) -> bool {
        let Subject { event_type, stream, tags } = subject;
        let mut found = Vec::new();
        self.look_up(Kind::Type, event_type, &mut found);
        // The store's own facts match only where they are named.
        if !event_type.starts_with('$') {
            self.look_up(Kind::AnyType, "", &mut found);
        }
        if found.is_empty() {
            return false;
        }
        self.look_up(Kind::Stream, stream, &mut found);
        self.look_up(Kind::Category, category_of(stream), &mut found);
        tags.for_each(|tag| self.look_up(Kind::Tag, tag, &mut found));
        self.wanted.iter().enumerate().any(|(place, wanted)| {
            let mut counts = Counts::default();
            for number in &found {
                let word = self.sets.get(number * self.wanted.len() + place);
                count(&mut counts, word.copied().unwrap_or_default());
            }
            let differing = counts.iter().zip(wanted).fold(0, |all, (count, wanted)| all | (count ^ wanted));
            differing != u64::MAX
        })
    }

    /// Notes a name, where it is listed and was not noted before.
    #[inline(never)]
    fn look_up(&self, kind: Kind, name: &str, found: &mut Vec<usize>) {
        if let Some(number) = self.find(kind, name)
            && !found.contains(&number)
        {
            found.push(number);
        }
    }

    #[inline(never)]
    fn find(&self, kind: Kind, name: &str) -> Option<usize> {
        self.names.find(hash_of(name.as_bytes()), |row| row.0 == kind && *row.1 == *name)
    }
}

/// Adds one to the numbers of these items.
#[inline(never)]
fn count(counts: &mut Counts, items: u64) {
    let mut carried = items;
    for digit in counts.iter_mut() {
        (*digit, carried) = (*digit ^ carried, *digit & carried);
    }
    let [.., highest] = counts;
    *highest |= carried;
}
