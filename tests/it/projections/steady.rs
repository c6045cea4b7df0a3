//! Whoever asks is answered, and of one checkpoint, although another tab carries the documents on without a pause.

use std::cell::Cell;
use std::rc::Rc;

use everfold::event::Position;
use everfold::projection::Tree;
use everfold::projection::index_key::IndexValue;
use everfold::projection::range::EntryRange;
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Batch, Direction, Durability, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen, Storage,
    StorageFault, Then, Usage, Written,
};
use everfold::store::{Claim, Ready, Store, Turn, Whose};
use everfold::testing::prng::Prng;

use crate::one_tab::{RELAXED, TestStore, in_browser};

use super::{
    BY_GROUP, Doc, Docs, Event, advance, begin, events, find, find_naively, naive, projection, values_of,
};

const EVENT_COUNT: usize = 4_000;
/// So many are folded before anybody asks.
const FIRST: Position = Position(3_000);

/// A tab that carries the documents on.
struct Writer {
    store: TestStore,
    claim: Claim,
    events: Vec<Event>,
    position: Cell<Position>,
}

impl Writer {
    /// Folds the next event.
    async fn go_on(&self) {
        let from = self.position.get();
        let to = from.next();
        assert!((to.0 as usize) < EVENT_COUNT, "whoever asks begins anew without end");
        let (projection, token) = (projection(1, 7), self.claim.token);
        let turn = advance(&self.store, &projection, &self.events, token, (from, to), Ready::Now).await;
        assert_eq!(turn, Ok(Turn::Done));
        self.position.set(to);
    }

    fn docs(&self) -> Docs {
        naive(&self.events, self.position.get())
    }
}

/// The storage of a tab before each of whose reads the documents are carried on.
struct Restless {
    inner: MemoryStorage,
    writer: Rc<Writer>,
    breaks: Breaks,
    read_count: Cell<usize>,
}

/// What becomes of transactions that read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Never,
    /// Each fails after some of what is asked for one after the other, and is run anew after another checkpoint.
    Once,
}

/// The same request, of which nothing more is asked for after so many rounds.
fn broken_off(request: Request, rounds_left: usize) -> Request {
    let then = request.then.filter(|_| 0 < rounds_left).map(|Then(next)| {
        Then(Rc::new(move |found: &mut Found| next(found).map(|more| broken_off(more, rounds_left - 1))))
    });
    Request { then, ..request }
}

impl Storage for Restless {
    fn strongest_durability(&self) -> Durability {
        self.inner.strongest_durability()
    }

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        self.writer.go_on().await;
        if self.breaks == Breaks::Once {
            let round_count = self.read_count.replace(self.read_count.get() + 1) % 4;
            self.inner.read(broken_off(request.clone(), round_count)).await?;
            self.writer.go_on().await;
        }
        self.inner.read(request).await
    }

    async fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        self.inner.commit(seen, durability, judge).await
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        self.inner.write(write).await
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        self.inner.usage().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[test]
fn whoever_asks_is_answered_however_steadily_another_tab_writes() {
    check_steady(Breaks::Never);
}

#[test]
fn whoever_asks_is_answered_of_one_checkpoint_where_a_transaction_breaks_off_and_is_run_anew() {
    check_steady(Breaks::Once);
}

fn check_steady(breaks: Breaks) {
    in_browser(move |browser| async move {
        let projection = projection(1, 7);
        let store = browser.open().await;
        begin(&store, &projection).await;
        let claim = store.claim(&projection).await.unwrap().unwrap();
        // Many documents, and some of them large: what is asked for is on many pages.
        let many = (0..).map(|seed| events(&mut Prng::new(seed), EVENT_COUNT));
        let events = many.into_iter().find(|events| 1_000 < naive(events, FIRST).len()).unwrap();
        let first = advance(&store, &projection, &events, claim.token, (Position(0), FIRST), Ready::Now);
        assert_eq!(first.await, Ok(Turn::Done));
        let writer = Rc::new(Writer { store, claim, events, position: Cell::new(FIRST) });
        let storage = Restless {
            inner: browser.storage.handle(),
            writer: Rc::clone(&writer),
            breaks,
            read_count: Cell::new(0),
        };
        let asking = Store::open(storage, browser.host(), RELAXED, |_| ()).await.unwrap();
        for round in 0..3 {
            println!("round {round}");
            check_asked(&asking, &writer).await;
        }
    });
}

async fn check_asked<S: Storage, H: everfold::host::Host>(asking: &Store<S, H>, writer: &Writer) {
    let group = values_of(&[IndexValue::Text("open")]);
    for direction in [Direction::Forwards, Direction::Backwards] {
        let ranges = [
            (None, Tree::DOCUMENTS, EntryRange::within(&[], b"order-1", None, direction)),
            (Some(BY_GROUP), Tree::of_index(0), EntryRange::within(&group, &[], None, direction)),
        ];
        for (index, tree, range) in ranges {
            let counted = asking.count_documents(&find(index, range.clone(), 0)).await;
            let expected = find_naively(&writer.docs(), tree, &range);
            assert_eq!(counted, Ok(Some(expected.len() as u64)), "{index:?}");
            for limit in [7, 10_000] {
                let found = asking.find_documents(&find(index, range.clone(), limit)).await.unwrap().unwrap();
                let rows: Vec<_> =
                    found.rows.into_iter().map(|(key, text)| (key.to_string(), text)).collect();
                let expected: Vec<_> =
                    find_naively(&writer.docs(), tree, &range).into_iter().take(limit).collect();
                assert!(rows == expected, "{index:?}: {} rows of {}", rows.len(), expected.len());
            }
        }
    }
    let keys: Vec<Rc<str>> = (0..2_000).map(|number| format!("order-{number}").into()).collect();
    let documents = asking.documents(&"orders".into(), Whose::Answering, &keys).await.unwrap().unwrap();
    let docs = writer.docs();
    let expected: Vec<_> = keys.iter().map(|key| docs.get(&**key).map(Doc::text)).collect();
    assert!(documents == expected, "{} documents", documents.len());
}
