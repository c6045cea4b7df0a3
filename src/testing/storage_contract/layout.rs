//! Clauses on what a `write` does to the layout of the log.

use futures_util::future::{join, join_all};

use crate::error::WriteOutcome;
use crate::storage::{FaultKind, Written};

use super::*;

/// The records up to here are replaced by one unit in the clauses on races.
const COVERED: Position = Position(4);

pub async fn a_write_may_rewrite_the_log<S: Storage>(open: &impl AsyncFn(&str) -> S, name: &str) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let bodies = vec![b"1".to_vec(), b"2".to_vec(), b"3".to_vec()];
    let head = committed(append(&storage, Head::default(), bodies).await)?;
    let key = |number: u64| Key::Position(Position(number));
    let write = GuardedWrite {
        expect: vec![(Area::Log, key(3), Some(b"3".to_vec()))],
        deletes: vec![(Area::Log, KeyRange { from: Some(key(1)), to: Some(key(2)) })],
        puts: vec![(Area::Log, key(1), b"1 and 2".to_vec())],
        layout: LayoutChange::Next { from: head.layout },
        durability: Durability::Strict,
    };
    ensure_equal(succeeds(storage.write(write.clone()).await)?, Written::Yes, "the rewrite")?;
    let page = succeeds(whole_area(&other, Area::Log).await)?;
    let bodies: Vec<_> = page.records.into_iter().map(|record| record.value).collect();
    let expected = (Head { layout: head.layout + 1, ..head }, vec![b"1 and 2".to_vec(), b"3".to_vec()]);
    ensure_equal((page.head, bodies), expected, "the log")?;
    ensure_equal(succeeds(storage.write(write).await)?, Written::Refused, "the rewrite of an older layout")
}

pub async fn the_next_layout_keeps_the_rest_of_the_head<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    ensure_equal(succeeds(storage.write(next_layout(0)).await)?, Written::Yes, "that of an empty database")?;
    let mut head = head_of(&other).await?;
    ensure_equal(head, Head { layout: 1, ..Head::default() }, "the head of an empty database")?;
    for layout in 1..4_u64 {
        head = committed(append(&other, head, vec![vec![7; 10], vec![8; 20]]).await)?;
        ensure_equal(succeeds(storage.write(next_layout(layout)).await)?, Written::Yes, "the change")?;
        head = Head { layout: layout + 1, ..head };
        ensure_equal(head_of(&other).await?, head, "the head after it")?;
    }
    ensure_equal((head.position, head.appended_bytes), (Position(6), 90), "how far it reaches")
}

pub async fn a_write_for_another_layout_changes_nothing<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    let head = committed(append(&storage, Head::default(), vec![b"1".to_vec()]).await)?;
    succeeds(storage.write(next_layout(0)).await)?;
    let others = [0, 2, u64::MAX];
    let changes = others.map(|from| LayoutChange::Next { from }).into_iter();
    for layout in changes.chain(others.map(|at| LayoutChange::Hold { at })) {
        let write = GuardedWrite { layout, ..swap(0) };
        ensure_equal(
            succeeds(storage.write(write).await)?,
            Written::Refused,
            &format!("that of {layout:?}"),
        )?;
        let page = succeeds(whole_area(&storage, Area::Log).await)?;
        let expected = (Head { layout: 1, ..head }, 1);
        ensure_equal((page.head, page.records.len()), expected, "the log afterwards")?;
        ensure_equal(succeeds(whole_area(&storage, Area::Units).await)?.records, Vec::new(), "the units")?;
    }
    Ok(())
}

pub async fn a_layout_that_is_held_stays<S: Storage>(open: &impl AsyncFn(&str) -> S, name: &str) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let mut head = Head::default();
    for number in 0..3_u8 {
        let unit = (Area::Units, Key::text("unit"), vec![number]);
        let write = GuardedWrite {
            layout: LayoutChange::Hold { at: head.layout },
            ..unguarded(vec![unit], vec![(Area::Units, KeyRange::default())])
        };
        ensure_equal(succeeds(storage.write(write).await)?, Written::Yes, "the write")?;
        let page = succeeds(whole_area(&other, Area::Units).await)?;
        let values: Vec<_> = page.records.into_iter().map(|record| record.value).collect();
        ensure_equal((page.head, values), (head, vec![vec![number]]), "the head and the units")?;
        succeeds(storage.write(next_layout(head.layout)).await)?;
        head = committed(append(&other, Head { layout: head.layout + 1, ..head }, vec![vec![number]]).await)?;
    }
    Ok(())
}

