//! Clauses on `commit`.

use crate::limits::BEHIND_BYTES_MAX;

use super::*;

pub async fn at_the_head_judge_is_handed_no_records<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    let mut head = Head::default();
    for body in [b"one", b"two"] {
        let (outcome, call) = succeeds(append(&storage, head, vec![body.to_vec()]).await)?;
        ensure_equal(call, Some(JudgeCall { head, tail: Vec::new() }), "what judge was handed")?;
        let expected = batch_after(head, vec![body.to_vec()]).head;
        ensure_equal(outcome, Outcome::Committed(expected), "the outcome")?;
        head = expected;
    }
    Ok(())
}

pub async fn behind_the_head_judge_is_handed_the_records_between_in_order<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let seen = committed(append(&storage, Head::default(), vec![b"1".to_vec()]).await)?;
    let mut head = seen;
    for number in 2..=12_u8 {
        head = committed(append(&other, head, vec![vec![number]]).await)?;
    }
    let (outcome, call) = succeeds(append(&storage, seen, vec![b"mine".to_vec()]).await)?;
    let tail = (2..=12).map(|number| log_record(number, &[number as u8])).collect();
    ensure_equal(call, Some(JudgeCall { head, tail }), "what judge was handed")?;
    ensure_equal(outcome, Outcome::Committed(batch_after(head, vec![b"mine".to_vec()]).head), "the outcome")
}

pub async fn judge_is_handed_as_much_as_the_limit_allows<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let half = vec![7; BEHIND_BYTES_MAX as usize / 2];
    let head = committed(append(&other, Head::default(), vec![half.clone(), half]).await)?;
    ensure_equal(head.appended_bytes, BEHIND_BYTES_MAX, "the bytes behind")?;
    let (_, call) = succeeds(append(&storage, Head::default(), vec![vec![1]]).await)?;
    ensure_equal(call.map(|call| (call.head, call.tail.len())), Some((head, 2)), "what judge was handed")
}

pub async fn past_the_limit_it_gives_up_without_judging_what_others_wrote<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let bodies = vec![vec![7; BEHIND_BYTES_MAX as usize], vec![8]];
    let head = committed(append(&other, Head::default(), bodies).await)?;
    ensure_behind(append(&storage, Head::default(), vec![vec![1]]).await, Head::default(), head)?;
    let page = succeeds(whole_area(&storage, Area::Log).await)?;
    ensure_equal((page.head, page.records.len()), (head, 2), "the log afterwards")
}

pub async fn who_asks_for_all_of_the_tail_gets_it<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let bodies = vec![vec![7; BEHIND_BYTES_MAX as usize], vec![8]];
    let head = committed(append(&other, Head::default(), bodies).await)?;
    let seen = Seen { head: Head::default(), tail_bytes_max: u64::MAX };
    let (_, call) = succeeds(append(&storage, seen, vec![vec![1]]).await)?;
    ensure_equal(call.map(|call| (call.head, call.tail.len())), Some((head, 2)), "what judge was handed")
}

pub async fn a_changed_layout_gives_up_without_judging_what_others_wrote<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let seen = committed(append(&storage, Head::default(), vec![b"1".to_vec()]).await)?;
    let head = Head { layout: seen.layout + 1, ..seen };
    let mut rewrite = unguarded(vec![(Area::Meta, Key::text(Head::KEY), head.to_bytes())], Vec::new());
    rewrite.expect = vec![(Area::Meta, Key::text(Head::KEY), Some(seen.to_bytes()))];
    ensure_equal(succeeds(other.write(rewrite).await)?, crate::storage::Written::Yes, "the rewrite")?;
    ensure_behind(append(&storage, seen, vec![b"2".to_vec()]).await, seen, head)?;
    let after = committed(append(&storage, head, vec![b"2".to_vec()]).await)?;
    ensure_equal(
        (after.layout, after.position),
        (head.layout, head.position.next()),
        "the head after catching up",
    )
}

pub async fn what_judge_refuses_is_not_written<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    let head = committed(append(&storage, Head::default(), vec![b"1".to_vec()]).await)?;
    let outcome = succeeds(storage.commit(head.into(), Durability::Strict, |_, _| None).await)?;
    ensure_equal(outcome, Outcome::Rejected, "the outcome")?;
    let page = succeeds(whole_area(&storage, Area::Log).await)?;
    ensure_equal((page.head, page.records.len()), (head, 1), "the log afterwards")
}

