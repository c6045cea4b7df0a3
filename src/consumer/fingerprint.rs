//! What tells queries apart.

use std::rc::Rc;

use xxhash_rust::xxh64::xxh64;

use crate::codec::varint;
use crate::query::Query;

/// What tells a query apart from others: see FORMAT.md, "The standing of a consumer". The same items in another order are another query.
pub fn fingerprint(query: &Query) -> u64 {
    let mut bytes = Vec::new();
    for item in query.items() {
        for names in [&item.types, &item.tags, &item.streams, &item.categories] {
            push(&mut bytes, names.as_deref().unwrap_or_default());
        }
    }
    xxh64(&bytes, 0)
}

/// No list in a query is empty, so that none is one that was left out.
fn push(bytes: &mut Vec<u8>, names: &[Rc<str>]) {
    varint::push_unsigned(bytes, names.len() as u64);
    for name in names {
        varint::push_unsigned(bytes, name.len() as u64);
        bytes.extend(name.as_bytes());
    }
}
