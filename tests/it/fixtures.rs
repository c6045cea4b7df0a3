//! Databases that this version of the format wrote are read by every later everfold: `tests/fixtures/v1` is frozen
//! from the first release on, and only added to.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use everfold::error::Error;
use everfold::event::{Json, NewEvent, Position, Revision, UnixMillis};
use everfold::layout::plan::Tail;
use everfold::log::Expected;
use everfold::snapshot::ReducerFingerprint;
use everfold::storage::{Head, Written};
use everfold::store::{Bounds, Mark, OpenOptions, SnapshotKeep, SnapshotRead};
use everfold::testing::fixture::{dump, restore, transcript};
use everfold::testing::prng::Prng;

use crate::compacted::history::History;
use crate::one_tab::{
    Browser, RELAXED, TestStore, append, append_if, commit, event, id, in_browser, mark, name, numbered,
    tagged, write,
};

/// Many small units, so that a small database has all that a large one has.
const SMALL_UNITS: Bounds = Bounds {
    tail: Tail { event_count: 64, stored_bytes: u64::MAX, record_count: u64::MAX },
    unit_entries_max: 300,
};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1").join(name)
}

/// Each database is read as it was when it was written; and so it is after it was compacted, and it can be written.
/// One that is not there is written, once, and the test fails: whoever adds a format looks at what was written.
#[track_caller]
fn check(name: &str, write: impl AsyncFnOnce(&Browser)) {
    let files = [path(&format!("{name}.records.tsv")), path(&format!("{name}.transcript.txt"))];
    if files.iter().all(|file| !file.exists()) {
        in_browser(|browser| async move {
            write(&browser).await;
            let texts = [dump(&browser.storage).await, transcript(&browser.open().await).await];
            for (file, text) in files.iter().zip(texts) {
                fs::write(file, text).expect("a file");
            }
            panic!("{files:?} were not there, and are now: look at them, and keep them");
        });
        return;
    }
    let [records, expected] = files.map(|file| fs::read_to_string(file).expect("a fixture"));
    in_browser(|browser| async move {
        restore(&browser.storage, &records).await;
        let store = browser.open().await;
        assert_eq!(transcript(&store).await, expected);
        store.compact(|_| ControlFlow::Continue(())).await.expect("a compaction");
        assert_eq!(transcript(&store).await, expected);
        let opened_again = browser.open().await;
        assert_eq!(transcript(&opened_again).await, expected);
        append(&opened_again, "written-later", vec![event("Written")]).await;
        assert!(transcript(&store).await.contains("written-later"));
    });
}

#[test]
fn a_log_of_format_1_is_read() {
    check("log", write_log);
}

#[test]
fn a_compacted_log_of_format_1_is_read() {
    check("compacted", write_compacted);
}

#[test]
fn snapshots_of_format_1_are_found() {
    check("snapshots", write_snapshots);
    let records = fs::read_to_string(path("snapshots.records.tsv")).expect("a fixture");
    in_browser(|browser| async move {
        restore(&browser.storage, &records).await;
        let store = browser.open().await;
        for read in snapshot_reads() {
            let snapshot = store.snapshot(&read).await.expect("an answer").snapshot.expect("a snapshot");
            assert_eq!(snapshot.state, state_of(read.stream.as_str()));
            assert_eq!((snapshot.revision, snapshot.reducer), (Revision(19), read.reducer));
        }
    });
}

#[test]
fn a_database_of_format_0_is_refused_and_not_touched() {
    let position_9 = Head { position: Position(9), appended_bytes: 77, ..Head::default() };
    let heads = [
        // Format 0 had a byte of zero where the version for writers stands now.
        Some(Head { min_writer: 0, ..position_9 }),
        Some(Head { layout: 3, min_writer: 0, ..position_9 }),
        // A newer tab appended before the format record said so.
        Some(position_9),
        None,
    ];
    for head in heads {
        let digits =
            |head: Head| head.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let head = head.map(|head| format!("meta\t68656164\t{}\n", digits(head)));
        let format_0 = [
            "meta\t666f726d6174\t0000000000000000bb1bdbcacd6ac934\n",
            head.as_deref().unwrap_or_default(),
            "log\t1\t45466c6f6e6720676f6e65\n",
            "units\t00\t77\n",
            "index\t726f6f74\t4546\n",
        ]
        .concat();
        in_browser(|browser| async move {
            restore(&browser.storage, &format_0).await;
            for _ in 0..2 {
                let refused = browser.try_open().await.map(drop).map_err(|error: Error| error.code());
                assert_eq!(refused, Err("VERSION_TOO_OLD"), "{format_0}");
            }
            assert_eq!(dump(&browser.storage).await, format_0);
        });
    }
}

