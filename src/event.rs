//! Events and the values that they are made of.

use std::borrow::Borrow;
use std::fmt;
use std::rc::Rc;

use crate::error::Error;
use crate::id::EventId;
use crate::limits;

pub use crate::position::{Position, Revision, UnixMillis};

/// An event that a caller wants to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What happened, such as `MoneyDeposited`.
    pub event_type: EventType,
    /// The facts of it. `None` for an event whose type says everything.
    pub data: Option<Json>,
    /// A JSON object of what is known about the event. `None` is the empty object.
    pub metadata: Option<Json>,
    /// What queries find it by.
    pub tags: Vec<Tag>,
    /// Its id. `None` has the store make one.
    pub id: Option<EventId>,
    /// When it happened. `None` has the store take its own clock, which never runs backwards.
    pub time: Option<UnixMillis>,
}

impl NewEvent {
    /// An event of this type and nothing else.
    pub fn new(event_type: EventType) -> Self {
        Self { event_type, data: None, metadata: None, tags: Vec::new(), id: None, time: None }
    }

    /// Its size as the limits count it, in bytes.
    pub fn size_bytes(&self) -> usize {
        let json_bytes = |json: &Option<Json>| json.as_ref().map_or(0, |json| json.as_str().len());
        self.event_type.as_str().len()
            + json_bytes(&self.data)
            + json_bytes(&self.metadata)
            + self.tags.iter().map(|tag| tag.as_str().len()).sum::<usize>()
    }
}

/// An event or a fact as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its place in the whole log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// Its place in its stream. `None` for a fact of the store, which takes no place there.
    pub revision: Option<Revision>,
    /// What happened: the type of an event, or `$deleted`, `$tombstoned`, `$truncated`.
    pub event_type: Rc<str>,
    /// Its data, to the byte as it was given.
    pub data: Option<Json>,
    /// Its metadata, to the byte as it was given.
    pub metadata: Option<Json>,
    /// Its tags, in the order in which they were given.
    pub tags: Vec<Tag>,
    /// Its id.
    pub id: EventId,
    /// When it happened.
    pub time: UnixMillis,
}

/// A fact that the store itself appends, so that every reader learns of it in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The stream's events are hidden; it may be written again.
    Deleted,
    /// The stream's events are hidden for good.
    Tombstoned,
    /// The stream's events before this revision are hidden.
    Truncated {
        /// The first revision that is still seen.
        before: Revision,
    },
}

impl Fact {
    /// Its type, as queries name it and readers see it.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Deleted => "$deleted",
            Self::Tombstoned => "$tombstoned",
            Self::Truncated { .. } => "$truncated",
        }
    }
}

/// The name of a stream: 1 to 256 bytes of UTF-8, such as `cart-42`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Rc<str>);

/// The type of an event: 1 to 256 bytes of UTF-8 that do not begin with `$`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(Rc<str>);

/// A tag: 1 to 256 bytes of UTF-8, such as `currency:EUR`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Rc<str>);

impl StreamName {
    /// Checks a name. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`, without a path.
    pub fn new(name: impl Into<Rc<str>>) -> Result<Self, Error> {
        checked_name("stream name", name.into()).map(Self)
    }

    /// What stands before the first `-`; the whole name where there is none.
    pub fn category(&self) -> &str {
        category_of(self.as_str())
    }
}

impl EventType {
    /// Checks a type. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`, without a path.
    pub fn new(name: impl Into<Rc<str>>) -> Result<Self, Error> {
        let name = checked_name("event type", name.into())?;
        if name.starts_with('$') {
            let problem = format!("\"{name}\" begins with \"$\": such types are the store's own");
            return Err(Error::invalid_argument("", problem));
        }
        Ok(Self(name))
    }
}

impl Tag {
    /// Checks a tag. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`, without a path.
    pub fn new(name: impl Into<Rc<str>>) -> Result<Self, Error> {
        checked_name("tag", name.into()).map(Self)
    }
}

fn checked_name(kind: &'static str, name: Rc<str>) -> Result<Rc<str>, Error> {
    if name.is_empty() {
        return Err(Error::invalid_argument(
            "",
            format!("the {kind} is empty; at least one character is needed"),
        ));
    }
    let limit = match kind {
        "stream name" => "stream name bytes",
        "event type" => "event type bytes",
        _ => "tag bytes",
    };
    limits::check(limit, name.len(), limits::NAME_BYTES_MAX)?;
    Ok(name)
}

/// The category of a stream's name: what stands before the first `-`.
pub fn category_of(stream: &str) -> &str {
    stream.split_once('-').map_or(stream, |(category, _)| category)
}

macro_rules! name_traits {
    ($($name:ident),*) => {$(
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The name as shared text.
            pub fn to_shared(&self) -> Rc<str> {
                Rc::clone(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, formatter)
            }
        }
    )*};
}

name_traits!(StreamName, EventType, Tag);

/// A JSON text, kept to the byte.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Rc<str>);

impl Json {
    /// Reads a text, and refuses what is not one JSON value of at most
    /// [`limits::JSON_DEPTH_MAX`] levels. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`, without a path.
    pub fn parse(text: impl Into<Rc<str>>) -> Result<Self, Error> {
        let text = text.into();
        crate::json::check_text(&text)?;
        Ok(Self(text))
    }

    /// Takes a text that is known to be one JSON value within the limits, such as one that
    /// `JSON.stringify` wrote of a value that was walked before. A text that is not would come out of
    /// reads as it went in, and fail there.
    pub fn from_trusted(text: impl Into<Rc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both texts mean the same value: white space, the order of properties and the spelling of
    /// numbers and strings do not count. Numbers are what their digits say: those that differ only beyond what
    /// a double holds are different.
    pub fn means_same(&self, other: &str) -> bool {
        &*self.0 == other || crate::json::texts_mean_same(&self.0, other)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
