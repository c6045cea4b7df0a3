//! Compaction that nobody asked for: when it begins, how it gives way, and how it fails.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::answer::Answer;
use crate::error::Detail;
use crate::event::UnixMillis;
use crate::host::{Host, supplied};
use crate::layout::plan::{Bounds, CompactionStep, Tail, next_step};
use crate::layout::root::Root;
use crate::storage::{Head, Storage};
use crate::store::{Life, Shared};
use crate::supplement::{Compaction, Supplied, entered};

use super::{Compactor, Halt, LOCK, Manner};

/// How long to wait for another tab's compaction: what it does need not be done here.
const LOCK_TIMEOUT_MS: u64 = 100;
/// How long after an append it is looked whether another one has followed, where a sleep is not late.
const APPEND_PAUSE_MS: u64 = 10;
/// How long nothing is tried after a failure; twice as long after each one more.
const PAUSE_MS: u64 = 1_000;
/// So often it is doubled: to 64 s.
const DOUBLINGS_MAX: u32 = 6;
/// A tail so many times as long as it should be is compacted beside appends, because it slows them down too.
const OVERLONG_TIMES: u64 = 64;

/// The compactions of a store.
#[derive(Default)]
pub(in crate::store) struct Background {
    /// Whether the task runs, or is about to.
    is_started: Cell<bool>,
    /// How many compactions are under way, asked for or not.
    under_way: Cell<u32>,
    /// Who waits for them to end.
    waiting: RefCell<Vec<Rc<Answer<()>>>>,
    failure_count: Cell<u32>,
    /// When the last one failed, and for how long nothing is tried since, in milliseconds.
    failed: Cell<Option<(UnixMillis, u64)>>,
    /// What is there cannot be read: to try again would find the same.
    is_hopeless: Cell<bool>,
}

/// Counts as a compaction under way until it is dropped.
pub(in crate::store) struct UnderWay<'a> {
    background: &'a Background,
}

impl Background {
    pub fn begin(&self) -> UnderWay<'_> {
        self.under_way.set(self.under_way.get() + 1);
        UnderWay { background: self }
    }

    /// Resolves when none is under way; `None` when none is.
    pub fn ended(&self) -> Option<Rc<Answer<()>>> {
        (0 < self.under_way.get()).then(|| {
            let answer = Rc::<Answer<()>>::default();
            self.waiting.borrow_mut().push(Rc::clone(&answer));
            answer
        })
    }

    /// Whether it may be tried at this time. After a clock was set back it may.
    fn may_try(&self, now: UnixMillis) -> bool {
        let is_over = |(failed, pause_ms): (UnixMillis, u64)| {
            !(0..pause_ms as i64).contains(&now.0.saturating_sub(failed.0))
        };
        !self.is_hopeless.get() && self.failed.get().is_none_or(is_over)
    }

    /// Takes note of how it ended. Chance keeps two tabs from overtaking each other for ever.
    fn note(&self, result: Result<(), Halt>, now: UnixMillis, chance: u8) {
        let Err(halt) = result else {
            self.failure_count.set(0);
            self.failed.set(None);
            return;
        };
        if let Halt::Failed(error) = &halt
            && let Detail::CorruptData { .. } | Detail::VersionTooNew { .. } = error.detail()
        {
            self.is_hopeless.set(true);
        }
        self.note_failure(now, chance);
    }

    /// Has nothing be tried for a while.
    fn note_failure(&self, now: UnixMillis, chance: u8) {
        let doublings = self.failure_count.get();
        self.failure_count.set(doublings.saturating_add(1));
        let pause_ms = PAUSE_MS << doublings.min(DOUBLINGS_MAX);
        self.failed.set(Some((now, pause_ms + pause_ms * u64::from(chance) / 256)));
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let background = self.background;
        background.under_way.set(background.under_way.get() - 1);
        if background.under_way.get() == 0 {
            background.waiting.take().into_iter().for_each(|waiting| waiting.give(()));
        }
    }
}

/// Starts the task where the tail is due.
pub(in crate::store) fn wake<S: Storage, H: Host>(shared: &Rc<Shared<S, H>>) {
    if shared.is_tail_due(1) {
        start(shared);
    }
}

/// Starts the task where any step is due.
pub(in crate::store) fn wake_at_open<S: Storage, H: Host>(shared: &Rc<Shared<S, H>>) {
    let root = shared.root();
    let tail = shared.tail_after(&root, shared.index.borrow().head());
    if shared.bounds != Bounds::ON_DEMAND && next_step(&root, tail, &shared.bounds) != CompactionStep::Nothing
    {
        start(shared);
    }
}

