//! One transaction of the writer, or what became of it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;

use crate::error::{Detail, Error, WriteOutcome};
use crate::host::Host;
use crate::limits;
use crate::log::{Append, Verdict};
use crate::storage::{Durability, FaultKind, LogRecord, Outcome, Seen, Storage, StorageFault};

use super::Shared;
use super::catch_up::CommittedRecord;
use super::decision::{Decision, Hearing};

/// How many tries give way to others who are far ahead.
const PATIENT_ATTEMPTS: u32 = 2;
/// How often the storage is asked what became of a transaction, before the answer is that nobody knows.
const RECOVERY_ATTEMPTS_MAX: u32 = 6;
/// How long to wait before asking again; twice as long each time.
const RECOVERY_DELAY_MS: u64 = 50;

/// What one transaction came to.
pub(super) enum Attempt {
    /// What was to be written is complete.
    Decided(Decided),
    /// Nothing was decided, because others are ahead: the index has caught up with them.
    Behind,
}

/// What was decided of a queue.
pub(super) struct Decided {
    /// One for each append, in the order of the queue.
    pub verdicts: Vec<Verdict>,
    /// How durable it is for certain.
    pub durability: Durability,
}

/// Why a queue was not written.
pub(super) struct Reason {
    /// What those who wait are told.
    pub error: Error,
    /// Whether it may come from one member of a group, and the others can be written without it.
    pub is_of_one: bool,
}

impl From<Error> for Reason {
    fn from(error: Error) -> Self {
        Self { error, is_of_one: false }
    }
}

impl From<StorageFault> for Reason {
    fn from(fault: StorageFault) -> Self {
        let is_of_one = matches!(fault.kind, FaultKind::Quota { .. } | FaultKind::Failed);
        Self { error: fault.into(), is_of_one }
    }
}

/// Judges a queue and writes what comes of it, in one transaction. `attempt_count` says how often others were
/// ahead.
pub(super) async fn attempt<S: Storage, H: Host>(
    shared: &Shared<S, H>,
    queue: &Rc<[Rc<Append>]>,
    durability: Durability,
    attempt_count: u32,
) -> Result<Attempt, Reason> {
    let (head, facts) = shared.gather(queue).await?;
    let hearing = Hearing::begin(queue, head, facts, shared.host.now());
    let at_hearing = Rc::clone(&hearing);
    let judge = move |head, tail: &[LogRecord]| at_hearing.decide(head, tail);
    let seen = Seen { head, tail_bytes_max: tail_bytes_max(attempt_count) };
    let mut committing = pin!(shared.storage.commit(seen, durability, judge));
    let committed = poll_fn(|context| {
        let committed = committing.as_mut().poll(context);
        if committed.is_pending() {
            // Where it is decided what to write, the storage is at work on it: that is read for the index meanwhile.
            hearing.read_decided();
        }
        committed
    })
    .await;
    let decided = hearing.take_decision();
    match committed {
        Ok(Outcome::Committed(_) | Outcome::Rejected) => match decided {
            Some(decision) => Ok(Attempt::Decided(shared.settle(*decision?, durability))),
            None => Ok(Attempt::Behind),
        },
        Ok(Outcome::Behind(_)) => {
            shared.refresh().await?;
            Ok(Attempt::Behind)
        }
        Err(fault) if fault.outcome == WriteOutcome::Unknown => {
            Ok(shared.recover(decided.and_then(Result::ok), fault.cause).await?)
        }
        Err(fault) => Err(fault.into()),
    }
}

/// How much of what others wrote is read inside the transaction. Little at first, because everybody waits
/// for it; all of it in the end, because a tab that others always outrun would never get its turn.
fn tail_bytes_max(attempt_count: u32) -> u64 {
    if attempt_count < PATIENT_ATTEMPTS { limits::BEHIND_BYTES_MAX } else { u64::MAX }
}

impl<S: Storage, H: Host> Shared<S, H> {
    /// Takes what a transaction decided into the index, and tells other tabs.
    #[inline(never)]
    fn settle(&self, mut decision: Decision, durability: Durability) -> Decided {
        self.add_committed(&decision.committed(), decision.head);
        let durability = match decision.batch {
            Some(_) => {
                self.announce(decision.head.position);
                durability
            }
            // A transaction that wrote nothing flushed nothing: what stood there may be less durable.
            None => durability.min(Durability::Relaxed),
        };
        Decided { verdicts: decision.verdicts, durability }
    }

    /// Finds out what became of a transaction whose answer was lost for this `cause`.
    async fn recover(&self, decision: Option<Box<Decision>>, cause: String) -> Result<Attempt, Error> {
        let unknown = |cause| {
            Error::new(Detail::StorageFailed { cause, outcome: WriteOutcome::Unknown, ids: Vec::new() })
        };
        let mut delay_ms = RECOVERY_DELAY_MS;
        for attempt in 1.. {
            match self.refresh().await {
                Ok(()) => break,
                Err(_) if attempt < RECOVERY_ATTEMPTS_MAX => self.host.sleep(delay_ms).await,
                Err(_) => return Err(unknown(cause)),
            }
            delay_ms *= 2;
        }
        let Some(decision) = decision else { return Ok(Attempt::Behind) };
        match self.has_landed(&decision).await {
            Ok(true) => {
                self.announce(decision.head.position);
                // That it is there to be read does not tell that it was flushed.
                let durability = self.storage.strongest_durability().min(Durability::Relaxed);
                Ok(Attempt::Decided(Decided { verdicts: decision.verdicts, durability }))
            }
            Ok(false) => Ok(Attempt::Behind),
            Err(_) => Err(unknown(cause)),
        }
    }

    /// Whether what was decided stands in the log, entry for entry. Ids alone do not tell: another tab may have
    /// appended the same ids, because to repeat an append is how a caller makes sure of it. A decision to write
    /// nothing is judged again.
    async fn has_landed(&self, decision: &Decision) -> Result<bool, Error> {
        let Some(batch) = &decision.batch else { return Ok(false) };
        if self.index.borrow().head().position < batch.head.position {
            return Ok(false);
        }
        let decided = batch.records.iter().filter_map(CommittedRecord::decode);
        let decided: Vec<_> = decided.map(|committed| committed.record).collect();
        self.stand(&decided).await
    }
}
