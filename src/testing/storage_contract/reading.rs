//! Clauses on `read`.

use futures_util::future::join;

use crate::storage::{Found, Then, Written};

use super::*;

pub async fn an_empty_database_has_an_empty_head_and_no_records<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    for area in Area::ALL {
        let page = succeeds(whole_area(&storage, area).await)?;
        ensure_equal(page, Page { head: Head::default(), records: Vec::new() }, area.name())?;
    }
    let fetched = succeeds(reads::get(&storage, Area::Units, &[Key::text("absent")]).await)?;
    ensure_equal((fetched.head, fetched.values), (Head::default(), vec![None]), "what a key found")
}

pub async fn an_empty_request_is_for_the_head_alone<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = with_documents(open, name, &["a", "b"]).await?;
    let head = committed(append(&storage, Head::default(), vec![b"1".to_vec()]).await)?;
    let found = succeeds(storage.read(Request::default()).await)?;
    ensure_equal(found, Found { head, values: Vec::new(), pages: Vec::new() }, "what was found")
}

pub async fn what_is_asked_for_then_is_of_the_same_transaction<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (reader, writer) = (with_documents(open, name, &["1", "2", "3"]).await?, open(name).await);
    let seen = Rc::new(RefCell::new(Vec::new()));
    let renewed = ["1", "2", "3"].map(|text| (Area::Documents, Key::text(text), b"new".to_vec()));
    let reading = reader.read(counting_from(1, &seen));
    let writing = writer.write(unguarded(renewed.to_vec(), Vec::new()));
    let (found, written) = join(reading, writing).await;
    ensure_equal(succeeds(written)?, Written::Yes, "the write")?;
    let seen = seen.take();
    // Either may have been first.
    let before = ["1", "2", "3"].map(|text| Some(text.as_bytes().to_vec())).to_vec();
    let expected = if seen.first() == before.first() { before } else { vec![Some(b"new".to_vec()); 3] };
    ensure_equal(seen, expected, "what was found one after the other")?;
    ensure_equal(succeeds(found)?.values, vec![None], "what was found last")
}

/// Asks for a document by its number, and then for the next, as long as there is one; notes down what it is told.
fn counting_from(number: u8, seen: &Rc<RefCell<Vec<Option<Vec<u8>>>>>) -> Request {
    let seen = Rc::clone(seen);
    let keys = vec![(Area::Documents, Key::text(&number.to_string()))];
    let then = Then(Rc::new(move |found| {
        let value = found.values.first().cloned().flatten()?;
        seen.borrow_mut().push(Some(value));
        Some(counting_from(number + 1, &seen))
    }));
    Request { keys, then: Some(then), ..Request::default() }
}

pub async fn what_is_asked_for_then_is_found_as_if_it_were_asked_for_alone<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = with_documents(open, name, &["a", "b", "c"]).await?;
    committed(append(&storage, Head::default(), vec![b"1".to_vec(), b"2".to_vec()]).await)?;
    let key = |text: &str| (Area::Documents, Key::text(text));
    let position = |number: u64| (Area::Log, Key::Position(Position(number)));
    let page =
        |area: Area, (from, to): (Option<&str>, Option<&str>), direction: Direction, count_max: usize| {
            let range = KeyRange { from: from.map(Key::text), to: to.map(Key::text) };
            PageRequest { area, range, direction, count_max }
        };
    let (forwards, backwards) = (Direction::Forwards, Direction::Backwards);
    let some_pages = vec![
        page(Area::Documents, (Some("b"), None), backwards, 9),
        page(Area::Documents, (Some("c"), Some("a")), forwards, 9),
        page(Area::Documents, (None, None), forwards, 0),
        page(Area::Documents, (Some("x"), None), backwards, 9),
        page(Area::Log, (None, None), forwards, 1),
        page(Area::Documents, (None, Some("b")), backwards, 1),
    ];
    let requests = [
        // Of all areas that are asked for later.
        (vec![key("absent"), position(2)], Vec::new()),
        (vec![key("c"), key("absent"), key("c")], some_pages.clone()),
        (Vec::new(), Vec::new()),
        (vec![position(1), position(7)], some_pages.into_iter().rev().collect()),
    ];
    let requests = requests.map(|(keys, pages)| Request { keys, pages, then: None }).to_vec();
    let seen = Rc::default();
    let last = succeeds(storage.read(one_after_the_other(requests.clone().into_iter(), 0, &seen)).await)?;
    let mut alone = Vec::new();
    for request in requests {
        alone.push(succeeds(storage.read(request).await)?);
    }
    ensure_equal(Some(&last), alone.last(), "what was found last")?;
    ensure_equal(seen.take(), alone, "what was found one after the other")
}

