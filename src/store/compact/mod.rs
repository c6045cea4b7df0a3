//! Compaction: the tail of the log becomes units, and units and runs become fewer.
//!
//! ```text
//! read_root -> plan -> claim -> build -> stage ... -> swap -> adopt        and again, until nothing is due
//! ```
//!
//! What is built is written under a claimed number, where nobody looks, and lives from the swap on, which is one
//! transaction. A step that ends before its swap leaves the log as it was, and what it wrote is deleted by the next
//! claim. Every write holds to the bytes of the root and of the claim: of two compactions at once, one finds that it was
//! overtaken.

mod background;
mod build;
mod claim;
mod demand;
mod erasure;
mod look_up;
mod reader;
mod rebuild;
mod remnants;
mod runs;
mod swap;
mod tail;
mod unit_work;
mod units;
mod work;

use std::ops::ControlFlow;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::codec::Corrupt;
use crate::error::{Detail, Error};
use crate::event::StreamName;
use crate::host::Host;
use crate::layout::keys::ROOT;
use crate::layout::plan::{CompactionStep, level_above, runs_of};
use crate::layout::root::Root;
use crate::snapshot::keys;
use crate::storage::{Area, Found, GuardedWrite, Key, KeyRange, Request, Storage, StorageFault, Written};

use super::catch_up::Slice;
use super::layout::usable_root;
use super::{Life, Progress, Shared};

use claim::{Stored, Token};
use erasure::Erasure;
use runs::RunsWork;
use unit_work::UnitWork;
use work::{Desk, Work};

pub(super) use background::{Background, wake, wake_at_open};

/// The lock that a compaction holds, so that two tabs do not do the same.
const LOCK: &str = "compaction";

/// So many streams and ids of the index are looked at between two looks at the clock.
const STREAMS_AT_ONCE: usize = 1_024;

/// The snapshots of so many streams are deleted one by one.
const STREAMS_ERASED_MAX: usize = 64;

/// A compaction under way, or another use of its means.
struct Compactor<'a, S: Storage, H: Host> {
    shared: &'a Shared<S, H>,
    slice: Slice,
    manner: Manner,
    watcher: Option<Watcher<'a>>,
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
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// For nobody who waits: appends go first.
    Background,
    /// For somebody who asked for it.
    OnDemand,
    /// For those who read: they may do so until the store is closed.
    ForReaders,
}

