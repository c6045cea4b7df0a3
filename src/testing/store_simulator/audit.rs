//! The audit: reads the log beneath the store, and replays every commit on the model.

use std::collections::BTreeMap;

use crate::codec::{DecodedRecord, Frame};
use crate::event::{Json, Position, UnixMillis};

use super::model_entry::{ModelBody, ModelEntry};
use super::world::{Call, Content, Fate, Landing, Request, World};

impl World {
    /// Reads what was committed since the last audit, beneath the store, and checks it.
    pub fn audit(&mut self) {
        for stored in self.database.log_after(Position(self.model.head())) {
            match DecodedRecord::decode(&stored.bytes, stored.first) {
                Ok(record) => record.frames().into_iter().for_each(|frame| self.land(frame)),
                Err(corrupt) => self.fail(format!("the record at {} is damaged: {corrupt}", stored.first)),
            }
        }
        self.audit_stored();
        self.audit_consumers();
        self.audit_projections();
    }

    /// Takes a commit into the model, if some call allows for it.
    fn land(&mut self, frame: Frame<'_>) {
        let head = self.model.head();
        let time = frame.time;
        let commit: Vec<ModelEntry> = frame.entries.into_iter().map(ModelEntry::from).collect();
        let is_dense = commit.iter().zip(head + 1..).all(|(entry, position)| entry.position == position);
        if !is_dense || commit.is_empty() {
            return self.fail(format!("after position {head} stands {:?}", commit.first()));
        }
        if time < self.last_time {
            self.fail(format!("the commit at {} has an earlier time than the one before", head + 1));
        }
        self.last_time = time;
        let Some(content) = content_of(&commit) else {
            return self.fail(format!("nobody appended what stands at {}: {:?}", head + 1, commit[0]));
        };
        if let Err(problem) = self.check_content(&content, &commit, time) {
            self.fail(format!("the commit at {}: {problem}", head + 1));
        }
        let allows = |call: &Call| {
            call.fate != Fate::NotWritten
                && call.request.content() == content
                && self.accepts(head, &call.request, &commit)
        };
        if !self.calls.iter().any(allows) {
            self.fail(format!("the commit at {} of {content:?} held in no call's expectation", head + 1));
        }
        self.model.append(commit);
        self.landings.insert(head + 1, Landing { content, is_claimed: false });
    }

    /// Whether a call, judged at this head, is to be written as this commit.
    fn accepts(&self, head: u64, request: &Request, commit: &[ModelEntry]) -> bool {
        match request {
            Request::Append(append, _) => {
                self.model.answer(head, append).is_ok_and(|answer| !answer.duplicate)
            }
            Request::Mark(mark) => {
                let fact = self.model.answer_mark(head, mark).ok().flatten();
                fact.is_some_and(|fact| commit.len() == 1 && commit[0].body == ModelBody::Fact(fact))
            }
        }
    }

    /// A commit is whole, and what it holds is what was given.
    fn check_content(
        &mut self,
        content: &Content,
        commit: &[ModelEntry],
        time: UnixMillis,
    ) -> Result<(), String> {
        let Content::Events(number) = content else { return Ok(()) };
        let Some(given) = self.contents.get(*number) else { return Err("nobody appended it".to_owned()) };
        if given.len() != commit.len() {
            return Err(format!("{} events of {}", commit.len(), given.len()));
        }
        let mut next = BTreeMap::new();
        for ((stream, event), entry) in given.iter().zip(commit) {
            let view = self.model.view(self.model.head(), stream.as_str());
            let revision = next.entry(stream).or_insert(view.next());
            let text = |json: &Option<Json>| json.as_ref().map(|json| json.as_str().to_owned());
            let expected = ModelEntry {
                position: entry.position,
                stream: stream.as_str().to_owned(),
                id: event.id.unwrap_or(entry.id),
                time: event.time.unwrap_or(time),
                body: ModelBody::Event {
                    revision: *revision,
                    event_type: event.event_type.as_str().to_owned(),
                    data: text(&event.data),
                    metadata: text(&event.metadata),
                    tags: event.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
                },
            };
            if *entry != expected {
                return Err(format!("{entry:?} is not as given: {expected:?}"));
            }
            if event.id.is_none() && !self.made_ids.insert(entry.id) {
                return Err(format!("the id {} was made twice", entry.id));
            }
            *revision += 1;
        }
        Ok(())
    }
}

/// Which content a commit is of, by the mark in its first event's data, or by its fact.
fn content_of(commit: &[ModelEntry]) -> Option<Content> {
    let first = commit.first()?;
    match &first.body {
        ModelBody::Fact(fact) => Some(Content::Fact(first.stream.clone(), fact.type_name())),
        ModelBody::Event { data, .. } => {
            let marked = data.as_ref()?.strip_prefix("{\"content\":")?;
            marked.split(',').next()?.parse().ok().map(Content::Events)
        }
    }
}
