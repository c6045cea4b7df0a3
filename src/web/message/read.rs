//! What reads and counts are asked.

use std::rc::Rc;

use serde::Deserialize;

use crate::error::Error;
use crate::event::{Position, Revision, StreamName, Tag};
use crate::query::{AppendCondition, Query, QueryItem};
use crate::storage::Direction;
use crate::store::{AllRead, Count, CountBy, StreamList, StreamRead};

use super::numbers::{time_if_some, whole, whole_if_some};

/// `StreamReadMessage`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamReadMessage {
    stream: String,
    from: f64,
    before: Option<f64>,
    direction: DirectionName,
    limit: Option<f64>,
    as_of: Option<f64>,
}

/// `AllReadMessage`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllReadMessage {
    after: f64,
    before: Option<f64>,
    since: Option<f64>,
    until: Option<f64>,
    direction: DirectionName,
    query: Vec<QueryItemMessage>,
    limit: Option<f64>,
    as_of: Option<f64>,
}

/// `CountMessage`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountMessage {
    query: Vec<QueryItemMessage>,
    since: Option<f64>,
    until: Option<f64>,
    by: CountByName,
    after: f64,
    as_of: Option<f64>,
}

/// `StreamsMessage`.
#[derive(Deserialize)]
pub struct StreamsMessage {
    prefix: String,
    after: Option<String>,
    limit: f64,
}

/// `ConditionMessage`.
#[derive(Deserialize)]
pub struct ConditionMessage {
    query: Vec<QueryItemMessage>,
    after: f64,
}

/// `QueryItemMessage`.
#[derive(Deserialize)]
pub struct QueryItemMessage {
    types: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    streams: Option<Vec<String>>,
    categories: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum DirectionName {
    Forwards,
    Backwards,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum CountByName {
    Nothing,
    Type,
    Category,
    Stream,
    Day,
}

impl StreamReadMessage {
    /// What it asks. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
    pub fn into_request(self) -> Result<StreamRead, Error> {
        Ok(StreamRead {
            stream: StreamName::new(self.stream).map_err(|error| error.at("stream"))?,
            from: Revision(whole(self.from, "options.from")?),
            before: whole_if_some(self.before, "options.before")?.map(Revision),
            direction: self.direction.into(),
            limit: whole_if_some(self.limit, "options.limit")?,
            as_of: whole_if_some(self.as_of, "asOf")?.map(Position),
        })
    }
}

impl AllReadMessage {
    /// What it asks. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
    pub fn into_request(self) -> Result<AllRead, Error> {
        Ok(AllRead {
            after: Position(whole(self.after, "options.after")?),
            before: whole_if_some(self.before, "options.before")?.map(Position),
            since: time_if_some(self.since, "options.since")?,
            until: time_if_some(self.until, "options.until")?,
            direction: self.direction.into(),
            query: query(self.query, "options")?,
            limit: whole_if_some(self.limit, "options.limit")?,
            as_of: whole_if_some(self.as_of, "asOf")?.map(Position),
        })
    }
}

impl CountMessage {
    /// What it asks. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
    pub fn into_request(self) -> Result<Count, Error> {
        Ok(Count {
            query: query(self.query, "")?,
            since: time_if_some(self.since, "options.since")?,
            until: time_if_some(self.until, "options.until")?,
            by: self.by.into(),
            after: Position(whole(self.after, "after")?),
            as_of: whole_if_some(self.as_of, "asOf")?.map(Position),
        })
    }
}

impl StreamsMessage {
    /// What it asks. Errors: `INVALID_ARGUMENT`.
    pub fn into_request(self) -> Result<StreamList, Error> {
        let limit = usize::try_from(whole(self.limit, "options.limit")?).unwrap_or(usize::MAX);
        Ok(StreamList { prefix: self.prefix, after: self.after, limit })
    }
}

impl ConditionMessage {
    /// What it asks. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
    pub fn into_condition(self) -> Result<AppendCondition, Error> {
        Ok(AppendCondition {
            fail_if_events_match: query(self.query, "options.condition")?,
            after: Position(whole(self.after, "options.condition.after")?),
        })
    }
}

impl From<DirectionName> for Direction {
    fn from(name: DirectionName) -> Self {
        match name {
            DirectionName::Forwards => Self::Forwards,
            DirectionName::Backwards => Self::Backwards,
        }
    }
}

impl From<CountByName> for CountBy {
    fn from(name: CountByName) -> Self {
        match name {
            CountByName::Nothing => Self::Nothing,
            CountByName::Type => Self::Type,
            CountByName::Category => Self::Category,
            CountByName::Stream => Self::Stream,
            CountByName::Day => Self::Day,
        }
    }
}

fn query(items: Vec<QueryItemMessage>, path: &str) -> Result<Query, Error> {
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| item.into_item().map_err(|error| error.at(&format!("query[{index}]"))))
        .collect::<Result<_, _>>()
        .and_then(Query::new)
        .map_err(|error| if path.is_empty() { error } else { error.at(path) })
}

impl QueryItemMessage {
    fn into_item(self) -> Result<QueryItem, Error> {
        let names = |names: Option<Vec<String>>| names.map(|names| names.into_iter().map(Rc::from).collect());
        Ok(QueryItem {
            types: names(self.types),
            tags: checked(self.tags, "tags", Tag::new)?,
            streams: checked(self.streams, "streams", StreamName::new)?,
            categories: names(self.categories),
        })
    }
}

fn checked<T>(
    names: Option<Vec<String>>,
    list: &str,
    check: impl Fn(String) -> Result<T, Error>,
) -> Result<Option<Vec<T>>, Error> {
    let check_one = |(index, name)| check(name).map_err(|error| error.at(&format!("{list}[{index}]")));
    names.map(|names| names.into_iter().enumerate().map(check_one).collect()).transpose()
}
