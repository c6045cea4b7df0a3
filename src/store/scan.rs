//! What a reader of the whole log sees of it.

use crate::codec::{Body, DecodedRecord, Entry, Tags};
use crate::error::Matched;
use crate::event::Position;
use crate::index::plan::Stretch;
use crate::query::Subject;

use super::portion::{Asking, Portion, Walk};
use super::view::{Stop, View};

/// A filter over the log in one state of it.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    pub asking: Asking<'a>,
    pub as_of: Position,
    /// Whether every event of the stretch is asked for, whatever it is.
    is_plain: bool,
}

impl<'a> Scan<'a> {
    /// What is asked for, in the state as of a position.
    pub fn new(asking: Asking<'a>, as_of: Position) -> Self {
        let is_plain = asking.since.is_none() && asking.until.is_none() && asking.query.is_everything();
        Self { asking, as_of, is_plain }
    }

    /// Whether the entry of a record at a place is asked for and not hidden. Of most it is known without looking into
    /// them.
    pub fn sees_at(&self, view: &mut View<'_>, record: &DecodedRecord, place: usize) -> bool {
        let Stretch { first, last, .. } = self.asking.stretch;
        if self.is_plain && !view.index.has_hidden() {
            let is_asked_for = |position| (first..=last).contains(&position);
            return record.position(place).is_some_and(is_asked_for) && record.is_event(place);
        }
        record.entry(place).is_some_and(|entry| self.sees(view, &entry))
    }

    /// Whether an entry is asked for and not hidden.
    pub fn sees(&self, view: &mut View<'_>, entry: &Entry<'_>) -> bool {
        let Asking { since, until, stretch: Stretch { first, last, .. }, .. } = self.asking;
        (first..=last).contains(&entry.position)
            && since.is_none_or(|since| since <= entry.time)
            && until.is_none_or(|until| entry.time < until)
            && self.matches(entry)
            && self.is_visible(view, entry)
    }

    /// The first entry of a portion that is asked for and not hidden.
    #[inline(never)]
    pub fn first_match(&self, view: &mut View<'_>, portion: &Portion) -> Result<Option<Matched>, Stop> {
        let mut found = None;
        portion.walk(view, &mut |view, record, place| match record
            .entry(place)
            .filter(|entry| self.sees(view, entry))
        {
            Some(entry) => {
                found = Some(as_matched(&entry));
                Walk::Ends
            }
            None => Walk::On,
        });
        view.check()?;
        Ok(found)
    }

    fn matches(&self, entry: &Entry<'_>) -> bool {
        let (event_type, tags) = match &entry.body {
            Body::Event { event_type, tags, .. } => (*event_type, *tags),
            Body::Fact(fact) => (fact.type_name(), Tags::Given(&[])),
        };
        self.asking.query.matches(Subject { event_type, stream: entry.stream, tags: tags.iter() })
    }

    /// Facts are never hidden: they say what is.
    fn is_visible(&self, view: &mut View<'_>, entry: &Entry<'_>) -> bool {
        match &entry.body {
            Body::Event { revision, .. } => view.sees(entry.stream, *revision, self.as_of),
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
