//! What is decided of a queue of appends, and what is to be written for it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Context;

use crate::answer::Answer;
use crate::codec::encode_records;
use crate::error::Error;
use crate::event::UnixMillis;
use crate::log::{Append, Facts, Verdict, judge};
use crate::storage::{Batch, Head, LogRecord};

use super::catch_up::CommittedRecord;
use super::fetch::damage_error;

/// What a queue is judged with, inside the transaction or before it.
pub(super) struct Hearing {
    queue: Rc<[Rc<Append>]>,
    /// The head up to which the facts hold.
    head: Head,
    facts: Facts,
    now: UnixMillis,
    /// What was decided; before that, what is decided if nobody else has written.
    decision: RefCell<Option<Result<Box<Decision>, Error>>>,
    is_decided: Cell<bool>,
    /// Has whoever waits for the storage go on.
    decided: Answer<()>,
}

/// What was decided of a queue, and what is to be written for it.
pub(super) struct Decision {
    pub verdicts: Vec<Verdict>,
    /// What others committed after the facts.
    pub tail: Vec<CommittedRecord>,
    /// What is written; `None` where nothing is.
    pub batch: Option<Batch>,
    /// The records of the batch, once they were read as the index takes them in.
    written: Vec<CommittedRecord>,
    /// The head under which all of it holds.
    pub head: Head,
}

impl Hearing {
    /// Begins to judge a queue on facts that hold up to a head.
    pub fn begin(queue: &Rc<[Rc<Append>]>, head: Head, facts: Facts, now: UnixMillis) -> Rc<Self> {
        let (decision, is_decided, decided) = (RefCell::new(None), Cell::new(false), Answer::default());
        Rc::new(Self { queue: Rc::clone(queue), head, facts, now, decision, is_decided, decided })
    }

    /// Does what can be done while the storage is waited for: at first judges and encodes, because most often nobody
    /// else has written; and once it is decided, reads what is written. The task of `context` is woken for that.
    pub fn go_on(&self, context: &Context<'_>) {
        let mut decision = self.decision.borrow_mut();
        let decision = decision.get_or_insert_with(|| Ok(self.judge(self.head, Vec::new())));
        if self.decided.poll(context).is_ready()
            && let Ok(decision) = decision
        {
            decision.read();
        }
    }

    /// Decides on the head of the log and what others committed since the facts, keeps what was decided, and gives
    /// what is to be written for it.
    pub fn decide(&self, head: Head, tail: &[LogRecord]) -> Option<Batch> {
        let mut decision = self.decision.borrow_mut();
        let prepared = decision.take().filter(|_| head == self.head);
        let decided = decision.insert(prepared.unwrap_or_else(|| self.judge_on(head, tail)));
        self.is_decided.set(true);
        self.decided.give(());
        decided.as_ref().ok().and_then(|decision| decision.batch.clone())
    }

    /// What was decided; `None` where the transaction did not come to judging.
    pub fn take_decision(&self) -> Option<Result<Box<Decision>, Error>> {
        self.decision.take().filter(|_| self.is_decided.get())
    }

    /// Judges on what others committed, as it is stored. A damaged record cannot be judged upon.
    fn judge_on(&self, head: Head, stored: &[LogRecord]) -> Result<Box<Decision>, Error> {
        let mut tail = Vec::with_capacity(stored.len());
        for stored in stored {
            let record = CommittedRecord::decode(stored);
            let unread = || damage_error(stored.first, "another tab's record cannot be read");
            tail.push(record.ok_or_else(unread)?);
        }
        Ok(self.judge(head, tail))
    }

    /// Judges on what was gathered and what others committed since, without a gap, and encodes what is accepted.
    #[inline(never)]
    fn judge(&self, head: Head, tail: Vec<CommittedRecord>) -> Box<Decision> {
        let records: Vec<_> = tail.iter().map(|committed| Rc::clone(&committed.record)).collect();
        let judgement = judge(&self.queue, &self.facts, &records, self.now);
        let records = encode_records(&judgement.frames);
        let appended_bytes: u64 = records.iter().map(|record| record.bytes.len() as u64).sum();
        let after = Head {
            position: judgement.position,
            appended_bytes: head.appended_bytes + appended_bytes,
            ..head
        };
        let batch = (!records.is_empty()).then_some(Batch { records, head: after });
        Box::new(Decision { verdicts: judgement.verdicts, tail, batch, written: Vec::new(), head: after })
    }
}

impl Decision {
    /// All records that are committed with it: those of others, and its own.
    pub fn committed(&mut self) -> Vec<CommittedRecord> {
        self.read();
        let mut committed = std::mem::take(&mut self.tail);
        committed.append(&mut self.written);
        committed
    }

    /// Reads the records that are to be written.
    fn read(&mut self) {
        let records = self.batch.iter().flat_map(|batch| &batch.records).skip(self.written.len());
        for record in records {
            let decoded = CommittedRecord::decode(record);
            assert!(decoded.is_some(), "a record that was written cannot be read");
            self.written.extend(decoded);
        }
    }
}
