//! Clauses on `write` and `usage`.

use crate::storage::{AreaUsage, Written};

use super::*;

pub async fn a_write_holds_to_what_it_expects<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    let fixture = vec![
        (Area::Units, Key::text("there"), b"value".to_vec()),
        (Area::Units, Key::text("empty"), Vec::new()),
        (Area::Log, Key::Position(Position(3)), b"three".to_vec()),
    ];
    succeeds(storage.write(unguarded(fixture, Vec::new())).await)?;
    let there = |value: Option<&[u8]>| (Area::Units, Key::text("there"), value.map(<[u8]>::to_vec));
    let empty = |value: Option<&[u8]>| (Area::Units, Key::text("empty"), value.map(<[u8]>::to_vec));
    let absent = |value: Option<&[u8]>| (Area::Index, Key::text("there"), value.map(<[u8]>::to_vec));
    let three = |value: Option<&[u8]>| (Area::Log, Key::Position(Position(3)), value.map(<[u8]>::to_vec));
    let rows = [
        (vec![], Written::Yes),
        (vec![there(Some(b"value"))], Written::Yes),
        (vec![there(Some(b"other"))], Written::Refused),
        (vec![there(Some(b"valu"))], Written::Refused),
        (vec![there(Some(b""))], Written::Refused),
        (vec![there(None)], Written::Refused),
        (vec![empty(Some(b""))], Written::Yes),
        (vec![empty(None)], Written::Refused),
        (vec![absent(None)], Written::Yes),
        (vec![absent(Some(b""))], Written::Refused),
        (vec![three(Some(b"three"))], Written::Yes),
        (vec![three(Some(b"four"))], Written::Refused),
        (vec![there(Some(b"value")), absent(None), three(Some(b"three"))], Written::Yes),
        (vec![there(Some(b"value")), absent(None), three(None)], Written::Refused),
    ];
    for (expect, expected) in rows {
        let put = (Area::Snapshots, Key::text("mark"), b"mark".to_vec());
        let clear = (Area::Snapshots, Key::text("mark").into());
        succeeds(storage.write(unguarded(Vec::new(), vec![clear])).await)?;
        let claim = format!("{expect:?}");
        let write = GuardedWrite { expect, ..unguarded(vec![put], Vec::new()) };
        ensure_equal(succeeds(storage.write(write).await)?, expected, &claim)?;
        let fetched = succeeds(reads::get(&storage, Area::Snapshots, &[Key::text("mark")]).await)?;
        let is_written = fetched.values == [Some(b"mark".to_vec())];
        ensure_equal(is_written, expected == Written::Yes, &format!("whether it is written: {claim}"))?;
    }
    Ok(())
}

pub async fn a_refused_write_changes_nothing<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    succeeds(storage.write(unguarded(vec![(Area::Units, Key::text("kept"), vec![1])], Vec::new())).await)?;
    let write = GuardedWrite {
        expect: vec![(Area::Units, Key::text("absent"), Some(vec![1]))],
        deletes: vec![(Area::Units, KeyRange::default())],
        puts: vec![(Area::Index, Key::text("new"), vec![2]), (Area::Units, Key::text("kept"), vec![3])],
        layout: LayoutChange::Keep,
        durability: Durability::Strict,
    };
    ensure_equal(succeeds(storage.write(write).await)?, Written::Refused, "the write")?;
    let units = succeeds(reads::get(&storage, Area::Units, &[Key::text("kept")]).await)?;
    ensure_equal(units.values, vec![Some(vec![1])], "the record that was there")?;
    ensure_equal(succeeds(whole_area(&storage, Area::Index).await)?.records, Vec::new(), "the other area")
}

pub async fn one_write_changes_several_areas<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let byte_areas = || Area::ALL.into_iter().filter(|area| !matches!(area, Area::Log | Area::Meta));
    let old = byte_areas().map(|area| (area, Key::text("old"), vec![1])).collect();
    succeeds(storage.write(unguarded(old, Vec::new())).await)?;
    let write = GuardedWrite {
        expect: byte_areas().map(|area| (area, Key::text("old"), Some(vec![1]))).collect(),
        deletes: byte_areas().map(|area| (area, Key::text("old").into())).collect(),
        puts: byte_areas().map(|area| (area, Key::text("new"), vec![2])).collect(),
        layout: LayoutChange::Keep,
        durability: Durability::Relaxed,
    };
    ensure_equal(succeeds(storage.write(write).await)?, Written::Yes, "the write")?;
    for area in byte_areas() {
        let page = succeeds(whole_area(&other, area).await)?;
        let found: Vec<_> = page.records.into_iter().map(|record| (record.key, record.value)).collect();
        ensure_equal(found, vec![(Key::text("new"), vec![2])], area.name())?;
    }
    Ok(())
}