/// Events with everything that an event can have, and every fact.
async fn everything(store: &TestStore) {
    let json = |text: &str| Some(Json::parse(text.to_owned()).expect("JSON"));
    let whole = NewEvent {
        data: json(
            "{\"amount\":12.50,\"note\":\"J\u{fc}rgen \u{1f6d2}\",\"deep\":[[],{\"__proto__\":null}]}",
        ),
        metadata: json("{\"correlationId\":\"c-1\"}"),
        time: Some(UnixMillis(-1)),
        ..tagged("Paid", &["order:1", "Gr\u{f6}\u{df}e:XL"])
    };
    append(store, "order-1", vec![whole, numbered("Shipped", 7), event("Noted")]).await;
    let null = NewEvent { data: json("null"), metadata: json("{}"), ..event("Nothing") };
    append(store, "\u{1f600}-1", vec![null]).await;
    let writes = vec![
        write("order-2", Expected::NoStream, vec![numbered("Paid", u128::MAX), event("Shipped")]),
        write("cart", Expected::Any, vec![tagged("Emptied", &["order:1"])]),
    ];
    commit(store, writes).await.expect("a commit");
    append_if(store, "order-1", Expected::Revision(Revision(2)), vec![event("Returned")])
        .await
        .expect("a fit");
    for stream in ["deleted-1", "deleted-2", "tombstoned", "truncated"] {
        append(store, stream, (0..5).map(|number| numbered("Counted", 100 + number)).collect()).await;
    }
    let marks = [
        ("deleted-1", Mark::Delete),
        ("deleted-2", Mark::Delete),
        ("tombstoned", Mark::Tombstone),
        ("truncated", Mark::Truncate { before: Revision(3) }),
    ];
    for (stream, what) in marks {
        mark(store, stream, what).await.expect("a mark");
    }
    append(store, "deleted-2", vec![NewEvent { id: Some(id(9)), ..event("Again") }]).await;
}

/// A small log, as it was appended.
async fn write_log(browser: &Browser) {
    everything(&browser.open().await).await;
}

/// A log of several units and runs, with a tail.
async fn write_compacted(browser: &Browser) {
    let options = OpenOptions { bounds: SMALL_UNITS, ..RELAXED };
    let store = browser.open_with(options).await.expect("a store");
    everything(&store).await;
    let mut prng = Prng::new(1);
    for _ in 0..3 {
        History::any(&mut prng).append(&store, &mut prng).await;
        store.compact(|_| ControlFlow::Continue(())).await.expect("a compaction");
    }
    append(&store, "order-1", vec![event("InTheTail")]).await;
}

/// The snapshots of a database: of a stream that was truncated, and of one with a long name.
fn snapshot_reads() -> Vec<SnapshotRead> {
    let streams = ["account-1".to_owned(), "\u{1f600}".repeat(64)];
    let read = |stream: String| SnapshotRead {
        aggregate: "account".to_owned(),
        stream: name(&stream),
        reducer: ReducerFingerprint(0x0123_4567_89ab_cdef),
        event_count_min: 1,
        before: None,
        as_of: None,
    };
    streams.into_iter().map(read).collect()
}

fn state_of(stream: &str) -> String {
    format!("{{\"name\":\"{stream}\",\"amounts\":{:?}}}", (0..20).collect::<Vec<u64>>())
}

/// Streams with a snapshot each, one of which was truncated before that, and a few events later.
async fn write_snapshots(browser: &Browser) {
    let store = browser.open().await;
    for (read, number) in snapshot_reads().into_iter().zip(0..) {
        let SnapshotRead { aggregate, stream, reducer, .. } = read;
        let name = stream.as_str().to_owned();
        append(&store, &name, (0..20).map(|_| event("Counted")).collect()).await;
        let position = store.position();
        if number == 0 {
            mark(&store, &name, Mark::Truncate { before: Revision(3) }).await.expect("a mark");
        }
        let (revision, as_of, state) = (Revision(19), store.position(), state_of(&name));
        let keep = SnapshotKeep { aggregate, stream, reducer, revision, position, as_of, state };
        assert_eq!(store.keep_snapshot(keep).await.expect("a write"), Written::Yes);
        append(&store, &name, vec![event("Later")]).await;
    }
}
