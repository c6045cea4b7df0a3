//! Each fault does what it says: what is reported, whether the judge was called, and what is written.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use everfold::error::WriteOutcome::{self, NotWritten, Unknown};
use everfold::event::Position;
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Area, Batch, Durability, FaultKind, GuardedWrite, Head, Key, KeyRange, LayoutChange, LogRecord, Outcome,
    Storage, StorageFault, Written,
};
use everfold::testing::executor::{Executor, TabId};
use everfold::testing::faulty_storage::{Damage, Fault, Faults, FaultyStorage, Operation, Target, damage};
use everfold::testing::reads;
use everfold::testing::simulated_storage::{SimulatedDatabase, Weather};
use futures_util::future::join;

const NO_ROOM: FaultKind = FaultKind::Quota { usage_bytes: None, quota_bytes: None };

fn run<T>(future: impl Future<Output = T>) -> T {
    Executor::new(0).run_until(future).unwrap()
}

fn one_entry(head: Head) -> Batch {
    let position = head.position.next();
    let head = Head { position, appended_bytes: head.appended_bytes + 4, ..head };
    Batch { records: vec![LogRecord { first: position, bytes: b"body".to_vec() }], head }
}

async fn commit_one(storage: &impl Storage, seen: Head) -> Result<Outcome, StorageFault> {
    storage.commit(seen.into(), Durability::Relaxed, |head, _| Some(one_entry(head))).await
}

fn put(key: &str) -> GuardedWrite {
    let puts = vec![(Area::Units, Key::text(key), b"value".to_vec())];
    let (expect, deletes) = (Vec::new(), Vec::new());
    GuardedWrite { expect, deletes, puts, layout: LayoutChange::Keep, durability: Durability::Relaxed }
}

async fn log_length(storage: &impl Storage) -> u64 {
    reads::head(storage).await.unwrap().position.0
}

/// What the caller of a failed commit is told; `None` where all went well.
type Told = Option<(FaultKind, WriteOutcome)>;

#[test]
fn a_fault_of_a_commit_reports_judges_and_writes_as_it_says() {
    let rows: [(Fault, Told, bool, u64); 7] = [
        (Fault::Refused, Some((FaultKind::Failed, NotWritten)), false, 0),
        (Fault::AbortedAtCommit, Some((FaultKind::Failed, NotWritten)), true, 0),
        (Fault::NoRoom, Some((NO_ROOM, NotWritten)), true, 0),
        (Fault::Disconnected, Some((FaultKind::Disconnected, NotWritten)), true, 0),
        (Fault::AnswerLost, Some((FaultKind::Disconnected, Unknown)), true, 1),
        (Fault::CommitLost, Some((FaultKind::Disconnected, Unknown)), true, 0),
        (Fault::Delayed(3), None, true, 1),
    ];
    for (fault, expected, is_judged, length) in rows {
        let (memory, faults, was_judged) =
            (MemoryStorage::new(), Faults::default(), Rc::new(Cell::new(false)));
        let storage = FaultyStorage::new(memory.handle(), &faults);
        faults.arm(Target::Only(Operation::Commit), 0, fault);
        let flag = Rc::clone(&was_judged);
        let judge = move |head: Head, _: &[LogRecord]| {
            flag.set(true);
            Some(one_entry(head))
        };
        let result = run(storage.commit(Head::default().into(), Durability::Relaxed, judge));
        let reported = result.err().map(|fault| (fault.kind, fault.outcome));
        assert_eq!((reported, was_judged.get()), (expected, is_judged), "{fault:?}");
        assert_eq!((run(log_length(&memory)), faults.struck()), (length, 1), "{fault:?}");
        run(commit_one(&storage, Head::default())).unwrap();
        assert_eq!(run(log_length(&memory)), length + 1, "the next commit after {fault:?}");
    }
}

