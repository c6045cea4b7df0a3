//! A directory that is damaged as often as it is made: whoever looks at it gives up.

use std::cell::Cell;
use std::rc::Rc;

use everfold::layout::keys::RunRecord;
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Area, Batch, Durability, Found, GuardedWrite, Head, LayoutChange, LogRecord, Outcome, Request, Seen,
    Storage, StorageFault, Usage, Written,
};
use everfold::store::{Store, StreamList};

use crate::compaction::laid::on_demand;
use crate::one_tab::in_browser;

use super::log::{Log, STREAMS, UNIT_ENTRIES_MAX};
use super::wounds::put;

/// One look has the directory made again so many times at most.
const REBUILDS_MAX: u32 = 8;

/// A storage that loses pages of the directory when they come to live.
struct MothEaten {
    inner: MemoryStorage,
    appetite: Rc<Appetite>,
}

#[derive(Default)]
struct Appetite {
    /// How often pages are lost yet.
    left: Cell<u32>,
    /// How often they came.
    layout_count: Cell<u32>,
}

impl Storage for MothEaten {
    fn strongest_durability(&self) -> Durability {
        self.inner.strongest_durability()
    }

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        self.inner.read(request).await
    }

    async fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        self.inner.commit(seen, durability, judge).await
    }

    async fn write(&self, mut write: GuardedWrite) -> Result<Written, StorageFault> {
        let Appetite { left, layout_count } = &*self.appetite;
        if 0 < left.get() {
            write.puts.retain(|(area, key, _)| *area != Area::Index || RunRecord::of(key).is_none());
        }
        if write.layout != LayoutChange::Keep {
            layout_count.set(layout_count.get() + 1);
            left.set(left.get().saturating_sub(1));
        }
        self.inner.write(write).await
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        self.inner.usage().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// The directory is lost, and then so many times more: what a listing of streams comes to, and how often the directory
/// was made for it.
#[track_caller]
fn check(losses: u32, expected: Result<usize, &'static str>, made_count: u32) {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 3).await;
        let appetite = Rc::new(Appetite::default());
        let storage = MothEaten { inner: log.compacted.handle(), appetite: Rc::clone(&appetite) };
        let opened = Store::open(storage, browser.host(), on_demand(UNIT_ENTRIES_MAX), |_| ()).await;
        let store = opened.expect("a whole database opens");
        for (area, record) in log.derived().await {
            if area == Area::Index && RunRecord::of(&record.key).is_some() {
                put(&log.compacted, area, &record.key, None).await;
            }
        }
        appetite.left.set(losses);

        let list = StreamList { prefix: String::new(), after: None, limit: 100 };
        let listed = store.streams(&list).await;
        let listed = listed.map(|streams| streams.len()).map_err(|error| error.code());
        assert_eq!(listed, expected, "{losses} losses");
        assert_eq!(appetite.layout_count.get(), made_count, "{losses} losses");

        // Each look counts anew.
        appetite.left.set(0);
        assert_eq!(
            store.streams(&list).await.map(|streams| streams.len()),
            Ok(STREAMS.len()),
            "{losses} losses"
        );
    });
}

#[test]
fn a_look_has_the_directory_made_again_a_few_times_and_then_says_so() {
    check(0, Ok(STREAMS.len()), 1);
    check(1, Ok(STREAMS.len()), 2);
    check(REBUILDS_MAX - 1, Ok(STREAMS.len()), REBUILDS_MAX);
    check(REBUILDS_MAX, Err("CORRUPT_DATA"), REBUILDS_MAX);
    check(u32::MAX, Err("CORRUPT_DATA"), REBUILDS_MAX);
}