/// Somebody who is told how far it is, and may no longer want it.
struct Watcher<'a> {
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    total_bytes: u64,
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
    fn new(shared: &'a Shared<S, H>, manner: Manner, watcher: Option<Watcher<'a>>) -> Self {
        let slice = Slice::begin(&shared.host);
        let (layout, erased_count, read_bytes, erasure) = (0, 0, 0, None);
        Self { shared, slice, manner, watcher, layout, erased_count, read_bytes, erasure }
    }

    /// Reads the root. Fails where it is not of the layout of the log, and has to be made again.
    fn read_root(&mut self) -> LocalBoxFuture<'_, Result<Stored, Halt>> {
        async move {
            let keys = vec![(Area::Index, Key::text(ROOT))];
            let mut found = self.shared.ask(Request { keys, ..Request::default() }).await?;
            let (head, bytes) = (found.head, found.values.pop().flatten());
            head.check_writer().map_err(Error::from)?;
            let root = usable_root(head, bytes.as_deref()).ok_or(Halt::Directory)?;
            self.layout = head.layout;
            if !root.unread.is_empty() {
                // What the directory does not know cannot be compacted; and if by now it can be read, it is made again.
                self.look(&mut |view| view.check_unread(None)).await?;
            }
            Ok(Stored { head, root, bytes, token: None })
        }
        .boxed_local()
    }

    /// Does a step on the root as it was read.
    fn step(&mut self, stored: Stored, step: CompactionStep) -> LocalBoxFuture<'_, Result<(), Halt>> {
        async move {
            let mut chance = Token::default();
            self.shared.host.random(&mut chance);
            let (claimed, write) = stored.claim(chance);
            self.write(write).await?;
            let done = self.carry_out(&claimed, step).await;
            if done.is_err() {
                // Where that fails, the next claim does it.
                let _ = self.write(claimed.give_up()).await;
            }
            done?;
            while self.forgets() {
                self.rest(None).await?;
            }
            Ok(())
        }
        .boxed_local()
    }

    /// Goes on with forgetting what units cover, as long as there is anything.
    fn forgets(&self) -> bool {
        self.shared.index.borrow_mut().sweep(STREAMS_AT_ONCE).is_continue()
    }

    async fn carry_out(&mut self, claimed: &Stored, step: CompactionStep) -> Result<(), Halt> {
        let step = possible_step(&claimed.root, step);
        let erasure = match (&step, &self.erasure) {
            (_, Some(erasure)) => Rc::clone(erasure),
            (CompactionStep::MergeUnits { units, .. }, None) => {
                Rc::new(self.erasure_of(claimed, units.start).await?)
            }
            _ => Rc::default(),
        };
        let mut desk = Desk::new(claimed);
        let mut work: Box<dyn Work> = match step {
            CompactionStep::Nothing => return Ok(()),
            CompactionStep::CompactTail => Box::new(UnitWork::of_tail(claimed, &self.shared.bounds)),
            CompactionStep::MergeUnits { units, level } => {
                Box::new(UnitWork::of_units(claimed, units, level, &erasure)?)
            }
            CompactionStep::MergeRuns { runs, level } => Box::new(RunsWork::new(claimed, runs, level)?),
        };
        self.carry_through(&mut *work, &mut desk).await?;
        let Some(swap) = desk.swap else { return Ok(()) };
        let olders = match &swap.tail {
            Some(tail) => self.look_up(tail.erasure.streams()).await?,
            None => Vec::new(),
        };
        let erased_count = swap.erased_count;
        let erased = swap.tail.as_ref().map_or(&*erasure, |tail| &tail.erasure).take_met();
        let (mut write, root) = swap.into_write(claimed, olders);
        write.deletes.extend(snapshots_of(&erased));
        self.write(write).await?;
        self.erased_count += erased_count;
        // A catch-up may have gone over to a later layout before this write was answered.
        let known_layout = self.shared.index.borrow().head().layout;
        if known_layout < root.layout {
            self.shared.adopt_root(root);
        }
        Ok(())
    }

    /// Does work to its end: reads what it wants, writes what waits where it is enough for a transaction, and gives
    /// way where the slice is over.
    fn carry_through<'b>(
        &'b mut self,
        work: &'b mut dyn Work,
        desk: &'b mut Desk,
    ) -> LocalBoxFuture<'b, Result<(), Halt>> {
        async move {
            loop {
                let is_done = work.advance(desk)?.is_break();
                if let Some(request) = desk.wanted.take() {
                    desk.found = Some(self.read(request).await?);
                }
                if is_done || desk.is_full() || self.slice.is_over(&self.shared.host) {
                    let write = if is_done || desk.is_full() { desk.take_write() } else { None };
                    self.rest(write).await?;
                }
                if is_done {
                    return Ok(());
                }
            }
        }
        .boxed_local()
    }

    /// Reads from the storage, as long as the layout is that of the root which was read last.
    fn read(&mut self, request: Request) -> LocalBoxFuture<'_, Result<Found, Halt>> {
        async move {
            let found = self.shared.ask(request).await?;
            if found.head.layout != self.layout {
                return Err(Halt::Overtaken);
            }
            self.read_bytes += found.pages.iter().flatten().map(|it| it.value.len() as u64).sum::<u64>();
            Ok(found)
        }
        .boxed_local()
    }

    /// Writes, unless the root was changed by another.
    fn write(&self, mut write: GuardedWrite) -> LocalBoxFuture<'_, Result<(), Halt>> {
        async move {
            let storage = &self.shared.storage;
            write.durability = write.durability.min(storage.strongest_durability());
            match storage.write(write).await? {
                Written::Yes => Ok(()),
                Written::Refused => Err(Halt::Overtaken),
            }
        }
        .boxed_local()
    }

    /// Writes, if there is anything to write, and gives way.
    fn rest(&mut self, write: Option<GuardedWrite>) -> LocalBoxFuture<'_, Result<(), Halt>> {
        async move {
            if let Some(write) = write {
                self.write(write).await?;
            }
            self.check_wanted()?;
            self.slice.yield_when_over(&self.shared.host).await;
            if self.manner == Manner::Background {
                self.shared.let_appends_pass().await;
            }
            Ok(self.check_wanted()?)
        }
        .boxed_local()
    }

    /// Fails where the store closes, or the caller no longer wants it.
    fn check_wanted(&mut self) -> Result<(), Error> {
        match self.manner {
            Manner::ForReaders => self.shared.check_open()?,
            Manner::Background | Manner::OnDemand if self.shared.life.get() != Life::Open => {
                return Err(Error::new(Detail::Closed));
            }
            Manner::Background | Manner::OnDemand => {}
        }
        let Some(Watcher { progress, total_bytes }) = &mut self.watcher else { return Ok(()) };
        let (done_bytes, total_bytes) = (self.read_bytes.min(*total_bytes), *total_bytes);
        match progress(Progress { done_bytes, total_bytes }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::new(Detail::Aborted)),
        }
    }
}

/// The snapshots of streams of which something is erased: it stands in them too. Where there are many such streams, all
/// snapshots go, because each range makes the transaction longer, and what is lost can be folded again.
fn snapshots_of(erased: &[StreamName]) -> Vec<(Area, KeyRange)> {
    let ranges = match erased.len() {
        0..=STREAMS_ERASED_MAX => erased.iter().map(keys::range_of_stream).collect(),
        _ => vec![keys::range_of_all()],
    };
    ranges.into_iter().map(|range| (Area::Snapshots, range)).collect()
}

/// The step that has to come first: where the directory has several runs that know of units and of others too, these
/// become one, in which the unit can take its place.
fn possible_step(root: &Root, step: CompactionStep) -> CompactionStep {
    let CompactionStep::MergeUnits { units, .. } = &step else { return step };
    let merged = root.units.get(units.clone()).unwrap_or_default();
    let runs = runs_of(root, merged);
    let known = root.runs.get(runs.clone()).unwrap_or_default();
    let bounds = known.first().zip(known.last()).map(|(first, last)| (first.first, last.last));
    let is_alone = bounds == merged.first().zip(merged.last()).map(|(first, last)| (first.first, last.last));
    if is_alone || known.len() == 1 {
        return step;
    }
    CompactionStep::MergeRuns { level: level_above(known), runs }
}

/// Why work ends at a record that it cannot read.
#[cold]
#[inline(never)]
fn damage_in(area: Area, number: u64, corrupt: &Corrupt) -> Halt {
    match area {
        Area::Index => Halt::Directory,
        _ => Error::corrupt_data(None, format!("{}/{number}", area.name()), corrupt.to_string()).into(),
    }
}
