//! Records that are damaged: told where they are met, and made anew.

use everfold::event::Position;
use everfold::projection::keys;
use everfold::projection::range::EntryRange;
use everfold::storage::{
    Area, Direction, Durability, GuardedWrite, Key, KeyRange, LayoutChange, PageRequest, Storage, Written,
};
use everfold::store::{Begin, Whose};
use everfold::testing::prng::Prng;

use crate::one_tab::{Browser, in_browser};

use super::{begin, check_answers, events, find, fold_all, naive, projection};

/// Turns a bit over in the first record of a range.
async fn damage(browser: &Browser, range: KeyRange) {
    let page = PageRequest { area: Area::Documents, range, direction: Direction::Forwards, count_max: 1 };
    let mut found = browser.storage.read(page.into()).await.unwrap();
    let mut record = found.pages.remove(0).remove(0);
    let middle = record.value.len() / 2;
    record.value[middle] ^= 1;
    let write = GuardedWrite {
        expect: Vec::new(),
        deletes: Vec::new(),
        puts: vec![(Area::Documents, record.key, record.value)],
        layout: LayoutChange::Keep,
        durability: Durability::Relaxed,
    };
    assert_eq!(browser.storage.write(write).await, Ok(Written::Yes));
}

#[test]
fn a_page_that_is_damaged_is_told_and_a_build_made_anew_does_without_it() {
    in_browser(|browser| async move {
        let events = events(&mut Prng::new(1), 300);
        let orders = projection(1, 7);
        let store = browser.open().await;
        begin(&store, &orders).await;
        fold_all(&store, &orders, &events, 300).await;
        damage(&browser, KeyRange { from: Some(Key::Bytes(vec![1])), to: None }).await;
        let store = browser.open().await;
        let all = find(None, EntryRange::within(&[], &[], None, Direction::Forwards), 1);
        assert_eq!(store.find_documents(&all).await.unwrap_err().code(), "CORRUPT_DATA");
        let documents = store.documents(&orders.name, Whose::Answering, &["order-0".into()]).await;
        assert_eq!(documents.unwrap_err().code(), "CORRUPT_DATA");
        store.project(&orders, Begin::Anew).await.unwrap();
        fold_all(&store, &orders, &events, 300).await;
        check_answers(&store, &naive(&events, Position(300)), &mut Prng::new(2)).await;
    });
}

#[test]
fn where_the_model_is_damaged_a_build_begins_anew() {
    in_browser(|browser| async move {
        let events = events(&mut Prng::new(1), 300);
        let orders = projection(1, 7);
        let store = browser.open().await;
        begin(&store, &orders).await;
        fold_all(&store, &orders, &events, 300).await;
        damage(&browser, keys::model("orders").into()).await;
        for store in [&store, &browser.open().await] {
            assert_eq!(store.standing(&orders, None).await.unwrap().answering, None);
        }
        begin(&store, &orders).await;
        fold_all(&store, &orders, &events, 300).await;
        check_answers(&browser.open().await, &naive(&events, Position(300)), &mut Prng::new(2)).await;
    });
}
