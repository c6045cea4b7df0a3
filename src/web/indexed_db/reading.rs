//! Reading records, and the head with them.

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;
use web_sys::{IdbCursorDirection, IdbCursorWithValue, IdbObjectStore, IdbRequest};

use crate::storage::{Area, Direction, Fetched, Head, Key, Page, Record, StorageFault};

use super::externs::{DatabaseRecord, RecordsOptions, RecordsStore};
use super::record::{self, Query};
use super::transaction::{Scope, Step, result_of, thrown};

/// The areas that a reading of this one needs.
pub fn areas_with_head(area: Area) -> Vec<Area> {
    if area == Area::Meta { vec![area] } else { vec![area, Area::Meta] }
}

/// Asks for the head.
pub fn request_head(scope: &Scope<'_>) -> Result<IdbRequest, StorageFault> {
    let key = record::key_to_js(Area::Meta, &Key::text(Head::KEY));
    thrown(scope.store(Area::Meta)?.get(&key))
}

/// Reads the records under these keys.
pub fn get(
    area: Area,
    keys: Vec<Key>,
) -> impl FnMut(&Scope<'_>) -> Result<Step<Fetched>, StorageFault> + 'static {
    let mut requests: Option<(Vec<IdbRequest>, IdbRequest)> = None;
    move |scope| match &requests {
        None => {
            let store = scope.store(area)?;
            let get = |key: &Key| thrown(store.get(&record::key_to_js(area, key)));
            let values = keys.iter().map(get).collect::<Result<_, _>>()?;
            // The head is asked for last: requests are answered in the order in which they were made.
            let head = request_head(scope)?;
            requests = Some((values, head.clone()));
            Ok(Step::Until(head))
        }
        Some((values, head)) => {
            let value = |request| record::value_from_js(area, &result_of(request)?);
            let values = values.iter().map(value).collect::<Result<_, _>>()?;
            Ok(Step::Answer(Fetched { head: record::head_from_js(&result_of(head)?)?, values }))
        }
    }
}

/// Reads a page of a range.
pub fn page(
    area: Area,
    query: Query,
    direction: Direction,
    count_max: u32,
) -> impl FnMut(&Scope<'_>) -> Result<Step<Page>, StorageFault> + 'static {
    let mut begun: Option<(IdbRequest, Option<Listing>)> = None;
    move |scope| {
        let Some((head, listing)) = &mut begun else {
            let head = request_head(scope)?;
            // To IndexedDB, a count of 0 means no limit.
            let is_empty = query == Query::Empty || count_max == 0;
            let listing = match is_empty {
                true => None,
                false => Some(Listing::begin(&scope.store(area)?, &query, direction, count_max)?),
            };
            let last = listing.as_ref().map_or(&head, Listing::last_request).clone();
            begun = Some((head, listing));
            return Ok(Step::Until(last));
        };
        let is_done = match listing {
            Some(listing) => listing.advance(area)?,
            None => true,
        };
        match listing {
            Some(listing) if !is_done => Ok(Step::Until(listing.last_request().clone())),
            _ => {
                let records = listing.take().map(|listing| listing.records).unwrap_or_default();
                Ok(Step::Answer(Page { head: record::head_from_js(&result_of(head)?)?, records }))
            }
        }
    }
}

/// The reading of records in order, by the quickest way that the browser has.
pub struct Listing {
    requests: Requests,
    count_max: u32,
    records: Vec<Record>,
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
        query: &Query,
        direction: Direction,
        count_max: u32,
    ) -> Result<Self, StorageFault> {
        let query = query.to_js();
        let requests = if has_get_all_records(store) {
            let options = records_options(&query, direction, count_max);
            Requests::Records(thrown(store.unchecked_ref::<RecordsStore>().get_all_records(&options))?)
        } else if direction == Direction::Forwards {
            Requests::KeysAndValues(
                thrown(store.get_all_keys_with_key_and_limit(&query, count_max))?,
                thrown(store.get_all_with_key_and_limit(&query, count_max))?,
            )
        } else {
            let backwards = IdbCursorDirection::Prev;
            Requests::Cursor(thrown(store.open_cursor_with_range_and_direction(&query, backwards))?)
        };
        Ok(Self { requests, count_max, records: Vec::new() })
    }

    /// The request to wait for before [`Self::advance`].
    pub fn last_request(&self) -> &IdbRequest {
        let (Requests::Records(request) | Requests::KeysAndValues(_, request) | Requests::Cursor(request)) =
            &self.requests;
        request
    }

    /// Takes what was found. Returns whether that was all.
    pub fn advance(&mut self, area: Area) -> Result<bool, StorageFault> {
        match &self.requests {
            Requests::Records(request) => {
                for found in result_of(request)?.unchecked_into::<Array>() {
                    let found: DatabaseRecord = found.unchecked_into();
                    self.records.push(read(area, &found.key(), &found.value())?);
                }
                Ok(true)
            }
            Requests::KeysAndValues(keys, values) => {
                let keys: Array = result_of(keys)?.unchecked_into();
                let values: Array = result_of(values)?.unchecked_into();
                for (key, value) in keys.iter().zip(values.iter()) {
                    self.records.push(read(area, &key, &value)?);
                }
                Ok(true)
            }
            Requests::Cursor(request) => {
                let found = result_of(request)?;
                let Some(cursor) = found.dyn_ref::<IdbCursorWithValue>() else { return Ok(true) };
                self.records.push(read(area, &thrown(cursor.key())?, &thrown(cursor.value())?)?);
                if self.records.len() as u64 == u64::from(self.count_max) {
                    return Ok(true);
                }
                thrown(cursor.continue_())?;
                Ok(false)
            }
        }
    }

    /// What was found.
    pub fn into_records(self) -> Vec<Record> {
        self.records
    }
}

fn read(area: Area, key: &JsValue, value: &JsValue) -> Result<Record, StorageFault> {
    let value = record::value_from_js(area, value)?.unwrap_or_default();
    Ok(Record { key: record::key_from_js(area, key)?, value })
}

fn has_get_all_records(store: &IdbObjectStore) -> bool {
    js_sys::Reflect::has(store, &JsValue::from_str("getAllRecords")).unwrap_or(false)
}

fn records_options(query: &JsValue, direction: Direction, count_max: u32) -> RecordsOptions {
    let options: RecordsOptions = Object::new().unchecked_into();
    options.set_query(query);
    options.set_count(count_max);
    options.set_direction(match direction {
        Direction::Forwards => "next",
        Direction::Backwards => "prev",
    });
    options
}
