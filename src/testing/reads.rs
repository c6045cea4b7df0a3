//! The reads that tests make most: of one area.

use crate::storage::{
    Area, Direction, Found, Head, Key, KeyRange, PageRequest, Record, Request, Storage, StorageFault,
};

/// The head.
pub async fn head<S: Storage>(storage: &S) -> Result<Head, StorageFault> {
    Ok(storage.read(Request::default()).await?.head)
}

/// The bytes of one record, or `None`.
pub async fn value<S: Storage>(storage: &S, area: Area, key: &Key) -> Result<Option<Vec<u8>>, StorageFault> {
    Ok(get(storage, area, std::slice::from_ref(key)).await?.values.pop().flatten())
}

/// The head, and the records under these keys.
pub async fn get<S: Storage>(storage: &S, area: Area, keys: &[Key]) -> Result<Found, StorageFault> {
    let keys = keys.iter().map(|key| (area, key.clone())).collect();
    storage.read(Request { keys, ..Request::default() }).await
}

/// The head, and at most `count_max` records of a range.
pub async fn page<S: Storage>(
    storage: &S,
    area: Area,
    range: KeyRange,
    direction: Direction,
    count_max: usize,
) -> Result<Page, StorageFault> {
    let page = PageRequest { area, range, direction, count_max };
    let mut found = storage.read(page.into()).await?;
    Ok(Page { head: found.head, records: found.pages.pop().unwrap_or_default() })
}

/// A page, and the head with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The head in the same transaction.
    pub head: Head,
    /// The records, in the direction asked for.
    pub records: Vec<Record>,
}
