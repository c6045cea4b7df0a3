//! Random lives: whatever happened, a load from a snapshot on is a load from the beginning on.

use std::cell::Cell;
use std::rc::Rc;

use everfold::event::Revision;
use everfold::store::Mark;
use everfold::testing::prng::Prng;

use crate::compaction::laid::{compact, on_demand};
use crate::one_tab::in_browser;

use super::{Moment, NOW, append_to, keep, load, load_plainly, mark_in};

const STREAMS: [&str; 3] = ["a", "b", "c"];

/// Two tabs append, mark, compact, keep snapshots and load at random. Gives how many loads began with a snapshot.
fn check(seed: u64) -> usize {
    println!("seed {seed}");
    let begun = Rc::new(Cell::new(0));
    let count = Rc::clone(&begun);
    in_browser(|browser| async move {
        let mut prng = Prng::new(seed);
        let tabs = [
            browser.open_with(on_demand(20)).await.unwrap(),
            browser.open_with(on_demand(30)).await.unwrap(),
        ];
        let mut folds = Vec::new();
        for _ in 0..120 {
            let (store, stream) = (prng.pick(&tabs), *prng.pick(&STREAMS));
            match prng.below(20) {
                0..6 => {
                    append_to(store, stream, prng.between(1..=4)).await;
                }
                6 => {
                    let before = Revision(prng.below(20));
                    let what = match prng.below(8) {
                        0 => Mark::Tombstone,
                        1..4 => Mark::Delete,
                        _ => Mark::Truncate { before },
                    };
                    mark_in(store, stream, what).await;
                }
                7 => {
                    compact(store).await.unwrap();
                }
                8..12 => {
                    let (fold, _) = load(store, stream, NOW).await;
                    folds.push((stream, fold));
                }
                // Some wait for long before they are kept, and another tab may keep them.
                12..15 if !folds.is_empty() => {
                    let (stream, fold) = folds.swap_remove(prng.index(folds.len()));
                    if fold.last_revision.is_some() {
                        keep(store, stream, &fold).await.unwrap();
                    }
                }
                _ => {
                    append_to(store, "passing", 1).await;
                    let head = store.position().0;
                    let moment = Moment {
                        before: prng.chance(300).then(|| prng.below(30)),
                        as_of: prng.chance(300).then(|| prng.between(0..=head)),
                    };
                    let (fold, read_count) = load(store, stream, moment).await;
                    let plain = load_plainly(store, stream, moment, fold.as_of).await;
                    assert_eq!(fold, plain, "{stream} at {moment:?}");
                    count.set(count.get() + usize::from(read_count < fold.positions.len()));
                }
            }
        }
    });
    begun.get()
}

#[test]
fn a_load_from_a_snapshot_on_is_a_load_from_the_beginning_on() {
    let begun: usize = (0..150).map(check).sum();
    assert!(300 < begun, "only {begun} loads began with a snapshot");
}
