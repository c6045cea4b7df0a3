//! Clauses on what happens at the same time.

use futures_util::future::{join, join_all};

use crate::storage::Written;

use super::*;

pub async fn of_two_commits_at_once_one_sees_the_other<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (one, other) = (open(name).await, open(name).await);
    let seen = committed(append(&one, Head::default(), vec![b"base".to_vec()]).await)?;
    let both = join(append(&one, seen, vec![b"one".to_vec()]), append(&other, seen, vec![b"other".to_vec()]));
    let (first, second) = both.await;
    let calls = [succeeds(first)?.1, succeeds(second)?.1];
    let mut tails: Vec<Vec<_>> = Vec::new();
    for call in calls {
        let call = call.ok_or_else(|| Broken::new("judge was not called"))?;
        tails.push(call.tail.into_iter().map(|record| record.bytes).collect());
    }
    let one_first = vec![vec![], vec![b"one".to_vec()]];
    let other_first = vec![vec![b"other".to_vec()], vec![]];
    ensure(tails == one_first || tails == other_first, "exactly one saw the other's record")?;
    let page = succeeds(whole_area(&one, Area::Log).await)?;
    ensure_equal((page.records.len(), page.head.position), (3, Position(3)), "the log afterwards")
}

pub async fn no_commit_of_many_at_once_is_lost<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let handles = [open(name).await, open(name).await];
    let commits = (0..20_u8).map(|number| {
        let storage = &handles[usize::from(number) % 2];
        append(storage, Head::default(), vec![vec![number]])
    });
    for result in join_all(commits).await {
        committed(result)?;
    }
    let page = succeeds(whole_area(&handles[0], Area::Log).await)?;
    let expected: Vec<_> = (1..=20).map(|number| Key::Position(Position(number))).collect();
    ensure_equal(keys(&page), expected, "the positions")?;
    let mut bodies: Vec<_> = page.records.into_iter().map(|record| record.value).collect();
    bodies.sort();
    ensure_equal(bodies, (0..20).map(|number| vec![number]).collect(), "the records")
}

pub async fn a_reader_never_sees_half_a_commit<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (writer, reader) = (open(name).await, open(name).await);
    let commits = join_all((0..10_u8).map(|number| append(&writer, Head::default(), vec![vec![number]; 3])));
    let pages = join_all((0..20).map(|_| whole_area(&reader, Area::Log)));
    let (committed_all, pages) = join(commits, pages).await;
    for result in committed_all {
        committed(result)?;
    }
    for page in pages {
        let page = succeeds(page)?;
        ensure_equal(page.records.len() as u64, page.head.position.0, "the records under a head")?;
        ensure_equal(page.records.len() % 3, 0, "the records of half a commit")?;
    }
    Ok(())
}

pub async fn of_two_guarded_writes_at_once_one_is_refused<S: Storage>(
    open: &impl AsyncFn(&str) -> S,
    name: &str,
) -> Clause {
    let (one, other) = (open(name).await, open(name).await);
    let claim = |value: &[u8]| GuardedWrite {
        expect: vec![(Area::Consumers, Key::text("owner"), None)],
        ..unguarded(vec![(Area::Consumers, Key::text("owner"), value.to_vec())], Vec::new())
    };
    let (first, second) = join(one.write(claim(b"one")), other.write(claim(b"other"))).await;
    let expected: &[u8] = match (succeeds(first)?, succeeds(second)?) {
        (Written::Yes, Written::Refused) => b"one",
        (Written::Refused, Written::Yes) => b"other",
        both => return Err(Broken::new(format!("not exactly one was written: {both:?}"))),
    };
    let fetched = succeeds(reads::get(&one, Area::Consumers, &[Key::text("owner")]).await)?;
    ensure_equal(fetched.values, vec![Some(expected.to_vec())], "the record")
}
