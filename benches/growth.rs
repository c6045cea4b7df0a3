//! How a log grows: what an append, opening, and one stream cost by the number of its events, from ten thousand to ten
//! million.
//!
//! `cargo bench --bench growth --features testing`, with `-- 1000000` for logs of so many events alone. Bank events, 100 in
//! each stream, spread evenly; in memory, where nothing waits for a disk, and compacted on demand as it grows. Prints a
//! line for each length with tabs between its fields, for a program to read: each time is the median of several, in
//! microseconds, of stores that were opened anew, and how many records it took stands behind it.
//!
//! No stream is harder to read than one that is spread evenly: each unit that was made in its life has its part of it, so
//! its events stand in as many blocks as there are units, or events.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock of the machine that it measures")]
#![allow(clippy::unwrap_used, reason = "a benchmark may end where it is surprised")]

#[path = "host/counted.rs"]
mod counted;
mod host;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use everfold::event::{EventType, Json, NewEvent, Revision, StreamName};
use everfold::id::EventId;
use everfold::log::Expected;
use everfold::storage::{Direction, Durability, Storage};
use everfold::store::{AppendRequest, Bounds, OpenOptions, Store, StreamRead, WriteRequest};
use everfold::testing::prng::Prng;

use counted::CountedStorage;
use host::BenchHost;

const LENGTHS: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
const STREAM_EVENTS: u64 = 100;
const COMMIT_EVENTS: u64 = 1_000;
/// So many events are appended between two compactions: no more has to be in memory.
const COMPACTED_EVENTS: u64 = 200_000;
const ROUNDS: usize = 21;
const NEXT_COMPACTIONS: usize = 5;
/// Streams of one round are far from those of another.
const STREAM_STEP: u64 = 7_919;

type BenchStore = Store<CountedStorage, BenchHost>;

/// A log of one length.
struct Log {
    host: BenchHost,
    storage: CountedStorage,
    prng: Prng,
    event_count: u64,
    stream_count: u64,
    /// The longest time for which a compaction let nothing else run.
    longest_slice: Duration,
}

fn main() {
    println!(
        "events\tmade ns an event\tbytes an event\topen us\trecords\tstream us\trecords\tappend us\trecords\tappend again us\trecords\tlongest slice us\tcompact again us"
    );
    let asked: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let lengths = if asked.is_empty() { LENGTHS.to_vec() } else { asked };
    for event_count in lengths {
        let mut log = Log {
            host: BenchHost::default(),
            storage: CountedStorage::default(),
            prng: Prng::new(event_count),
            event_count,
            stream_count: event_count / STREAM_EVENTS,
            longest_slice: Duration::ZERO,
        };
        let made = log.make();
        let bytes = log.stored_bytes();
        let opened = log.median(|_, start, _| start.elapsed());
        let read = log.median(Log::time_stream);
        let appended = log.median(Log::time_append);
        let again = log.median(Log::time_second_append);
        println!(
            "{event_count}\t{}\t{:.1}\t{opened}\t{read}\t{appended}\t{again}\t{}\t{}",
            made.as_nanos() / u128::from(event_count),
            bytes as f64 / event_count as f64,
            log.longest_slice.as_micros(),
            log.time_next_compactions().as_micros(),
        );
    }
}

impl Log {
    fn open(&self) -> BenchStore {
        let options = OpenOptions { durability: Durability::Relaxed, bounds: Bounds::ON_DEMAND };
        self.host.run_until(Store::open(self.storage.handle(), self.host.clone(), options, |_| ())).unwrap()
    }

    /// Appends all events, and compacts them. Returns the time that it took.
    fn make(&mut self) -> Duration {
        let start = Instant::now();
        let store = self.open();
        for first in (0..self.event_count).step_by(COMMIT_EVENTS as usize) {
            let request = self.commit(first);
            self.host.run_until(store.append(request).1).unwrap();
            if (first + COMMIT_EVENTS).is_multiple_of(COMPACTED_EVENTS)
                || first + COMMIT_EVENTS == self.event_count
            {
                self.host.slices.begin();
                self.host.run_until(store.compact(|_| ControlFlow::Continue(()))).unwrap();
                self.host.slices.end();
                self.longest_slice = self.longest_slice.max(self.host.slices.longest());
            }
        }
        self.host.run_out();
        start.elapsed()
    }

