//! Projections, as they are begun, carried on and asked.

use std::rc::Rc;

use js_sys::{Uint8Array, Uint32Array};
use wasm_bindgen::JsValue;

use crate::documents::DocumentReducer;
use crate::error::Error;
use crate::event::Position;
use crate::limits;
use crate::projection::changes::Change;
use crate::projection::index_key::{self, IndexValue};
use crate::projection::range::EntryRange;
use crate::projection::{BuildId, Definition, Index, Token, Tree};
use crate::store::{
    Advance, Begin, Carried, CarriedOn, CarryOn, Claim, DocumentFailure, Find, FoundDocuments, GivenEvent,
    Projection, Ready, Standing, Turn, Whose,
};
use crate::web::fields::Fields;

use super::numbers::Numbers;
use super::page::{self, JsonArray};
use super::read::direction;
use super::texts::units_of;

/// Which projection a message is about. Errors: `LIMIT_EXCEEDED`.
pub fn projection(message: &mut Numbers<'_>) -> Result<Projection, Error> {
    let name = message.name();
    limits::check("projection name bytes", name.len(), limits::NAME_BYTES_MAX)?;
    let (version, fingerprint) = (message.whole(), message.halves());
    let count = message.length();
    limits::check("projection indexes", count, limits::PROJECTION_INDEXES_MAX)?;
    let indexes = (0..count).map(|_| Index { text: message.name(), value_count: message.count() }).collect();
    Ok(Projection { name, definition: Definition { version, fingerprint, indexes } })
}

/// What begins a build.
pub fn begin(message: &mut Numbers<'_>) -> Begin {
    if message.count() == 0 { Begin::IfNew } else { Begin::Anew }
}

/// What carries a build on, by the handle of what folds its documents.
pub struct Carrying {
    projection: Projection,
    claim: Claim,
    /// The handle.
    pub reducer: usize,
}

impl Carrying {
    /// The same, with what folds its documents.
    pub fn with(self, reducer: &DocumentReducer) -> CarryOn<'_> {
        CarryOn { projection: self.projection, claim: self.claim, reducer }
    }
}

/// What a `CarryOnMessage` asks. Errors: `LIMIT_EXCEEDED`.
pub fn carrying(message: &mut Numbers<'_>) -> Result<Carrying, Error> {
    let projection = projection(message)?;
    let token = Token(message.halves().to_le_bytes());
    let position = Position(message.whole());
    let is_answering = message.count() == 1;
    let claim = Claim { token, position, is_answering };
    Ok(Carrying { projection, claim, reducer: message.count() })
}

/// Whether a build is to answer from now on.
pub fn ready(message: &mut Numbers<'_>) -> Ready {
    if message.count() == 0 { Ready::NotYet } else { Ready::Now }
}

/// Events and facts as they are handed over.
pub fn events(message: &mut Numbers<'_>) -> Vec<GivenEvent> {
    let mut events = Vec::new();
    for _ in 0..message.length() {
        events.push(GivenEvent {
            event_type: message.name(),
            stream: message.name(),
            data: message.name_if_some(),
            metadata: message.name_if_some(),
            revision: message.whole_if_some(),
            position: message.whole(),
            time: message.time_if_some().unwrap_or_default(),
        });
    }
    events
}

/// Writes a `CarriedMessage`, or nothing where it is over.
pub fn carried(carried: Carried) -> JsValue {
    let Carried::On(on) = carried else { return JsValue::UNDEFINED };
    let CarriedOn { position, is_written, is_ready, changed, failure, older } = on;
    let fields = Fields::new().with_whole("position", position.0);
    let fields = fields.with("isWritten", is_written).with("isReady", is_ready);
    let fields = with_keys(fields, &mut changed.iter());
    let fields = match older {
        Some(page) => fields.with("older", page::write(&page)),
        None => fields,
    };
    match failure {
        Some(DocumentFailure { stream, revision, event_type, position, problem, size_bytes }) => fields
            .with("failedStream", stream)
            .with_whole_if_some("failedRevision", revision.map(|revision| revision.0))
            .with("failedType", event_type)
            .with_whole("failedPosition", position.0)
            .with("problem", problem)
            .with_whole_if_some("documentBytes", size_bytes.map(|bytes| bytes as u64)),
        None => fields,
    }
    .into()
}

/// What an `AdvanceMessage` asks. Errors: `LIMIT_EXCEEDED`.
pub fn advance(message: &mut Numbers<'_>) -> Result<Advance, Error> {
    let projection = projection(message)?;
    let token = Token(message.halves().to_le_bytes());
    let position = Position(message.whole());
    let ready = ready(message);
    let (mut changed, mut changes) = (Vec::new(), Vec::new());
    for _ in 0..message.length() {
        let key = message.name();
        limits::check("document key bytes", key.len(), limits::DOCUMENT_KEY_BYTES_MAX)?;
        let value = message.name_if_some();
        changes.push(Change { tree: Tree::DOCUMENTS, key: key.as_bytes().to_vec(), value });
        for _ in 0..message.length() {
            let place = message.count();
            let value_count = projection.definition.indexes.get(place).map_or(0, |index| index.value_count);
            let is_added = message.count() == 1;
            let mut entry = values(message, value_count);
            entry.extend(key.as_bytes());
            let value = is_added.then(Rc::default);
            changes.push(Change { tree: Tree::of_index(place), key: entry, value });
        }
        changed.push(key);
    }
    Ok(Advance { projection, token, position, changed, changes, ready })
}