/// Asks for one after the other, of which so many were before, and notes down what is found. Where the transaction is run anew, it is
/// noted anew.
fn one_after_the_other(
    mut requests: std::vec::IntoIter<Request>,
    before_count: usize,
    seen: &Rc<RefCell<Vec<Found>>>,
) -> Request {
    let (first, seen) = (requests.next().unwrap_or_default(), Rc::clone(seen));
    let then = Then(Rc::new(move |found| {
        seen.borrow_mut().truncate(before_count);
        seen.borrow_mut().push(found.clone());
        (requests.len() != 0).then(|| one_after_the_other(requests.clone(), before_count + 1, &seen))
    }));
    Request { then: Some(then), ..first }
}

pub async fn keys_are_answered_in_their_order<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = with_documents(open, name, &["a", "b", "c"]).await?;
    let asked = ["c", "absent", "a", "c"].map(Key::text);
    let fetched = succeeds(reads::get(&storage, Area::Documents, &asked).await)?;
    let expected = vec![Some(b"c".to_vec()), None, Some(b"a".to_vec()), Some(b"c".to_vec())];
    ensure_equal(fetched.values, expected, "the values")?;
    let fetched = succeeds(reads::get(&storage, Area::Documents, &[]).await)?;
    ensure_equal(fetched.values, Vec::new(), "the values of no keys")
}

pub async fn keys_and_pages_of_any_areas_are_answered_in_their_order<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = with_documents(open, name, &["a", "b", "c"]).await?;
    let units = ["a", "x"].map(|text| (Area::Units, Key::text(text), b"of a unit".to_vec()));
    succeeds(storage.write(unguarded(units.to_vec(), Vec::new())).await)?;
    let head = committed(append(&storage, Head::default(), vec![b"1".to_vec(), b"2".to_vec()]).await)?;
    let keys = vec![
        (Area::Units, Key::text("a")),
        (Area::Log, Key::Position(Position(2))),
        (Area::Documents, Key::text("a")),
        (Area::Index, Key::text("a")),
        (Area::Documents, Key::text("x")),
        (Area::Units, Key::text("a")),
    ];
    let (whole, up_to_b) = (KeyRange::default(), KeyRange { from: None, to: Some(Key::text("b")) });
    let crossed = KeyRange { from: Some(Key::text("c")), to: Some(Key::text("a")) };
    let (forwards, backwards) = (Direction::Forwards, Direction::Backwards);
    let rows = [
        (Area::Units, &up_to_b, backwards, 9, vec![Key::text("a")]),
        (Area::Documents, &crossed, forwards, 9, vec![]),
        (Area::Documents, &whole, backwards, 2, vec![Key::text("c"), Key::text("b")]),
        (Area::Log, &whole, forwards, 9, vec![Key::Position(Position(1)), Key::Position(Position(2))]),
        (Area::Documents, &up_to_b, forwards, 0, vec![]),
        (Area::Documents, &up_to_b, backwards, 9, vec![Key::text("b"), Key::text("a")]),
        (Area::Documents, &up_to_b, forwards, 1, vec![Key::text("a")]),
        (Area::Index, &whole, backwards, 9, vec![]),
    ];
    let mut request = Request { keys, ..Request::default() };
    for (area, range, direction, count_max, _) in &rows {
        let (area, range, direction, count_max) = (*area, (*range).clone(), *direction, *count_max);
        request.pages.push(PageRequest { area, range, direction, count_max });
    }
    let found = succeeds(storage.read(request).await)?;
    ensure_equal((found.head, found.pages.len()), (head, rows.len()), "the head and how many pages")?;
    let values = [Some("of a unit"), Some("2"), Some("a"), None, None, Some("of a unit")];
    let values = values.map(|value| value.map(|text| text.as_bytes().to_vec()));
    ensure_equal(found.values, values.to_vec(), "the values")?;
    for ((area, range, direction, count_max, expected), page) in rows.into_iter().zip(found.pages) {
        let keys = page.into_iter().map(|record| record.key).collect();
        ensure_equal(keys, expected, &format!("{count_max} {direction:?} of {area:?}, {range:?}"))?;
    }
    Ok(())
}

