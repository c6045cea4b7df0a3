//! What a tab asks of the store besides reading, and whether the answer was right.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::event::Position;
use crate::host::Host;
use crate::id::EventId;
use crate::query::Query;
use crate::storage::Storage;
use crate::store::{Count, CountBy, Store, StreamInfo, StreamList};

use super::model::Model;
use super::model_entry::ModelEntry;
use super::reading::Reader;
use super::world::World;

/// A question that one answer settles.
#[derive(Debug, Clone)]
pub enum Question {
    /// What is known of this stream?
    Stream(String),
    /// Which streams begin with this, and come after that?
    Streams { prefix: String, after: Option<String> },
    /// Which event has this id, in this stream or in any?
    Event { id: EventId, stream: Option<String> },
    /// How many events match, told apart like this?
    Count { query: Query, by: CountBy },
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Streams(Vec<StreamInfo>),
    Event(Option<ModelEntry>),
    Count(BTreeMap<String, u64>),
}

impl Reader {
    /// Asks, and checks that the answer was right at one moment since.
    pub async fn ask<S: Storage, H: Host>(self, store: Store<S, H>, question: Question) {
        let head = self.world.borrow_mut().begin_read(self.tab);
        let result = question.ask(&store).await;
        let mut world = self.world.borrow_mut();
        world.end_read(self.tab);
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => return world.read_failed("a question", &error, self.is_closing.get()),
        };
        let mut heads = world.model.heads(head, world.model.head());
        let is_right = heads.any(|head| question.is_right(&answer, &world, head));
        drop(heads);
        if !is_right {
            let right = question.right_answer(&world.model, world.model.head());
            world.fail(format!("{question:?} was answered {answer:?}, and now is {right:?}"));
        }
    }
}

impl Question {
    async fn ask<S: Storage, H: Host>(&self, store: &Store<S, H>) -> Result<Answer, Error> {
        Ok(match self {
            Self::Stream(stream) => Answer::Streams(store.stream_info(stream).await?.into_iter().collect()),
            Self::Streams { prefix, after } => {
                let list = StreamList { prefix: prefix.clone(), after: after.clone(), limit: 100 };
                Answer::Streams(store.streams(&list).await?)
            }
            Self::Event { id, stream } => {
                let page = store.event(*id, stream.as_deref()).await?;
                Answer::Event(page.entries().next().map(ModelEntry::from))
            }
            Self::Count { query, by } => {
                let (query, by) = (query.clone(), *by);
                let mut count =
                    Count { query, since: None, until: None, by, after: Position::START, as_of: None };
                let mut sums = BTreeMap::new();
                loop {
                    let page = store.count(&count).await?;
                    for (key, more) in page.counts {
                        *sums.entry(key).or_default() += more;
                    }
                    count.as_of = Some(page.as_of);
                    match page.next {
                        Some(next) => count.after = next,
                        None => break Answer::Count(sums),
                    }
                }
            }
        })
    }

    /// Whether this was right at this head. What is erased while it is counted counts, or does not.
    fn is_right(&self, answer: &Answer, world: &World, head: u64) -> bool {
        let right = self.right_answer(&world.model, head);
        let (Answer::Count(most), Answer::Count(given), Self::Count { query, by }) = (&right, answer, self)
        else {
            return right == *answer;
        };
        let mut least = most.clone();
        let visible = world.model.visible(head).into_iter();
        for entry in visible.filter(|entry| entry.matches(query) && world.erased.contains(&entry.position)) {
            least.entry(key(entry, *by).to_owned()).and_modify(|count| *count -= 1);
        }
        let count = |counts: &BTreeMap<String, u64>, key| counts.get(key).copied().unwrap_or_default();
        given.keys().all(|key| most.contains_key(key))
            && most.iter().all(|(key, most)| (count(&least, key)..=*most).contains(&count(given, key)))
    }

    fn right_answer(&self, model: &Model, head: u64) -> Answer {
        match self {
            Self::Stream(stream) => Answer::Streams(model.info(head, stream).into_iter().collect()),
            Self::Streams { prefix, after } => {
                let names = model.stream_names(head).into_iter().filter(|name| {
                    name.starts_with(prefix.as_str()) && after.as_deref().is_none_or(|after| after < *name)
                });
                Answer::Streams(names.filter_map(|name| model.info(head, name)).collect())
            }
            Self::Event { id, stream } => {
                let found = model.visible(head).into_iter().find(|entry| {
                    entry.id == *id
                        && entry.revision().is_some()
                        && stream.as_ref().is_none_or(|stream| *stream == entry.stream)
                });
                Answer::Event(found.cloned())
            }
            Self::Count { query, by } => {
                let mut sums = BTreeMap::new();
                for entry in model.visible(head).into_iter().filter(|entry| entry.matches(query)) {
                    *sums.entry(key(entry, *by).to_owned()).or_default() += 1;
                }
                Answer::Count(sums)
            }
        }
    }
}

/// What an entry is counted under.
fn key(entry: &ModelEntry, by: CountBy) -> &str {
    match by {
        CountBy::Type => entry.type_name(),
        CountBy::Stream => &entry.stream,
        CountBy::Category => entry.category(),
        // The model knows no calendar.
        CountBy::Nothing | CountBy::Day => "",
    }
}