/// Whatever was made ready for the head that was seen.
pub async fn of_a_commit_that_finds_others_ahead_only_what_is_judged_last_is_written<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let other = open(name).await;
    let mut head = Head::default();
    for number in 0..4_u8 {
        // Anew, because a storage may learn from others who were ahead.
        let storage = open(name).await;
        let seen = head;
        let theirs = committed(append(&other, seen, vec![vec![number]; 2]).await)?;
        let judge = move |head: Head, _: &[LogRecord]| {
            (head == seen || number % 2 == 0).then(|| batch_after(head, vec![vec![100, number]]))
        };
        let outcome = succeeds(storage.commit(seen.into(), Durability::Relaxed, judge).await)?;
        let mine = batch_after(theirs, vec![vec![100, number]]).head;
        let expected = if number % 2 == 0 { Outcome::Committed(mine) } else { Outcome::Rejected };
        ensure_equal(outcome, expected, "the outcome")?;
        head = if number % 2 == 0 { mine } else { theirs };
        let page = succeeds(whole_area(&storage, Area::Log).await)?;
        ensure_equal((page.head, page.records.len() as u64), (head, head.position.0), "the log afterwards")?;
        let alone = committed(append(&storage, head, vec![vec![200, number]]).await)?;
        ensure_equal(alone, batch_after(head, vec![vec![200, number]]).head, "the head of a commit alone")?;
        head = alone;
    }
    Ok(())
}

pub async fn a_commit_is_seen_by_the_other_handle_with_its_head<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (storage, other) = (open(name).await, open(name).await);
    let mut head = Head::default();
    for number in 1..=5_u8 {
        head = committed(append(&storage, head, vec![vec![number]]).await)?;
        let page = succeeds(whole_area(&other, Area::Log).await)?;
        ensure_equal((page.head, page.records.len()), (head, usize::from(number)), "what a page found")?;
        let fetched = succeeds(reads::get(&other, Area::Log, &[Key::Position(head.position)]).await)?;
        ensure_equal((fetched.head, fetched.values), (head, vec![Some(vec![number])]), "what a key found")?;
        let fetched = succeeds(reads::get(&other, Area::Meta, &[Key::text(Head::KEY)]).await)?;
        ensure_equal(fetched.values, vec![Some(head.to_bytes())], "the stored head")?;
    }
    Ok(())
}

pub async fn a_commit_may_have_several_records<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let storage = open(name).await;
    // A record holds as many entries as the positions between it and the next say.
    let judge = |_: Head, _: &[LogRecord]| {
        let records = vec![log_record(1, b"1 to 9"), log_record(10, b"10"), log_record(11, b"11 to 300")];
        Some(Batch {
            records,
            head: Head { position: Position(300), layout: 0, appended_bytes: 17, ..Head::default() },
        })
    };
    let outcome = succeeds(storage.commit(Head::default().into(), Durability::Relaxed, judge).await)?;
    let head = Head { position: Position(300), layout: 0, appended_bytes: 17, ..Head::default() };
    ensure_equal(outcome, Outcome::Committed(head), "the outcome")?;
    let seen = Head { position: Position(9), layout: 0, appended_bytes: 6, ..Head::default() };
    let (_, call) = succeeds(append(&storage, seen, vec![b"301".to_vec()]).await)?;
    let tail = vec![log_record(10, b"10"), log_record(11, b"11 to 300")];
    ensure_equal(call, Some(JudgeCall { head, tail }), "what judge was handed")
}

pub async fn every_durability_is_taken<S: Storage>(open: &impl AsyncFn(&str) -> S, name: &str) -> Clause {
    let storage = open(name).await;
    let mut head = Head::default();
    for durability in [Durability::Memory, Durability::Relaxed, Durability::Strict] {
        let judge = |head: Head, _: &[LogRecord]| Some(batch_after(head, vec![b"body".to_vec()]));
        let outcome = succeeds(storage.commit(head.into(), durability, judge).await)?;
        head = batch_after(head, vec![b"body".to_vec()]).head;
        ensure_equal(outcome, Outcome::Committed(head), "the outcome")?;
    }
    Ok(())
}

#[track_caller]
fn ensure_behind(
    result: Result<(Outcome, Option<JudgeCall>), StorageFault>,
    seen: Head,
    head: Head,
) -> Clause {
    let (outcome, call) = succeeds(result)?;
    ensure_equal(outcome, Outcome::Behind(head), "the outcome")?;
    let call = call.unwrap_or(JudgeCall { head: seen, tail: Vec::new() });
    ensure_equal(call, JudgeCall { head: seen, tail: Vec::new() }, "what judge was asked beforehand")
}
