//! A stream that a consumer passes over.

use std::rc::Rc;

use crate::codec::{Corrupt, varint};
use crate::event::{Position, UnixMillis};
use crate::id::EventId;
use crate::layout::keys::tied;
use crate::layout::sealed::{self, Magic};
use crate::storage::Key;

const MAGIC: Magic = Magic(b'k');

/// A stream that a consumer passes over, because an event of it could not be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The stream. It stands in the key.
    pub stream: Rc<str>,
    /// From here on its events are not handled, up to the position of the consumer.
    pub from: Position,
    /// The event that could not be handled.
    pub event: EventId,
    /// How often it was tried.
    pub attempts: u64,
    /// When it was parked.
    pub time: UnixMillis,
    /// Whether somebody wants it to be tried again.
    pub is_wanted: bool,
    /// Why it could not be handled, for people.
    pub reason: Rc<str>,
}

impl Parked {
    /// The stored form under this key: see FORMAT.md, "A parked stream".
    pub fn to_bytes(&self, key: &Key) -> Vec<u8> {
        let mut body = vec![u8::from(self.is_wanted)];
        varint::push_unsigned(&mut body, self.from.0);
        body.extend(self.event.to_bytes());
        varint::push_unsigned(&mut body, self.attempts);
        varint::push_signed(&mut body, self.time.0);
        body.extend(self.reason.as_bytes());
        tied(key, MAGIC.seal(&body))
    }

    /// Reads what is stored of a stream under a key. Errors: [`Corrupt`] for any other bytes, and for those of another key.
    pub fn from_bytes(stream: &str, key: &Key, bytes: Vec<u8>) -> Result<Self, Box<Corrupt>> {
        let body = MAGIC.open(&tied(key, bytes))?;
        let mut cursor = sealed::body(&body);
        let is_wanted = match cursor.byte()? {
            0 => false,
            1 => true,
            _ => return Err(cursor.corrupt("it is neither wanted nor not")),
        };
        let from = Position(cursor.integer()?);
        let event = EventId::from_bytes(cursor.array()?);
        let (attempts, time) = (cursor.integer()?, cursor.signed()?);
        let time = cursor.time_after(UnixMillis(0), time)?;
        let reason = cursor.take(cursor.remaining())?;
        let reason = str::from_utf8(reason).map_err(|_| cursor.corrupt("the reason is not UTF-8"))?.into();
        Ok(Self { stream: stream.into(), from, event, attempts, time, is_wanted, reason })
    }
}
