//! Queries over the whole log.

use std::rc::Rc;

use crate::error::Error;
use crate::event::{Position, StreamName, Tag, category_of};
use crate::limits;

/// Which events are meant: those that match at least one of the items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Joined by *or*; never empty.
    items: Rc<[QueryItem]>,
}

/// A conjunction: an event matches when it matches every list that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryItem {
    /// Any of these types. The store's own facts match only where they are named here.
    pub types: Option<Vec<Rc<str>>>,
    /// All of these tags.
    pub tags: Option<Vec<Tag>>,
    /// Any of these streams.
    pub streams: Option<Vec<StreamName>>,
    /// Any of these categories.
    pub categories: Option<Vec<Rc<str>>>,
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
        Self { items: Rc::from([QueryItem::default()]) }
    }

    /// Joins items by *or*. Errors: `INVALID_ARGUMENT` for an empty list, here or in an item, because it
    /// would match nothing where a caller most likely meant everything; `LIMIT_EXCEEDED`.
    pub fn new(items: Vec<QueryItem>) -> Result<Self, Error> {
        if items.is_empty() {
            return Err(empty_list("").at("query"));
        }
        limits::check("query items", items.len(), limits::QUERY_ENTRIES_MAX)?;
        for (index, item) in items.iter().enumerate() {
            item.check().map_err(|error| error.at(&format!("query[{index}]")))?;
        }
        Ok(Self { items: Rc::from(items) })
    }

    /// The items, joined by *or*.
    pub fn items(&self) -> &[QueryItem] {
        &self.items
    }

    /// Whether an event matches.
    pub fn matches<'a, T>(&self, subject: Subject<'a, T>) -> bool
    where
        T: Iterator<Item = &'a str> + Clone,
    {
        self.items.iter().any(|item| item.matches(subject.clone()))
    }

    /// The streams that every match must be in, where the query names them: then nothing else need be read.
    pub fn streams(&self) -> Option<Vec<&StreamName>> {
        let mut streams = Vec::new();
        for item in self.items.iter() {
            streams.extend(item.streams.as_ref()?);
        }
        Some(streams)
    }
}

impl QueryItem {
    fn check(&self) -> Result<(), Error> {
        let lists = [
            ("types", self.types.as_ref().map(Vec::len)),
            ("tags", self.tags.as_ref().map(Vec::len)),
            ("streams", self.streams.as_ref().map(Vec::len)),
            ("categories", self.categories.as_ref().map(Vec::len)),
        ];
        for (name, length) in lists {
            match length {
                None => {}
                Some(0) => return Err(empty_list(name)),
                Some(length) => limits::check("query entries", length, limits::QUERY_ENTRIES_MAX)
                    .map_err(|error| error.at(name))?,
            }
        }
        Ok(())
    }

    fn matches<'a, T>(&self, subject: Subject<'a, T>) -> bool
    where
        T: Iterator<Item = &'a str> + Clone,
    {
        let Subject { event_type, stream, tags } = subject;
        let type_matches = match &self.types {
            Some(types) => types.iter().any(|wanted| &**wanted == event_type),
            None => !event_type.starts_with('$'),
        };
        type_matches
            && self
                .streams
                .as_ref()
                .is_none_or(|streams| streams.iter().any(|wanted| wanted.as_str() == stream))
            && self
                .categories
                .as_ref()
                .is_none_or(|categories| categories.iter().any(|wanted| &**wanted == category_of(stream)))
            && self.tags.as_ref().is_none_or(|wanted| {
                wanted.iter().all(|wanted| tags.clone().any(|tag| tag == wanted.as_str()))
            })
    }
}

fn empty_list(path: &str) -> Error {
    Error::invalid_argument(path, "the list is empty; leave it out to match everything, or name at least one")
}
