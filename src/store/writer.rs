//! The writer: takes what is queued, a group at a time, through one transaction.

use std::cell::RefCell;
use std::rc::Rc;

use crate::codec::encode_records;
use crate::error::{Error, WriteOutcome};
use crate::event::UnixMillis;
use crate::host::Host;
use crate::id::EventId;
use crate::limits;
use crate::log::{Accepted, Append, Facts, Verdict, judge};
use crate::storage::{Batch, Durability, FaultKind, Head, LogRecord, Outcome, Seen, Storage, StorageFault};

use super::catch_up::CommittedRecord;
use super::fault::{outcome_unknown, write_failed};
use super::fetch::damage_error;
use super::gather::entry_at;
use super::queue::{Member, Queued};
use super::{Appended, Shared, StreamAppended};

/// How often a group is tried where every try ended before anything was decided.
const ATTEMPTS_MAX: u32 = 8;
/// How many tries give way to others who are far ahead.
const PATIENT_ATTEMPTS: u32 = 2;
/// How often the storage is asked what became of a transaction, before the answer is that nobody knows.
const RECOVERY_ATTEMPTS_MAX: u32 = 6;
/// How long to wait before asking again; twice as long each time.
const RECOVERY_DELAY_MS: u64 = 50;

/// Writes until nothing waits.
pub(super) async fn run<S: Storage, H: Host>(shared: Rc<Shared<S, H>>) {
    loop {
        let group = shared.queue.borrow_mut().take_group();
        let Some(group) = group else { return };
        write_group(&shared, group).await;
    }
}

/// Writes a group, and answers each of its members. A group whose transaction aborted is tried once more, one
/// by one, so that one member's fault (such as the quota) is its own.
async fn write_group<S: Storage, H: Host>(shared: &Rc<Shared<S, H>>, group: Vec<Queued>) {
    let group = match write_together(shared, group).await {
        Ok(()) => return,
        Err(Unwritten { group, reason: Reason::Failed(fault) }) if 1 < group.len() && is_of_one(&fault) => {
            group
        }
        Err(Unwritten { group, reason }) => return refuse(group, &reason),
    };
    for queued in group {
        if let Err(Unwritten { group, reason }) = write_together(shared, vec![queued]).await {
            refuse(group, &reason);
        }
    }
}

/// Whether a fault may come from one member of a group.
fn is_of_one(fault: &StorageFault) -> bool {
    matches!(fault.kind, FaultKind::Quota { .. } | FaultKind::Failed)
}

/// A group that was not written.
struct Unwritten {
    group: Vec<Queued>,
    reason: Reason,
}

enum Reason {
    /// The storage refused, and nothing was written.
    Failed(StorageFault),
    /// The storage lost the answer, and could not be asked again.
    Unknown(String),
    /// The log cannot be judged upon.
    Error(Error),
}

fn refuse(group: Vec<Queued>, reason: &Reason) {
    for Queued { append, member } in group {
        let ids = append.ids();
        let error = match reason {
            Reason::Failed(fault) => write_failed(fault.clone(), ids),
            Reason::Unknown(cause) => outcome_unknown(cause.clone(), ids),
            Reason::Error(error) => error.clone(),
        };
        member.answer(Err(error));
    }
}

async fn write_together<S: Storage, H: Host>(
    shared: &Rc<Shared<S, H>>,
    group: Vec<Queued>,
) -> Result<(), Unwritten> {
    let durability = group.iter().map(|queued| queued.member.durability).max().unwrap_or(Durability::Memory);
    let durability = durability.min(shared.storage.strongest_durability());
    let (queue, members): (Vec<Append>, Vec<Member>) =
        group.into_iter().map(|Queued { append, member }| (append, member)).unzip();
    let queue: Rc<[Append]> = queue.into();
    for attempt_count in 0..ATTEMPTS_MAX {
        match attempt(shared, &queue, durability, tail_bytes_max(attempt_count)).await {
            Ok(Attempt::Decided(verdicts)) => {
                answer(shared, &queue, members, verdicts, durability);
                return Ok(());
            }
            Ok(Attempt::Behind) => {}
            Err(reason) => return Err(Unwritten { group: join(&queue, members), reason }),
        }
    }
    let cause = format!("other tabs were ahead {ATTEMPTS_MAX} times in a row");
    let reason =
        Reason::Failed(StorageFault { kind: FaultKind::Failed, outcome: WriteOutcome::NotWritten, cause });
    Err(Unwritten { group: join(&queue, members), reason })
}

fn join(queue: &Rc<[Append]>, members: Vec<Member>) -> Vec<Queued> {
    queue.iter().cloned().zip(members).map(|(append, member)| Queued { append, member }).collect()
}

/// How much of what others wrote is read inside the transaction. Little at first, because everybody waits
/// for it; all of it in the end, because a tab that others always outrun would never get its turn.
fn tail_bytes_max(attempt_count: u32) -> u64 {
    if attempt_count < PATIENT_ATTEMPTS { limits::BEHIND_BYTES_MAX } else { u64::MAX }
}

enum Attempt {
    /// What was to be written is complete.
    Decided(Vec<Verdict>),
    /// Nothing was decided, because others are ahead: the index has caught up with them.
    Behind,
}

