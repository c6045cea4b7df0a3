//! What takes the place of records of the log is no less durable than they may have been.

use std::cell::RefCell;
use std::rc::Rc;

use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Batch, Durability, Found, GuardedWrite, Head, LayoutChange, LogRecord, Outcome, Request, Seen, Storage,
    StorageFault, Usage, Written,
};
use everfold::store::{OpenOptions, Store};
use everfold::testing::executor::Executor;
use everfold::testing::prng::Prng;
use everfold::testing::simulated_host::{Announcements, SimulatedOrigin};

use crate::layout::lived::Shape;

use super::laid::{compact, history, lay, on_demand};

const SHAPE: Shape =
    Shape { commit_count: 60, commit_entries_max: 3, stream_count: 7, facts_permille: 80, large_permille: 0 };

/// A storage that could flush, and takes down which writes it was to flush.
struct Noting {
    inner: MemoryStorage,
    writes: Rc<RefCell<Vec<GuardedWrite>>>,
}

impl Storage for Noting {
    fn strongest_durability(&self) -> Durability {
        Durability::Strict
    }

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        self.inner.read(request).await
    }

    async fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnOnce(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        self.inner.commit(seen, durability, judge).await
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        self.writes.borrow_mut().push(write.clone());
        self.inner.write(write).await
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        self.inner.usage().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[test]
fn every_swap_is_flushed_although_appends_are_not() {
    let executor = Executor::new(1);
    let announcements = Announcements { lost_permille: 1_000, delay_ms_max: 0 };
    let origin = SimulatedOrigin::new(&executor.scheduler(), announcements);
    let test = async {
        let (inner, writes) = (MemoryStorage::new(), Rc::new(RefCell::new(Vec::new())));
        let storage = Noting { inner: inner.handle(), writes: Rc::clone(&writes) };
        let host = origin.host(origin.tab(), "test");
        let options = OpenOptions { durability: Durability::Relaxed, ..on_demand(20) };
        let store = Store::open(storage, host, options, |_| ()).await.unwrap();
        lay(&inner, &history(&mut Prng::new(1), SHAPE), 2).await;
        compact(&store).await.unwrap();
        let writes = writes.borrow();
        let swaps: Vec<_> = writes.iter().filter(|write| write.layout != LayoutChange::Keep).collect();
        assert!(2 < swaps.len(), "{} swaps", swaps.len());
        assert!(swaps.iter().all(|write| write.durability == Durability::Strict));
        assert!(writes.iter().all(|write| !write.expect.is_empty() || write.puts.len() < 2));
    };
    executor.run_until(test).unwrap();
}
