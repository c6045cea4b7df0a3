//! Compaction that somebody asked for: everything that can be done.

use std::ops::ControlFlow;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::error::{Detail, Error, WriteOutcome};
use crate::event::Position;
use crate::host::Host;
use crate::layout::UnitNumber;
use crate::layout::directory::{Kind, Summary, key};
use crate::layout::plan::{CompactionStep, next_step_on_demand};
use crate::layout::root::Root;
use crate::storage::{Area, Storage, Usage};
use crate::store::{Compacted, Progress, Shared};

use super::erasure::Erasure;
use super::{Compactor, Halt, LOCK, Manner};

/// How long to wait for another tab's compaction before the caller is asked again.
const LOCK_TIMEOUT_MS: u64 = 1_000;
/// How often that is waited for. Where locks are refused, the root decides.
const LOCK_ATTEMPTS_MAX: u32 = 60;
/// How often it begins anew where others changed the root.
const ATTEMPTS_MAX: u32 = 8;
/// How long to wait before that; twice as long each time.
const PAUSE_MS: u64 = 20;

impl<S: Storage, H: Host> Shared<S, H> {
    pub(in crate::store) async fn compact(
        &self,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Compacted, Error> {
        self.check_writable()?;
        let _under_way = self.background.begin();
        self.refresh().await?;
        let before = self.storage.usage().await?;
        let total_bytes = size_bytes(&before, &[Area::Log, Area::Units]);
        let mut compactor = Compactor::new(self, Manner::OnDemand { progress, total_bytes });
        let lock = compactor.wait_for_lock().await?;
        let result = compactor.compact_all().await;
        let erased_count = compactor.erased_count;
        drop(lock);
        let root = result?;
        let after = self.storage.usage().await?;
        progress(Progress { done_bytes: total_bytes, total_bytes }).is_break();
        Ok(Compacted {
            bytes_before: size_bytes(&before, &Area::ALL),
            bytes_after: size_bytes(&after, &Area::ALL),
            erased_count,
            unit_count: root.units.len() as u64,
        })
    }
}

impl<S: Storage, H: Host> Compactor<'_, S, H> {
    async fn wait_for_lock(&mut self) -> Result<Option<H::Lock>, Error> {
        for _ in 0..LOCK_ATTEMPTS_MAX {
            self.check_wanted()?;
            let lock = self.shared.host.lock(LOCK, LOCK_TIMEOUT_MS).await;
            if lock.is_some() {
                return Ok(lock);
            }
        }
        Ok(None)
    }

    /// Begins anew where another compaction came between. What is done by then is done.
    async fn compact_all(&mut self) -> Result<Root, Error> {
        let mut pause_ms = PAUSE_MS;
        for _ in 0..ATTEMPTS_MAX {
            match self.try_compact_all().await {
                Ok(root) => return Ok(root),
                Err(Halt::Failed(error)) => return Err(error),
                Err(Halt::Directory) => self.shared.rebuild(&mut |_| ()).await?,
                Err(Halt::Overtaken) => {}
            }
            let mut chance = [0];
            self.shared.host.random(&mut chance);
            self.shared.host.sleep(pause_ms + pause_ms * u64::from(chance[0]) / 256).await;
            pause_ms *= 2;
            self.shared.refresh().await?;
        }
        let cause = format!("{ATTEMPTS_MAX} tries came to nothing: other tabs compacted the log");
        let outcome = WriteOutcome::NotWritten;
        Err(Error::new(Detail::StorageFailed { cause, outcome, ids: Vec::new() }))
    }

    /// First the tail and the units, then what is hidden and still there, then the runs.
    async fn try_compact_all(&mut self) -> Result<Root, Halt> {
        self.erasure = None;
        // What is appended from now on is not waited for.
        let head = self.read_root().await?.head.position;
        let root = self.do_steps(head, |step| matches!(step, CompactionStep::CompactTail)).await?;
        let erasure = Rc::new(self.erasure_of(&root, 0).await?);
        self.erasure = Some(Rc::clone(&erasure));
        let root = self.do_steps(head, |step| !matches!(step, CompactionStep::MergeRuns { .. })).await?;
        for unit in self.units_to_rewrite(&root, &erasure).await? {
            self.rewrite(unit).await?;
        }
        self.do_steps(head, |_| true).await
    }

    /// Does what is to be done, as long as it is of the wanted kind.
    fn do_steps(
        &mut self,
        head: Position,
        is_wanted: fn(&CompactionStep) -> bool,
    ) -> LocalBoxFuture<'_, Result<Root, Halt>> {
        async move {
            loop {
                let stored = self.read_root().await?;
                let step = next_step_on_demand(&stored.root, head, &self.shared.bounds);
                if step == CompactionStep::Nothing || !is_wanted(&step) {
                    return Ok(stored.root);
                }
                self.step(stored, step).await?;
            }
        }
        .boxed_local()
    }

    /// The units that hold events which are hidden.
    async fn units_to_rewrite(&mut self, root: &Root, erasure: &Erasure) -> Result<Vec<UnitNumber>, Halt> {
        let mut units = Vec::new();
        let keys = erasure.streams().iter().map(|(name, _)| key(Kind::Stream, name.as_str())).collect();
        for found in self.look_up(&root.runs, keys).await? {
            let Some(Summary::Stream(summary)) = found else { continue };
            let visible_from = summary.visible_from(Position(u64::MAX));
            for run in summary.runs.iter().filter(|run| run.first_revision < visible_from) {
                if !units.contains(&run.address.unit) {
                    units.push(run.address.unit);
                }
            }
        }
        Ok(units)
    }

    /// Makes one unit anew, without what is hidden.
    async fn rewrite(&mut self, number: UnitNumber) -> Result<(), Halt> {
        loop {
            let stored = self.read_root().await?;
            let mut units = stored.root.units.iter().zip(0..);
            // A unit that had its place in several runs is still there when those have become one.
            let Some((unit, index)) = units.find(|(unit, _)| unit.number == number) else { return Ok(()) };
            let step = CompactionStep::MergeUnits { units: index..index + 1, level: unit.level };
            self.step(stored, step).await?;
        }
    }
}

fn size_bytes(usage: &Usage, areas: &[Area]) -> u64 {
    let counted = usage.areas.iter().filter(|usage| areas.contains(&usage.area));
    counted.map(|usage| usage.size_bytes).sum()
}
