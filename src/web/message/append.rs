//! Appends in, and what became of them out: many in one crossing.
//!
//! The numbers of an `AppendMessage` are, before the lengths of its names, one run for each append:
//!
//! ```text
//! append     numberCount  textLength  idCount  durability  writeCount  hasCondition  condition
//! condition  after  query
//! write      stream  expected  eventCount
//! event      type  dataLength  metadataLength  hasId  time  tagCount  tag...
//! ```
//!
//! Those of an `AppendOutcome` are, for each append:
//!
//! ```text
//! appended   1  durability  duplicate  lastPosition  and for each write
//!            firstRevision  lastRevision  firstPosition  lastPosition
//! refused    0
//! ```

use js_sys::{Array, Float64Array};
use wasm_bindgen::JsValue;

use crate::error::Error;
use crate::event::{EventType, Json, NewEvent, Position, Revision, Tag};
use crate::id::EventId;
use crate::storage::Durability;
use crate::store::{AppendRequest, Appended, WriteRequest};
use crate::web::error;
use crate::web::fields::Fields;

use super::numbers::{self, Numbers};
use super::read::condition;
use super::texts::Texts;
use super::{NONE, within};

/// Reads an `AppendMessage`. An append that is refused takes no other with it.
///
/// Errors: `INTERNAL` where the message as a whole makes no sense.
pub fn read(
    texts: &str,
    ids: &[u8],
    names: &str,
    numbers: &[f64],
) -> Result<Vec<Result<AppendRequest, Error>>, Error> {
    let (names, rest) = numbers::names(names, numbers)?;
    let (mut texts, mut ids, mut numbers) =
        (Texts::new(texts), ids.as_chunks().0, Numbers::new(&names, rest));
    let mut requests = Vec::new();
    while !numbers.is_empty() {
        let [number_count, text_length, id_count] = [numbers.count(), numbers.count(), numbers.count()];
        let mut run = Run {
            numbers: numbers.split(number_count.wrapping_sub(3)),
            texts: numbers.present(texts.split(text_length)),
            ids: numbers.present(ids.split_off(..id_count)),
        };
        let request = run.append();
        requests.push(run.numbers.finish(request));
    }
    numbers.finish(Ok(requests))
}

/// Writes an `AppendOutcome`.
pub fn write(outcomes: &[Result<Appended, Error>]) -> JsValue {
    let mut numbers = Vec::new();
    let errors = Array::new();
    for outcome in outcomes {
        match outcome {
            Ok(appended) => write_appended(&mut numbers, appended),
            Err(error) => {
                numbers.push(0.0);
                errors.push(&error::to_js(error));
            }
        }
    }
    Fields::new().with("numbers", Float64Array::from(&*numbers)).with("errors", errors).into()
}

fn write_appended(numbers: &mut Vec<f64>, appended: &Appended) {
    let durability = match appended.durability {
        Durability::Memory => 1.0,
        Durability::Relaxed => 2.0,
        Durability::Strict => 3.0,
    };
    let duplicate = if appended.duplicate { 1.0 } else { 0.0 };
    numbers.extend([1.0, durability, duplicate, appended.last_position.0 as f64]);
    let revision = |revision: Option<Revision>| revision.map_or(NONE, |revision| revision.0 as f64);
    let position = |position: Option<Position>| position.map_or(NONE, |position| position.0 as f64);
    for write in &appended.writes {
        numbers.extend([
            revision(write.first_revision),
            revision(write.last_revision),
            position(write.first_position),
            write.last_position.0 as f64,
        ]);
    }
}

/// What of a message belongs to one append.
struct Run<'a> {
    numbers: Numbers<'a>,
    texts: Texts<'a>,
    ids: &'a [[u8; EventId::BYTES]],
}

impl Run<'_> {
    fn append(&mut self) -> Result<AppendRequest, Error> {
        let durability = self.numbers.durability_if_some();
        let write_count = self.numbers.length();
        let condition = match self.numbers.count() {
            0 => None,
            _ => Some(condition(&mut self.numbers)?),
        };
        let mut writes = Vec::with_capacity(write_count);
        for index in 0..write_count {
            writes.push(self.write().map_err(|error| within(error, "writes", index))?);
        }
        Ok(AppendRequest { writes, condition, durability })
    }

    fn write(&mut self) -> Result<WriteRequest, Error> {
        let stream = self.numbers.stream()?;
        let expected = self.numbers.expected();
        let event_count = self.numbers.length();
        let mut events = Vec::with_capacity(event_count);
        for index in 0..event_count {
            events.push(self.event().map_err(|error| within(error, "events", index))?);
        }
        Ok(WriteRequest { stream, expected, events })
    }

    fn event(&mut self) -> Result<NewEvent, Error> {
        let event_type = EventType::new(self.numbers.name()).map_err(|error| error.at("type"))?;
        let mut event = NewEvent::new(event_type);
        event.data = self.json();
        event.metadata = self.json();
        if self.numbers.count() != 0 {
            let id = self.ids.split_off_first().copied();
            event.id = Some(EventId::from_bytes(self.numbers.present(id)));
        }
        event.time = self.numbers.time_if_some();
        for index in 0..self.numbers.length() {
            event.tags.push(Tag::new(self.numbers.name()).map_err(|error| within(error, "tags", index))?);
        }
        Ok(event)
    }

    /// The facade walked the value and had `JSON.stringify` write the text: it need not be read again.
    fn json(&mut self) -> Option<Json> {
        let length = self.numbers.whole_if_some()?;
        Some(Json::from_trusted(self.numbers.present(self.texts.take(length as usize))))
    }
}
