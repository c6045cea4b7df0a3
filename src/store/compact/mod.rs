//! Compaction: the tail of the log becomes units, and units and runs become fewer.
//!
//! ```text
//! read_root -> plan -> claim -> build -> stage ... -> swap -> adopt        and again, until nothing is due
//! ```
//!
//! What is built is written under a claimed number, where nobody looks, and lives from the swap on, which is one
//! transaction. A step that ends before its swap leaves the log as it was, and what it wrote is deleted by the next
//! claim. Every write holds to the bytes of the root: of two compactions at once, one finds that it was overtaken.

mod background;
mod build;
mod claim;
mod demand;
mod erasure;
mod look_up;
mod merge_runs;
mod merge_units;
mod reading;
mod staging;
mod swap;
mod tail;

use std::ops::ControlFlow;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, ready};

use crate::codec::Corrupt;
use crate::error::{Detail, Error};
use crate::host::Host;
use crate::layout::plan::CompactionStep;
use crate::storage::{Area, GuardedWrite, Storage, StorageFault};

use super::catch_up::Slice;
use super::{Life, Progress, Shared};

use claim::Stored;
use erasure::Erasure;
use staging::Staging;
use swap::Swap;

pub(super) use background::{Background, wake, wake_at_open};

/// The lock that a compaction holds, so that two tabs do not do the same.
const LOCK: &str = "compaction";

/// A compaction under way.
struct Compactor<'a, S: Storage, H: Host> {
    shared: &'a Shared<S, H>,
    slice: Slice,
    manner: Manner<'a>,
    /// The layout of the root that was read last.
    layout: u64,
    /// Events that were erased by steps that are done.
    erased_count: u64,
    /// What was read so far, in bytes.
    read_bytes: u64,
    /// What is hidden, where it was found out for all units at once.
    erasure: Option<Rc<Erasure>>,
}

/// For whom it works.
enum Manner<'a> {
    /// For nobody who waits: appends go first.
    Background,
    /// For somebody who is told how far it is, and may no longer want it.
    OnDemand { progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>, total_bytes: u64 },
}

/// Why a step ended before its end.
enum Halt {
    /// The storage failed, something cannot be read, the store closes, or the caller no longer wants it.
    Failed(Error),
    /// Another compaction changed the root.
    Overtaken,
    /// The root or the directory cannot be read: it has to be made again.
    Directory,
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<StorageFault> for Halt {
    fn from(fault: StorageFault) -> Self {
        Self::Failed(fault.into())
    }
}

impl<'a, S: Storage, H: Host> Compactor<'a, S, H> {
    fn new(shared: &'a Shared<S, H>, manner: Manner<'a>) -> Self {
        Self {
            shared,
            slice: Slice::begin(&shared.host),
            manner,
            layout: 0,
            erased_count: 0,
            read_bytes: 0,
            erasure: None,
        }
    }

    /// Does a step on the root as it was read.
    fn step(&mut self, stored: Stored, step: CompactionStep) -> LocalBoxFuture<'_, Result<(), Halt>> {
        async move {
            let claimed = self.claim(&stored).await?;
            let erased_before = self.erased_count;
            let done = self.carry_out(&claimed, step).await;
            if done.is_err() {
                self.erased_count = erased_before;
                self.give_up(&claimed).await;
            }
            done
        }
        .boxed_local()
    }

    async fn carry_out(&mut self, claimed: &Stored, step: CompactionStep) -> Result<(), Halt> {
        let mut staging = Staging::new(claimed);
        let swap = match step {
            CompactionStep::Nothing => return Ok(()),
            CompactionStep::CompactTail => self.compact_tail(claimed, &mut staging).await?,
            CompactionStep::MergeUnits { units, level } => {
                self.merge_units(claimed, units, level, &mut staging).await?
            }
            CompactionStep::MergeRuns { runs, level } => {
                self.merge_runs(claimed, runs, level, &mut staging).await?
            }
        };
        self.swap(claimed, swap, &mut staging).await
    }

    /// Writes what is left to stage, then the swap.
    async fn swap(&mut self, claimed: &Stored, swap: Swap, staging: &mut Staging) -> Result<(), Halt> {
        if let Some(write) = staging.take() {
            self.write(write).await?;
        }
        self.check_wanted()?;
        let (write, root) = swap.into_write(claimed);
        self.write(write).await?;
        // A catch-up may have gone over to a later layout before this write was answered.
        let known_layout = self.shared.index.borrow().head().layout;
        if known_layout < root.layout {
            self.shared.adopt_root(root);
        }
        Ok(())
    }

    /// Writes what waits where it is enough for a transaction, and gives way where the slice is over.
    fn advance<'b>(&'b mut self, staging: &'b mut Staging) -> LocalBoxFuture<'b, Result<(), Halt>> {
        let is_over = self.slice.is_over(&self.shared.host);
        if !is_over && !staging.is_full() {
            return ready(Ok(())).boxed_local();
        }
        let write = if staging.is_full() { staging.take() } else { None };
        self.rest(write)
    }

    /// Writes, if there is anything to write, and gives way.
    fn rest(&mut self, write: Option<GuardedWrite>) -> LocalBoxFuture<'_, Result<(), Halt>> {
        async move {
            if let Some(write) = write {
                self.write(write).await?;
            }
            self.check_wanted()?;
            self.slice.yield_when_over(&self.shared.host).await;
            if let Manner::Background = self.manner {
                self.shared.let_appends_pass().await;
            }
            Ok(self.check_wanted()?)
        }
        .boxed_local()
    }

    /// Fails where the store closes, or the caller no longer wants it.
    fn check_wanted(&mut self) -> Result<(), Error> {
        if self.shared.life.get() != Life::Open {
            return Err(Error::new(Detail::Closed));
        }
        let Manner::OnDemand { progress, total_bytes } = &mut self.manner else { return Ok(()) };
        let (done_bytes, total_bytes) = (self.read_bytes.min(*total_bytes), *total_bytes);
        match progress(Progress { done_bytes, total_bytes }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::new(Detail::Aborted)),
        }
    }
}

/// Why a step ends at a record that it cannot read.
#[cold]
#[inline(never)]
fn damage_in(area: Area, number: u64, corrupt: &Corrupt) -> Halt {
    halt_at(area, number, &corrupt.to_string())
}

/// Why a step ends at records of which some are missing.
#[cold]
#[inline(never)]
fn missing_in(area: Area, number: u64) -> Halt {
    halt_at(area, number, "a record is missing")
}

fn halt_at(area: Area, number: u64, problem: &str) -> Halt {
    match area {
        Area::Index => Halt::Directory,
        _ => Error::corrupt_data(None, format!("{}/{number}", area.name()), problem).into(),
    }
}
