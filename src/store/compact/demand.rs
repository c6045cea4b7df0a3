//! Compaction that somebody asked for: everything that can be done.

use std::ops::ControlFlow;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::error::{Detail, Error, WriteOutcome};
use crate::event::Position;
use crate::host::{Host, supplied};
use crate::layout::plan::{Bounds, CompactionStep, next_step_on_demand};
use crate::layout::root::Root;
use crate::layout::{StreamSummary, UnitNumber};
use crate::storage::{Area, Storage, Usage};
use crate::store::{Compacted, Progress, Shared};
use crate::supplement::{Compaction, Supplied, entered};

use super::look_up::STREAMS_AT_ONCE;
use super::{Compactor, Halt, LOCK, Manner, Watcher};

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
        gate_compaction_on_demand(supplied(&self.host).await?, self, progress).await
    }

    async fn compact_on_demand(
        &self,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Compacted, Error> {
        self.check_writable()?;
        let _under_way = self.background.begin();
        self.refresh().await?;
        let before = self.storage.usage().await?;
        let total_bytes = size_bytes(&before, &[Area::Log, Area::Units]);
        let watcher = Watcher { progress, total_bytes };
        let mut compactor = Compactor::new(self, Manner::OnDemand, Some(watcher));
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

/// Enters a compaction that somebody asked for.
#[inline(never)]
fn gate_compaction_on_demand<'a, S: Storage, H: Host>(
    _: Supplied<Compaction>,
    shared: &'a Shared<S, H>,
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> LocalBoxFuture<'a, Result<Compacted, Error>> {
    entered(shared.compact_on_demand(progress).boxed_local())
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
                Err(Halt::Directory) => {
                    self.shared.rebuild(&mut |_| ()).await?;
                }
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
        let (mut goal, mut head) = (Goal::Tail, None);
        loop {
            let stored = self.read_root().await?;
            // What is appended from now on is not waited for.
            let head = *head.get_or_insert(stored.head.position);
            if let Some(step) = goal.next_step(&stored.root, head, &self.shared.bounds) {
                self.step(stored, step).await?;
                continue;
            }
            goal = match goal {
                Goal::Tail => {
                    self.erasure = Some(Rc::new(self.erasure_of(&stored, 0).await?));
                    Goal::Units
                }
                Goal::Units => Goal::Rewrites(self.units_to_rewrite().await?),
                Goal::Rewrites(_) => Goal::Runs,
                Goal::Runs => return Ok(stored.root),
            };
        }
    }
}

impl<S: Storage, H: Host> Compactor<'_, S, H> {
    /// The units that hold events which are hidden. What is known of streams is looked up some at a time: it is large,
    /// and nothing of it is needed any more.
    async fn units_to_rewrite(&mut self) -> Result<Vec<UnitNumber>, Halt> {
        let erasure = self.erasure.clone().unwrap_or_default();
        let mut units = Vec::new();
        for some in erasure.streams().chunks(STREAMS_AT_ONCE) {
            let summaries = self.look_up(some).await?;
            summaries.iter().flatten().for_each(|summary| add_units_to_rewrite(summary, &mut units));
        }
        Ok(units)
    }
}

/// What is to be reached next.
enum Goal {
    /// The tail is in units.
    Tail,
    /// Units are as large as they may be.
    Units,
    /// These units are made anew, without what is hidden.
    Rewrites(Vec<UnitNumber>),
    /// There are few runs.
    Runs,
}

impl Goal {
    /// The next step towards it. `None` where it is reached.
    fn next_step(&self, root: &Root, head: Position, bounds: &Bounds) -> Option<CompactionStep> {
        if let Self::Rewrites(numbers) = self {
            // A unit that has its place in several runs is still there when those have become one.
            let mut units = root.units.iter().zip(0..);
            let (unit, index) = units.find(|(unit, _)| numbers.contains(&unit.number))?;
            return Some(CompactionStep::MergeUnits { units: index..index + 1, level: unit.level });
        }
        let step = next_step_on_demand(root, head, bounds);
        let is_wanted = match (self, &step) {
            (_, CompactionStep::Nothing) => false,
            (Self::Tail, step) => *step == CompactionStep::CompactTail,
            (Self::Units, step) => !matches!(step, CompactionStep::MergeRuns { .. }),
            (Self::Rewrites(_) | Self::Runs, _) => true,
        };
        is_wanted.then_some(step)
    }
}

/// Adds the units that hold events of a stream which are hidden.
fn add_units_to_rewrite(summary: &StreamSummary, units: &mut Vec<UnitNumber>) {
    for run in summary.hidden_runs() {
        if !units.contains(&run.address.unit) {
            units.push(run.address.unit);
        }
    }
}

fn size_bytes(usage: &Usage, areas: &[Area]) -> u64 {
    let counted = usage.areas.iter().filter(|usage| areas.contains(&usage.area));
    counted.map(|usage| usage.size_bytes).sum()
}
