//! A storage that fails when it is told to, and damage to what a storage keeps.
//!
//! Faults are those that a transactional storage can have: an operation fails before it begins, at its commit,
//! or in its answer. Nothing is torn that a transaction cannot tear.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;

use crate::error::WriteOutcome;
use crate::storage::{
    Area, Batch, Durability, FaultKind, Found, GuardedWrite, Head, Key, LayoutChange, LogRecord, Outcome,
    Request, Seen, Storage, StorageFault, Usage, Written,
};

use super::reads;

/// Any storage, and the faults that it is to have.
#[derive(Debug)]
pub struct FaultyStorage<S> {
    inner: S,
    faults: Faults,
}

/// What is to fail. Clones are one plan, which a test keeps when a store has the storage, and which several
/// handles may share.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    plan: Rc<RefCell<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    armed: Option<Armed>,
    struck: u64,
    /// Operations since the plan was armed, whatever their kind.
    met: Vec<Operation>,
}

#[derive(Debug, Clone, Copy)]
struct Armed {
    target: Target,
    /// How many operations that it is aimed at still go well.
    spared: u64,
    fault: Fault,
}

/// Which operations count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// All of them.
    Every,
    /// Those of one kind.
    Only(Operation),
}

/// The operations that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// [`Storage::read`].
    Read,
    /// [`Storage::commit`].
    Commit,
    /// [`Storage::write`].
    Write,
    /// [`Storage::usage`].
    Usage,
}

/// How an operation fails. A read has no commit: to it, all of these but `Delayed` are a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails before it begins: the judge is not called, and nothing is written.
    Refused,
    /// Its transaction is aborted at the commit: the judge was called, and nothing is written.
    AbortedAtCommit,
    /// There is no room, which shows at the commit: the judge was called, and nothing is written.
    NoRoom,
    /// The connection is lost before the commit, and nothing is written.
    Disconnected,
    /// The connection is lost after the commit, which took place: the outcome is unknown to the caller.
    AnswerLost,
    /// The connection is lost with the commit, which did not take place: the outcome is unknown to the caller.
    CommitLost,
    /// It goes well, after so many polls.
    Delayed(u32),
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Refused,
        Self::AbortedAtCommit,
        Self::NoRoom,
        Self::Disconnected,
        Self::AnswerLost,
        Self::CommitLost,
        Self::Delayed(3),
    ];

    /// What a caller is told; `None` where all goes well in the end.
    fn to_storage_fault(self, operation: Operation) -> Option<StorageFault> {
        let (kind, outcome) = match self {
            Self::Refused | Self::AbortedAtCommit => (FaultKind::Failed, WriteOutcome::NotWritten),
            Self::NoRoom => {
                (FaultKind::Quota { usage_bytes: None, quota_bytes: None }, WriteOutcome::NotWritten)
            }
            Self::Disconnected => (FaultKind::Disconnected, WriteOutcome::NotWritten),
            Self::AnswerLost | Self::CommitLost => (FaultKind::Disconnected, WriteOutcome::Unknown),
            Self::Delayed(_) => return None,
        };
        let outcome = if operation.writes() { outcome } else { WriteOutcome::NotWritten };
        Some(StorageFault { kind, outcome, cause: format!("{operation:?} was made to fail: {self:?}") })
    }
}

impl Operation {
    fn writes(self) -> bool {
        matches!(self, Self::Commit | Self::Write)
    }
}

impl Faults {
    /// Makes the operation after `spared` others of the target fail, once. To meet every point of fault, a test
    /// runs with 0, 1, 2 … spared, until [`Faults::struck`] stays 0.
    pub fn arm(&self, target: Target, spared: u64, fault: Fault) {
        *self.plan.borrow_mut() =
            Plan { armed: Some(Armed { target, spared, fault }), struck: 0, met: Vec::new() };
    }

    /// Lets all go well.
    pub fn disarm(&self) {
        self.plan.borrow_mut().armed = None;
    }

    /// How many operations failed or were delayed since the plan was armed.
    pub fn struck(&self) -> u64 {
        self.plan.borrow().struck
    }

    /// The operations since the plan was armed, in their order.
    pub fn met(&self) -> Vec<Operation> {
        self.plan.borrow().met.clone()
    }