pub async fn a_refused_write_leaves_the_layout<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    let head = committed(append(&storage, Head::default(), vec![b"1".to_vec()]).await)?;
    let write =
        GuardedWrite { expect: vec![(Area::Index, Key::text("root"), Some(vec![1]))], ..swap(head.layout) };
    ensure_equal(succeeds(storage.write(write).await)?, Written::Refused, "the write")?;
    let page = succeeds(whole_area(&storage, Area::Log).await)?;
    ensure_equal((page.head, page.records.len()), (head, 1), "the log afterwards")
}

pub async fn where_the_head_is_damaged_the_layout_cannot_change<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    let head = committed(append(&storage, Head::default(), vec![b"1".to_vec()]).await)?;
    let put_head = |bytes: Vec<u8>| unguarded(vec![(Area::Meta, Key::text(Head::KEY), bytes)], Vec::new());
    let mut damaged = head.to_bytes();
    damaged.reverse();
    succeeds(storage.write(put_head(damaged)).await)?;
    let faults = [
        storage.write(swap(head.layout)).await.err(),
        append(&storage, head, vec![b"2".to_vec()]).await.err(),
        whole_area(&storage, Area::Log).await.err(),
    ];
    for fault in faults {
        let fault = fault.map(|fault| (fault.kind, fault.outcome));
        ensure_equal(fault, Some((FaultKind::Damaged, WriteOutcome::NotWritten)), "the fault")?;
    }
    // A write that leaves the layout alone does not read the head, and so it can be mended.
    ensure_equal(succeeds(storage.write(put_head(head.to_bytes())).await)?, Written::Yes, "the mending")?;
    let page = succeeds(whole_area(&storage, Area::Log).await)?;
    ensure_equal((page.head, page.records.len()), (head, 1), "the log afterwards")?;
    ensure_equal(succeeds(whole_area(&storage, Area::Units).await)?.records, Vec::new(), "the units")
}

pub async fn behind_a_head_of_a_newer_format_nothing_is_written<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    let head = committed(append(&storage, Head::default(), vec![b"1".to_vec()]).await)?;
    let newer = Head { min_writer: head.min_writer + 1, ..head };
    let raise = unguarded(vec![(Area::Meta, Key::text(Head::KEY), newer.to_bytes())], Vec::new());
    succeeds(storage.write(raise).await)?;
    let faults = [
        append(&storage, head, vec![b"2".to_vec()]).await.err(),
        append(&storage, newer, vec![b"2".to_vec()]).await.err(),
        storage.write(swap(head.layout)).await.err(),
    ];
    for fault in faults {
        let fault = fault.map(|fault| (fault.kind, fault.outcome));
        let too_new = FaultKind::TooNew { version: newer.min_writer.into() };
        ensure_equal(fault, Some((too_new, WriteOutcome::NotWritten)), "the fault")?;
    }
    let page = succeeds(whole_area(&storage, Area::Log).await)?;
    ensure_equal((page.head, page.records.len()), (newer, 1), "the log, which is still read")?;
    ensure_equal(succeeds(whole_area(&storage, Area::Units).await)?.records, Vec::new(), "the units")
}

pub async fn of_two_changes_of_a_layout_one_is_refused<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (one, other) = (open(name).await, open(name).await);
    let (first, second) = join(one.write(next_layout(0)), other.write(next_layout(0))).await;
    let mut both = [succeeds(first)?, succeeds(second)?];
    both.sort_by_key(|written| *written == Written::Refused);
    ensure_equal(both, [Written::Yes, Written::Refused], "what became of them")?;
    ensure_equal(head_of(&one).await?.layout, 1, "the layout")
}

pub async fn no_commit_beside_a_change_of_the_layout_is_lost<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (writer, compactor) = (open(name).await, open(name).await);
    let mut head = committed(append(&writer, Head::default(), vec![vec![0]; 4]).await)?;
    let commits = join_all((5..=15_u8).map(|number| append_until_committed(&writer, head, number)));
    let (results, written) = join(commits, compactor.write(swap(0))).await;
    ensure_equal(succeeds(written)?, Written::Yes, "the swap beside commits")?;
    for result in results {
        result?;
    }
    head = Head { position: Position(15), layout: 1, appended_bytes: 15, ..Head::default() };
    let page = succeeds(whole_area(&compactor, Area::Log).await)?;
    ensure_equal(page.head, head, "the head")?;
    let expected: Vec<_> = (5..=15).map(|number| Key::Position(Position(number))).collect();
    ensure_equal(keys(&page), expected, "the positions after what was swapped")?;
    let mut bodies: Vec<_> = page.records.into_iter().map(|record| record.value).collect();
    bodies.sort();
    ensure_equal(bodies, (5..=15).map(|number| vec![number]).collect(), "the records")
}

