//! Queries over the whole log.

mod matcher;

use std::rc::Rc;

use crate::error::Error;
use crate::event::Position;
use crate::limits;

use matcher::Matcher;

/// Which events are meant: those that match at least one of the items.
#[derive(Debug, Clone)]
pub struct Query(Rc<Asked>);

#[derive(Debug)]
struct Asked {
    /// Joined by *or*; never empty.
    items: Vec<QueryItem>,
    matcher: Matcher,
}

/// A conjunction: an event matches when it matches every list that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryItem {
    /// Any of these types. The store's own facts match only where they are named here.
    pub types: Option<Vec<Rc<str>>>,
    /// All of these tags.
    pub tags: Option<Vec<Rc<str>>>,
    /// Any of these streams.
    pub streams: Option<Vec<Rc<str>>>,
    /// Any of these categories.
    pub categories: Option<Vec<Rc<str>>>,
}

/// Of what a name in a query is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Type,
    /// Any type, where an item names none. Its name is empty.
    AnyType,
    Tag,
    Stream,
    Category,
}

/// Refuses a commit when an event stands in the log that its writer had not seen.
///
/// As in the DCB specification (dcb.events): judged against what was there before the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendCondition {
    /// Which events are not to be there.
    pub fail_if_events_match: Query,
    /// The last position that the writer had seen: events up to it do not count.
    pub after: Position,
}

/// What a query looks at in an event.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a, T> {
    /// Its type, or the name of a fact.
    pub event_type: &'a str,
    /// Its stream.
    pub stream: &'a str,
    /// Its tags.
    pub tags: T,
}

impl Query {
    /// The query that every event matches, and no fact.
    pub fn everything() -> Self {
        Self::of(vec![QueryItem::default()])
    }

    fn of(items: Vec<QueryItem>) -> Self {
        let matcher = Matcher::of(&items);
        Self(Rc::new(Asked { items, matcher }))
    }

    /// Joins items by *or*. Errors: `INVALID_ARGUMENT` for an empty list, here or in an item, because it
    /// would match nothing where a caller most likely meant everything; `LIMIT_EXCEEDED`.
    pub fn new(items: Vec<QueryItem>) -> Result<Self, Error> {
        if items.is_empty() {
            return Err(empty_list("").at("query"));
        }
        limits::check("query items", items.len(), limits::QUERY_ENTRIES_MAX)?;
        let mut name_count = 0;
        for (index, item) in items.iter().enumerate() {
            name_count += item.checked_length().map_err(|error| error.at(&format!("query[{index}]")))?;
        }
        limits::check("query names", name_count, limits::QUERY_NAMES_MAX)
            .map_err(|error| error.at("query"))?;
        Ok(Self::of(items))
    }

    /// Whether every event matches, and no fact.
    pub fn is_everything(&self) -> bool {
        matches!(self.items(), [QueryItem { types: None, tags: None, streams: None, categories: None }])
    }

    /// The items, joined by *or*.
    pub fn items(&self) -> &[QueryItem] {
        &self.0.items
    }

    /// Whether an event matches.
    pub fn matches<'a>(&self, subject: Subject<'a, impl Iterator<Item = &'a str>>) -> bool {
        self.0.matcher.matches(subject)
    }

    /// The streams that every match must be in, each once, where the query names them: then nothing else need be read.
    pub fn streams(&self) -> Option<Vec<&str>> {
        self.items().iter().all(|item| item.streams.is_some()).then(|| self.0.matcher.streams())
    }
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.items() == other.items()
    }
}

impl Eq for Query {}

impl QueryItem {
    /// How many names it has.
    fn checked_length(&self) -> Result<usize, Error> {
        let mut name_count = 0;
        for (path, (_, names)) in ["types", "tags", "streams", "categories"].into_iter().zip(self.lists()) {
            let Some(names) = names else { continue };
            if names.is_empty() {
                return Err(empty_list(path));
            }
            limits::check("query entries", names.len(), limits::QUERY_ENTRIES_MAX)
                .map_err(|error| error.at(path))?;
            name_count += names.len();
        }
        Ok(name_count)
    }

    fn lists(&self) -> [(Kind, Option<&[Rc<str>]>); 4] {
        [
            (Kind::Type, self.types.as_deref()),
            (Kind::Tag, self.tags.as_deref()),
            (Kind::Stream, self.streams.as_deref()),
            (Kind::Category, self.categories.as_deref()),
        ]
    }
}

fn empty_list(path: &str) -> Error {
    Error::invalid_argument(path, "the list is empty; leave it out to match everything, or name at least one")
}
