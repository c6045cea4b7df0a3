//! Reading records, and the head with them.

use std::rc::Rc;

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;
use web_sys::{IdbCursor, IdbCursorDirection, IdbObjectStore, IdbRequest};

use crate::storage::{Area, Direction, FaultKind, Found, Head, PageRequest, Record, Request};
use crate::web::property;

use super::externs::{DatabaseRecord, RecordsStore};
use super::fault::{self, Fault};
use super::record;
use super::supplies::Supplies;
use super::transaction::{Operation, Reads, Scope, Slot, Step, result_of, thrown};

/// Asks for the head.
pub fn request_head(scope: &Scope) -> Result<IdbRequest, Fault> {
    thrown(scope.store(Area::Meta)?.get(&Supplies::get().head_key))
}

/// The head that a request for it found.
pub fn read_head(request: &IdbRequest) -> Result<Head, Fault> {
    match read_value(request)? {
        None => Ok(Head::default()),
        // A browser that cannot read this much cannot be believed of the rest.
        Some(bytes) if bytes.is_empty() && has_failed(request) => Err(fault::begun(error_of(request))),
        Some(bytes) => Head::from_bytes(&bytes).ok_or_else(|| {
            fault::found(FaultKind::Damaged, format_args!("the head is not in its stored form"))
        }),
    }
}

/// The value that a request for one found, if there is one: without bytes where it cannot be read.
pub fn read_value(request: &IdbRequest) -> Result<Option<Vec<u8>>, Fault> {
    let value = result_of(request)?;
    let is_absent = value.is_undefined() && !has_failed(request);
    Ok((!is_absent).then(|| record::value_from_js(&value)))
}

/// Whether a request has failed that was gone on after.
fn has_failed(request: &IdbRequest) -> bool {
    error_of(request).is_object()
}

fn error_of(request: &IdbRequest) -> JsValue {
    property::get(request, "error").unwrap_or_default()
}

/// Reads all that is asked for, in one wait wherever the browser lists records at once; and what is asked for then.
pub fn read(request: &Rc<Request>, found: &Slot<Found>) -> Operation {
    let mut request = Rc::clone(request);
    let found = Slot::clone(found);
    let mut reading: Option<Reading> = None;
    Box::new(move |scope| {
        if let Some(begun) = &mut reading {
            if let Some(request) = begun.advance(&request)? {
                return Ok(Step::Until(request));
            }
            let mut all = begun.finish()?;
            match request.next(&mut all) {
                Some(next) => request = Rc::new(next),
                None => {
                    found.set(Some(all));
                    return Ok(Step::Done);
                }
            }
        }
        let begun = Reading::begin(scope, &request)?;
        let head = begun.head.clone();
        reading = Some(begun);
        Ok(Step::Until(head))
    })
}

/// What was asked of a transaction: keys, then pages, then the head. Requests are answered in the order in
/// which they were made, and so the head comes when all the others are there.
struct Reading {
    values: Vec<IdbRequest>,
    /// For each page what of it was taken, and its listing until all of it is.
    pages: Vec<(Vec<Record>, Option<Listing>)>,
    head: IdbRequest,
}

impl Reading {
    fn begin(scope: &Scope, request: &Request) -> Result<Self, Fault> {
        let mut values = Vec::with_capacity(request.keys.len());
        for (area, key) in &request.keys {
            values.push(thrown(scope.store(*area)?.get(&record::key_to_js(*area, key)))?);
        }
        let mut pages = Vec::with_capacity(request.pages.len());
        for page in &request.pages {
            pages.push((Vec::new(), begin_page(scope, page)?));
        }
        Ok(Self { values, pages, head: request_head(scope)? })
    }

    /// Takes what the listings have found. Returns the request to wait for where there is more of one.
    fn advance(&mut self, request: &Request) -> Result<Option<IdbRequest>, Fault> {
        for (page, (records, listing)) in request.pages.iter().zip(&mut self.pages) {
            let Some(begun) = listing else { continue };
            let is_done = begun.advance(&mut |key, value| {
                records.push(record::record_from_js(page.area, key, value)?);
                Ok(())
            })?;
            if !is_done {
                return Ok(Some(begun.last_request()));
            }
            *listing = None;
        }
        Ok(None)
    }

    fn finish(&mut self) -> Result<Found, Fault> {
        let mut values = Vec::with_capacity(self.values.len());
        for value in &self.values {
            values.push(read_value(value)?);
        }
        let pages = self.pages.drain(..).map(|(records, _)| records).collect();
        Ok(Found { head: read_head(&self.head)?, values, pages })
    }
}

