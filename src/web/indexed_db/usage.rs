//! Counting what is kept.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::IdbRequest;

use crate::storage::{Area, AreaUsage, StorageFault};

use super::record::{self, Query};
use super::transaction::{Scope, Step, result_of, thrown};

/// How many records are held in memory at once. One is at most some megabytes, and most are far smaller.
const PAGE_COUNT_MAX: u32 = 64;

/// Counts the records and the bytes of each area that has any.
pub fn count() -> impl FnMut(&Scope<'_>) -> Result<Step<Vec<AreaUsage>>, StorageFault> + 'static {
    let mut areas = Area::ALL.into_iter();
    let mut counted = Vec::new();
    let mut walk: Option<Walk> = None;
    move |scope| {
        if let Some(walk) = &mut walk
            && let Some(query) = walk.advance()?
        {
            return walk.request(scope, &query);
        }
        counted.extend(walk.take().map(|walk| walk.usage).filter(|usage| usage.record_count != 0));
        match areas.next() {
            Some(area) => walk.insert(Walk::new(area)).request(scope, &Query::All),
            None => Ok(Step::Answer(std::mem::take(&mut counted))),
        }
    }
}

/// The way through one area, page by page.
struct Walk {
    usage: AreaUsage,
    requests: Option<(IdbRequest, IdbRequest)>,
}

impl Walk {
    fn new(area: Area) -> Self {
        Self { usage: AreaUsage { area, record_count: 0, size_bytes: 0 }, requests: None }
    }

    fn request<T>(&mut self, scope: &Scope<'_>, query: &Query) -> Result<Step<T>, StorageFault> {
        let store = scope.store(self.usage.area)?;
        let query = query.to_js();
        let keys = thrown(store.get_all_keys_with_key_and_limit(&query, PAGE_COUNT_MAX))?;
        let values = thrown(store.get_all_with_key_and_limit(&query, PAGE_COUNT_MAX))?;
        self.requests = Some((keys, values.clone()));
        Ok(Step::Until(values))
    }

    /// Counts the page that was found. Returns what the next one is asked for with, if there may be one.
    fn advance(&mut self) -> Result<Option<Query>, StorageFault> {
        let Some((keys, values)) = self.requests.take() else { return Ok(None) };
        let keys: Array = result_of(&keys)?.unchecked_into();
        let values: Array = result_of(&values)?.unchecked_into();
        let mut last = None;
        for (key, value) in keys.iter().zip(values.iter()) {
            self.usage.record_count += 1;
            self.usage.size_bytes += record::size_bytes(self.usage.area, &key, &value)?;
            last = Some(key);
        }
        match last {
            Some(key) if keys.length() == PAGE_COUNT_MAX => Query::after(&key).map(Some),
            _ => Ok(None),
        }
    }
}