pub async fn a_write_replaces_and_deletes<S: Storage>(open: &impl AsyncFn(&str) -> S, name: &str) -> Clause {
    let storage = open(name).await;
    for value in [vec![1; 100], vec![2], Vec::new()] {
        let put = (Area::Quarantine, Key::text("key"), value.clone());
        succeeds(storage.write(unguarded(vec![put], Vec::new())).await)?;
        let page = succeeds(whole_area(&storage, Area::Quarantine).await)?;
        ensure_equal(
            page.records.into_iter().map(|record| record.value).collect(),
            vec![value],
            "the value",
        )?;
    }
    for attempt in ["of what is there", "of what is absent"] {
        let delete = (Area::Quarantine, Key::text("key").into());
        let written = succeeds(storage.write(unguarded(Vec::new(), vec![delete])).await)?;
        ensure_equal(written, Written::Yes, &format!("the deletion {attempt}"))?;
        ensure_equal(
            succeeds(whole_area(&storage, Area::Quarantine).await)?.records,
            Vec::new(),
            "the area",
        )?;
    }
    Ok(())
}

pub async fn a_deletion_takes_all_of_its_range<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let rows: [(Option<&str>, Option<&str>, &[&str]); 8] = [
        (Some("b"), Some("b"), &["a", "c", "d"]),
        (Some("b"), Some("c"), &["a", "d"]),
        (Some("aa"), Some("cc"), &["a", "d"]),
        (Some("c"), None, &["a", "b"]),
        (None, Some("c"), &["d"]),
        (Some("e"), None, &["a", "b", "c", "d"]),
        (Some("c"), Some("b"), &["a", "b", "c", "d"]),
        (None, None, &[]),
    ];
    for (from, to, expected) in rows {
        let claim = format!("{from:?} to {to:?}");
        let put = |area: Area, text: &str| (area, Key::text(text), text.as_bytes().to_vec());
        let puts = ["a", "b", "c", "d"].map(|text| [put(Area::Index, text), put(Area::Units, text)]);
        succeeds(storage.write(unguarded(puts.concat(), Vec::new())).await)?;
        let range = KeyRange { from: from.map(Key::text), to: to.map(Key::text) };
        let write = unguarded(Vec::new(), vec![(Area::Index, range)]);
        ensure_equal(succeeds(storage.write(write).await)?, Written::Yes, &claim)?;
        let left = succeeds(whole_area(&other, Area::Index).await)?;
        let expected: Vec<_> = expected.iter().map(|text| Key::text(text)).collect();
        ensure_equal(keys(&left), expected, &claim)?;
        ensure_equal(succeeds(whole_area(&other, Area::Units).await)?.records.len(), 4, "the other area")?;
    }
    Ok(())
}

pub async fn a_deletion_in_the_log_goes_by_number<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    let key = |number: u64| Key::Position(Position(number));
    let puts = [1, 2, 9, 10, 255, 256, 1 << 40].map(|number| (Area::Log, key(number), vec![1]));
    succeeds(storage.write(unguarded(puts.into(), Vec::new())).await)?;
    let ranges = [(Some(key(2)), Some(key(10))), (Some(key(256)), None)];
    let deletes = ranges.map(|(from, to)| (Area::Log, KeyRange { from, to }));
    succeeds(storage.write(unguarded(Vec::new(), deletes.into())).await)?;
    let left = succeeds(whole_area(&storage, Area::Log).await)?;
    ensure_equal(keys(&left), [1, 255].map(key).into(), "what is left of the log")
}

pub async fn what_a_write_puts_stays_in_the_range_that_it_deletes<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    let put = |text: &str, value: u8| (Area::Index, Key::text(text), vec![value]);
    succeeds(storage.write(unguarded(vec![put("a", 1), put("b", 1), put("c", 1)], Vec::new())).await)?;
    let write = unguarded(vec![put("b", 2), put("d", 2)], vec![(Area::Index, KeyRange::default())]);
    ensure_equal(succeeds(storage.write(write).await)?, Written::Yes, "the write")?;
    let page = succeeds(whole_area(&storage, Area::Index).await)?;
    let found: Vec<_> = page.records.into_iter().map(|record| (record.key, record.value)).collect();
    ensure_equal(found, vec![(Key::text("b"), vec![2]), (Key::text("d"), vec![2])], "the area")
}

pub async fn usage_counts_records_and_bytes<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    succeeds(append(&storage, Head::default(), vec![vec![1; 10], vec![2; 20]]).await)?;
    let puts =
        vec![(Area::Documents, Key::text("four"), vec![0; 100]), (Area::Pending, Key::text(""), vec![])];
    succeeds(storage.write(unguarded(puts, Vec::new())).await)?;
    let usage = succeeds(storage.usage().await)?;
    // What else an implementation keeps under `meta` is its own business.
    let mut counted: Vec<_> = usage.areas.into_iter().filter(|usage| usage.area != Area::Meta).collect();
    counted.sort_by_key(|usage| usage.area);
    let expected = vec![
        AreaUsage { area: Area::Log, record_count: 2, size_bytes: 8 + 10 + 8 + 20 },
        AreaUsage { area: Area::Documents, record_count: 1, size_bytes: 4 + 100 },
        AreaUsage { area: Area::Pending, record_count: 1, size_bytes: 0 },
    ];
    ensure_equal(counted, expected, "the usage")
}
