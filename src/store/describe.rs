//! Describing streams and the store.

use crate::codec::{Body, Entry};
use crate::error::Error;
use crate::event::{Position, Revision, StreamName};
use crate::host::Host;
use crate::index::Index;
use crate::layout::StreamSummary;
use crate::layout::directory::{Kind, Summary, key};
use crate::log::StreamState;
use crate::storage::{Direction, Storage, Usage};

use super::listing::Listing;
use super::view::{Stop, View};
use super::{Shared, Stats, StreamInfo, StreamLife, StreamList, StreamRead};

/// So often it is described at most what others erase meanwhile. Each time takes a truncation and a compaction of theirs.
const ATTEMPTS: u32 = 5;

/// Whether what a description is of was there until it was complete.
#[derive(PartialEq, Eq)]
enum Seen {
    ToTheEnd,
    Erased,
}

impl<S: Storage, H: Host> Shared<S, H> {
    pub(super) async fn stream_info(&self, name: &str) -> Result<Option<StreamInfo>, Error> {
        let stream = StreamName::new(name).map_err(|error| error.at("stream"))?;
        let mut attempts_left = ATTEMPTS;
        loop {
            attempts_left -= 1;
            let mut as_of = self.state_to_read(None).await?;
            let mut info = None;
            self.look(&mut |view| {
                // Another operation may have brought the index further: all of the answer is of one state.
                as_of = view.index.head().position;
                let found = view.stream(stream.as_str())?.filter(|found| found.exists());
                info = found.map(|found| describe(stream.clone(), found.summary()));
                Ok(())
            })
            .await?;
            let Some(mut info) = info else { return Ok(None) };
            let seen = self.find_first_visible(&mut info, as_of).await?;
            if seen == Seen::ToTheEnd || attempts_left == 0 {
                return Ok(Some(info));
            }
        }
    }

    pub(super) async fn streams(&self, list: &StreamList) -> Result<Vec<StreamInfo>, Error> {
        let mut attempts_left = ATTEMPTS;
        'anew: loop {
            attempts_left -= 1;
            let mut as_of = self.state_to_read(None).await?;
            let mut infos = Vec::new();
            self.look(&mut |view| {
                as_of = view.index.head().position;
                infos = list_streams(view, list)?;
                Ok(())
            })
            .await?;
            for info in &mut infos {
                let seen = self.find_first_visible(info, as_of).await?;
                if seen == Seen::Erased && 0 < attempts_left {
                    continue 'anew;
                }
            }
            return Ok(infos);
        }
    }

    /// Completes a description. The first event that a stream ever had is known; where that is hidden, the first
    /// that is seen has to be read. Where it was hidden and erased since, as another tab may do while this one sleeps, nothing
    /// can be said of that state any more.
    async fn find_first_visible(&self, info: &mut StreamInfo, as_of: Position) -> Result<Seen, Error> {
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
            info.created_at = first.as_ref().map(|entry| entry.time);
            let is_first = matches!(&first, Some(Entry { body: Body::Event { revision, .. }, .. })
                if *revision == info.truncated_before);
            if !is_first {
                return Ok(Seen::Erased);
            }
        }
        Ok(Seen::ToTheEnd)
    }

    pub(super) async fn stats(&self) -> Result<Stats, Error> {
        self.state_to_read(None).await?;
        let usage = self.storage.usage().await?;
        let mut stats = Stats { event_count: 0, stream_count: 0, segment_count: 0, usage: Usage::default() };
        self.look(&mut |view| {
            stats = measure(view)?;
            Ok(())
        })
        .await?;
        Ok(Stats { usage, ..stats })
    }
}

