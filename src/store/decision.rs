//! What is decided of a queue of appends, and what is to be written for it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::codec::encode_records;
use crate::error::Error;
use crate::event::UnixMillis;
use crate::log::{Append, Facts, Verdict, judge};
use crate::storage::{Batch, Head, LogRecord};

use super::catch_up::CommittedRecord;
use super::fetch::damage_error;

/// What a queue is judged with, inside the transaction or before it.
pub(super) struct Hearing {
    queue: Rc<[Append]>,
    facts: Facts,
    decided: RefCell<Option<Result<Decision, Error>>>,
}

/// What was decided of a queue, and what is to be written for it.
pub(super) struct Decision {
    pub verdicts: Vec<Verdict>,
    /// What others committed after the facts.
    pub tail: Vec<CommittedRecord>,
    /// What is written; `None` where nothing is.
    pub batch: Option<Batch>,
    /// The head under which all of it holds.
    pub head: Head,
}

impl Hearing {
    pub fn new(queue: &Rc<[Append]>, facts: Facts) -> Self {
        Self { queue: Rc::clone(queue), facts, decided: RefCell::new(None) }
    }

    /// Keeps what was decided, and gives what is to be written for it.
    pub fn decide(&self, decision: Result<Decision, Error>) -> Option<Batch> {
        let batch = decision.as_ref().ok().and_then(|decision| decision.batch.clone());
        *self.decided.borrow_mut() = Some(decision);
        batch
    }

    /// What was decided; `None` where the transaction did not come to judging.
    pub fn take_decision(&self) -> Option<Result<Decision, Error>> {
        self.decided.borrow_mut().take()
    }

    /// Judges on what others committed, as it is stored. A damaged record cannot be judged upon.
    pub fn judge_on(&self, head: Head, tail: &[LogRecord], now: UnixMillis) -> Result<Decision, Error> {
        let decoded = tail.iter().map(|stored| {
            CommittedRecord::decode(stored)
                .ok_or_else(|| damage_error(stored.first, "another tab's record cannot be read"))
        });
        let tail = decoded.collect::<Result<Vec<_>, _>>()?;
        Ok(self.judge(head, tail, now))
    }

    /// Judges on what was gathered and what others committed since, without a gap, and encodes what is accepted.
    pub fn judge(&self, head: Head, tail: Vec<CommittedRecord>, now: UnixMillis) -> Decision {
        let records: Vec<_> = tail.iter().map(|committed| Rc::clone(&committed.record)).collect();
        let judgement = judge(&self.queue, &self.facts, &records, now);
        let records = encode_records(&judgement.frames);
        let appended_bytes: u64 = records.iter().map(|record| record.bytes.len() as u64).sum();
        let after = Head {
            position: judgement.position,
            layout: head.layout,
            appended_bytes: head.appended_bytes + appended_bytes,
        };
        let batch = (!records.is_empty()).then_some(Batch { records, head: after });
        Decision { verdicts: judgement.verdicts, tail, batch, head: after }
    }
}