pub async fn page_bounds_are_inclusive_and_may_be_open<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = with_documents(open, name, &["a", "b", "c", "d"]).await?;
    let rows: [(Option<&str>, Option<&str>, &[&str]); 7] = [
        (None, None, &["a", "b", "c", "d"]),
        (Some("b"), None, &["b", "c", "d"]),
        (None, Some("b"), &["a", "b"]),
        (Some("b"), Some("c"), &["b", "c"]),
        (Some("c"), Some("c"), &["c"]),
        (Some("aa"), Some("bb"), &["b"]),
        (Some("e"), None, &[]),
    ];
    for (from, to, expected) in rows {
        let range = KeyRange { from: from.map(Key::text), to: to.map(Key::text) };
        let mut expected: Vec<_> = expected.iter().map(|text| Key::text(text)).collect();
        let page =
            succeeds(reads::page(&storage, Area::Documents, range.clone(), Direction::Forwards, 10).await)?;
        ensure_equal(keys(&page), expected.clone(), &format!("forwards {from:?} to {to:?}"))?;
        expected.reverse();
        let page = succeeds(reads::page(&storage, Area::Documents, range, Direction::Backwards, 10).await)?;
        ensure_equal(keys(&page), expected, &format!("backwards {from:?} to {to:?}"))?;
    }
    Ok(())
}

pub async fn a_page_holds_so_many_records_from_its_end<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = with_documents(open, name, &["a", "b", "c", "d"]).await?;
    let rows: [(Direction, usize, &[&str]); 7] = [
        (Direction::Forwards, 0, &[]),
        (Direction::Forwards, 1, &["b"]),
        (Direction::Forwards, 2, &["b", "c"]),
        (Direction::Forwards, 3, &["b", "c", "d"]),
        (Direction::Backwards, 0, &[]),
        (Direction::Backwards, 2, &["d", "c"]),
        (Direction::Backwards, 4, &["d", "c", "b"]),
    ];
    for (direction, count_max, expected) in rows {
        let range = KeyRange { from: Some(Key::text("b")), to: None };
        let page = succeeds(reads::page(&storage, Area::Documents, range, direction, count_max).await)?;
        let expected: Vec<_> = expected.iter().map(|text| Key::text(text)).collect();
        ensure_equal(keys(&page), expected, &format!("{count_max} {direction:?}"))?;
    }
    Ok(())
}

pub async fn a_range_whose_bounds_are_crossed_is_empty<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = with_documents(open, name, &["a", "b", "c"]).await?;
    for direction in [Direction::Forwards, Direction::Backwards] {
        let range = KeyRange { from: Some(Key::text("c")), to: Some(Key::text("a")) };
        let page = succeeds(reads::page(&storage, Area::Documents, range, direction, 10).await)?;
        ensure_equal(keys(&page), Vec::new(), "the keys")?;
    }
    Ok(())
}

pub async fn positions_order_by_number<S: Storage>(open: &impl AsyncFn(&str) -> S, name: &str) -> Clause {
    let storage = open(name).await;
    let positions = [1, 2, 10, 255, 256, 65_536, 1 << 40, crate::limits::INTEGER_MAX].map(Position);
    let put = |position: Position| (Area::Log, Key::Position(position), position.0.to_le_bytes().to_vec());
    let mut puts: Vec<_> = positions.into_iter().map(put).collect();
    puts.reverse();
    succeeds(storage.write(unguarded(puts, Vec::new())).await)?;
    let mut expected: Vec<_> = positions.map(Key::Position).into();
    let page = succeeds(whole_area(&storage, Area::Log).await)?;
    ensure_equal(keys(&page), expected.clone(), "all keys")?;
    for record in page.records {
        let Key::Position(position) = record.key else {
            return Err(Broken::new("a key of the log is bytes"));
        };
        ensure_equal(record.value, position.0.to_le_bytes().to_vec(), "the value")?;
    }
    let range =
        KeyRange { from: Some(Key::Position(Position(3))), to: Some(Key::Position(Position(1 << 41))) };
    let page = succeeds(reads::page(&storage, Area::Log, range, Direction::Backwards, 10).await)?;
    expected = [1 << 40, 65_536, 256, 255, 10].map(|number| Key::Position(Position(number))).into();
    ensure_equal(keys(&page), expected, "the keys of a range backwards")
}

