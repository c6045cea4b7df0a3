//! Whose turn it is, and which build answers.

use std::rc::Rc;

use everfold::event::Position;
use everfold::projection::keys;
use everfold::storage::{Area, Direction, PageRequest, Storage};
use everfold::store::{Begin, Ready, Standing, Turn, Whose};
use everfold::testing::prng::Prng;

use crate::one_tab::{Browser, in_browser};

use super::{advance, begin, check_answers, events, fold_all, naive, projection};

const ALL: Position = Position(300);

#[test]
fn who_claims_a_build_takes_it_from_whoever_had_it() {
    in_browser(|browser| async move {
        let events = events(&mut Prng::new(1), 300);
        let orders = projection(1, 7);
        let (one, other) = (browser.open().await, browser.open().await);
        assert_eq!(one.claim(&orders).await, Ok(None), "there is no build");
        begin(&one, &orders).await;
        let claim = one.claim(&orders).await.unwrap().unwrap();
        let second = other.claim(&orders).await.unwrap().unwrap();
        let stretch = (Position(0), Position(10));
        assert_eq!(advance(&one, &orders, &events, claim.token, stretch, Ready::Now).await, Ok(Turn::Lost));
        assert_eq!(
            advance(&other, &orders, &events, second.token, stretch, Ready::Now).await,
            Ok(Turn::Done)
        );
        assert_eq!(one.standing(&orders, None).await.unwrap().own, Some(Position(10)));
        let keys = [Rc::from("order-1")];
        assert_eq!(one.documents(&orders.name, Whose::Own(claim.token), &keys).await, Ok(None));
    });
}

#[test]
fn the_old_build_answers_until_the_new_one_is_ready_and_is_then_deleted() {
    in_browser(|browser| async move {
        let (old_events, new_events) = (events(&mut Prng::new(1), 300), events(&mut Prng::new(2), 300));
        let (old, new) = (projection(1, 7), projection(2, 7));
        let (old_tab, new_tab) = (browser.open().await, browser.open().await);
        begin(&old_tab, &old).await;
        let old_claim = fold_all(&old_tab, &old, &old_events, 50).await;
        let of_old = old_tab.standing(&old, None).await.unwrap().build;
        begin(&new_tab, &new).await;
        let claim = new_tab.claim(&new).await.unwrap().unwrap();
        assert!(!claim.is_answering);
        let mut prng = Prng::new(3);
        let stretch = (Position(0), Position(200));
        assert_eq!(
            advance(&new_tab, &new, &new_events, claim.token, stretch, Ready::NotYet).await,
            Ok(Turn::Done)
        );
        for store in [&old_tab, &new_tab] {
            check_answers(store, &naive(&old_events, ALL), &mut prng).await;
        }
        // The old one goes on meanwhile.
        let on = advance(&old_tab, &old, &old_events, old_claim.token, (ALL, ALL), Ready::Now).await;
        assert_eq!(on, Ok(Turn::Done));
        let stretch = (Position(200), ALL);
        assert_eq!(
            advance(&new_tab, &new, &new_events, claim.token, stretch, Ready::Now).await,
            Ok(Turn::Done)
        );
        for store in [&old_tab, &new_tab] {
            check_answers(store, &naive(&new_events, ALL), &mut prng).await;
        }
        let on = advance(&old_tab, &old, &old_events, old_claim.token, (ALL, ALL), Ready::Now).await;
        assert_eq!(on, Ok(Turn::Lost));
        let build = new_tab.standing(&new, None).await.unwrap().build;
        assert!(build.is_some() && build != of_old);
        let superseded =
            Standing { build, answering: Some(ALL), own: None, is_answering: false, changed: None };
        assert_eq!(
            old_tab.project(&old, Begin::IfNew).await,
            Ok(superseded),
            "an older version begins nothing"
        );
        new_tab.claim(&new).await.unwrap().unwrap();
        assert_eq!(builds_with_pages(&browser).await, 1);
        check_answers(&browser.open().await, &naive(&new_events, ALL), &mut prng).await;
    });
}

