//! One transaction of the writer, or what became of it.

use std::rc::Rc;

use crate::codec::{DecodedRecord, Entry};
use crate::error::{Error, WriteOutcome};
use crate::event::Position;
use crate::host::Host;
use crate::limits;
use crate::log::{Append, Verdict};
use crate::storage::{Durability, LogRecord, Outcome, Seen, Storage, StorageFault};

use super::Shared;
use super::catch_up::CommittedRecord;
use super::decision::{Decision, Hearing};
use super::fetch::damage_error;
use super::gather::entry_at;

/// How many tries give way to others who are far ahead.
const PATIENT_ATTEMPTS: u32 = 2;
/// How often the storage is asked what became of a transaction, before the answer is that nobody knows.
const RECOVERY_ATTEMPTS_MAX: u32 = 6;
/// How long to wait before asking again; twice as long each time.
const RECOVERY_DELAY_MS: u64 = 50;

/// What one transaction came to.
pub(super) enum Attempt {
    /// What was to be written is complete.
    Decided {
        verdicts: Vec<Verdict>,
        /// How durable it is for certain.
        durability: Durability,
    },
    /// Nothing was decided, because others are ahead: the index has caught up with them.
    Behind,
}

/// Why a queue was not written.
pub(super) enum Reason {
    /// The storage refused, and nothing was written.
    Failed(StorageFault),
    /// The storage lost the answer, and could not be asked again.
    Unknown(String),
    /// The log cannot be judged upon.
    Error(Error),
}

/// Judges a queue and writes what comes of it, in one transaction. `attempt_count` says how often others were
/// ahead.
pub(super) async fn attempt<S: Storage, H: Host>(
    shared: &Rc<Shared<S, H>>,
    queue: &Rc<[Append]>,
    durability: Durability,
    attempt_count: u32,
) -> Result<Attempt, Reason> {
    shared.check_undamaged().map_err(Reason::Error)?;
    let (seen, facts) = shared.gather(queue).await.map_err(Reason::Error)?;
    let hearing = Rc::new(Hearing::new(queue, facts));
    let now = shared.host.now();
    // Most often nobody else has written: then the transaction finds everything judged and encoded.
    let prepared = hearing.judge(seen, Vec::new(), now);
    let at_hearing = Rc::clone(&hearing);
    let judged_at = seen;
    let judge = move |head, tail: &[LogRecord]| {
        at_hearing.decide(if head == judged_at { Ok(prepared) } else { at_hearing.judge_on(head, tail, now) })
    };
    let seen = Seen { head: seen, tail_bytes_max: tail_bytes_max(attempt_count) };
    let committed = shared.storage.commit(seen, durability, judge).await;
    let decided = hearing.take_decision();
    match committed {
        Ok(Outcome::Committed(_) | Outcome::Rejected) => match decided {
            Some(Ok(decision)) => {
                // A transaction that wrote nothing flushed nothing: what stood there may be less durable.
                let is_written = decision.batch.is_some();
                let durability = if is_written { durability } else { durability.min(Durability::Relaxed) };
                Ok(Attempt::Decided { verdicts: shared.settle(decision), durability })
            }
            Some(Err(error)) => Err(Reason::Error(error)),
            None => Ok(Attempt::Behind),
        },
        Ok(Outcome::Behind(_)) => {
            shared.refresh().await.map_err(Reason::Error)?;
            Ok(Attempt::Behind)
        }
        Err(fault) if fault.outcome == WriteOutcome::Unknown => {
            shared.recover(decided.and_then(Result::ok), fault).await
        }
        Err(fault) => Err(Reason::Failed(fault)),
    }
}

/// How much of what others wrote is read inside the transaction. Little at first, because everybody waits
/// for it; all of it in the end, because a tab that others always outrun would never get its turn.
fn tail_bytes_max(attempt_count: u32) -> u64 {
    if attempt_count < PATIENT_ATTEMPTS { limits::BEHIND_BYTES_MAX } else { u64::MAX }
}

impl<S: Storage, H: Host> Shared<S, H> {
    /// Takes what a transaction decided into the index, and tells other tabs.
    fn settle(&self, decision: Decision) -> Vec<Verdict> {
        let mut committed = decision.tail;
        for record in decision.batch.iter().flat_map(|batch| &batch.records) {
            let decoded = CommittedRecord::decode(record);
            assert!(decoded.is_some(), "a record that was written cannot be read");
            committed.extend(decoded);
        }
        self.add_committed(&committed, decision.head);
        if decision.batch.is_some() {
            self.host.announce(decision.head.position);
        }
        decision.verdicts
    }

    /// Finds out what became of a transaction whose answer was lost.
    async fn recover(&self, decision: Option<Decision>, fault: StorageFault) -> Result<Attempt, Reason> {
        let mut delay_ms = RECOVERY_DELAY_MS;
        for attempt in 1.. {
            match self.refresh().await {
                Ok(()) => break,
                Err(_) if attempt < RECOVERY_ATTEMPTS_MAX => self.host.sleep(delay_ms).await,
                Err(_) => return Err(Reason::Unknown(fault.cause)),
            }
            delay_ms *= 2;
        }
        let Some(decision) = decision else { return Ok(Attempt::Behind) };
        match self.has_landed(&decision).await {
            Ok(true) => {
                self.host.announce(decision.head.position);
                // That it is there to be read does not tell that it was flushed.
                let durability = self.storage.strongest_durability().min(Durability::Relaxed);
                Ok(Attempt::Decided { verdicts: decision.verdicts, durability })
            }
            Ok(false) => Ok(Attempt::Behind),
            Err(_) => Err(Reason::Unknown(fault.cause)),
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
        let decided: Vec<_> = batch.records.iter().filter_map(CommittedRecord::decode).collect();
        let entries: Vec<Entry<'_>> =
            decided.iter().flat_map(|committed| committed.record.entries()).collect();
        let found = self.records_at(entries.iter().map(|entry| entry.position).collect()).await?;
        let stands = |(record, position): &(Rc<DecodedRecord>, Position)| {
            let place = entries.binary_search_by_key(position, |entry| entry.position).ok();
            let decided = place.and_then(|place| entries.get(place));
            decided.is_some() && entry_at(record, *position).as_ref() == decided
        };
        Ok(found.len() == entries.len() && found.iter().all(stands))
    }

    /// A log with damage cannot be judged upon: a stream's last revision may stand in what cannot be read.
    fn check_undamaged(&self) -> Result<(), Error> {
        let index = self.index.borrow();
        match index.segments().first_damaged() {
            None => Ok(()),
            Some(segment) => {
                let problem = segment.damage.as_ref().map_or("", |damage| &damage.problem);
                Err(damage_error(segment.first, problem))
            }
        }
    }
}