#[test]
fn a_fault_of_a_write_writes_only_where_the_answer_alone_is_lost() {
    for fault in Fault::ALL {
        let (memory, faults) = (MemoryStorage::new(), Faults::default());
        let storage = FaultyStorage::new(memory.handle(), &faults);
        faults.arm(Target::Every, 0, fault);
        let result = run(storage.write(put("key")));
        let is_written = run(reads::value(&memory, Area::Units, &Key::text("key"))).unwrap().is_some();
        assert_eq!(is_written, matches!(fault, Fault::AnswerLost | Fault::Delayed(_)), "{fault:?}");
        assert_eq!(result.is_ok(), matches!(fault, Fault::Delayed(_)), "{fault:?}");
        assert_eq!(run(storage.write(put("key"))), Ok(Written::Yes), "the next write after {fault:?}");
    }
}

/// Replaces the first record of the log by a unit, under the next layout.
fn swap() -> GuardedWrite {
    let covered = KeyRange { from: None, to: Some(Key::Position(Position(1))) };
    let layout = LayoutChange::Next { from: 0 };
    GuardedWrite { deletes: vec![(Area::Log, covered)], layout, ..put("unit") }
}

/// Whether a swap is there, of which there must be all or nothing, and how far the log reaches.
async fn is_swapped(storage: &impl Storage) -> (bool, u64) {
    let first = reads::get(storage, Area::Log, &[Key::Position(Position(1))]).await.unwrap();
    let unit = reads::get(storage, Area::Units, &[Key::text("unit")]).await.unwrap();
    let parts = (first.head.layout, first.values[0].is_some(), unit.values[0].is_some());
    match parts {
        (0, true, false) => (false, first.head.position.0),
        (1, false, true) => (true, first.head.position.0),
        _ => panic!("half of a swap: {parts:?}"),
    }
}

#[test]
fn a_fault_of_a_swap_leaves_all_of_it_or_nothing() {
    for fault in Fault::ALL {
        let (memory, faults) = (MemoryStorage::new(), Faults::default());
        let storage = FaultyStorage::new(memory.handle(), &faults);
        run(commit_one(&memory, Head::default())).unwrap();
        faults.arm(Target::Only(Operation::Write), 0, fault);
        let result = run(storage.write(swap()));
        let is_written = matches!(fault, Fault::AnswerLost | Fault::Delayed(_));
        assert_eq!(run(is_swapped(&memory)), (is_written, 1), "{fault:?}: {result:?}");
        assert_eq!(faults.struck(), 1, "{fault:?}");
        let again = if is_written { Written::Refused } else { Written::Yes };
        assert_eq!(run(storage.write(swap())), Ok(again), "the same once more after {fault:?}");
        assert_eq!(run(is_swapped(&memory)), (true, 1), "in the end, after {fault:?}");
    }
}

#[test]
fn a_fault_of_a_read_is_never_unknown() {
    for fault in Fault::ALL {
        let faults = Faults::default();
        let storage = FaultyStorage::new(MemoryStorage::new(), &faults);
        faults.arm(Target::Only(Operation::Read), 0, fault);
        match run(reads::head(&storage)) {
            Err(reported) => assert_eq!(reported.outcome, NotWritten, "{fault:?}"),
            Ok(_) => assert_eq!(fault, Fault::Delayed(3)),
        }
    }
}

#[test]
fn a_loop_over_the_spared_meets_every_operation_once() {
    let faults = Faults::default();
    let storage = FaultyStorage::new(MemoryStorage::new(), &faults);
    let script = async || {
        let mut results = vec![reads::head(&storage).await.is_ok()];
        results.push(commit_one(&storage, Head::default()).await.is_ok());
        results.push(storage.write(put("key")).await.is_ok());
        results.push(storage.usage().await.is_ok());
        results
    };
    for spared in 0..4 {
        faults.arm(Target::Every, spared as u64, Fault::Refused);
        let mut expected = vec![true; 4];
        expected[spared] = false;
        assert_eq!((run(script()), faults.struck()), (expected, 1), "{spared} spared");
    }
    faults.arm(Target::Every, 4, Fault::Refused);
    assert_eq!((run(script()), faults.struck()), (vec![true; 4], 0));
    let all = [Operation::Read, Operation::Commit, Operation::Write, Operation::Usage];
    assert_eq!(faults.met(), all);
}

