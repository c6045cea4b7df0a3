//! Consumers, as they are begun, told of what became of events, changed and listed.

use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::JsValue;

use crate::consumer::Parked;
use crate::error::Error;
use crate::event::Position;
use crate::id::EventId;
use crate::limits;
use crate::store::{ConsumerChange, ConsumerInfo, ConsumerRequest, Handout, Report};
use crate::web::fields::Fields;

use super::numbers::Numbers;
use super::{page, read};

/// What a `ConsumerMessage` asks. Errors: `LIMIT_EXCEEDED`.
pub fn request(message: &mut Numbers<'_>) -> Result<ConsumerRequest, Error> {
    let name = name(message)?;
    let (after, batch) = (Position(message.whole()), message.count());
    limits::check("consumer batch", batch, limits::CONSUMER_BATCH_MAX)?;
    Ok(ConsumerRequest { name, after, query: read::query(message)?, batch })
}

/// The name of a consumer. Errors: `LIMIT_EXCEEDED`.
pub fn name(message: &mut Numbers<'_>) -> Result<Rc<str>, Error> {
    let name = message.name();
    limits::check("consumer name bytes", name.len(), limits::NAME_BYTES_MAX)?;
    Ok(name)
}

/// What a `ReportMessage` says.
pub fn report(message: &mut Numbers<'_>) -> Report {
    match message.count() {
        0 => Report::Pending,
        1 => Report::Failed { pause_ms: message.whole() },
        2 => Report::Parked { attempts: message.whole(), reason: message.name() },
        3 => Report::Returned,
        _ => {
            message.fail("a report of an unknown kind");
            Report::Pending
        }
    }
}

/// What a `ConsumerChangeMessage` asks.
pub fn change(message: &mut Numbers<'_>) -> ConsumerChange {
    match message.count() {
        0 => ConsumerChange::Reset { after: Position(message.whole()) },
        // What is no id is that of no event.
        1 => ConsumerChange::Retry {
            event: message
                .name_if_some()
                .map(|id| EventId::parse(&id).unwrap_or(EventId::from_bytes([0; EventId::BYTES]))),
        },
        2 => ConsumerChange::Remove,
        _ => {
            message.fail("a change of an unknown kind");
            ConsumerChange::Retry { event: None }
        }
    }
}

/// Writes a `PageMessage`, of which `next` is how often the events were tried.
pub fn handout(handout: Option<Handout>) -> JsValue {
    let Some(Handout { mut page, attempts }) = handout else { return JsValue::UNDEFINED };
    page.next = Some(attempts);
    page::write(&page)
}

/// Writes an array of `ConsumerInfoMessage`.
pub fn infos(infos: &[ConsumerInfo]) -> JsValue {
    let all = Array::new();
    for ConsumerInfo { name, position, is_led, parked } in infos {
        let streams = Array::new();
        for parked in parked {
            streams.push(&parked_stream(parked));
        }
        let info = Fields::new()
            .with("name", &**name)
            .with_whole("position", position.0)
            .with("active", *is_led)
            .with("parked", streams);
        all.push(&info.into());
    }
    all.into()
}

fn parked_stream(parked: &Parked) -> JsValue {
    let Parked { stream, from, event, attempts, time, is_wanted, reason } = parked;
    Fields::new()
        .with("id", event.to_string())
        .with("stream", &**stream)
        .with_whole("position", from.0)
        .with_whole("attempts", *attempts)
        .with("time", time.0 as f64)
        .with("retrying", *is_wanted)
        .with("reason", &**reason)
        .into()
}
