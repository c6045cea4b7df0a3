//! What a record costs: bytes an event, and nanoseconds an event to encode and to decode.
//!
//! `cargo bench --bench codec`. Bank events of 1,000 accounts, in records of at most 60,000 bytes; the fastest
//! of several rounds, because everything else that a machine does only adds.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock of the machine that it measures")]
#![allow(clippy::unwrap_used, reason = "a benchmark may end where it is surprised")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use everfold::codec::{Body, DecodedRecord, Entry, Extensions, Frame, Tags, encode_records};
use everfold::event::{Position, Revision, UnixMillis};
use everfold::id::{EventId, IdGenerator};
use everfold::storage::LogRecord;
use everfold::testing::prng::Prng;

const EVENT_COUNT: usize = 100_000;
const ACCOUNT_COUNT: usize = 1_000;
const ROUND_COUNT: usize = 15;

/// Who makes the ids of the events.
#[derive(Debug, Clone, Copy)]
enum Ids {
    /// Callers, as random UUIDs.
    Callers,
    /// The store.
    Own,
}

/// An event of the bank.
struct BankEvent {
    stream: String,
    revision: u64,
    event_type: &'static str,
    data: String,
    metadata: String,
    id: EventId,
    time: i64,
}

fn main() {
    for ids in [Ids::Callers, Ids::Own] {
        let events = bank_events(ids);
        println!("{ids:?} ids, {} bytes of JSON an event", json_bytes(&events) / EVENT_COUNT);
        for commit_events in [1, 10, 1_000] {
            measure(&events, commit_events);
        }
    }
    measure_single();
}

fn measure(events: &[BankEvent], commit_events: usize) {
    let extensions = Extensions::new();
    let frames = frames(events, commit_events, &extensions);
    let records = encode_records(&frames);
    let encode_time = fastest(|| encode_records(&frames));
    let decode_time = fastest(|| records.iter().map(decode).count());
    let read_time = fastest(|| records.iter().map(|record| read(&decode(record))).sum::<usize>());
    let stored_bytes: usize = records.iter().map(|record| record.bytes.len()).sum();
    let memory_bytes: usize = records.iter().map(|record| decode(record).memory_bytes()).sum();
    let nanos = |time: Duration| time.as_nanos() / EVENT_COUNT as u128;
    println!(
        "  {commit_events:>5} a commit: {:>3} records, {:.1} bytes an event, {} in memory; encode {} ns, decode {} ns, \
         decode and read {} ns",
        records.len(),
        stored_bytes as f64 / EVENT_COUNT as f64,
        memory_bytes / EVENT_COUNT,
        nanos(encode_time),
        nanos(decode_time),
        nanos(read_time),
    );
}

fn measure_single() {
    let extensions = Extensions::new();
    for ids in [Ids::Callers, Ids::Own] {
        let events = bank_events(ids);
        let frames = frames(&events[..1_000], 1, &extensions);
        let payload_bytes: usize = events[..1_000].iter().map(payload_bytes).sum();
        let alone: usize = frames
            .iter()
            .flat_map(|frame| encode_records(std::slice::from_ref(frame)))
            .map(|r| r.bytes.len())
            .sum();
        println!(
            "{ids:?} ids, one event a record: {} bytes, of which {} are names and payloads",
            alone / 1_000,
            payload_bytes / 1_000
        );
    }
}

fn decode(record: &LogRecord) -> DecodedRecord {
    DecodedRecord::decode(&record.bytes, record.first).unwrap()
}

/// Touches what a reader touches.
fn read(record: &DecodedRecord) -> usize {
    let read_entry = |entry: Entry<'_>| match entry.body {
        Body::Event { data, .. } => entry.stream.len() + data.map_or(0, str::len),
        Body::Fact(_) => 0,
    };
    record.entries().map(read_entry).sum()
}

fn fastest<T>(mut run: impl FnMut() -> T) -> Duration {
    let round = |_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    };
    (0..ROUND_COUNT).map(round).min().unwrap_or_default()
}

fn frames<'a>(events: &'a [BankEvent], commit_events: usize, extensions: &'a Extensions) -> Vec<Frame<'a>> {
    let mut position = Position::START;
    let frame = |events: &'a [BankEvent]| {
        let time = UnixMillis(events[0].time);
        let entry = |event: &'a BankEvent| {
            position = position.next();
            let BankEvent { stream, revision, event_type, data, metadata, id, .. } = event;
            let body = Body::Event {
                revision: Revision(*revision),
                event_type,
                data: Some(data),
                metadata: Some(metadata),
                tags: Tags::NONE,
            };
            Entry { position, stream, id: *id, time, body }
        };
        Frame { time, extensions, entries: events.iter().map(entry).collect() }
    };
    events.chunks(commit_events).map(frame).collect()
}

fn bank_events(ids: Ids) -> Vec<BankEvent> {
    let mut prng = Prng::new(1);
    let mut generator = IdGenerator::new([7; EventId::PREFIX_BYTES]);
    let mut revisions = [0; ACCOUNT_COUNT];
    let mut time = 1_760_000_000_000;
    let event = |_| {
        let account = prng.index(ACCOUNT_COUNT);
        let revision: u64 = revisions[account];
        revisions[account] += 1;
        let (event_type, data) = bank_data(&mut prng, revision);
        time += prng.below(5_000) as i64;
        let id = match ids {
            Ids::Callers => random_uuid(&mut prng),
            Ids::Own => generator.next_id(),
        };
        let metadata = format!("{{\"user\":\"u{}\"}}", prng.below(50));
        BankEvent { stream: format!("account-{account}"), revision, event_type, data, metadata, id, time }
    };
    (0..EVENT_COUNT).map(event).collect()
}

fn bank_data(prng: &mut Prng, revision: u64) -> (&'static str, String) {
    const NOTES: [&str; 5] = ["rent", "salary", "groceries", "transfer to savings", "card payment"];
    let amount = prng.between(1..=100_000);
    let note = *prng.pick(&NOTES);
    match (revision, prng.below(10)) {
        (0, _) => {
            ("opened", format!("{{\"owner\":\"customer {}\",\"currency\":\"EUR\"}}", prng.below(10_000)))
        }
        (_, 0..5) => ("deposited", format!("{{\"amount\":{amount},\"currency\":\"EUR\"}}")),
        (_, 5..9) => {
            ("withdrawn", format!("{{\"amount\":{amount},\"currency\":\"EUR\",\"reason\":\"{note}\"}}"))
        }
        _ => ("noted", format!("{{\"text\":\"{note}\"}}")),
    }
}

fn random_uuid(prng: &mut Prng) -> EventId {
    let mut bytes = [0; EventId::BYTES];
    prng.fill(&mut bytes);
    bytes[6] = 0x40 | bytes[6] & 0x0f;
    bytes[8] = 0x80 | bytes[8] & 0x3f;
    EventId::from_bytes(bytes)
}

fn payload_bytes(event: &BankEvent) -> usize {
    event.stream.len() + event.event_type.len() + event.data.len() + event.metadata.len()
}

/// What the events take as JSON texts, one by one.
fn json_bytes(events: &[BankEvent]) -> usize {
    let text = |(index, event): (usize, &BankEvent)| {
        let BankEvent { stream, revision, event_type, data, metadata, id, time } = event;
        let position = index + 1;
        format!(
            "{{\"id\":\"{id}\",\"stream\":\"{stream}\",\"revision\":{revision},\"position\":{position},\
             \"type\":\"{event_type}\",\"data\":{data},\"metadata\":{metadata},\"time\":{time}}}"
        )
    };
    events.iter().enumerate().map(text).map(|text| text.len()).sum()
}
