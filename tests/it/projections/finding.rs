//! Documents and indexes are what a naive fold makes, at every checkpoint, in every tab.

use std::rc::Rc;

use everfold::event::Position;
use everfold::projection::range::EntryRange;
use everfold::storage::Direction;
use everfold::store::{Ready, Turn, Whose};
use everfold::testing::prng::Prng;
use everfold::testing::watched_storage::Watch;

use crate::one_tab::{RELAXED, in_browser};

use super::{BY_GROUP, BY_TAG, advance, begin, check_answers, events, find, fold_all, naive, projection};

/// A life of a projection: batches of any size, written by one tab or another, looked at by all.
fn live(seed: u64, event_count: usize) {
    println!("seed {seed}");
    in_browser(|browser| async move {
        let mut prng = Prng::new(seed);
        let events = events(&mut prng, event_count);
        let projection = projection(1, 7);
        let tabs = [browser.open().await, browser.open().await];
        begin(&tabs[0], &projection).await;
        let batch_max = *prng.pick(&[1, 10, 200, 2_000]);
        let (mut writer, mut from, mut step_count) = (0, Position(0), 0);
        let mut claim = tabs[writer].claim(&projection).await.unwrap().unwrap();
        let end = Position(events.len() as u64);
        while from < end && step_count < 40 {
            step_count += 1;
            if prng.chance(200) {
                writer = prng.index(tabs.len());
                claim = tabs[writer].claim(&projection).await.unwrap().unwrap();
                assert_eq!(claim.position, from);
            }
            let to = Position(from.0 + prng.between(1..=batch_max)).min(end);
            let turn =
                advance(&tabs[writer], &projection, &events, claim.token, (from, to), Ready::NotYet).await;
            assert_eq!(turn, Ok(Turn::Done));
            from = to;
            if prng.chance(300) || from == end {
                let docs = naive(&events, from);
                check_answers(&tabs[prng.index(tabs.len())], &docs, &mut prng).await;
            }
        }
        let docs = naive(&events, from);
        for store in [&tabs[0], &tabs[1], &browser.open().await] {
            check_answers(store, &docs, &mut prng).await;
            assert_eq!(store.standing(&projection, None).await.unwrap().answering, Some(from));
        }
    });
}

#[test]
fn documents_and_indexes_are_what_a_naive_fold_makes_at_every_checkpoint() {
    (0..24).for_each(|seed| live(seed, 400));
    (24..28).for_each(|seed| live(seed, 4_000));
}

#[test]
fn a_question_takes_one_transaction_in_a_tab_that_was_just_opened() {
    in_browser(|browser| async move {
        let (events, projection) = (events(&mut Prng::new(1), 2_000), projection(1, 7));
        let store = browser.open().await;
        begin(&store, &projection).await;
        fold_all(&store, &projection, &events, 500).await;
        let all = |direction| EntryRange::within(&[], &[], None, direction);
        for direction in [Direction::Forwards, Direction::Backwards] {
            let watch = Watch::default();
            let fresh = browser.open_watched(&watch, RELAXED).await;
            begin(&fresh, &projection).await;
            drop(watch.take_reads());
            fresh.find_documents(&find(Some(BY_GROUP), all(direction), 20)).await.unwrap().unwrap();
            assert_eq!(watch.take_reads().len(), 1, "what an index finds");
            fresh.count_documents(&find(Some(BY_TAG), all(direction), 0)).await.unwrap().unwrap();
            assert_eq!(watch.take_reads().len(), 1, "what is counted");
            fresh.find_documents(&find(None, all(direction), 1_000)).await.unwrap().unwrap();
            assert_eq!(watch.take_reads().len(), 1, "all documents");
            let keys: Vec<Rc<str>> = (0..50).map(|number| format!("order-{number}").into()).collect();
            fresh.documents(&projection.name, Whose::Answering, &keys).await.unwrap().unwrap();
            assert_eq!(watch.take_reads().len(), 1, "documents by their keys");
        }
    });
}
