//! The writer: takes what is queued, a group at a time, through one transaction.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::error::{Detail, Error, WriteOutcome};
use crate::host::Host;
use crate::log::{Accepted, Append, Verdict};
use crate::storage::{Durability, FaultKind, Storage, StorageFault};

use super::attempt::{Attempt, Reason, attempt};
use super::queue::{Member, Queued};
use super::{Appended, Shared, StreamAppended};

/// How often a group is tried where every try ended before anything was decided.
const ATTEMPTS_MAX: u32 = 8;

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
    let mut groups = VecDeque::from([group]);
    while let Some(group) = groups.pop_front() {
        match write_together(shared, group).await {
            Ok(()) => {}
            Err(Unwritten { group, reason: Reason::Failed(fault) })
                if 1 < group.len() && is_of_one(&fault) =>
            {
                groups.extend(group.into_iter().map(|queued| vec![queued]));
            }
            Err(Unwritten { group, reason }) => refuse(group, &reason),
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

fn refuse(group: Vec<Queued>, reason: &Reason) {
    for Queued { append, member } in group {
        let error = match reason {
            Reason::Failed(fault) => fault.clone().into(),
            Reason::Unknown(cause) => storage_failed(cause.clone(), WriteOutcome::Unknown),
            Reason::Error(error) => error.clone(),
        };
        member.answer(Err(error.concerning(append.ids())));
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
        match attempt(shared, &queue, durability, attempt_count).await {
            Ok(Attempt::Decided { verdicts, durability }) => {
                answer(shared, &queue, members, verdicts, durability);
                return Ok(());
            }
            Ok(Attempt::Behind) => {}
            Err(reason) => return Err(Unwritten { group: join(&queue, members), reason }),
        }
    }
    let cause = format!("{ATTEMPTS_MAX} tries came to nothing: other tabs wrote, or answers were lost");
    let reason = Reason::Error(storage_failed(cause, WriteOutcome::NotWritten));
    Err(Unwritten { group: join(&queue, members), reason })
}

fn storage_failed(cause: String, outcome: WriteOutcome) -> Error {
    Error::new(Detail::StorageFailed { cause, outcome, ids: Vec::new() })
}

fn join(queue: &Rc<[Append]>, members: Vec<Member>) -> Vec<Queued> {
    queue.iter().cloned().zip(members).map(|(append, member)| Queued { append, member }).collect()
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
