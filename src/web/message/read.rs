//! What reads and counts are asked.

use std::rc::Rc;

use crate::error::Error;
use crate::event::{Position, Revision};
use crate::query::{AppendCondition, Query, QueryItem};
use crate::storage::Direction;
use crate::store::{AllRead, Count, CountBy, StreamList, StreamRead};

use super::numbers::Numbers;

/// What a `StreamReadMessage` asks. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
pub fn stream_read(message: &mut Numbers<'_>) -> Result<StreamRead, Error> {
    Ok(StreamRead {
        stream: message.stream()?,
        from: Revision(message.whole()),
        before: message.whole_if_some().map(Revision),
        direction: direction(message),
        limit: message.whole_if_some(),
        as_of: message.whole_if_some().map(Position),
    })
}

/// What an `AllReadMessage` asks. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
pub fn all_read(message: &mut Numbers<'_>) -> Result<AllRead, Error> {
    Ok(AllRead {
        after: Position(message.whole()),
        before: message.whole_if_some().map(Position),
        since: message.time_if_some(),
        until: message.time_if_some(),
        direction: direction(message),
        limit: message.whole_if_some(),
        as_of: message.whole_if_some().map(Position),
        query: query(message).map_err(|error| error.at("options"))?,
    })
}

/// What a `CountMessage` asks. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
pub fn count(message: &mut Numbers<'_>) -> Result<Count, Error> {
    Ok(Count {
        since: message.time_if_some(),
        until: message.time_if_some(),
        by: count_by(message),
        after: Position(message.whole()),
        as_of: message.whole_if_some().map(Position),
        query: query(message)?,
    })
}

/// What a `StreamsMessage` asks.
pub fn streams(message: &mut Numbers<'_>) -> StreamList {
    StreamList {
        prefix: message.name().as_ref().to_owned(),
        after: message.name_if_some().map(|name| name.as_ref().to_owned()),
        limit: message.count(),
    }
}

/// An append condition. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
pub fn condition(message: &mut Numbers<'_>) -> Result<AppendCondition, Error> {
    Ok(AppendCondition {
        after: Position(message.whole()),
        fail_if_events_match: query(message).map_err(|error| error.at("options.condition"))?,
    })
}

pub(super) fn direction(message: &mut Numbers<'_>) -> Direction {
    match message.count() {
        0 => Direction::Forwards,
        1 => Direction::Backwards,
        _ => {
            message.fail("a direction has an unknown code");
            Direction::Forwards
        }
    }
}

fn count_by(message: &mut Numbers<'_>) -> CountBy {
    match message.count() {
        0 => CountBy::Nothing,
        1 => CountBy::Type,
        2 => CountBy::Category,
        3 => CountBy::Stream,
        4 => CountBy::Day,
        _ => {
            message.fail("a count has an unknown code");
            CountBy::Nothing
        }
    }
}

/// A query. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
pub fn query(message: &mut Numbers<'_>) -> Result<Query, Error> {
    // A name that none can have is no error: nothing matches it.
    let mut items = Vec::new();
    for _ in 0..message.length() {
        let [types, tags, streams, categories] = std::array::from_fn(|_| list(message));
        items.push(QueryItem { types, tags, streams, categories });
    }
    Query::new(items)
}

fn list(message: &mut Numbers<'_>) -> Option<Vec<Rc<str>>> {
    let count = message.length_if_some()?;
    Some((0..count).map(|_| message.name()).collect())
}
