//! Tabs that keep snapshots, hide events and compact at the same time.

use everfold::event::Revision;
use everfold::snapshot::Snapshot;
use everfold::storage::{Area, Direction, KeyRange};
use everfold::store::Mark;
use everfold::testing::executor::TabId;
use everfold::testing::prng::Prng;
use everfold::testing::reads;
use futures_util::future::join3;

use crate::compaction::laid::compact;
use crate::compaction::tabs::{Locks, TabStore, Tabs};

use super::{NOW, append_to, keep, load, load_plainly, mark_in};

const STREAMS: [&str; 2] = ["a", "b"];
const STEPS: usize = 40;

/// What one tab does. Gives how many snapshots it has kept.
async fn live(store: &TabStore, seed: u64) -> usize {
    let mut prng = Prng::new(seed);
    let mut kept_count = 0;
    for _ in 0..STEPS {
        let stream = *prng.pick(&STREAMS);
        match prng.below(8) {
            0..3 => append_to(store, stream, prng.between(1..=3)).await,
            3 if prng.chance(500) => mark_in(store, stream, Mark::Delete).await,
            3 => mark_in(store, stream, Mark::Truncate { before: Revision(prng.below(40)) }).await,
            // Without locks a compaction may give up.
            4 => drop(compact(store).await),
            _ => {
                let (fold, _) = load(store, stream, NOW).await;
                if fold.last_revision.is_some() {
                    let written = keep(store, stream, &fold).await.unwrap();
                    kept_count += usize::from(written == everfold::storage::Written::Yes);
                }
            }
        }
    }
    kept_count
}

fn check(seed: u64, locks: Locks) -> usize {
    println!("seed {seed}");
    let tabs = Tabs::new(seed, locks);
    let storage = tabs.database.handle(TabId::BROWSER);
    let test = async {
        let [(_, one), (_, two), (_, three)] =
            [tabs.open(10).await, tabs.open(15).await, tabs.open(30).await];
        let lives = join3(live(&one, 3 * seed), live(&two, 3 * seed + 1), live(&three, 3 * seed + 2));
        let (first, second, third) = lives.await;
        compact(&one).await.unwrap();
        let page = reads::page(&storage, Area::Snapshots, KeyRange::default(), Direction::Forwards, 100);
        let mut stored = Vec::new();
        for record in page.await.unwrap().records {
            stored.push(Snapshot::from_bytes(&record.key, record.value).unwrap());
        }
        let mut seen = Vec::new();
        for stream in STREAMS {
            let (fold, _) = load(&two, stream, NOW).await;
            assert_eq!(fold, load_plainly(&two, stream, NOW, fold.as_of).await, "seed {seed}: {stream}");
            seen.extend(fold.positions);
        }
        // All that is hidden is erased by now.
        for snapshot in stored {
            let positions = snapshot.state.trim_matches(['[', ']']).split(',').map(|it| it.parse().unwrap());
            for position in positions {
                assert!(seen.contains(&position), "seed {seed}: {position} is erased, and in a snapshot");
            }
        }
        first + second + third
    };
    tabs.executor.run_until(test).unwrap()
}

#[test]
fn whatever_they_do_nothing_that_is_erased_remains_in_a_snapshot() {
    let with_locks: usize = (0..60).map(|seed| check(seed, Locks::OfOrigin)).sum();
    let without: usize = (0..60).map(|seed| check(seed, Locks::Missing)).sum();
    assert!(1_000 < with_locks + without, "only {with_locks} and {without} snapshots were kept");
}
