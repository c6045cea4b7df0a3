//! A load with a snapshot reads what came since, and nothing of what was before.

use everfold::event::{EventType, Json, NewEvent};
use everfold::layout::keys::UnitRecord;
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{Area, Request, Written};
use everfold::store::{AppendRequest, Store, WriteRequest};
use everfold::testing::executor::Executor;
use everfold::testing::prng::Prng;
use everfold::testing::simulated_host::{Announcements, SimulatedHost, SimulatedOrigin};
use everfold::testing::watched_storage::{Watch, WatchedStorage};

use crate::compaction::laid::{compact, on_demand};
use crate::one_tab::name;

use super::{NOW, keep, load};

type WatchedStore = Store<WatchedStorage<MemoryStorage>, SimulatedHost>;

const EVENTS: usize = 600;

async fn append(store: &WatchedStore, prng: &mut Prng, count: usize) {
    for _ in 0..count {
        let text: String = prng.bytes(1_000).into_iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        let data = Some(Json::parse(format!("\"{text}\"")).unwrap());
        let event = NewEvent { data, ..NewEvent::new(EventType::new("Noted").unwrap()) };
        let expected = everfold::log::Expected::Any;
        let writes = vec![WriteRequest { stream: name("stream"), expected, events: vec![event] }];
        store.append(AppendRequest { writes, condition: None, durability: None }).1.await.unwrap();
    }
}

/// How many blocks are asked for.
fn block_count(reads: &[Request]) -> usize {
    let is_block =
        |key: &everfold::storage::Key| matches!(UnitRecord::of(key), Some((_, UnitRecord::Block(_))));
    let keys = reads.iter().flat_map(|read| &read.keys);
    let by_key = keys.filter(|(area, key)| *area == Area::Units && is_block(key)).count();
    let pages = reads.iter().flat_map(|read| &read.pages).filter(|page| page.area == Area::Units);
    by_key + pages.map(|page| page.count_max).sum::<usize>()
}

#[test]
fn blocks_before_a_snapshot_are_not_read_and_what_is_read_takes_three_transactions_at_most() {
    let executor = Executor::new(1);
    let origin =
        SimulatedOrigin::new(&executor.scheduler(), Announcements { lost_permille: 1_000, delay_ms_max: 0 });
    let (database, watch) = (MemoryStorage::new(), Watch::default());
    let open = async || {
        let storage = WatchedStorage::new(database.handle(), &watch);
        let host = origin.host(origin.tab(), "test");
        let store = Store::open(storage, host, on_demand(10_000), |_| ()).await.unwrap();
        executor.scheduler().sleep(1).await;
        watch.take_reads();
        store
    };
    let test = async {
        let mut prng = Prng::new(1);
        let store = open().await;
        append(&store, &mut prng, EVENTS).await;
        compact(&store).await.unwrap();

        let store = open().await;
        let (fold, read_count) = load(&store, "stream", NOW).await;
        let blocks_before = block_count(&watch.take_reads());
        assert_eq!(read_count, EVENTS);
        assert!(5 < blocks_before, "{blocks_before} blocks are too few to tell");
        assert_eq!(keep(&store, "stream", &fold).await, Ok(Written::Yes));

        let store = open().await;
        assert_eq!(load(&store, "stream", NOW).await, (fold, 0));
        let reads = watch.take_reads();
        assert_eq!(block_count(&reads), 0, "{reads:?}");
        // The newest state with the snapshot, and beside it what leads to the stream: the index of a run, then its page.
        assert!(reads.len() <= 3, "{reads:?}");

        append(&store, &mut prng, 3).await;
        watch.take_reads();
        assert_eq!(load(&store, "stream", NOW).await.1, 3);
        let reads = watch.take_reads();
        assert_eq!(reads.len(), 1, "{reads:?}");
        compact(&store).await.unwrap();

        let store = open().await;
        assert_eq!(load(&store, "stream", NOW).await.1, 3);
        let reads = watch.take_reads();
        assert!((1..=2).contains(&block_count(&reads)), "{reads:?}");
    };
    executor.run_until(test).unwrap();
}
