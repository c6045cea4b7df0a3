//! Logs by chance, laid into a storage as a committer does it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use everfold::codec::encode_records;
use everfold::error::Error;
use everfold::event::Position;
use everfold::host::Host;
use everfold::storage::{Batch, Durability, Head, LogRecord, Outcome, Storage};
use everfold::store::Bounds;
use everfold::store::{Compacted, OpenOptions, Store};
use everfold::testing::prng::Prng;
use everfold::testing::reads;

use crate::codec::sample::{self, Commit, Content};
use crate::layout::lived::{self, Shape};

/// Nothing is compacted unless a test asks for it, and then into units of at most so many entries.
pub fn on_demand(unit_entries_max: u64) -> OpenOptions {
    OpenOptions { durability: Durability::Relaxed, bounds: Bounds { unit_entries_max, ..Bounds::ON_DEMAND } }
}

/// A history whose positions have no gaps: nothing was erased yet. What has no events has nothing to delete.
pub fn history(prng: &mut Prng, shape: Shape) -> Vec<Commit> {
    let mut commits = lived::history(prng, shape);
    let mut begun = BTreeSet::new();
    for commit in &mut commits {
        commit.entries.retain(|entry| match entry.content {
            Content::Event { .. } => {
                begun.insert(entry.stream.clone());
                true
            }
            Content::Fact(_) => begun.contains(&entry.stream),
        });
    }
    commits.retain(|commit| !commit.entries.is_empty());
    let entries = commits.iter_mut().flat_map(|commit| &mut commit.entries);
    for (entry, position) in entries.zip(1..) {
        entry.position = position;
    }
    commits
}

/// Appends commits, several to a record.
pub async fn lay(storage: &impl Storage, commits: &[Commit], per_record: usize) {
    for commits in commits.chunks(per_record) {
        let records = encode_records(&sample::frames(commits));
        let last = commits.iter().flat_map(|commit| &commit.entries).last().expect("commits have entries");
        let position = Position(last.position);
        loop {
            let seen = reads::head(storage).await.expect("a storage that was not made to fail");
            let records = records.clone();
            let judge = move |head: Head, _: &[LogRecord]| {
                let appended_bytes: usize = records.iter().map(|record| record.bytes.len()).sum();
                let appended_bytes = head.appended_bytes + appended_bytes as u64;
                Some(Batch { records: records.clone(), head: Head { position, appended_bytes, ..head } })
            };
            let outcome = storage.commit(seen.into(), Durability::Relaxed, judge).await;
            match outcome.expect("a storage that was not made to fail") {
                Outcome::Committed(_) => break,
                // A compaction moved the layout on meanwhile.
                Outcome::Behind(_) => {}
                Outcome::Rejected => panic!("what is laid is rejected"),
            }
        }
    }
}

/// Compacts all that there is.
pub async fn compact<S: Storage, H: Host>(store: &Store<S, H>) -> Result<Compacted, Error> {
    store.compact(|_| ControlFlow::Continue(())).await
}
