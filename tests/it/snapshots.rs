//! Snapshots: their bytes, when one holds and when not, what is kept of them and what is erased.

mod at_once;
mod bytes;
mod erased;
mod faults;
mod found;
mod lives;
mod room;
mod tail_alone;

use everfold::codec::Body;
use everfold::error::Error;
use everfold::event::{Position, Revision};
use everfold::host::Host;
use everfold::log::Expected;
use everfold::snapshot::{ReducerFingerprint, keys};
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{Area, Key, Storage, Written};
use everfold::store::{AppendRequest, Mark, MarkRequest, SnapshotKeep, SnapshotRead, Store, StreamRead};
use everfold::testing::reads;

use crate::compacted::by_hand::all_of;
use crate::one_tab::{event, name, whole_stream, write};

const REDUCER: ReducerFingerprint = ReducerFingerprint(0x0123_4567_89ab_cdef);
const AGGREGATE: &str = "account";

/// A stream, folded: the state is the list of the positions of its events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Fold {
    positions: Vec<u64>,
    last_revision: Option<Revision>,
    as_of: Position,
}

/// Which moment of a stream is loaded.
#[derive(Debug, Clone, Copy, Default)]
struct Moment {
    before: Option<u64>,
    as_of: Option<u64>,
}

const NOW: Moment = Moment { before: None, as_of: None };

/// Loads a stream from its snapshot on. Gives its fold, and how many events were read for it.
async fn load<S: Storage, H: Host>(store: &Store<S, H>, stream: &str, moment: Moment) -> (Fold, usize) {
    let read = SnapshotRead {
        aggregate: AGGREGATE.to_owned(),
        stream: name(stream),
        reducer: REDUCER,
        event_count_min: 1,
        before: moment.before.map(Revision),
        as_of: moment.as_of.map(Position),
    };
    let found = store.snapshot(&read).await.unwrap();
    let mut fold = Fold { as_of: found.as_of, ..Fold::default() };
    if let Some(snapshot) = found.snapshot {
        let inside = snapshot.state.trim_matches(['[', ']']);
        fold.positions = inside.split(',').map(|position| position.parse().unwrap()).collect();
        fold.last_revision = Some(snapshot.revision);
        assert_eq!(fold.positions.last(), Some(&snapshot.position.0));
    }
    let count = fold.positions.len();
    go_on(store, stream, moment, &mut fold).await;
    let read_count = fold.positions.len() - count;
    (fold, read_count)
}

/// Loads a stream from its beginning on.
async fn load_plainly<S: Storage, H: Host>(
    store: &Store<S, H>,
    stream: &str,
    moment: Moment,
    as_of: Position,
) -> Fold {
    let mut fold = Fold { as_of, ..Fold::default() };
    go_on(store, stream, moment, &mut fold).await;
    fold
}

/// Folds what comes after a fold.
async fn go_on<S: Storage, H: Host>(store: &Store<S, H>, stream: &str, moment: Moment, fold: &mut Fold) {
    let from = fold.last_revision.map_or(Revision::FIRST, |last| Revision(last.0 + 1));
    let (before, as_of) = (moment.before.map(Revision), Some(fold.as_of));
    let mut read = StreamRead { from, before, as_of, ..whole_stream(stream) };
    loop {
        let page = store.read_stream(&read).await.unwrap();
        for entry in page.entries() {
            let Body::Event { revision, .. } = entry.body else { panic!("a stream read gave a fact") };
            fold.positions.push(entry.position.0);
            fold.last_revision = Some(revision);
        }
        let Some(next) = page.next else { return };
        read.from = Revision(next);
    }
}

/// Keeps a fold that has events.
async fn keep<S: Storage, H: Host>(store: &Store<S, H>, stream: &str, fold: &Fold) -> Result<Written, Error> {
    keep_as(store, stream, fold, REDUCER).await
}

async fn keep_as<S: Storage, H: Host>(
    store: &Store<S, H>,
    stream: &str,
    fold: &Fold,
    reducer: ReducerFingerprint,
) -> Result<Written, Error> {
    let keep = SnapshotKeep {
        aggregate: AGGREGATE.to_owned(),
        stream: name(stream),
        reducer,
        revision: fold.last_revision.expect("a fold of events"),
        position: Position(*fold.positions.last().expect("a fold of events")),
        as_of: fold.as_of,
        state: format!("{:?}", fold.positions).replace(' ', ""),
    };
    store.keep_snapshot(keep).await
}

/// Appends events that nobody expects anything of. A stream that was tombstoned takes none.
async fn append_to<S: Storage, H: Host>(store: &Store<S, H>, stream: &str, count: u64) {
    let events = (0..count).map(|_| event("A")).collect();
    let writes = vec![write(stream, Expected::Any, events)];
    let _ = store.append(AppendRequest { writes, condition: None, durability: None }).1.await;
}

/// Marks a stream that may have been tombstoned.
async fn mark_in<S: Storage, H: Host>(store: &Store<S, H>, stream: &str, mark: Mark) {
    let request = MarkRequest { stream: name(stream), expected: Expected::Any, mark, durability: None };
    let _ = store.mark(request).await;
}

/// The keys of all snapshots that are stored.
async fn kept(storage: &MemoryStorage) -> Vec<Key> {
    all_of(storage, Area::Snapshots).await.into_iter().map(|record| record.key).collect()
}

async fn is_kept(storage: &MemoryStorage, stream: &str) -> bool {
    let key = keys::key(AGGREGATE, &name(stream));
    reads::value(storage, Area::Snapshots, &key).await.unwrap().is_some()
}