    /// The fault of this operation, once it has waited where it is to be late.
    async fn meet(&self, operation: Operation) -> Option<Fault> {
        let fault = self.plan.borrow_mut().meet(operation);
        if let Some(Fault::Delayed(polls)) = fault {
            delay(polls).await;
        }
        fault
    }
}

impl Plan {
    fn meet(&mut self, operation: Operation) -> Option<Fault> {
        self.met.push(operation);
        let armed = self.armed.as_mut()?;
        let is_target = match armed.target {
            Target::Every => true,
            Target::Only(kind) => kind == operation,
        };
        if !is_target {
            return None;
        }
        if 0 < armed.spared {
            armed.spared -= 1;
            return None;
        }
        let fault = armed.fault;
        self.armed = None;
        self.struck += 1;
        Some(fault)
    }
}

async fn delay(polls: u32) {
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<S: Storage> FaultyStorage<S> {
    /// Wraps a storage, which fails as `faults` says.
    pub fn new(inner: S, faults: &Faults) -> Self {
        Self { inner, faults: faults.clone() }
    }

    /// The storage inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    async fn fail_read(&self, operation: Operation) -> Result<(), StorageFault> {
        match self.faults.meet(operation).await.and_then(|fault| fault.to_storage_fault(operation)) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }
}

impl<S: Storage> Storage for FaultyStorage<S> {
    fn strongest_durability(&self) -> Durability {
        self.inner.strongest_durability()
    }

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        self.fail_read(Operation::Read).await?;
        self.inner.read(request).await
    }

    async fn commit<J>(
        &self,
        seen: Seen,
        durability: Durability,
        mut judge: J,
    ) -> Result<Outcome, StorageFault>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        let fault = self.faults.meet(Operation::Commit).await;
        let reported = fault.and_then(|fault| fault.to_storage_fault(Operation::Commit));
        let (Some(fault), Some(reported)) = (fault, reported) else {
            return self.inner.commit(seen, durability, judge).await;
        };
        match fault {
            Fault::Refused | Fault::Delayed(_) => {}
            Fault::AnswerLost => {
                self.inner.commit(seen, durability, judge).await?;
            }
            Fault::AbortedAtCommit | Fault::NoRoom | Fault::Disconnected | Fault::CommitLost => {
                let judge_in_vain = move |head: Head, tail: &[LogRecord]| {
                    judge(head, tail);
                    None
                };
                self.inner.commit(seen, durability, judge_in_vain).await?;
            }
        }
        Err(reported)
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        let fault = self.faults.meet(Operation::Write).await;
        let reported = fault.and_then(|fault| fault.to_storage_fault(Operation::Write));
        let Some(reported) = reported else {
            return self.inner.write(write).await;
        };
        if fault == Some(Fault::AnswerLost) {
            self.inner.write(write).await?;
        }
        Err(reported)
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        self.fail_read(Operation::Usage).await?;
        self.inner.usage().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// What can happen to a record at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// This bit, counted from the lowest of the first byte and around the end, is turned over.
    FlippedBit(usize),
    /// Only so many of its bytes are left.
    Truncated(usize),
    /// It is gone.
    Removed,
}

/// Damages a record of any storage, through the port itself. `false` where there is no such record, or nothing
/// in it to damage.
pub async fn damage<S: Storage>(
    storage: &S,
    area: Area,
    key: Key,
    damage: Damage,
) -> Result<bool, StorageFault> {
    let Some(mut value) = reads::value(storage, area, &key).await? else { return Ok(false) };
    let before = value.clone();
    match damage {
        Damage::FlippedBit(bit) => {
            let byte_count = value.len().max(1);
            if let Some(byte) = value.get_mut(bit / 8 % byte_count) {
                *byte ^= 1 << (bit % 8);
            }
        }
        Damage::Truncated(length) => value.truncate(length),
        Damage::Removed => {}
    }
    let is_removed = damage == Damage::Removed;
    if !is_removed && value == before {
        return Ok(false);
    }
    let expect = vec![(area, key.clone(), Some(before))];
    let (deletes, puts) = if is_removed {
        (vec![(area, key.into())], Vec::new())
    } else {
        (Vec::new(), vec![(area, key, value)])
    };
    let (layout, durability) = (LayoutChange::Keep, Durability::Relaxed);
    let write = GuardedWrite { expect, deletes, puts, layout, durability };
    Ok(storage.write(write).await? == Written::Yes)
}