/// Starts the task, unless it runs, or failed not long ago.
fn start<S: Storage, H: Host>(shared: &Rc<Shared<S, H>>) {
    let background = &shared.background;
    let may_start = shared.check_writable().is_ok() && background.may_try(shared.host.now());
    if !may_start || background.is_started.replace(true) {
        return;
    }
    let shared = Rc::clone(shared);
    shared.host.clone().spawn(async move {
        shared.let_appends_pass().await;
        // A store that closes waits for a compaction, and not for its code.
        match supplied(&shared.host).await {
            Ok(supplied) => gate_compaction_due(supplied, &shared).await,
            Err(_) => shared.background.note_failure(shared.host.now(), shared.chance()),
        }
        shared.background.is_started.set(false);
    });
}

/// Enters the compaction of what is due.
#[inline(never)]
fn gate_compaction_due<S: Storage, H: Host>(
    _: Supplied<Compaction>,
    shared: &Shared<S, H>,
) -> LocalBoxFuture<'_, ()> {
    let compacted = async move {
        let _under_way = shared.background.begin();
        let mut result = shared.compact_what_is_due().await;
        if let Err(Halt::Directory) = result {
            result = shared.compact_after_rebuilding().await;
        }
        shared.background.note(result, shared.host.now(), shared.chance());
    };
    entered(compacted.boxed_local())
}

impl<S: Storage, H: Host> Shared<S, H> {
    fn chance(&self) -> u8 {
        let mut chance = [0];
        self.host.random(&mut chance);
        chance[0]
    }

    /// Does step after step until none is due. Those that another tab does are left to it.
    async fn compact_what_is_due(&self) -> Result<(), Halt> {
        self.let_appends_pass().await;
        let Some(lock) = self.host.lock(LOCK, LOCK_TIMEOUT_MS).await else { return Err(Halt::Overtaken) };
        let mut compactor = Compactor::new(self, Manner::Background, None);
        loop {
            let stored = compactor.read_root().await?;
            let step = next_step(&stored.root, self.tail_after(&stored.root, stored.head), &self.bounds);
            if step == CompactionStep::Nothing {
                break;
            }
            compactor.step(stored, step).await?;
            compactor.rest(None).await?;
        }
        drop(lock);
        Ok(())
    }

    async fn compact_after_rebuilding(&self) -> Result<(), Halt> {
        self.rebuild(&mut |_| ()).await?;
        self.compact_what_is_due().await
    }

    /// Waits until no append waits, unless the tail is so long that appends are slow for it.
    pub(in crate::store) fn let_appends_pass(&self) -> LocalBoxFuture<'_, ()> {
        async move {
            while self.life.get() == Life::Open && !self.is_tail_due(OVERLONG_TIMES) {
                let idle = self.queue.borrow_mut().idle();
                let Some(idle) = idle else { return };
                idle.wait().await;
                // Whoever heard of the end of an append may have made the next one. In a loop of appends it is not asked after each of
                // them: that would take a turn of the event loop, during which the storage gets nothing done. A host that may oversleep
                // takes the turn: what waits behind this, such as a close, would wait for seconds.
                if self.host.may_oversleep() {
                    self.host.yield_now().await;
                } else {
                    self.host.sleep(APPEND_PAUSE_MS).await;
                }
            }
        }
        .boxed_local()
    }

    /// Whether the tail is so many times as long as it may be.
    fn is_tail_due(&self, times: u64) -> bool {
        let index = self.index.borrow();
        let segments = index.segments();
        let tail = Tail {
            event_count: index.head().position.0.saturating_sub(index.covered().0),
            stored_bytes: segments.size_bytes(),
            record_count: segments.all().len() as u64,
        };
        self.bounds.is_reached(tail, times)
    }

    /// What the log holds beyond the root, as far as the index knows its records.
    fn tail_after(&self, root: &Root, head: Head) -> Tail {
        let index = self.index.borrow();
        let segments = index.segments().all();
        let start = segments.partition_point(|segment| segment.last <= root.covered);
        let tail = segments.get(start..).unwrap_or_default();
        Tail {
            event_count: head.position.0.saturating_sub(root.covered.0),
            stored_bytes: tail.iter().map(|segment| segment.size_bytes).sum(),
            record_count: tail.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_with_each_failure_until_it_is_64_s() {
        let background = Background::default();
        for failure in 0..200_u32 {
            background.note(Err(Halt::Overtaken), UnixMillis(0), 0);
            let pause_ms = 1_000 * 2_i64.pow(failure.min(6));
            assert!(!background.may_try(UnixMillis(pause_ms - 1)), "after {failure}");
            assert!(background.may_try(UnixMillis(pause_ms)), "after {failure}");
        }
        background.note(Ok(()), UnixMillis(0), 0);
        assert!(background.may_try(UnixMillis(1)));
    }
}
