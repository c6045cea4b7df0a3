//! Records that are damaged or gone: noticed where they are met, and made anew.

use std::rc::Rc;

use everfold::event::Position;
use everfold::projection::range::EntryRange;
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Area, Direction, Durability, GuardedWrite, Key, KeyRange, LayoutChange, PageRequest, Record, Storage,
    Written,
};
use everfold::store::{Ready, Turn, Whose};
use everfold::testing::prng::Prng;

use crate::one_tab::{Browser, TestStore, in_browser};

use super::{BY_GROUP, BY_TAG, advance, begin, check_answers, events, find, fold_all, naive, projection};

async fn write(browser: &Browser, deletes: Vec<(Area, KeyRange)>, puts: Vec<(Area, Key, Vec<u8>)>) {
    let (layout, durability) = (LayoutChange::Keep, Durability::Relaxed);
    let write = GuardedWrite { expect: Vec::new(), deletes, puts, layout, durability };
    assert_eq!(browser.storage.write(write).await, Ok(Written::Yes));
}

/// Everything that is stored of documents.
async fn records(browser: &Browser) -> Vec<Record> {
    let (range, direction) = (KeyRange::default(), Direction::Forwards);
    let page = PageRequest { area: Area::Documents, range, direction, count_max: usize::MAX };
    browser.storage.read(page.into()).await.unwrap().pages.remove(0)
}

/// Asks for every document, and for every entry of every index. Says whether all of it was answered.
async fn is_whole(store: &TestStore) -> bool {
    let mut is_whole = true;
    for index in [None, Some(BY_GROUP), Some(BY_TAG)] {
        for direction in [Direction::Forwards, Direction::Backwards] {
            let all = find(index, EntryRange::within(&[], &[], None, direction), 10_000);
            is_whole &= store.find_documents(&all).await.unwrap().is_some();
            let some = EntryRange::within(&[], &[0], None, direction);
            is_whole &= store.count_documents(&find(index, some, 0)).await.unwrap().is_some();
        }
    }
    let keys: Vec<Rc<str>> = (0..2_000).map(|number| format!("order-{number}").into()).collect();
    is_whole & store.documents(&"orders".into(), Whose::Answering, &keys).await.unwrap().is_some()
}

/// Spoils each record in turn, each in a database of its own; asks, has the documents made anew, and asks again.
fn check_each(spoil: fn(&mut Record) -> Vec<u8>) {
    in_browser(|browser| async move {
        let many = (0..).map(|seed| events(&mut Prng::new(seed), 600));
        let events = many.into_iter().find(|events| 300 < naive(events, Position(600)).len()).unwrap();
        let (docs, orders) = (naive(&events, Position(600)), projection(1, 7));
        for place in 0.. {
            let browser = browser.beside(&MemoryStorage::default());
            let store = browser.open().await;
            begin(&store, &orders).await;
            fold_all(&store, &orders, &events, 600).await;
            let mut stored = records(&browser).await;
            if stored.len() <= place {
                assert!(5 < place, "there were {place} records");
                break;
            }
            let mut record = stored.remove(place);
            println!("record {place}, {:?}", record.key);
            let value = spoil(&mut record);
            write(&browser, Vec::new(), vec![(Area::Documents, record.key, value)]).await;
            let store = browser.open().await;
            assert!(!is_whole(&store).await, "nobody has noticed");
            begin(&store, &orders).await;
            assert_eq!(store.standing(&orders, None).await.unwrap().own, Some(Position(0)));
            fold_all(&store, &orders, &events, 600).await;
            let store = browser.open().await;
            assert!(is_whole(&store).await);
            check_answers(&store, &docs, &mut Prng::new(2)).await;
        }
    });
}

#[test]
fn whatever_record_is_damaged_it_is_noticed_and_the_documents_are_made_anew() {
    check_each(|record| {
        let middle = record.value.len() / 2;
        record.value[middle] ^= 1;
        record.value.clone()
    });
    check_each(|_| Vec::new());
}

#[test]
fn a_page_of_documents_that_is_gone_is_noticed_by_who_finds_them_by_an_index() {
    in_browser(|browser| async move {
        let events = events(&mut Prng::new(1), 300);
        let orders = projection(1, 7);
        let store = browser.open().await;
        begin(&store, &orders).await;
        fold_all(&store, &orders, &events, 300).await;
        let mut stored = records(&browser).await;
        let first = stored.remove(1).key;
        write(&browser, vec![(Area::Documents, first.into())], Vec::new()).await;
        let store = browser.open().await;
        let all = find(Some(BY_GROUP), EntryRange::within(&[], &[], None, Direction::Forwards), 10_000);
        assert_eq!(store.find_documents(&all).await, Ok(None));
        fold_all(&store, &orders, &events, 300).await;
        check_answers(&store, &naive(&events, Position(300)), &mut Prng::new(2)).await;
    });
}

#[test]
fn a_build_that_is_coming_is_not_given_up_for_one_that_is_damaged() {
    in_browser(|browser| async move {
        let events = events(&mut Prng::new(1), 300);
        let (old, new) = (projection(1, 7), projection(2, 8));
        let store = browser.open().await;
        begin(&store, &old).await;
        fold_all(&store, &old, &events, 300).await;
        begin(&store, &new).await;
        let claim = store.claim(&new).await.unwrap().unwrap();
        let half = (Position(0), Position(150));
        assert_eq!(advance(&store, &new, &events, claim.token, half, Ready::NotYet).await, Ok(Turn::Done));
        let pages = records(&browser).await.into_iter().skip(1);
        let puts = pages.map(|page| (Area::Documents, page.key, vec![0])).collect();
        write(&browser, Vec::new(), puts).await;
        let store = browser.open().await;
        assert!(!is_whole(&store).await);
        let standing = store.standing(&new, None).await.unwrap();
        assert_eq!((standing.answering, standing.own), (Some(Position(300)), Some(Position(150))));
    });
}