pub async fn a_reader_sees_a_change_of_the_layout_whole<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (writer, reader) = (open(name).await, open(name).await);
    let head = committed(append(&writer, Head::default(), vec![vec![0]; 5]).await)?;
    let before = join_all((0..5).map(|_| whole_area(&reader, Area::Log)));
    let after = join_all((0..5).map(|_| whole_area(&reader, Area::Log)));
    let (before, (written, after)) = join(before, join(writer.write(swap(0)), after)).await;
    ensure_equal(succeeds(written)?, Written::Yes, "the swap")?;
    let last = whole_area(&reader, Area::Log).await;
    ensure_equal(succeeds(last.clone())?.head.layout, 1, "the layout in the end")?;
    for page in before.into_iter().chain(after).chain([last]) {
        let page = succeeds(page)?;
        let record_count = if page.head.layout == 0 { 5 } else { 1 };
        ensure_equal((page.head.position, page.records.len()), (head.position, record_count), "a page")?;
    }
    Ok(())
}

pub async fn a_reader_of_several_areas_sees_one_state<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (writer, reader) = (open(name).await, open(name).await);
    committed(append(&writer, Head::default(), vec![vec![0]; 5]).await)?;
    let whole = |area, direction| PageRequest { area, range: KeyRange::default(), direction, count_max: 10 };
    let request = Request {
        keys: vec![(Area::Log, Key::Position(Position(1))), (Area::Units, Key::text("unit"))],
        pages: vec![whole(Area::Units, Direction::Backwards), whole(Area::Log, Direction::Backwards)],
        then: None,
    };
    let before = join_all((0..5).map(|_| reader.read(request.clone())));
    let after = join_all((0..5).map(|_| reader.read(request.clone())));
    let (before, (written, after)) = join(before, join(writer.write(swap(0)), after)).await;
    ensure_equal(succeeds(written)?, Written::Yes, "the swap")?;
    let last = reader.read(request).await;
    ensure_equal(succeeds(last.clone())?.head.layout, 1, "the layout in the end")?;
    for found in before.into_iter().chain(after).chain([last]) {
        let found = succeeds(found)?;
        let (values, record_counts) = match found.head.layout {
            0 => (vec![Some(vec![0]), None], vec![0, 5]),
            _ => (vec![None, Some(vec![1])], vec![1, 1]),
        };
        ensure_equal(found.values, values, "the values of keys")?;
        ensure_equal(found.pages.iter().map(Vec::len).collect(), record_counts, "the records of pages")?;
    }
    Ok(())
}

/// A write that does nothing but give the log its next layout.
fn next_layout(from: u64) -> GuardedWrite {
    GuardedWrite { layout: LayoutChange::Next { from }, ..unguarded(Vec::new(), Vec::new()) }
}

/// Replaces the records up to [`COVERED`] by a unit.
fn swap(from: u64) -> GuardedWrite {
    let covered = KeyRange { from: None, to: Some(Key::Position(COVERED)) };
    let unit = (Area::Units, Key::text("unit"), vec![1]);
    GuardedWrite { layout: LayoutChange::Next { from }, ..unguarded(vec![unit], vec![(Area::Log, covered)]) }
}

async fn head_of<S: Storage>(storage: &S) -> Result<Head, Broken> {
    succeeds(reads::head(storage).await)
}

/// Appends a record, again where the layout has changed meanwhile.
async fn append_until_committed<S: Storage>(storage: &S, seen: Head, number: u8) -> Result<(), Broken> {
    let mut seen = seen;
    loop {
        match succeeds(append(storage, seen, vec![vec![number]]).await)?.0 {
            Outcome::Committed(_) => return Ok(()),
            Outcome::Behind(head) if head.layout != seen.layout => seen = head,
            outcome => return Err(Broken::new(format!("an append beside a swap: {outcome:?}"))),
        }
    }
}