    /// The median time that a compaction takes after one commit more.
    fn time_next_compactions(&mut self) -> Duration {
        let store = self.open();
        let mut times: Vec<Duration> = (0..NEXT_COMPACTIONS as u64)
            .map(|round| {
                let request = self.commit(self.event_count + round * COMMIT_EVENTS);
                self.host.run_until(store.append(request).1).unwrap();
                let start = Instant::now();
                self.host.run_until(store.compact(|_| ControlFlow::Continue(()))).unwrap();
                start.elapsed()
            })
            .collect();
        times.sort();
        times[NEXT_COMPACTIONS / 2]
    }

    /// A commit to as many streams as there are, or have room in it; the next one goes on with the streams after them.
    fn commit(&mut self, first: u64) -> AppendRequest {
        let write_count = self.stream_count.min(COMMIT_EVENTS);
        let mut writes = Vec::new();
        for number in 0..write_count {
            let stream = stream_name((first + number) % self.stream_count);
            let events = (0..COMMIT_EVENTS / write_count).map(|_| self.event()).collect();
            writes.push(WriteRequest { stream, expected: Expected::Any, events });
        }
        AppendRequest { writes, condition: None, durability: None }
    }

    /// A deposit with an id of the caller's.
    fn event(&mut self) -> NewEvent {
        let data = format!(
            "{{\"amount\":{},\"currency\":\"EUR\",\"reference\":\"R{}\"}}",
            self.prng.below(100_000),
            self.prng.next_u64()
        );
        let mut id = [0; EventId::BYTES];
        self.prng.fill(&mut id);
        let (data, id) = (Some(Json::parse(data).unwrap()), Some(EventId::from_bytes(id)));
        NewEvent { data, id, ..NewEvent::new(EventType::new("MoneyDeposited").unwrap()) }
    }

    fn stored_bytes(&self) -> u64 {
        let usage = self.host.run_until(self.storage.usage()).unwrap();
        usage.areas.iter().map(|area| area.size_bytes).sum()
    }

    /// The medians over stores that were opened anew, each for a stream of its own: microseconds, and how many records were
    /// read. `time` is handed the moment before the opening, the store, and the number of the stream.
    fn median(&mut self, mut time: impl FnMut(&mut Self, Instant, (BenchStore, u64)) -> Duration) -> String {
        let (mut times, mut counts) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS as u64 {
            self.storage.take_read_count();
            let start = Instant::now();
            let store = self.open();
            times.push(time(self, start, (store, (STREAM_STEP * (round + 1)) % self.stream_count)));
            counts.push(self.storage.take_read_count());
        }
        times.sort();
        counts.sort();
        format!("{:.1}\t{}", times[ROUNDS / 2].as_nanos() as f64 / 1_000.0, counts[ROUNDS / 2])
    }

    /// Opening, and reading one stream.
    fn time_stream(&mut self, start: Instant, (store, stream): (BenchStore, u64)) -> Duration {
        let mut read = StreamRead {
            stream: stream_name(stream),
            from: Revision::FIRST,
            before: None,
            direction: Direction::Forwards,
            limit: None,
            as_of: None,
        };
        let mut event_count = 0;
        loop {
            let page = self.host.run_until(store.read_stream(&read)).unwrap();
            event_count += page.events.len() as u64;
            let Some(next) = page.next else { break };
            (read.from, read.as_of) = (Revision(next), Some(page.as_of));
        }
        assert_eq!(event_count, STREAM_EVENTS);
        start.elapsed()
    }

    /// One append to a stream that was not asked for yet.
    fn time_append(&mut self, _: Instant, (store, stream): (BenchStore, u64)) -> Duration {
        self.storage.take_read_count();
        self.append_one(&store, stream)
    }

    /// The next append to the same stream.
    fn time_second_append(&mut self, _: Instant, (store, stream): (BenchStore, u64)) -> Duration {
        self.append_one(&store, stream);
        self.storage.take_read_count();
        self.append_one(&store, stream)
    }

    fn append_one(&mut self, store: &BenchStore, stream: u64) -> Duration {
        let write = WriteRequest {
            stream: stream_name(stream),
            expected: Expected::StreamExists,
            events: vec![self.event()],
        };
        let request = AppendRequest { writes: vec![write], condition: None, durability: None };
        let start = Instant::now();
        self.host.run_until(store.append(request).1).unwrap();
        start.elapsed()
    }
}

fn stream_name(number: u64) -> StreamName {
    StreamName::new(format!("account-{number}")).unwrap()
}