pub async fn other_keys_order_by_bytes<S: Storage>(open: &impl AsyncFn(&str) -> S, name: &str) -> Clause {
    let storage = open(name).await;
    let ordered: [&[u8]; 10] = [
        b"",
        b"\0",
        b"\0\0",
        b"\0\xff",
        b"10",
        b"2",
        b"a",
        "\u{ffff}".as_bytes(),
        "😀".as_bytes(),
        b"\xff\xff",
    ];
    let put = |bytes: &&[u8]| (Area::Index, Key::Bytes(bytes.to_vec()), bytes.to_vec());
    succeeds(storage.write(unguarded(ordered.iter().rev().map(put).collect(), Vec::new())).await)?;
    let page = succeeds(whole_area(&storage, Area::Index).await)?;
    let expected: Vec<_> = ordered.iter().map(|bytes| Key::Bytes(bytes.to_vec())).collect();
    ensure_equal(keys(&page), expected, "all keys")?;
    let range = KeyRange { from: Some(Key::Bytes(Vec::new())), to: Some(Key::Bytes(b"\0\xff".to_vec())) };
    let page = succeeds(reads::page(&storage, Area::Index, range, Direction::Forwards, 10).await)?;
    ensure_equal(page.records.len(), 4, "the records from the empty key on")?;
    let fetched = succeeds(reads::get(&storage, Area::Index, &[Key::Bytes(Vec::new())]).await)?;
    ensure_equal(fetched.values, vec![Some(Vec::new())], "the record of the empty key")
}

pub async fn areas_are_apart<S: Storage>(open: &impl AsyncFn(&str) -> S, name: &str) -> Clause {
    let storage = open(name).await;
    let areas = Area::ALL.into_iter().filter(|area| *area != Area::Log);
    let put = |area: Area| (area, Key::text("same"), area.name().as_bytes().to_vec());
    succeeds(storage.write(unguarded(areas.clone().map(put).collect(), Vec::new())).await)?;
    for area in areas {
        let fetched = succeeds(reads::get(&storage, area, &[Key::text("same")]).await)?;
        ensure_equal(fetched.values, vec![Some(area.name().as_bytes().to_vec())], area.name())?;
    }
    ensure_equal(succeeds(whole_area(&storage, Area::Log).await)?.records, Vec::new(), "the log")
}

pub async fn values_come_back_to_the_byte<S: Storage>(open: &impl AsyncFn(&str) -> S, name: &str) -> Clause {
    let storage = open(name).await;
    let every_byte: Vec<u8> = (0..=255).collect();
    for value in [Vec::new(), vec![0], every_byte.clone()] {
        let put = (Area::Snapshots, Key::Bytes(every_byte.clone()), value.clone());
        succeeds(storage.write(unguarded(vec![put], Vec::new())).await)?;
        let fetched =
            succeeds(reads::get(&storage, Area::Snapshots, &[Key::Bytes(every_byte.clone())]).await)?;
        ensure_equal(fetched.values, vec![Some(value)], "the value")?;
    }
    Ok(())
}

pub async fn large_values_come_back_to_the_byte<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let mut prng = crate::testing::prng::Prng::new(1);
    let mut head = Head::default();
    // Around the size from which browsers keep values in files of their own, and well above it.
    for length in [65_535, 65_536, 300_000, 5_000_000] {
        let bytes = prng.bytes(length);
        head = committed(append(&storage, head, vec![bytes.clone()]).await)?;
        let fetched = succeeds(reads::get(&other, Area::Log, &[Key::Position(head.position)]).await)?;
        ensure(fetched.values == [Some(bytes)], &format!("a value of {length} bytes comes back equal"))?;
    }
    Ok(())
}

pub async fn what_was_read_is_a_copy<S: Storage>(open: &impl AsyncFn(&str) -> S, name: &str) -> Clause {
    let storage = with_documents(open, name, &["a"]).await?;
    let mut first = succeeds(whole_area(&storage, Area::Documents).await)?;
    first.records.iter_mut().for_each(|record| record.value.fill(0));
    let second = succeeds(whole_area(&storage, Area::Documents).await)?;
    ensure_equal(
        second.records.into_iter().map(|record| record.value).collect(),
        vec![b"a".to_vec()],
        "the value",
    )
}

/// A database with these documents, each with its key as its value, written out of order.
async fn with_documents<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
    texts: &[&str],
) -> Result<S, Broken> {
    let storage = open(name).await;
    let put = |text: &&str| (Area::Documents, Key::text(text), text.as_bytes().to_vec());
    let written =
        succeeds(storage.write(unguarded(texts.iter().rev().map(put).collect(), Vec::new())).await)?;
    ensure_equal(written, Written::Yes, "the write")?;
    Ok(storage)
}
