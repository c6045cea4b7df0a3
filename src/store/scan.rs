//! What a reader of the whole log sees of it.

use std::rc::Rc;

use crate::codec::{Body, DecodedRecord, Entry, Tags};
use crate::error::Matched;
use crate::event::{Position, UnixMillis};
use crate::index::Index;
use crate::index::plan::Stretch;
use crate::query::{Query, Subject};

/// A filter over the log in one state of it.
pub(super) struct Scan<'a> {
    pub query: &'a Query,
    pub since: Option<UnixMillis>,
    pub until: Option<UnixMillis>,
    pub stretch: Stretch,
    pub as_of: Position,
}

impl Scan<'_> {
    /// Whether an entry is asked for and not hidden.
    pub fn sees(&self, index: &Index, entry: &Entry<'_>) -> bool {
        let Stretch { first, last, .. } = self.stretch;
        (first..=last).contains(&entry.position)
            && self.since.is_none_or(|since| since <= entry.time)
            && self.until.is_none_or(|until| entry.time < until)
            && self.matches(entry)
            && self.is_visible(index, entry)
    }

    /// The first entry of records that is asked for and not hidden.
    #[inline(never)]
    pub fn first_match(&self, index: &Index, records: &[Rc<DecodedRecord>]) -> Option<Matched> {
        let mut entries = records.iter().flat_map(|record| record.entries());
        entries.find(|entry| self.sees(index, entry)).map(|entry| as_matched(&entry))
    }

    fn matches(&self, entry: &Entry<'_>) -> bool {
        let (event_type, tags) = match &entry.body {
            Body::Event { event_type, tags, .. } => (*event_type, *tags),
            Body::Fact(fact) => (fact.type_name(), Tags::Given(&[])),
        };
        self.query.matches(Subject { event_type, stream: entry.stream, tags: tags.iter() })
    }

    /// Facts are never hidden: they say what is.
    fn is_visible(&self, index: &Index, entry: &Entry<'_>) -> bool {
        match &entry.body {
            Body::Event { revision, .. } => {
                !index.has_hidden() || index.visible_from(entry.stream, self.as_of) <= *revision
            }
            Body::Fact(_) => true,
        }
    }
}

fn as_matched(entry: &Entry<'_>) -> Matched {
    let event_type = match &entry.body {
        Body::Event { event_type, .. } => event_type,
        Body::Fact(fact) => fact.type_name(),
    };
    Matched { position: entry.position, stream: entry.stream.to_owned(), event_type: event_type.to_owned() }
}
