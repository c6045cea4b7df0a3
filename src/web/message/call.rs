//! What is asked of an open store besides appending, and besides what its supplements are asked: all by one function, so
//! that the boundary has one.

use crate::error::Error;
use crate::event::Position;
use crate::query::Query;
use crate::store::{AllRead, MarkRequest, StreamRead};

use super::numbers::{self, Numbers};
use super::{malformed, options, read};

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
    /// Waits for the appends under way, and lets go of the storage.
    Close,
    /// A `SubscribeMessage`; the answer is a number.
    Subscribe { after: Position, query: Query },
    /// The number of a subscription; the answer is a `PageMessage`, or nothing once it was ended.
    NextPage(u64),
    /// The answer is whether the browser promised not to evict what the origin keeps.
    RequestPersistence,
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
        3 => Call::Close,
        4 => Call::Subscribe { after: Position(message.whole()), query: read::query(message)? },
        5 => Call::NextPage(message.whole()),
        6 => Call::RequestPersistence,
        _ => return Err(malformed("a call has an unknown code")),
    }))
}
