//! A storage that takes down what it is asked for, and whose reads wait for as long as a test wants.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::storage::{
    Batch, Durability, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen, Storage, StorageFault,
    Usage, Written,
};

/// Any storage, and who watches it.
#[derive(Debug)]
pub struct WatchedStorage<S> {
    inner: S,
    watch: Watch,
    durability: Durability,
}

/// What a storage was asked for. Clones are one watch, which a test keeps when a store has the storage.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    state: Rc<RefCell<State>>,
}

#[derive(Debug, Default)]
struct State {
    reads: Vec<Request>,
    writes: Vec<GuardedWrite>,
    are_reads_held: bool,
    /// Reads that wait to be let go.
    held: Vec<Waker>,
}

impl Watch {
    /// The reads that were asked for since this was called last, in their order, be they held or not.
    pub fn take_reads(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.borrow_mut().reads)
    }

    /// The writes that were asked for since this was called last, in their order; commits are none of them.
    pub fn take_writes(&self) -> Vec<GuardedWrite> {
        std::mem::take(&mut self.state.borrow_mut().writes)
    }

    /// From now on reads wait before they reach the storage inside.
    pub fn hold_reads(&self) {
        self.state.borrow_mut().are_reads_held = true;
    }

    /// Lets all reads go that wait, and those that come.
    pub fn let_reads_go(&self) {
        let mut state = self.state.borrow_mut();
        state.are_reads_held = false;
        state.held.drain(..).for_each(Waker::wake);
    }

    /// Whether the storage is still there: nobody has dropped it.
    pub fn is_watching(&self) -> bool {
        1 < Rc::strong_count(&self.state)
    }

    async fn take_down(&self, request: &Request) {
        self.state.borrow_mut().reads.push(request.clone());
        poll_fn(|context| {
            let mut state = self.state.borrow_mut();
            if !state.are_reads_held {
                return Poll::Ready(());
            }
            state.held.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl<S: Storage> WatchedStorage<S> {
    /// Wraps a storage.
    pub fn new(inner: S, watch: &Watch) -> Self {
        Self { durability: inner.strongest_durability(), inner, watch: watch.clone() }
    }

    /// Says of itself that a write can be as durable as this, whatever becomes of it inside.
    #[must_use]
    pub fn as_durable_as(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }
}

impl<S: Storage> Storage for WatchedStorage<S> {
    fn strongest_durability(&self) -> Durability {
        self.durability
    }

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        self.watch.take_down(&request).await;
        self.inner.read(request).await
    }

    async fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        self.inner.commit(seen, durability, judge).await
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        self.watch.state.borrow_mut().writes.push(write.clone());
        self.inner.write(write).await
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        self.inner.usage().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