#[test]
fn a_build_that_is_made_anew_answers_when_it_is_ready() {
    in_browser(|browser| async move {
        let events = events(&mut Prng::new(1), 300);
        let orders = projection(1, 7);
        let store = browser.open().await;
        begin(&store, &orders).await;
        let earlier = fold_all(&store, &orders, &events, 50).await;
        for _ in 0..2 {
            let standing = store.project(&orders, Begin::Anew).await.unwrap();
            assert_eq!((standing.answering, standing.own), (Some(ALL), Some(Position(0))));
        }
        let on = advance(&store, &orders, &events, earlier.token, (ALL, ALL), Ready::Now).await;
        assert_eq!(on, Ok(Turn::Done), "who carries on the old one notices when it claims");
        check_answers(&store, &naive(&events, ALL), &mut Prng::new(2)).await;
        fold_all(&store, &orders, &events, 70).await;
        store.claim(&orders).await.unwrap().unwrap();
        assert_eq!(builds_with_pages(&browser).await, 1);
        check_answers(&store, &naive(&events, ALL), &mut Prng::new(2)).await;
    });
}

#[test]
fn a_build_that_is_behind_what_answers_does_not_take_its_place() {
    in_browser(|browser| async move {
        let events = events(&mut Prng::new(1), 300);
        let (old, new) = (projection(1, 7), projection(2, 7));
        let (old_tab, new_tab) = (browser.open().await, browser.open().await);
        begin(&old_tab, &old).await;
        begin(&new_tab, &new).await;
        let claim = new_tab.claim(&new).await.unwrap().unwrap();
        fold_all(&old_tab, &old, &events, 100).await;
        // It has folded all that there was when it read, and somebody has waited for more since.
        for (stretch, is_answering) in [
            ((Position(0), Position(200)), false),
            ((Position(200), Position(299)), false),
            ((Position(299), ALL), true),
        ] {
            let turn = advance(&new_tab, &new, &events, claim.token, stretch, Ready::Now).await;
            assert_eq!(turn, Ok(Turn::Done));
            let standing = new_tab.standing(&new, None).await.unwrap();
            assert_eq!((standing.answering, standing.is_answering), (Some(ALL), is_answering), "{stretch:?}");
        }
    });
}

#[test]
fn changes_are_named_as_long_as_they_are_few() {
    in_browser(|browser| async move {
        let events: Vec<_> = (0..900).map(|number| (format!("order-{number}"), None::<()>)).collect();
        let with_docs: Vec<_> = super::events(&mut Prng::new(4), 900)
            .into_iter()
            .zip(events)
            .map(|((_, doc), (key, _))| (key, doc))
            .collect();
        let orders = projection(1, 7);
        let store = browser.open().await;
        begin(&store, &orders).await;
        let claim = store.claim(&orders).await.unwrap().unwrap();
        let mut from = Position(0);
        for to in [2, 3, 800, 801].map(Position) {
            advance(&store, &orders, &with_docs, claim.token, (from, to), Ready::Now).await.unwrap();
            from = to;
        }
        let changed =
            async |after: u64| store.standing(&orders, Some(Position(after))).await.unwrap().changed;
        assert_eq!(changed(801).await, Some(Vec::new()));
        let last = naive(&with_docs, Position(801)).contains_key("order-800");
        assert_eq!(changed(800).await, Some(last.then(|| Rc::from("order-800")).into_iter().collect()));
        assert_eq!(changed(2).await, None, "797 events are too many to name");
    });
}

/// How many builds have pages.
pub async fn builds_with_pages(browser: &Browser) -> usize {
    let range = everfold::storage::KeyRange { from: Some(everfold::storage::Key::Bytes(vec![1])), to: None };
    let page =
        PageRequest { area: Area::Documents, range, direction: Direction::Forwards, count_max: 100_000 };
    let found = browser.storage.read(page.into()).await.unwrap();
    let mut builds: Vec<Vec<u8>> = Vec::new();
    for record in found.pages.into_iter().flatten() {
        let everfold::storage::Key::Bytes(key) = record.key else { continue };
        let id: [u8; 8] = key[1..9].try_into().unwrap();
        assert!(
            keys::fence_of(
                keys::BuildId(id),
                keys::Tree(key[9]),
                &everfold::storage::Key::Bytes(key.clone())
            )
            .is_some()
        );
        builds.push(id.to_vec());
    }
    builds.dedup();
    builds.len()
}
