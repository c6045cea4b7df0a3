//! Reading records, and the head with them.

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;
use web_sys::{IdbCursor, IdbCursorDirection, IdbObjectStore, IdbRequest};

use crate::storage::{Area, Direction, Fetched, Head, Key, Page};
use crate::web::property;

use super::externs::{DatabaseRecord, RecordsStore};
use super::fault::Fault;
use super::record;
use super::transaction::{Operation, Scope, Slot, Step, result_of, thrown};

/// The areas that a reading of this one needs: its own and the head's.
pub fn areas_with_head(area: Area) -> [Area; 2] {
    // One that is named twice counts once.
    [area, Area::Meta]
}

/// Asks for the head.
pub fn request_head(scope: &Scope) -> Result<IdbRequest, Fault> {
    let key = record::key_to_js(Area::Meta, &Key::text(Head::KEY));
    thrown(scope.store(Area::Meta)?.get(&key))
}

/// The head that a request for it found.
pub fn read_head(request: &IdbRequest) -> Result<Head, Fault> {
    record::head_from_js(&result_of(request)?)
}

/// Reads the records under these keys.
pub fn get(area: Area, keys: &[Key], found: &Slot<Fetched>) -> Operation {
    let keys: Vec<JsValue> = keys.iter().map(|key| record::key_to_js(area, key)).collect();
    let found = Slot::clone(found);
    let mut requests: Vec<IdbRequest> = Vec::new();
    Box::new(move |scope| {
        let Some((head, asked)) = requests.split_last() else {
            let store = scope.store(area)?;
            for key in &keys {
                requests.push(thrown(store.get(key))?);
            }
            // The head is asked for last: requests are answered in the order in which they were made.
            let head = request_head(scope)?;
            requests.push(head.clone());
            return Ok(Step::Until(head));
        };
        let mut values = Vec::with_capacity(asked.len());
        for request in asked {
            values.push(record::value_from_js(area, &result_of(request)?)?);
        }
        found.set(Some(Fetched { head: read_head(head)?, values }));
        Ok(Step::Done)
    })
}

/// Reads a page of a range, or of no keys at all.
pub fn page(
    area: Area,
    range: Option<&JsValue>,
    direction: Direction,
    count_max: u32,
    found: &Slot<Page>,
) -> Operation {
    // To IndexedDB, a count of 0 means no limit.
    let range = range.cloned().filter(|_| count_max != 0);
    let found = Slot::clone(found);
    let mut head = None;
    let mut listing: Option<Listing> = None;
    let mut records = Vec::new();
    Box::new(move |scope| {
        let Some(head) = &head else {
            let request = request_head(scope)?;
            if let Some(range) = &range {
                listing = Some(Listing::begin(&scope.store(area)?, range, direction, count_max)?);
            }
            head = Some(request.clone());
            return Ok(Step::Until(listing.as_ref().map_or(request, Listing::last_request)));
        };
        if let Some(listing) = &mut listing {
            let is_done = listing.advance(&mut |key, value| {
                records.push(record::record_from_js(area, key, value)?);
                Ok(())
            })?;
            if !is_done {
                return Ok(Step::Until(listing.last_request()));
            }
        }
        found.set(Some(Page { head: read_head(head)?, records: std::mem::take(&mut records) }));
        Ok(Step::Done)
    })
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
    /// Record by record.
    Cursor(IdbRequest),
}

impl Listing {
    /// Asks for at most `count_max` records, which must not be 0.
    pub fn begin(
        store: &IdbObjectStore,
        range: &JsValue,
        direction: Direction,
        count_max: u32,
    ) -> Result<Self, Fault> {
        let requests = if has_get_all_records(store) {
            let options = records_options(range, direction, count_max);
            Requests::Records(thrown(store.unchecked_ref::<RecordsStore>().get_all_records(&options))?)
        } else if direction == Direction::Forwards {
            Requests::KeysAndValues(
                thrown(store.get_all_keys_with_key_and_limit(range, count_max))?,
                thrown(store.get_all_with_key_and_limit(range, count_max))?,
            )
        } else {
            let backwards = IdbCursorDirection::Prev;
            Requests::Cursor(thrown(store.open_cursor_with_range_and_direction(range, backwards))?)
        };
        Ok(Self { requests, left_count: count_max })
    }

    /// The request to wait for before [`Self::advance`].
    pub fn last_request(&self) -> IdbRequest {
        let (Requests::Records(request) | Requests::KeysAndValues(_, request) | Requests::Cursor(request)) =
            &self.requests;
        request.clone()
    }

    /// Hands over the keys and values that were found. Returns whether those were all, as they always are
    /// forwards.
    pub fn advance(
        &mut self,
        take: &mut dyn FnMut(&JsValue, &JsValue) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        match &self.requests {
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
            Requests::Cursor(request) => {
                let found = result_of(request)?;
                if found.is_null() {
                    return Ok(true);
                }
                let cursor: IdbCursor = found.unchecked_into();
                let record: &DatabaseRecord = cursor.unchecked_ref();
                take(&record.key(), &record.value())?;
                self.left_count -= 1;
                if self.left_count == 0 {
                    return Ok(true);
                }
                thrown(cursor.continue_())?;
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
