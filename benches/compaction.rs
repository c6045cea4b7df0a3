//! What it takes to compact a log in memory, and to append to one that is compacted meanwhile.
//!
//! `cargo bench --bench compaction`. Bank events of 1,000 accounts, ten to a commit; the longest slice is the longest
//! time that nothing else could have run.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock of the machine that it measures")]
#![allow(clippy::unwrap_used, reason = "a benchmark may end where it is surprised")]

mod host;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use everfold::event::{EventType, Json, NewEvent, StreamName};
use everfold::log::Expected;
use everfold::storage::Durability;
use everfold::storage::memory::MemoryStorage;
use everfold::store::{AppendRequest, Bounds, OpenOptions, Store, WriteRequest};
use everfold::testing::prng::Prng;

use host::BenchHost;

const EVENT_COUNT: u64 = 1_000_000;
const COMMIT_EVENTS: u64 = 10;
const ACCOUNT_COUNT: u64 = 1_000;
/// Where the cost of an append is looked at.
const MARKS: [u64; 3] = [10_000, 100_000, 1_000_000];

type BenchStore = Store<MemoryStorage, BenchHost>;

fn open(host: &BenchHost, storage: &MemoryStorage, bounds: Bounds) -> BenchStore {
    let options = OpenOptions { durability: Durability::Relaxed, bounds };
    host.run_until(Store::open(storage.handle(), host.clone(), options, |_| ())).unwrap()
}

/// One commit of a bank.
fn request(prng: &mut Prng) -> AppendRequest {
    let stream = StreamName::new(format!("account-{}", prng.below(ACCOUNT_COUNT))).unwrap();
    let event = |prng: &mut Prng| {
        let data = format!("{{\"amount\":{},\"currency\":\"EUR\"}}", prng.below(100_000));
        let event_type = EventType::new(*prng.pick(&["MoneyDeposited", "MoneyWithdrawn"])).unwrap();
        NewEvent { data: Some(Json::parse(data).unwrap()), ..NewEvent::new(event_type) }
    };
    let events = (0..COMMIT_EVENTS).map(|_| event(prng)).collect();
    let write = WriteRequest { stream, expected: Expected::Any, events };
    AppendRequest { writes: vec![write], condition: None, durability: None }
}

/// Appends up to each mark, and says what an event cost since the last one.
fn append(host: &BenchHost, store: &BenchStore, what: &str) {
    let mut prng = Prng::new(7);
    let mut done = 0;
    for mark in MARKS.into_iter().filter(|mark| *mark <= EVENT_COUNT) {
        let (start, before, mut longest) = (Instant::now(), done, Duration::ZERO);
        while done < mark {
            let begun = Instant::now();
            host.run_until(store.append(request(&mut prng)).1).unwrap();
            longest = longest.max(begun.elapsed());
            done += COMMIT_EVENTS;
        }
        let nanos = start.elapsed().as_nanos() / u128::from(done - before);
        println!("{what} up to {mark} events: {nanos} ns an event, the longest append {longest:?}");
    }
}

fn main() {
    let (host, storage) = (BenchHost::default(), MemoryStorage::new());
    append(&host, &open(&host, &storage, Bounds::ON_DEMAND), "append without compaction");
    let store = open(&host, &storage, Bounds::ON_DEMAND);
    host.slices.begin();
    let start = Instant::now();
    let compacted = host.run_until(store.compact(|_| ControlFlow::Continue(()))).unwrap();
    host.slices.end();
    let elapsed = start.elapsed();
    println!(
        "compaction of {EVENT_COUNT} events: {elapsed:?}, {} ns an event, longest slice {:?}; {compacted:?}",
        elapsed.as_nanos() / u128::from(EVENT_COUNT),
        host.slices.longest(),
    );
    if std::env::args().any(|argument| argument == "beside") {
        let (host, storage) = (BenchHost::default(), MemoryStorage::new());
        let store = open(&host, &storage, Bounds::DEFAULT);
        host.slices.begin();
        append(&host, &store, "append beside compaction");
        host.run_out();
        host.slices.end();
        println!("longest slice {:?}", host.slices.longest());
    }
}
