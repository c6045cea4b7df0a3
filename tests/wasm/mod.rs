//! What is tested in browsers, the same in a window and in a worker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end where it is surprised"
)]

mod compaction;
mod contracts;
mod databases;
mod faults;
mod fixtures;
mod host;
mod lost_connections;
mod sabotage;
mod waiting;

use everfold::storage::{Batch, Durability, Head, LogRecord, Outcome, Storage, StorageFault};
use everfold::web::IndexedDbStorage;

/// A store name that no earlier run has used: databases outlive their test.
fn unused_name(claim: &str) -> String {
    let mut bytes = [0; 8];
    everfold::host::Host::random(&everfold::web::BrowserHost::alone().unwrap(), &mut bytes);
    format!("{claim}-{:016x}", u64::from_le_bytes(bytes))
}

/// A storage over a new database.
async fn new_storage(claim: &str) -> (String, IndexedDbStorage) {
    let name = unused_name(claim);
    let storage = IndexedDbStorage::open(&name).await.unwrap();
    (name, storage)
}

/// Appends one record of one entry after whatever head there is.
async fn append(
    storage: &impl Storage,
    seen: Head,
    durability: Durability,
    bytes: &[u8],
) -> Result<Outcome, StorageFault> {
    let bytes = bytes.to_vec();
    storage.commit(seen.into(), durability, move |head, _| Some(batch_after(head, bytes.clone()))).await
}

fn batch_after(head: Head, bytes: Vec<u8>) -> Batch {
    let position = head.position.next();
    let appended_bytes = head.appended_bytes + bytes.len() as u64;
    Batch {
        records: vec![LogRecord { first: position, bytes }],
        head: Head { position, appended_bytes, ..head },
    }
}

/// The head of a commit that must have been written.
#[track_caller]
fn committed(result: Result<Outcome, StorageFault>) -> Head {
    match result {
        Ok(Outcome::Committed(head)) => head,
        other => panic!("not committed: {other:?}"),
    }
}
