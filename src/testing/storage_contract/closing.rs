//! Clauses on `close`.

use std::fmt::Debug;

use futures_util::future::join;

use crate::error::WriteOutcome;
use crate::storage::FaultKind;

use super::*;

pub async fn a_closed_handle_refuses_everything<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    storage.close().await;
    ensure_closed(reads::get(&storage, Area::Meta, &[Key::text(Head::KEY)]).await, "get")?;
    ensure_closed(whole_area(&storage, Area::Log).await, "page")?;
    ensure_closed(append(&storage, Head::default(), vec![vec![1]]).await, "commit")?;
    let write = unguarded(vec![(Area::Units, Key::text("key"), vec![1])], Vec::new());
    ensure_closed(storage.write(write).await, "write")?;
    ensure_closed(storage.usage().await, "usage")?;
    for area in [Area::Log, Area::Units] {
        ensure_equal(succeeds(whole_area(&other, area).await)?.records, Vec::new(), area.name())?;
    }
    Ok(())
}

pub async fn closing_again_does_nothing<S: Storage>(open: &impl AsyncFn(&str) -> S, name: &str) -> Clause {
    let storage = open(name).await;
    for _ in 0..3 {
        storage.close().await;
        ensure_closed(storage.usage().await, "usage")?;
    }
    Ok(())
}

pub async fn the_other_handle_outlives_a_close<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let head = committed(append(&storage, Head::default(), vec![b"1".to_vec()]).await)?;
    storage.close().await;
    let head = committed(append(&other, head, vec![b"2".to_vec()]).await)?;
    let page = succeeds(whole_area(&other, Area::Log).await)?;
    ensure_equal((page.head, page.records.len()), (head, 2), "the log")
}

pub async fn what_was_written_is_there_when_it_is_opened_again<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    // The first handle of all is kept, because a database in memory lives as long as any handle to it.
    let (kept, storage) = (open(name).await, open(name).await);
    let head = committed(append(&storage, Head::default(), vec![b"1".to_vec()]).await)?;
    storage.close().await;
    let again = open(name).await;
    let page = succeeds(whole_area(&again, Area::Log).await)?;
    ensure_equal((page.head, page.records.len()), (head, 1), "the log")?;
    kept.close().await;
    Ok(())
}

pub async fn an_operation_under_way_at_a_close_is_whole<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let commit = append(&storage, Head::default(), vec![b"1".to_vec(), b"2".to_vec()]);
    let (result, ()) = join(commit, storage.close()).await;
    let page = succeeds(whole_area(&other, Area::Log).await)?;
    match result {
        Ok((Outcome::Committed(head), _)) => {
            ensure_equal((page.head, page.records.len()), (head, 2), "the log after a commit")
        }
        result => {
            ensure_closed(result, "commit")?;
            ensure_equal((page.head, page.records.len()), (Head::default(), 0), "the log after a refusal")
        }
    }
}

#[track_caller]
fn ensure_closed<T: Debug>(result: Result<T, StorageFault>, operation: &str) -> Clause {
    match result {
        Ok(value) => Err(Broken::new(format!("{operation} on a closed handle gave {value:?}"))),
        Err(fault) => {
            let expected = (FaultKind::Closed, WriteOutcome::NotWritten);
            ensure_equal((fault.kind, fault.outcome), expected, operation)
        }
    }
}