/// What a `DocumentsMessage` asks: whose, and which.
pub fn documents(message: &mut Numbers<'_>) -> (Rc<str>, Whose, Vec<Rc<str>>) {
    let name = message.name();
    let whose = match message.count() {
        0 => Whose::Answering,
        _ => Whose::Own(Token(message.halves().to_le_bytes())),
    };
    let keys = (0..message.length()).map(|_| message.name()).collect();
    (name, whose, keys)
}

/// What a `FindMessage` asks.
pub fn find(message: &mut Numbers<'_>) -> Find {
    let (name, index) = (message.name(), message.name_if_some());
    let direction = direction(message);
    let limit = message.count();
    let prefix = bound(message, index.is_some()).unwrap_or_default();
    let from = bound(message, index.is_some()).unwrap_or_default();
    let before = bound(message, index.is_some());
    let range = EntryRange::within(&prefix, &from, before.as_deref(), direction);
    let after: Vec<u8> = (0..message.length()).map(|_| message.count() as u8).collect();
    let range = if after.is_empty() { range } else { range.behind(&after) };
    Find { name, index, range, limit }
}

/// A bound, where there is one: of an index so many values, of the documents a key.
fn bound(message: &mut Numbers<'_>, is_of_index: bool) -> Option<Vec<u8>> {
    let value_count = message.length_if_some()?;
    if is_of_index { Some(values(message, value_count)) } else { Some(message.name().as_bytes().to_vec()) }
}

fn values(message: &mut Numbers<'_>, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..count {
        match message.count() {
            kind @ 0..2 => index_key::push(&mut bytes, IndexValue::Boolean(kind == 1)),
            2 => index_key::push(&mut bytes, IndexValue::Number(message.number())),
            3 => index_key::push(&mut bytes, IndexValue::Text(&message.name())),
            _ => message.fail("a value of an index is of an unknown kind"),
        }
    }
    bytes
}

/// Writes a `StandingMessage`.
pub fn standing(standing: &Standing) -> JsValue {
    let Standing { build, answering, own, is_answering, changed } = standing;
    // Half of what it is by chance tells it apart from the few that there ever are.
    let build = build.map(|BuildId([a, b, c, d, ..])| u32::from_le_bytes([a, b, c, d]));
    let fields = Fields::new()
        .with_whole_if_some("build", build.map(u64::from))
        .with_whole_if_some("answering", answering.map(|position| position.0))
        .with_whole_if_some("own", own.map(|position| position.0))
        .with("isAnswering", *is_answering);
    match changed {
        Some(keys) => with_keys(fields, &mut keys.iter()).into(),
        None => fields.into(),
    }
}

/// Writes a `ClaimMessage`, or nothing.
pub fn claim(claim: Option<Claim>) -> JsValue {
    let Some(Claim { token, position, is_answering }) = claim else { return JsValue::UNDEFINED };
    let token = u64::from_le_bytes(token.0);
    Fields::new()
        .with("tokenUpper", (token >> u32::BITS) as u32)
        .with("tokenLower", token as u32)
        .with_whole("position", position.0)
        .with("isAnswering", is_answering)
        .into()
}

/// Whether it was done.
pub fn turn(turn: Turn) -> JsValue {
    JsValue::from_bool(turn == Turn::Done)
}

/// The JSON text of an array of documents, `null` where there is none; or nothing.
pub fn documents_found(documents: Option<Vec<Option<Rc<str>>>>) -> JsValue {
    let Some(documents) = documents else { return JsValue::UNDEFINED };
    let mut texts = JsonArray::default();
    documents.iter().for_each(|document| texts.push(document.as_deref().unwrap_or("null")));
    texts.finish().into()
}

/// Writes a `FoundMessage`, or nothing.
pub fn found(found: Option<FoundDocuments>) -> JsValue {
    let Some(FoundDocuments { rows, next }) = found else { return JsValue::UNDEFINED };
    let mut texts = JsonArray::default();
    rows.iter().for_each(|(_, document)| texts.push(document));
    with_keys(Fields::new(), &mut rows.iter().map(|(key, _)| key))
        .with("documents", texts.finish())
        .with("next", next.map(|next| Uint8Array::from(next.as_slice())))
        .into()
}

/// Adds the keys of documents, put together, and the length of each.
fn with_keys(fields: Fields, keys: &mut dyn Iterator<Item = &Rc<str>>) -> Fields {
    let (mut texts, mut lengths) = (String::new(), Vec::new());
    for key in keys {
        texts.push_str(key);
        lengths.push(units_of(key));
    }
    fields.with("keys", texts).with("keyLengths", Uint32Array::from(lengths.as_slice()))
}
