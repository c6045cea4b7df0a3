//! Describing streams and the store.

use crate::codec::Entry;
use crate::error::Error;
use crate::event::{Position, Revision, StreamName};
use crate::host::Host;
use crate::index::IndexedStream;
use crate::log::StreamState;
use crate::storage::{Direction, Storage};

use super::{Shared, Stats, StreamInfo, StreamLife, StreamList, StreamRead};

impl<S: Storage, H: Host> Shared<S, H> {
    pub(super) async fn stream_info(&self, name: &str) -> Result<Option<StreamInfo>, Error> {
        let as_of = self.state_to_read(None).await?;
        let stream = StreamName::new(name).map_err(|error| error.at("stream"))?;
        let info = {
            let index = self.index.borrow();
            index.stream(name).map(|indexed| describe(stream, indexed))
        };
        match info {
            Some(info) => self.with_first_visible(info, as_of).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn streams(&self, list: &StreamList) -> Result<Vec<StreamInfo>, Error> {
        let as_of = self.state_to_read(None).await?;
        let known: Vec<StreamInfo> = {
            let index = self.index.borrow();
            let listed = index.streams().list(&list.prefix, list.after.as_deref());
            listed.take(list.limit).map(|(name, indexed)| describe(name.clone(), indexed)).collect()
        };
        let mut infos = Vec::with_capacity(known.len());
        for info in known {
            infos.push(self.with_first_visible(info, as_of).await?);
        }
        Ok(infos)
    }

    /// Completes a description. The index knows the first event that a stream ever had; where that is hidden,
    /// the first that is seen has to be read.
    async fn with_first_visible(&self, mut info: StreamInfo, as_of: Position) -> Result<StreamInfo, Error> {
        if info.count == 0 {
            info.first_position = None;
            info.last_position = None;
            info.created_at = None;
            info.updated_at = None;
        } else if Revision::FIRST < info.truncated_before {
            let read = StreamRead {
                stream: info.stream.clone(),
                from: info.truncated_before,
                before: None,
                direction: Direction::Forwards,
                limit: Some(1),
                as_of: Some(as_of),
            };
            let page = self.read_stream(&read).await?;
            let first = page.entries().next();
            info.first_position = first.as_ref().map(|entry| entry.position);
            info.created_at = first.map(|Entry { time, .. }| time);
        }
        Ok(info)
    }

    pub(super) async fn stats(&self) -> Result<Stats, Error> {
        self.state_to_read(None).await?;
        let usage = self.storage.usage().await?;
        let index = self.index.borrow();
        let streams = index.streams();
        Ok(Stats {
            event_count: streams.iter().map(|(_, stream)| stream.visible_count()).sum(),
            stream_count: streams.count() as u64,
            segment_count: (self.root().units.len() + index.segments().all().len()) as u64,
            usage,
        })
    }
}

fn describe(stream: StreamName, indexed: &IndexedStream) -> StreamInfo {
    let facts = indexed.facts();
    let life = match facts.state {
        StreamState::NeverExisted | StreamState::Live(_) => StreamLife::Live,
        StreamState::Deleted(_) => StreamLife::Deleted,
        StreamState::Tombstoned(_) => StreamLife::Tombstoned,
    };
    StreamInfo {
        stream,
        revision: facts.state.last_revision(),
        count: indexed.visible_count(),
        first_position: indexed.first().map(|moment| moment.position),
        last_position: indexed.last().map(|moment| moment.position),
        created_at: indexed.first().map(|moment| moment.time),
        updated_at: indexed.last().map(|moment| moment.time),
        life,
        truncated_before: facts.visible_from,
    }
}
