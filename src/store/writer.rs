//! The writer: takes what is queued, a group at a time, through one transaction.

use std::rc::Rc;

use crate::error::{Detail, Error, WriteOutcome};
use crate::host::Host;
use crate::log::{Accepted, Append, Verdict};
use crate::storage::{Durability, Storage};

use super::attempt::{Attempt, Decided, Reason, attempt};
use super::compact;
use super::queue::Queued;
use super::{Appended, Shared};

/// How often a group is tried where every try ended before anything was decided.
const ATTEMPTS_MAX: u32 = 8;

/// Writes until nothing waits. A group whose transaction aborted is tried once more, one by one, so that one
/// member's fault (such as the quota) is its own.
pub(super) async fn run<S: Storage, H: Host>(shared: Rc<Shared<S, H>>) {
    loop {
        let group = shared.queue.borrow_mut().take_group();
        let Some(group) = group else { return };
        let mut groups = vec![group];
        while let Some(group) = groups.pop() {
            match write_together(&shared, &group).await {
                Err(reason) if 1 < group.len() && reason.is_of_one => {
                    groups.extend(group.into_iter().rev().map(|queued| vec![queued]));
                }
                outcome => {
                    let undecided = answer(group, outcome);
                    shared.queue.borrow_mut().put_back(undecided);
                    shared.tell_others();
                    compact::wake(&shared);
                }
            }
        }
    }
}

async fn write_together<S: Storage, H: Host>(
    shared: &Shared<S, H>,
    group: &[Queued],
) -> Result<Decided, Reason> {
    let durability = group.iter().map(|queued| queued.member.durability).max().unwrap_or(Durability::Memory);
    let durability = durability.min(shared.storage.strongest_durability());
    let queue: Rc<[Rc<Append>]> = group.iter().map(|queued| Rc::clone(&queued.append)).collect();
    for attempt_count in 0..ATTEMPTS_MAX {
        if let Attempt::Decided(decided) = attempt(shared, &queue, durability, attempt_count).await? {
            return Ok(decided);
        }
    }
    let cause = format!("{ATTEMPTS_MAX} tries came to nothing: other tabs wrote, or answers were lost");
    Err(Error::new(Detail::StorageFailed { cause, outcome: WriteOutcome::NotWritten, ids: Vec::new() })
        .into())
}

/// Answers the members of a group, and gives back the undecided.
#[inline(never)]
fn answer(group: Vec<Queued>, outcome: Result<Decided, Reason>) -> Vec<Queued> {
    let mut undecided = Vec::new();
    match outcome {
        Ok(Decided { verdicts, durability }) => {
            for (queued, verdict) in group.into_iter().zip(verdicts) {
                let answer = match verdict {
                    Verdict::Accepted(accepted) => Ok(appended(accepted, durability)),
                    Verdict::Refused(error) => Err(error),
                    Verdict::Undecided => {
                        undecided.push(queued);
                        continue;
                    }
                };
                queued.member.answer(answer);
            }
        }
        Err(Reason { error, .. }) => {
            for Queued { append, member } in group {
                member.answer(Err(error.clone().concerning(append.ids())));
            }
        }
    }
    undecided
}

fn appended(Accepted { writes, last_position, duplicate }: Accepted, durability: Durability) -> Appended {
    Appended { writes, last_position, durability, duplicate }
}