/// One transaction, or what became of it.
async fn attempt<S: Storage, H: Host>(
    shared: &Rc<Shared<S, H>>,
    queue: &Rc<[Append]>,
    durability: Durability,
    tail_bytes_max: u64,
) -> Result<Attempt, Reason> {
    shared.check_undamaged().map_err(Reason::Error)?;
    let (seen, facts) = shared.gather(queue).await.map_err(Reason::Error)?;
    let bench = Rc::new(Bench { queue: Rc::clone(queue), facts, decided: RefCell::new(None) });
    let now = shared.host.now();
    // Most often nobody else has written: then the transaction finds everything judged and encoded.
    let prepared = bench.judge(seen, Vec::new(), now);
    let at_bench = Rc::clone(&bench);
    let committed = shared
        .storage
        .commit(Seen { head: seen, tail_bytes_max }, durability, move |head, tail| {
            let decision = if head == seen { Ok(prepared) } else { at_bench.judge_on(head, tail, now) };
            let batch = decision.as_ref().ok().and_then(|decision| decision.batch.clone());
            *at_bench.decided.borrow_mut() = Some(decision);
            batch
        })
        .await;
    let decided = bench.decided.borrow_mut().take();
    match committed {
        Ok(Outcome::Committed(_) | Outcome::Rejected) => match decided {
            Some(Ok(decision)) => Ok(Attempt::Decided(shared.settle(decision))),
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

/// What a queue is judged with, inside the transaction or before it.
struct Bench {
    queue: Rc<[Append]>,
    facts: Facts,
    decided: RefCell<Option<Result<Decision, Error>>>,
}

/// What was decided of a queue, and what is to be written for it.
struct Decision {
    verdicts: Vec<Verdict>,
    /// What others committed after the facts.
    tail: Vec<CommittedRecord>,
    /// What is written; `None` where nothing is.
    batch: Option<Batch>,
    /// The id of the first entry that is written.
    first_id: Option<EventId>,
    /// The head under which all of it holds.
    head: Head,
}

impl Bench {
    /// Judges on what others committed, as it is stored. A damaged record cannot be judged upon.
    fn judge_on(&self, head: Head, tail: &[LogRecord], now: UnixMillis) -> Result<Decision, Error> {
        let decoded = tail.iter().map(|stored| {
            CommittedRecord::decode(stored)
                .ok_or_else(|| damage_error(stored.first, "another tab's record cannot be read"))
        });
        let tail = decoded.collect::<Result<Vec<_>, _>>()?;
        Ok(self.judge(head, tail, now))
    }

    fn judge(&self, head: Head, tail: Vec<CommittedRecord>, now: UnixMillis) -> Decision {
        let records: Vec<_> = tail.iter().map(|committed| Rc::clone(&committed.record)).collect();
        let judgement = judge(&self.queue, &self.facts, &records, now);
        let records = encode_records(&judgement.frames);
        let first = judgement.frames.first().and_then(|frame| frame.entries.first());
        let first_id = first.map(|entry| entry.id);
        let appended_bytes: u64 = records.iter().map(|record| record.bytes.len() as u64).sum();
        let after = Head {
            position: judgement.position,
            layout: head.layout,
            appended_bytes: head.appended_bytes + appended_bytes,
        };
        let batch = (!records.is_empty()).then_some(Batch { records, head: after });
        Decision { verdicts: judgement.verdicts, tail, batch, first_id, head: after }
    }
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
            Ok(true) => Ok(Attempt::Decided(decision.verdicts)),
            Ok(false) => Ok(Attempt::Behind),
            Err(_) => Err(Reason::Unknown(fault.cause)),
        }
    }

    /// Whether what was decided stands in the log: a batch is written whole, so its first entry tells. A
    /// decision to write nothing is judged again.
    async fn has_landed(&self, decision: &Decision) -> Result<bool, Error> {
        let first =
            decision.batch.as_ref().and_then(|batch| batch.records.first()).map(|record| record.first);
        let Some(first) = first.filter(|first| *first <= self.index.borrow().head().position) else {
            return Ok(false);
        };
        let found = self.records_at(vec![first]).await?;
        let entry = found.first().and_then(|(record, position)| entry_at(record, *position));
        Ok(entry.is_some_and(|entry| Some(entry.id) == decision.first_id))
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

/// Answers the decided members of a group, and puts the undecided back.
fn answer<S: Storage, H: Host>(
    shared: &Shared<S, H>,
    queue: &Rc<[Append]>,
    members: Vec<Member>,
    verdicts: Vec<Verdict>,
    durability: Durability,
) {
    let mut undecided = Vec::new();
    for ((append, member), verdict) in queue.iter().zip(members).zip(verdicts) {
        let answer = match verdict {
            Verdict::Accepted(accepted) => Ok(appended(append, accepted, durability)),
            Verdict::Refused(error) => Err(error),
            Verdict::Undecided => {
                undecided.push(Queued { append: append.clone(), member });
                continue;
            }
        };
        member.answer(answer);
    }
    shared.queue.borrow_mut().put_back(undecided);
}

fn appended(append: &Append, accepted: Accepted, durability: Durability) -> Appended {
    let writes = append
        .writes
        .iter()
        .zip(accepted.writes)
        .map(|(write, result)| StreamAppended {
            stream: write.stream.clone(),
            first_revision: result.first_revision,
            last_revision: result.last_revision,
            first_position: result.first_position,
            last_position: result.last_position,
        })
        .collect();
    Appended { writes, last_position: accepted.last_position, durability, duplicate: accepted.duplicate }
}
