//! What is asked of an open store besides appending: all by one function, so that the boundary has one.

use std::rc::Rc;

use crate::error::Error;
use crate::event::Position;
use crate::id::EventId;
use crate::query::Query;
use crate::store::{
    Advance, AllRead, Begin, Count, Find, MarkRequest, Projection, SnapshotKeep, SnapshotRead, StoredRead,
    StreamList, StreamRead, Whose,
};

use super::fold::{self, Definition, Given};
use super::numbers::{self, Numbers};
use super::{malformed, options, projection, read, snapshot};

/// What was asked.
pub enum Message {
    /// A `MarkMessage`, which takes its place in the queue at once; the answer is a `MarkOutcome`.
    Mark(MarkRequest),
    /// What needs no place in the queue.
    Call(Call),
}

/// A call that needs no place in the queue.
pub enum Call {
    /// A `StreamReadMessage`; the answer is a `PageMessage`.
    ReadStream(StreamRead),
    /// An `AllReadMessage`; the answer is a `PageMessage`.
    ReadAll(AllRead),
    /// An id, and a stream or none; the answer is a `PageMessage` of one event or of none.
    Event { id: EventId, stream: Option<String> },
    /// A stream; the answer is a `StreamInfoMessage`, or nothing.
    StreamInfo(String),
    /// A `StreamsMessage`; the answer is an array of `StreamInfoMessage`.
    Streams(StreamList),
    /// A `CountMessage`; the answer is a `CountPageMessage`.
    Count(Count),
    /// The answer is a `StatsMessage`.
    Stats,
    /// Waits for the appends under way, and lets go of the storage.
    Close,
    /// A `ReducerMessage`; the answer is a handle.
    DefineReducer(Definition),
    /// A `FoldEventsMessage`; the answer is a `FoldOutcome`.
    FoldEvents(Given),
    /// A `StoredReadMessage`; the answer is a `StoredPageMessage`.
    ReadStored(StoredRead),
    /// A `SnapshotMessage`; the answer is a `SnapshotAnswer`.
    Snapshot(SnapshotRead),
    /// A `KeepSnapshotMessage`; there is no answer.
    KeepSnapshot(SnapshotKeep),
    /// A `SubscribeMessage`; the answer is a number.
    Subscribe { after: Position, query: Query },
    /// The number of a subscription; the answer is a `PageMessage`, or nothing once it was ended.
    NextPage(u64),
    /// The answer is whether the browser promised not to evict what the origin keeps.
    RequestPersistence,
    /// A `ProjectMessage`; the answer is a `StandingMessage`.
    Project { projection: Projection, begin: Begin },
    /// A `ProjectionMessage`, and after which position changes are wanted; the answer is a `StandingMessage`.
    Standing { projection: Projection, changed_after: Option<Position> },
    /// A `ProjectionMessage`; the answer is a `ClaimMessage`, or nothing.
    Claim(Projection),
    /// An `AdvanceMessage`; the answer is whether it was done.
    Advance(Box<Advance>),
    /// A `DocumentsMessage`; the answer is a JSON text, or nothing.
    Documents { name: Rc<str>, whose: Whose, keys: Vec<Rc<str>> },
    /// A `FindMessage`; the answer is a `FoundMessage`, or nothing.
    Find(Find),
    /// A `FindMessage`, of which the limit does not matter; the answer is a number, or nothing.
    CountDocuments(Find),
}

/// Reads a message, by the code of the call. Errors: `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
pub fn read(code: u32, names: &str, numbers: &[f64]) -> Result<Message, Error> {
    let (names, rest) = numbers::names(names, numbers)?;
    let mut message = Numbers::new(&names, rest);
    let read = by_code(code, &mut message);
    message.finish(read)
}

fn by_code(code: u32, message: &mut Numbers<'_>) -> Result<Message, Error> {
    Ok(Message::Call(match code {
        0 => return options::mark(message).map(Message::Mark),
        1 => Call::ReadStream(read::stream_read(message)?),
        2 => Call::ReadAll(read::all_read(message)?),
        3 => event(message)?,
        4 => Call::StreamInfo(message.name().as_ref().to_owned()),
        5 => Call::Streams(read::streams(message)),
        6 => Call::Count(read::count(message)?),
        7 => Call::Stats,
        8 => Call::Close,
        9 => Call::DefineReducer(fold::definition(message)),
        10 => Call::FoldEvents(fold::given(message)),
        11 => Call::ReadStored(fold::stored_read(message)),
        12 => Call::Snapshot(snapshot::read(message)?),
        13 => Call::KeepSnapshot(snapshot::keep(message)?),
        14 => Call::Subscribe { after: Position(message.whole()), query: read::query(message)? },
        15 => Call::NextPage(message.whole()),
        16 => Call::RequestPersistence,
        17 => {
            Call::Project { projection: projection::projection(message)?, begin: projection::begin(message) }
        }
        18 => Call::Standing {
            projection: projection::projection(message)?,
            changed_after: message.whole_if_some().map(Position),
        },
        19 => Call::Claim(projection::projection(message)?),
        20 => Call::Advance(Box::new(projection::advance(message)?)),
        21 => {
            let (name, whose, keys) = projection::documents(message);
            Call::Documents { name, whose, keys }
        }
        22 => Call::Find(projection::find(message)),
        23 => Call::CountDocuments(projection::find(message)),
        _ => return Err(malformed("a call has an unknown code")),
    }))
}

fn event(message: &mut Numbers<'_>) -> Result<Call, Error> {
    let id = EventId::parse(&message.name());
    let id = id.ok_or_else(|| Error::invalid_argument("id", "is not a UUID"))?;
    Ok(Call::Event { id, stream: message.name_if_some().map(|name| name.as_ref().to_owned()) })
}
