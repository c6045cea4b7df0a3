//! Counting what is kept.

use wasm_bindgen::prelude::*;

use crate::storage::{Area, AreaUsage, Direction};

use super::reading::Listing;
use super::record;
use super::transaction::{Operation, Slot, Step};

/// How many records are held in memory at once. One is at most some megabytes, and most are far smaller.
const PAGE_COUNT_MAX: u32 = 64;

/// Counts the records and the bytes of each area that has any, page by page.
pub fn count(counted: &Slot<Vec<AreaUsage>>) -> Operation {
    let counted = Slot::clone(counted);
    let mut areas = Area::ALL.into_iter();
    let mut usages: Vec<AreaUsage> = Vec::new();
    let mut listing: Option<Listing> = None;
    Box::new(move |scope| {
        let mut page_count = 0;
        let mut last_key = JsValue::UNDEFINED;
        if let (Some(listing), Some(usage)) = (&mut listing, usages.last_mut()) {
            let is_all = listing.advance(&mut |key, value| {
                usage.record_count += 1;
                usage.size_bytes += record::size_bytes(usage.area, key, value)?;
                page_count += 1;
                last_key = key.clone();
                Ok(())
            })?;
            if !is_all {
                return Ok(Step::Until(listing.last_request()));
            }
        }
        let (area, range) = match usages.last() {
            Some(usage) if page_count == PAGE_COUNT_MAX => (usage.area, record::keys_after(&last_key)?),
            _ => {
                usages.retain(|usage| usage.record_count != 0);
                let Some(area) = areas.next() else {
                    counted.set(Some(std::mem::take(&mut usages)));
                    return Ok(Step::Done);
                };
                usages.push(AreaUsage { area, record_count: 0, size_bytes: 0 });
                (area, JsValue::UNDEFINED)
            }
        };
        let begun = Listing::begin(scope, area, &range, Direction::Forwards, PAGE_COUNT_MAX)?;
        let last = begun.last_request();
        listing = Some(begun);
        Ok(Step::Until(last))
    })
}
