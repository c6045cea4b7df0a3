//! What it costs to fold in memory: nanoseconds and events a second for the bank, by a declarative reducer and by a typed one.
//!
//! `cargo bench --bench reducer`. Bank events of 1,000 accounts in the order of the log; the fastest of several rounds,
//! because everything else that a machine does only adds. The two take turns.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock of the machine that it measures")]
#![allow(clippy::unwrap_used, reason = "a benchmark may end where it is surprised")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use everfold::aggregate::{Reducer, Typed};
use everfold::codec::{Body, Entry, Tags};
use everfold::event::{Position, Revision, UnixMillis};
use everfold::id::EventId;
use everfold::reducer::Program;
use everfold::testing::prng::Prng;

use account::Account;

// The bank of the example: the same domain as a crate of a user has it.
#[path = "../examples/rust-aggregate/src/account.rs"]
mod account;

const EVENT_COUNT: usize = 200_000;
const ACCOUNT_COUNT: usize = 1_000;
const ROUND_COUNT: usize = 20;

const EVOLVE: &str = r#"{
    "AccountOpened": { "$set": { "owner": "$data.owner" } },
    "MoneyDeposited": { "$inc": { "balance": "$data.amount" } },
    "MoneyWithdrawn": { "$inc": { "balance": { "$multiply": ["$data.amount", -1] } } },
    "NoteAdded": { "$inc": { "notes": 1 } }
}"#;
const INITIAL: &str = r#"{ "owner": "", "balance": 0, "notes": 0 }"#;

struct BankEvent {
    account: usize,
    event_type: &'static str,
    data: String,
}

fn main() {
    let events = events();
    let entries: Vec<(usize, Entry<'_>)> =
        events.iter().enumerate().map(|(number, event)| (event.account, entry(number, event))).collect();
    let program = Program::compile(EVOLVE, INITIAL).unwrap();
    let typed = Typed::<Account>::default();
    let (mut declarative_time, mut typed_time) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUND_COUNT {
        declarative_time = declarative_time.min(fold(&program, &entries));
        typed_time = typed_time.min(fold(&typed, &entries));
    }
    let bytes: usize = events.iter().map(|event| event.data.len()).sum();
    println!("{EVENT_COUNT} bank events, {} bytes of data each", bytes / EVENT_COUNT);
    for (name, time) in [("declarative", declarative_time), ("typed", typed_time)] {
        let nanos = time.as_nanos() as f64 / EVENT_COUNT as f64;
        println!("  {name:<12} {nanos:>6.1} ns an event, {:>5.2} million events a second", 1e3 / nanos);
    }
}

fn fold<R: Reducer>(reducer: &R, entries: &[(usize, Entry<'_>)]) -> Duration {
    let mut states: Vec<R::State> = (0..ACCOUNT_COUNT).map(|_| reducer.initial()).collect();
    let start = Instant::now();
    for (account, entry) in entries {
        reducer.evolve(&mut states[*account], entry).unwrap();
    }
    let time = start.elapsed();
    black_box(states);
    time
}

fn events() -> Vec<BankEvent> {
    const NOTES: [&str; 5] = ["rent", "salary", "groceries", "transfer to savings", "card payment"];
    let mut prng = Prng::new(1);
    let mut is_open = [false; ACCOUNT_COUNT];
    let event = |_| {
        let account = prng.index(ACCOUNT_COUNT);
        let amount = prng.between(1..=100_000);
        let note = *prng.pick(&NOTES);
        let (event_type, data) = match (std::mem::replace(&mut is_open[account], true), prng.below(10)) {
            (false, _) => {
                let owner = prng.below(10_000);
                ("AccountOpened", format!("{{\"owner\":\"customer {owner}\",\"currency\":\"EUR\"}}"))
            }
            (_, 0..5) => ("MoneyDeposited", format!("{{\"amount\":{amount},\"currency\":\"EUR\"}}")),
            (_, 5..9) => {
                let data = format!("{{\"amount\":{amount},\"currency\":\"EUR\",\"reason\":\"{note}\"}}");
                ("MoneyWithdrawn", data)
            }
            _ => ("NoteAdded", format!("{{\"text\":\"{note}\"}}")),
        };
        BankEvent { account, event_type, data }
    };
    (0..EVENT_COUNT).map(event).collect()
}

fn entry(number: usize, event: &BankEvent) -> Entry<'_> {
    let body = Body::Event {
        revision: Revision(0),
        event_type: event.event_type,
        data: Some(&event.data),
        metadata: Some("{\"user\":\"u1\"}"),
        tags: Tags::NONE,
    };
    let id = EventId::from_bytes([0; EventId::BYTES]);
    let position = Position(number as u64 + 1);
    Entry { position, stream: "account-1", id, time: UnixMillis(0), body }
}
