//! Counting by names of which there are more than one look counts.

use std::collections::BTreeMap;

use everfold::event::Position;
use everfold::log::Expected;
use everfold::store::{Count, CountBy};

use crate::one_tab::{TestStore, commit, event, in_browser, whole_log, write};

use super::laid::compact;

/// More than twice what is counted in one look.
const CATEGORIES: usize = 9_000;
const PER_COMMIT: usize = 900;

/// Appends an event to each of these categories.
async fn append_to(store: &TestStore, categories: &[usize]) {
    for some in categories.chunks(PER_COMMIT) {
        let streams = some.iter().map(|number| format!("c{number}-1"));
        let writes = streams.map(|stream| write(&stream, Expected::Any, vec![event("A")])).collect();
        commit(store, writes).await.expect("an append that expects nothing");
    }
}

/// Counts all events, page after page.
async fn counted(store: &TestStore, by: CountBy) -> BTreeMap<String, u64> {
    let mut count =
        Count { query: whole_log().query, since: None, until: None, by, after: Position::START, as_of: None };
    let mut sums = BTreeMap::new();
    loop {
        let page = store.count(&count).await.expect("a count");
        for (name, more) in page.counts {
            *sums.entry(name).or_default() += more;
        }
        count.as_of = Some(page.as_of);
        match page.next {
            Some(next) => count.after = next,
            None => return sums,
        }
    }
}

#[test]
fn each_category_is_counted_once_however_many_they_are() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        let all: Vec<usize> = (0..CATEGORIES).collect();
        append_to(&store, &all).await;
        compact(&store).await.expect("a whole log");
        append_to(&store, &all[CATEGORIES / 2..]).await;
        compact(&store).await.expect("a whole log");
        append_to(&store, &all[..3]).await;
        let expected: BTreeMap<String, u64> = (0..CATEGORIES)
            .map(|number| (format!("c{number}"), 1 + u64::from(!(3..CATEGORIES / 2).contains(&number))))
            .collect();
        for store in [&store, &browser.open().await] {
            assert_eq!(counted(store, CountBy::Category).await, expected);
            let total = expected.values().sum();
            assert_eq!(counted(store, CountBy::Type).await, [("A".to_owned(), total)].into());
        }
    });
}
