//! What it costs to fold a whole log that is in memory: events a second, reading, unpacking and visibility included, by a
//! declarative reducer and by a typed one.
//!
//! `cargo bench --bench folding`. Bank events of 1,000 accounts, compacted, in a store that is opened for each fold; the
//! fastest of several rounds, because everything else that a machine does only adds. The two take turns.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock of the machine that it measures")]
#![allow(clippy::unwrap_used, reason = "a benchmark may end where it is surprised")]

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use everfold::aggregate::{Reducer, Typed};
use everfold::event::{EventType, Json, NewEvent, StreamName};
use everfold::log::Expected;
use everfold::reducer::Program;
use everfold::storage::Durability;
use everfold::storage::memory::MemoryStorage;
use everfold::store::{AppendRequest, Bounds, OpenOptions, Store, WriteRequest};
use everfold::testing::executor::Executor;
use everfold::testing::prng::Prng;
use everfold::testing::simulated_host::{Announcements, SimulatedHost, SimulatedOrigin};

use account::Account;

// The bank of the example: the same domain as a crate of a user has it.
#[path = "../examples/rust-aggregate/src/account.rs"]
mod account;

const EVENT_COUNT: usize = 100_000;
const BATCH_EVENTS: usize = 1_000;
const ACCOUNT_COUNT: usize = 1_000;
const ROUND_COUNT: usize = 15;
const OPTIONS: OpenOptions = OpenOptions { durability: Durability::Relaxed, bounds: Bounds::ON_DEMAND };

const EVOLVE: &str = r#"{
    "AccountOpened": { "$set": { "owner": "$data.owner" } },
    "MoneyDeposited": { "$inc": { "balance": "$data.amount" } },
    "MoneyWithdrawn": { "$inc": { "balance": { "$multiply": ["$data.amount", -1] } } },
    "NoteAdded": { "$inc": { "notes": 1 } }
}"#;
const INITIAL: &str = r#"{ "owner": "", "balance": 0, "notes": 0 }"#;

fn main() {
    let executor = Executor::new(1);
    let origin =
        SimulatedOrigin::new(&executor.scheduler(), Announcements { lost_permille: 1_000, delay_ms_max: 0 });
    executor.run_until(measure(&origin)).unwrap();
}

async fn measure(origin: &SimulatedOrigin) {
    let storage = MemoryStorage::new();
    fill(&open(origin, &storage).await).await;
    let program = Program::compile(EVOLVE, INITIAL).unwrap();
    let typed = Typed::<Account>::default();
    let (mut declarative_time, mut typed_time) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUND_COUNT {
        declarative_time = declarative_time.min(fold(origin, &storage, &program).await);
        typed_time = typed_time.min(fold(origin, &storage, &typed).await);
    }
    println!("{EVENT_COUNT} bank events of {ACCOUNT_COUNT} accounts, compacted, opened and folded");
    for (name, time) in [("declarative", declarative_time), ("typed", typed_time)] {
        let nanos = time.as_nanos() as f64 / EVENT_COUNT as f64;
        println!("  {name:<12} {nanos:>6.1} ns an event, {:>5.2} million events a second", 1e3 / nanos);
    }
}

async fn open(origin: &SimulatedOrigin, storage: &MemoryStorage) -> Store<MemoryStorage, SimulatedHost> {
    Store::open(storage.handle(), origin.host(origin.tab(), "bench"), OPTIONS, |_| ()).await.unwrap()
}

async fn fold<R: Reducer>(origin: &SimulatedOrigin, storage: &MemoryStorage, reducer: &R) -> Duration {
    let start = Instant::now();
    let store = open(origin, storage).await;
    let all = store.load_all(reducer, Some("account"), |_| ControlFlow::Continue(())).await.unwrap();
    let time = start.elapsed();
    assert_eq!(all.streams.len(), ACCOUNT_COUNT);
    time
}

async fn fill(store: &Store<MemoryStorage, SimulatedHost>) {
    let mut prng = Prng::new(1);
    for _ in 0..EVENT_COUNT / BATCH_EVENTS {
        let writes = (0..BATCH_EVENTS).map(|_| write(&mut prng)).collect();
        store.append(AppendRequest { writes, condition: None, durability: None }).1.await.unwrap();
    }
    store.compact(|_| ControlFlow::Continue(())).await.unwrap();
}

fn write(prng: &mut Prng) -> WriteRequest {
    let event_type = *prng.pick(&["MoneyDeposited", "MoneyWithdrawn"]);
    let data = format!("{{\"amount\":{},\"currency\":\"EUR\"}}", prng.between(1..=100_000));
    let event = NewEvent {
        data: Some(Json::parse(data).unwrap()),
        metadata: Some(Json::parse("{\"user\":\"u1\"}").unwrap()),
        ..NewEvent::new(EventType::new(event_type).unwrap())
    };
    let stream = StreamName::new(format!("account-{}", prng.index(ACCOUNT_COUNT))).unwrap();
    WriteRequest { stream, expected: Expected::Any, events: vec![event] }
}