/// The streams of a list, as far as they are known without reading their events.
#[inline(never)]
fn list_streams(view: &mut View<'_>, list: &StreamList) -> Result<Vec<StreamInfo>, Stop> {
    let after = list.after.as_deref();
    let prefix = key(Kind::Stream, &list.prefix);
    let start = after.map(|after| [&key(Kind::Stream, after), &[0][..]].concat());
    let start = start.filter(|start| prefix < *start).unwrap_or_else(|| prefix.clone());
    view.check_unread(None)?;
    let mut listing = Listing::from(view, &prefix, &start)?;
    let in_index = view.index.streams().list(&list.prefix, after).filter(|(_, stream)| stream.exists());
    let mut in_index = in_index
        .map(|(name, _)| name.clone())
        .take(list.limit)
        .collect::<Vec<StreamName>>()
        .into_iter()
        .peekable();
    let mut infos = Vec::new();
    while infos.len() < list.limit {
        let known = in_index.peek().map(|name| key(Kind::Stream, name.as_str()));
        let stored =
            listing.key().filter(|stored| known.as_ref().is_none_or(|known| *stored <= known.as_slice()));
        let is_known = known.is_some() && stored.is_none_or(|stored| Some(stored) == known.as_deref());
        let name = match (is_known, stored) {
            (true, _) => in_index.next(),
            (false, Some(stored)) => {
                let name = stored.get(1..).and_then(|name| std::str::from_utf8(name).ok());
                name.and_then(|name| StreamName::new(name).ok())
            }
            (false, None) => break,
        };
        let stored = if stored.is_some() { listing.take(view)? } else { None };
        let Some(name) = name else { continue };
        let stored = match stored {
            Some((_, Summary::Stream(summary))) => summary,
            _ => StreamSummary::default(),
        };
        if is_known {
            view.index.resolve(&name, stored);
            infos.extend(view.index.stream(name.as_str()).map(|stream| describe(name, stream.summary())));
        } else {
            infos.push(describe(name, &stored));
        }
    }
    Ok(infos)
}

/// Counts what is seen: in units, and what the tail has made of it.
#[inline(never)]
fn measure(view: &mut View<'_>) -> Result<Stats, Stop> {
    let names: Vec<StreamName> = view.index.streams().in_tail().map(|(name, _)| name.clone()).collect();
    let mut new_count = 0;
    for name in &names {
        let covered = view.root.covered;
        match view.stream(name.as_str()) {
            Ok(stream) => new_count += u64::from(stream.is_some_and(|stream| covered < stream.began())),
            // Whether it is new stands in what cannot be read.
            Err(Stop::Pending | Stop::Failed(_)) => {}
            Err(stop) => return Err(stop),
        }
    }
    view.check()?;
    let (root, index): (_, &Index) = (view.root, view.index);
    let (mut event_count, stream_count) = (root.visible_count, root.stream_count + new_count);
    for stream in names.iter().filter_map(|name| index.stream(name.as_str())) {
        let covered = stream.visible_count_as_of(root.covered);
        event_count = event_count.saturating_add(stream.visible_count()).saturating_sub(covered);
    }
    let segment_count = (root.units.len() + index.segments().all().len()) as u64;
    Ok(Stats { event_count, stream_count, segment_count, usage: Usage::default() })
}

fn describe(stream: StreamName, summary: &StreamSummary) -> StreamInfo {
    let facts = summary.to_facts();
    let life = match facts.state {
        StreamState::NeverExisted | StreamState::Live(_) => StreamLife::Live,
        StreamState::Deleted(_) => StreamLife::Deleted,
        StreamState::Tombstoned(_) => StreamLife::Tombstoned,
    };
    let moments = summary.moments;
    StreamInfo {
        stream,
        revision: facts.state.last_revision(),
        count: facts.state.next_revision().0.saturating_sub(facts.visible_from.0),
        first_position: moments.map(|moments| moments.first.position),
        last_position: moments.map(|moments| moments.last.position),
        created_at: moments.map(|moments| moments.first.time),
        updated_at: moments.map(|moments| moments.last.time),
        life,
        truncated_before: facts.visible_from,
    }
}