/// Asks for a page, unless it is empty whatever is stored.
fn begin_page(scope: &Scope, page: &PageRequest) -> Result<Option<Listing>, Fault> {
    let count_max = u32::try_from(page.count_max).unwrap_or(u32::MAX);
    match record::range_to_js(page.area, &page.range)? {
        // To IndexedDB, a count of 0 means no limit.
        Some(range) if count_max != 0 => {
            Listing::begin(scope, page.area, &range, page.direction, count_max).map(Some)
        }
        _ => Ok(None),
    }
}

/// The reading of records in order, by the quickest way that the browser has.
pub struct Listing {
    requests: Requests,
    left_count: u32,
}

enum Requests {
    /// Keys and values at once, in either direction.
    Records(IdbRequest),
    /// Keys and values apart; only forwards.
    KeysAndValues(IdbRequest, IdbRequest),
    /// Record by record: a cursor at the next key, and a request for the value of each that it was at.
    Singly { store: IdbObjectStore, cursor: IdbRequest, found: Vec<(JsValue, IdbRequest)> },
}

impl Listing {
    /// Asks for at most `count_max` records, which must not be 0.
    pub fn begin(
        scope: &Scope,
        area: Area,
        range: &JsValue,
        direction: Direction,
        count_max: u32,
    ) -> Result<Self, Fault> {
        let store = scope.store(area)?;
        let is_together = scope.reads == Reads::Together;
        let requests = if is_together && has_get_all_records(&store) {
            let options = records_options(range, direction, count_max);
            Requests::Records(thrown(store.unchecked_ref::<RecordsStore>().get_all_records(&options))?)
        } else if is_together && direction == Direction::Forwards {
            Requests::KeysAndValues(
                thrown(store.get_all_keys_with_key_and_limit(range, count_max))?,
                thrown(store.get_all_with_key_and_limit(range, count_max))?,
            )
        } else {
            let direction = match direction {
                Direction::Forwards => IdbCursorDirection::Next,
                Direction::Backwards => IdbCursorDirection::Prev,
            };
            let cursor = thrown(store.open_key_cursor_with_range_and_direction(range, direction))?;
            Requests::Singly { store, cursor, found: Vec::new() }
        };
        Ok(Self { requests, left_count: count_max })
    }

    /// The request to wait for before [`Self::advance`].
    pub fn last_request(&self) -> IdbRequest {
        let request = match &self.requests {
            Requests::Records(request) | Requests::KeysAndValues(_, request) => request,
            Requests::Singly { cursor, found, .. } => match found.last() {
                Some((_, value)) if self.left_count == 0 => value,
                _ => cursor,
            },
        };
        request.clone()
    }

    /// Hands over the keys and values that were found, once all are. Returns whether they are.
    pub fn advance(
        &mut self,
        take: &mut dyn FnMut(&JsValue, &JsValue) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        match &mut self.requests {
            Requests::Records(request) => {
                let found: Array = result_of(request)?.unchecked_into();
                for index in 0..found.length() {
                    let found: DatabaseRecord = found.get(index).unchecked_into();
                    take(&found.key(), &found.value())?;
                }
                Ok(true)
            }
            Requests::KeysAndValues(keys, values) => {
                let keys: Array = result_of(keys)?.unchecked_into();
                let values: Array = result_of(values)?.unchecked_into();
                for index in 0..keys.length() {
                    take(&keys.get(index), &values.get(index))?;
                }
                Ok(true)
            }
            Requests::Singly { store, cursor, found } => {
                let at = if self.left_count == 0 { JsValue::NULL } else { result_of(cursor)? };
                if at.is_undefined() && has_failed(cursor) {
                    // Which records follow, nobody says.
                    return Err(fault::begun(error_of(cursor)));
                }
                if at.is_null() || at.is_undefined() {
                    for (key, value) in found {
                        take(key, &result_of(value)?)?;
                    }
                    return Ok(true);
                }
                let cursor: IdbCursor = at.unchecked_into();
                let key = cursor.unchecked_ref::<DatabaseRecord>().key();
                let value = thrown(store.get(&key))?;
                found.push((key, value));
                self.left_count -= 1;
                if self.left_count != 0 {
                    thrown(cursor.continue_())?;
                }
                Ok(false)
            }
        }
    }
}

fn has_get_all_records(store: &IdbObjectStore) -> bool {
    js_sys::Reflect::has(store, &JsValue::from_str("getAllRecords")).unwrap_or(false)
}

fn records_options(range: &JsValue, direction: Direction, count_max: u32) -> Object {
    let options = Object::new();
    let direction = match direction {
        Direction::Forwards => "next",
        Direction::Backwards => "prev",
    };
    property::set(&options, "query", range);
    property::set(&options, "count", &count_max.into());
    property::set(&options, "direction", &direction.into());
    options
}