#[test]
fn damage_changes_the_record_at_rest_and_no_other() {
    let rows: [(Damage, bool, Option<&[u8]>); 6] = [
        (Damage::FlippedBit(0), true, Some(b"walue")),
        (Damage::FlippedBit(9), true, Some(b"vclue")),
        (Damage::FlippedBit(40), true, Some(b"walue")),
        (Damage::Truncated(3), true, Some(b"val")),
        (Damage::Truncated(5), false, Some(b"value")),
        (Damage::Removed, true, None),
    ];
    for (kind, is_done, expected) in rows {
        let storage = MemoryStorage::new();
        run(storage.write(put("key"))).unwrap();
        run(storage.write(put("other"))).unwrap();
        assert_eq!(run(damage(&storage, Area::Units, Key::text("key"), kind)), Ok(is_done), "{kind:?}");
        let values = run(reads::get(&storage, Area::Units, &["key", "other"].map(Key::text))).unwrap().values;
        assert_eq!(values, [expected.map(<[u8]>::to_vec), Some(b"value".to_vec())], "{kind:?}");
    }
    let empty = MemoryStorage::new();
    let absent = damage(&empty, Area::Log, Key::Position(Position(1)), Damage::Removed);
    assert_eq!(run(absent), Ok(false));
}

/// What a tab's commit comes to when an accident befalls it, sooner or later by the seed: its answer, if any, and
/// how far the log reaches.
fn accident(
    seed: u64,
    accident: impl FnOnce(&Executor, &SimulatedDatabase, &dyn Fn()),
) -> (Option<Result<Outcome, StorageFault>>, u64) {
    let executor = Executor::new(seed);
    let weather = Weather { step_ms_max: 10, ..Weather::default() };
    let database = SimulatedDatabase::new(&executor.scheduler(), weather);
    let storage = Rc::new(database.handle(TabId(1)));
    let answer = Rc::new(RefCell::new(None));
    let (sender, of_tab) = (Rc::clone(&answer), Rc::clone(&storage));
    executor.scheduler().spawn(TabId(1), async move {
        *sender.borrow_mut() = Some(commit_one(&*of_tab, Head::default()).await);
    });
    executor.run_until(executor.scheduler().sleep(seed % 30)).unwrap();
    accident(&executor, &database, &|| storage.disconnect());
    executor.run_until(executor.scheduler().sleep(100)).unwrap();
    let other = database.handle(TabId(2));
    let length = executor.run_until(reads::head(&other));
    let length = length.unwrap().map_or(0, |head| head.position.0);
    (answer.take(), length)
}

