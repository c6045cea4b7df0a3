//! An entry of the log as the model has it.

use crate::codec::{Body, Entry};
use crate::event::{Fact, UnixMillis};
use crate::id::EventId;
use crate::query::Query;

/// An entry of the log, with owned values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEntry {
    pub position: u64,
    pub stream: String,
    pub id: EventId,
    pub time: UnixMillis,
    pub body: ModelBody,
}

/// What an event has and a fact has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelBody {
    Event {
        revision: u64,
        event_type: String,
        data: Option<String>,
        metadata: Option<String>,
        tags: Vec<String>,
    },
    Fact(Fact),
}

impl ModelEntry {
    pub fn revision(&self) -> Option<u64> {
        match self.body {
            ModelBody::Event { revision, .. } => Some(revision),
            ModelBody::Fact(_) => None,
        }
    }

    pub fn type_name(&self) -> &str {
        match &self.body {
            ModelBody::Event { event_type, .. } => event_type,
            ModelBody::Fact(fact) => fact.type_name(),
        }
    }

    pub fn category(&self) -> &str {
        self.stream.split('-').next().unwrap_or_default()
    }

    pub fn matches(&self, query: &Query) -> bool {
        let tags: &[String] = match &self.body {
            ModelBody::Event { tags, .. } => tags,
            ModelBody::Fact(_) => &[],
        };
        query.items().iter().any(|item| {
            let is_type = match &item.types {
                Some(types) => types.iter().any(|wanted| **wanted == *self.type_name()),
                None => matches!(self.body, ModelBody::Event { .. }),
            };
            let has_tags = item.tags.iter().flatten().all(|wanted| tags.iter().any(|tag| **tag == **wanted));
            let in_stream = (item.streams.as_ref())
                .is_none_or(|streams| streams.iter().any(|wanted| **wanted == *self.stream));
            let in_category = item
                .categories
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|wanted| **wanted == *self.category()));
            is_type && has_tags && in_stream && in_category
        })
    }
}

impl From<Entry<'_>> for ModelEntry {
    fn from(entry: Entry<'_>) -> Self {
        let body = match entry.body {
            Body::Event { revision, event_type, data, metadata, tags } => ModelBody::Event {
                revision: revision.0,
                event_type: event_type.to_owned(),
                data: data.map(str::to_owned),
                metadata: metadata.map(str::to_owned),
                tags: tags.iter().map(str::to_owned).collect(),
            },
            Body::Fact(fact) => ModelBody::Fact(fact),
        };
        let stream = entry.stream.to_owned();
        Self { position: entry.position.0, stream, id: entry.id, time: entry.time, body }
    }
}
