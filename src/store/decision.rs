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
    queue: Rc<[Rc<Append>]>,
    /// The head up to which the facts hold.
    head: Head,
    facts: Facts,
    now: UnixMillis,
    /// What is decided if nobody else has written.
    prepared: RefCell<Option<Box<Decision>>>,
    decided: RefCell<Option<Result<Box<Decision>, Error>>>,
}

/// What was decided of a queue, and what is to be written for it.
pub(super) struct Decision {
    pub verdicts: Vec<Verdict>,
    /// What others committed after the facts.
    pub tail: Vec<CommittedRecord>,
    /// What is written; `None` where nothing is.
    pub batch: Option<Batch>,
    /// The records of the batch as the index takes them in, once they were read.
    written: Vec<CommittedRecord>,
    /// The head under which all of it holds.
    pub head: Head,
}

impl Hearing {
    /// Judges a queue on facts that hold up to a head. Most often nobody else has written when the transaction
    /// begins: then it finds everything judged and encoded.
    pub fn begin(queue: &Rc<[Rc<Append>]>, head: Head, facts: Facts, now: UnixMillis) -> Rc<Self> {
        let (prepared, decided) = (RefCell::new(None), RefCell::new(None));
        let hearing = Self { queue: Rc::clone(queue), head, facts, now, prepared, decided };
        *hearing.prepared.borrow_mut() = Some(hearing.judge(head, Vec::new()));
        Rc::new(hearing)
    }

    /// Decides on the head of the log and what others committed since the facts, keeps what was decided, and gives
    /// what is to be written for it.
    pub fn decide(&self, head: Head, tail: &[LogRecord]) -> Option<Batch> {
        let prepared = self.prepared.borrow_mut().take().filter(|_| head == self.head);
        let decision = prepared.map_or_else(|| self.judge_on(head, tail), Ok);
        let batch = decision.as_ref().ok().and_then(|decision| decision.batch.clone());
        *self.decided.borrow_mut() = Some(decision);
        batch
    }

    /// Reads what is to be written, if that is decided: the index will want it.
    pub fn read_decided(&self) {
        if let Some(Ok(decision)) = &mut *self.decided.borrow_mut() {
            decision.read();
        }
    }

    /// What was decided last; `None` where nothing was asked for.
    pub fn take_decision(&self) -> Option<Result<Box<Decision>, Error>> {
        self.decided.borrow_mut().take()
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

    fn read(&mut self) {
        let records = self.batch.iter().flat_map(|batch| &batch.records).skip(self.written.len());
        for record in records {
            let decoded = CommittedRecord::decode(record);
            assert!(decoded.is_some(), "a record that was written cannot be read");
            self.written.extend(decoded);
        }
    }
}
