//! Appends in, and what became of them out: many in one crossing.
//!
//! The numbers of an `AppendMessage` are one run for each append:
//!
//! ```text
//! append   numberCount  textLength  idCount  durability  condition  writeCount
//! write    stream  expected  eventCount
//! event    type  dataLength  metadataLength  hasId  time  tagCount  tag...
//! ```
//!
//! Those of an `AppendOutcome` are, for each append:
//!
//! ```text
//! appended   1  durability  duplicate  lastPosition  and for each write
//!            firstRevision  lastRevision  firstPosition  lastPosition
//! refused    0
//! ```

use std::rc::Rc;

use js_sys::{Array, Float64Array};
use wasm_bindgen::JsValue;

use crate::error::Error;
use crate::event::{EventType, Json, NewEvent, Position, Revision, StreamName, Tag};
use crate::id::EventId;
use crate::query::AppendCondition;
use crate::storage::Durability;
use crate::store::{AppendRequest, Appended, WriteRequest};
use crate::web::error;
use crate::web::fields::Fields;

use super::numbers::{time, whole};
use super::options::expected;
use super::read::ConditionMessage;
use super::{NONE, from_js, malformed};

/// Reads an `AppendMessage`. An append that is refused takes no other with it.
///
/// Errors: `INTERNAL` where the message as a whole makes no sense.
pub fn read(
    texts: &[u8],
    names: &str,
    ids: &str,
    numbers: &[f64],
    conditions: JsValue,
) -> Result<Vec<Result<AppendRequest, Error>>, Error> {
    let texts = str::from_utf8(texts).map_err(|error| malformed(&error.to_string()))?;
    let names: Vec<String> = serde_json::from_str(names).map_err(|error| malformed(&error.to_string()))?;
    let names: Vec<Rc<str>> = names.into_iter().map(Rc::from).collect();
    let conditions: Vec<ConditionMessage> = from_js(conditions)?;
    let conditions: Vec<_> = conditions.into_iter().map(ConditionMessage::into_condition).collect();
    let (mut texts, mut ids, mut numbers) = (Texts::new(texts), Texts::new(ids), Numbers(numbers));
    let mut requests = Vec::new();
    while !numbers.0.is_empty() {
        let number_count = numbers.count()?;
        let text_length = numbers.count()?;
        let id_count = numbers.count()?;
        let mut run = Run {
            names: &names,
            conditions: &conditions,
            numbers: Numbers(numbers.split(number_count.checked_sub(3).ok_or_else(cut_short)?)?),
            texts: Texts { is_ascii: texts.is_ascii, rest: texts.take(text_length)? },
            ids: Texts { is_ascii: ids.is_ascii, rest: ids.take(id_count * EventId::TEXT_LENGTH)? },
        };
        requests.push(run.append());
    }
    Ok(requests)
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
    names: &'a [Rc<str>],
    conditions: &'a [Result<AppendCondition, Error>],
    numbers: Numbers<'a>,
    texts: Texts<'a>,
    ids: Texts<'a>,
}

impl Run<'_> {
    fn append(&mut self) -> Result<AppendRequest, Error> {
        let durability = match self.numbers.count()? {
            0 => None,
            1 => Some(Durability::Memory),
            2 => Some(Durability::Relaxed),
            _ => Some(Durability::Strict),
        };
        let condition = match self.numbers.count()?.checked_sub(1) {
            None => None,
            Some(place) => Some(self.conditions.get(place).ok_or_else(cut_short)?.clone()?),
        };
        let write_count = self.numbers.count()?;
        let writes = (0..write_count)
            .map(|index| self.write().map_err(|error| error.at(&format!("writes[{index}]"))))
            .collect::<Result<_, _>>()?;
        Ok(AppendRequest { writes, condition, durability })
    }

    fn write(&mut self) -> Result<WriteRequest, Error> {
        let stream = StreamName::new(self.name()?).map_err(|error| error.at("stream"))?;
        let expected = expected(self.numbers.next()?, "expected")?;
        let event_count = self.numbers.count()?;
        let events = (0..event_count)
            .map(|index| self.event().map_err(|error| error.at(&format!("events[{index}]"))))
            .collect::<Result<_, _>>()?;
        Ok(WriteRequest { stream, expected, events })
    }

    fn event(&mut self) -> Result<NewEvent, Error> {
        let event_type = EventType::new(self.name()?).map_err(|error| error.at("type"))?;
        let data = self.json()?;
        let metadata = self.json()?;
        let id = match self.numbers.count()? {
            0 => None,
            _ => Some(self.id()?),
        };
        let moment = self.numbers.next()?;
        let time = if moment.is_nan() { None } else { Some(time(moment, "time")?) };
        let tag_count = self.numbers.count()?;
        let tags = (0..tag_count)
            .map(|index| Tag::new(self.name()?).map_err(|error| error.at(&format!("tags[{index}]"))))
            .collect::<Result<_, _>>()?;
        Ok(NewEvent { event_type, data, metadata, tags, id, time })
    }

    fn name(&mut self) -> Result<Rc<str>, Error> {
        let place = self.numbers.count()?;
        self.names.get(place).cloned().ok_or_else(cut_short)
    }

    /// The facade walked the value and had `JSON.stringify` write the text: it need not be read again.
    fn json(&mut self) -> Result<Option<Json>, Error> {
        let length = self.numbers.next()?;
        if length == NONE {
            return Ok(None);
        }
        let length = whole(length, "length")? as usize;
        Ok(Some(Json::from_trusted(self.texts.take(length)?)))
    }

    fn id(&mut self) -> Result<EventId, Error> {
        let text = self.ids.take(EventId::TEXT_LENGTH)?;
        EventId::parse(text).ok_or_else(|| Error::invalid_argument("id", "is not a UUID"))
    }
}

/// Numbers, read from the front.
struct Numbers<'a>(&'a [f64]);

impl<'a> Numbers<'a> {
    fn next(&mut self) -> Result<f64, Error> {
        let (first, rest) = self.0.split_first().ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(*first)
    }

    fn count(&mut self) -> Result<usize, Error> {
        let number = self.next()?;
        Ok(whole(number, "count")? as usize)
    }

    fn split(&mut self, count: usize) -> Result<&'a [f64], Error> {
        let (front, rest) = self.0.split_at_checked(count).ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(front)
    }
}

/// Texts that were put together, read from the front by their lengths in UTF-16 units.
struct Texts<'a> {
    rest: &'a str,
    /// Then a unit is a byte.
    is_ascii: bool,
}

impl<'a> Texts<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, is_ascii: text.is_ascii() }
    }

    fn take(&mut self, length: usize) -> Result<&'a str, Error> {
        let length_bytes = if self.is_ascii { Some(length) } else { bytes_of_units(self.rest, length) };
        let parts = length_bytes.and_then(|length_bytes| self.rest.split_at_checked(length_bytes));
        let (front, rest) = parts.ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(front)
    }
}

/// How many bytes the first `units_left` UTF-16 units of a text take. `None` where they end inside a character
/// or after the text.
fn bytes_of_units(text: &str, mut units_left: usize) -> Option<usize> {
    for (offset_bytes, character) in text.char_indices() {
        if units_left == 0 {
            return Some(offset_bytes);
        }
        units_left = units_left.checked_sub(character.len_utf16())?;
    }
    (units_left == 0).then_some(text.len())
}

fn cut_short() -> Error {
    malformed("an append is cut short")
}