#[test]
fn a_crash_of_its_tab_leaves_a_transaction_whole_or_undone() {
    let mut counts = [0; 3];
    for seed in 0..600 {
        match accident(seed, |executor, _, _| executor.scheduler().crash(TabId(1))) {
            (None, 0) => counts[0] += 1,
            (None, 1) => counts[1] += 1,
            (Some(Ok(_)), 1) => counts[2] += 1,
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!(counts.iter().all(|count| 30 < *count), "undone, done unheard, done: {counts:?}");
}

#[test]
fn a_crash_leaves_a_swap_whole_or_undone_beside_the_commits_of_another_tab() {
    let mut counts = [0; 2];
    for seed in 0..600 {
        let executor = Executor::new(seed);
        let weather = Weather { step_ms_max: 10, ..Weather::default() };
        let database = SimulatedDatabase::new(&executor.scheduler(), weather);
        let (swapping, other) = (database.handle(TabId(1)), database.handle(TabId(2)));
        executor.run_until(commit_one(&other, Head::default())).unwrap().unwrap();
        executor.scheduler().spawn(TabId(1), async move {
            let _ = swapping.write(swap()).await;
        });
        let commits = async {
            let mut seen = reads::head(&other).await.unwrap();
            for _ in 0..2 {
                while let Outcome::Behind(head) = commit_one(&other, seen).await.unwrap() {
                    seen = head;
                }
            }
        };
        let crash = async {
            executor.scheduler().sleep(seed % 30).await;
            executor.scheduler().crash(TabId(1));
        };
        executor.run_until(join(commits, crash)).unwrap();
        executor.run_until(executor.scheduler().sleep(100)).unwrap();
        let (is_swapped, length) = executor.run_until(is_swapped(&other)).unwrap();
        assert_eq!(length, 3, "seed {seed}: a commit beside a swap is lost");
        counts[usize::from(is_swapped)] += 1;
    }
    assert!(counts.iter().all(|count| 30 < *count), "undone, done: {counts:?}");
}

#[test]
fn a_lost_connection_is_reported_by_what_may_be_written() {
    let mut counts = [0; 3];
    for seed in 0..600 {
        match accident(seed, |_, _, disconnect| disconnect()) {
            (Some(Err(fault)), 0) if (fault.kind, fault.outcome) == (FaultKind::Disconnected, NotWritten) => {
                counts[0] += 1;
            }
            (Some(Err(fault)), 1) if (fault.kind, fault.outcome) == (FaultKind::Disconnected, Unknown) => {
                counts[1] += 1;
            }
            (Some(Ok(_)), 1) => counts[2] += 1,
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!(counts.iter().all(|count| 30 < *count), "undone, unknown, done: {counts:?}");
}

#[test]
fn a_deleted_database_closes_its_handles() {
    for seed in 0..100 {
        let (answer, length) = accident(seed, |_, database, _| database.destroy());
        let is_closed = matches!(&answer, Some(Err(fault)) if fault.kind == FaultKind::Closed);
        assert!(is_closed || matches!(answer, Some(Ok(Outcome::Committed(_)))), "seed {seed}: {answer:?}");
        assert_eq!(length, 0, "seed {seed}");
    }
}

#[test]
fn foul_weather_brings_every_accident_and_the_handle_stays_usable() {
    let executor = Executor::new(5);
    let foul = Weather { step_ms_max: 3, abort_permille: 100, quota_permille: 100, disconnect_permille: 300 };
    let database = SimulatedDatabase::new(&executor.scheduler(), foul);
    let storage = database.handle(TabId(1));
    let (mut reported, mut unknown_written, mut unknown_unwritten) = (Vec::new(), 0, 0);
    for _ in 0..500 {
        let read = async {
            // Reads fail in such weather too: this one goes on until it succeeds.
            loop {
                if let Ok(head) = reads::head(&storage).await {
                    break head;
                }
            }
        };
        let before = executor.run_until(read).unwrap();
        let result = executor.run_until(commit_one(&storage, before)).unwrap();
        database.set_weather(Weather::default());
        let length = executor.run_until(log_length(&storage)).unwrap();
        database.set_weather(foul);
        let is_written = before.position.0 < length;
        match result {
            Ok(_) => assert!(is_written, "what is acknowledged is written"),
            Err(StorageFault { outcome: NotWritten, kind, .. }) => {
                assert!(!is_written, "what is reported as not written is not written");
                reported.push(kind);
            }
            Err(_) if is_written => unknown_written += 1,
            Err(_) => unknown_unwritten += 1,
        }
    }
    for kind in [FaultKind::Failed, FaultKind::Disconnected, NO_ROOM] {
        assert!(10 < reported.iter().filter(|reported| **reported == kind).count(), "{kind:?}");
    }
    assert!(10 < unknown_written && 10 < unknown_unwritten, "{unknown_written}, {unknown_unwritten}");
}
