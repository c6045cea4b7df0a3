//! One transaction, driven by its own events.
//!
//! A transaction ends by itself as soon as nothing is asked of it, so nothing foreign may be awaited while it
//! lasts. What an operation does in it is therefore an [`Operation`], which runs inside the events of the
//! transaction's requests; whoever began it awaits only the end.
//!
//! ```text
//!   begin         success of the request     ...      success of the last write       complete | abort
//!     |  Until(request)   |   Until(request) ... Complete      |                            |
//!   step ------------- step ------------------- step ------ commit() --------------------- answer
//! ```
//!
//! Where the browser allows it, `commit()` is called in the last step itself: see [`Sending`]. An operation may ask for
//! writes before it knows whether they are right: then it ends by [`Step::Complete`], which keeps them, or by
//! [`Step::Withdraw`]. A fault takes them back, and so does whoever does not wait for the end.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;
use web_sys::{Event, IdbDatabase, IdbObjectStore, IdbRequest, IdbTransactionMode};

use crate::answer::Answer;
use crate::storage::{Area, Durability, FaultKind};
use crate::web::property;

use super::externs::{CommittingTransaction, DurableDatabase};
use super::fault::{self, Fault, Moment};
use super::patience::TRANSACTION_TIMEOUT_MS;
use super::supplies::{Sending, Supplies};

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write(Durability),
}

/// How values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// As many at once as the browser gives. One that it cannot read fails the transaction.
    Together,
    /// Each by a request of its own. One that the browser cannot read is a record without bytes, and takes nothing with
    /// it: Chromium keeps large values in files, which can be lost.
    Singly,
}

/// What is done in a transaction, step by step. What it finds it leaves in a [`Slot`], before its last step is
/// done: so transactions are compiled once, whatever they find.
pub type Operation = Box<dyn FnMut(&Scope) -> Result<Step, Fault>>;

/// Where an operation leaves what it has found.
pub type Slot<T> = Rc<Cell<Option<T>>>;

/// What an operation wants next.
pub enum Step {
    /// To be called again once this request has succeeded, and with it all that were made before.
    Until(IdbRequest),
    /// To end now. What was asked of the transaction changes nothing.
    Done,
    /// To end once the transaction is complete. This request is the last of its writes.
    Complete(IdbRequest),
    /// To end now, and to take back all that was written.
    Withdraw,
}

/// How a transaction ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// It took back what it had written.
    Withdrawn,
}

/// The transaction as an operation sees it.
pub struct Scope {
    transaction: CommittingTransaction,
    /// How the operation is to read.
    pub reads: Reads,
    /// What the browser calls.
    handler: Function,
}

impl Scope {
    /// The object store of an area that the transaction was begun for.
    ///
    /// # Errors
    ///
    /// What the browser throws.
    pub fn store(&self, area: Area) -> Result<IdbObjectStore, Fault> {
        thrown(self.transaction.object_store(&Supplies::get().name(area)))
    }

    /// Hears of the success of a request. Where an instance of the wasm has stopped, its handler throws, which aborts the
    /// transaction: what is not heard of would commit by itself.
    pub fn listen(&self, request: &IdbRequest) {
        request.set_onsuccess(Some(&self.handler));
    }
}

/// What a request found, once it has succeeded.
///
/// # Errors
///
/// What the browser throws.
pub fn result_of(request: &IdbRequest) -> Result<JsValue, Fault> {
    thrown(request.result())
}

/// What was thrown by a call on a transaction that is under way, as a fault.
///
/// # Errors
///
/// That fault.
pub fn thrown<T>(result: Result<T, JsValue>) -> Result<T, Fault> {
    result.map_err(fault::begun)
}

/// Runs one transaction over these areas, of which there is at least one.
///
/// # Errors
///
/// What the operation found, what the browser threw, or why the transaction was aborted or lost.
pub async fn run(
    database: &IdbDatabase,
    areas: &[Area],
    access: Access,
    reads: Reads,
    operation: Operation,
) -> Result<Ended, Fault> {
    let transaction = thrown(begin(database, areas, access))?;
    let run = Run::start(transaction, access, reads, operation);
    poll_fn(|context| run.answer.poll(context)).await
}

fn begin(database: &IdbDatabase, areas: &[Area], access: Access) -> Result<CommittingTransaction, JsValue> {
    let supplies = Supplies::get();
    let stores = Array::new();
    for area in areas {
        stores.push(&supplies.name(*area));
    }
    let (mode, options) = match access {
        Access::Read => (IdbTransactionMode::Readonly, &supplies.relaxed),
        Access::Write(Durability::Strict) => (IdbTransactionMode::Readwrite, &supplies.strict),
        Access::Write(_) => (IdbTransactionMode::Readwrite, &supplies.relaxed),
    };
    let database: &DurableDatabase = database.unchecked_ref();
    Ok(database.transaction(&stores, mode, options)?.unchecked_into())
}

/// A transaction under way. It is listened to for as long as somebody waits for it.
pub struct Run {
    scope: Scope,
    access: Access,
    operation: RefCell<Operation>,
    awaited: Cell<Option<IdbRequest>>,
    /// Whether the last write was asked for.
    is_written: Cell<bool>,
    /// Whether the transaction was told to commit: from then on, nobody knows what became of it but itself.
    is_sent: Cell<bool>,
    /// Whether it has ended: the browser calls nobody any more.
    is_over: Cell<bool>,
    answer: Answer<Result<Ended, Fault>>,
}

impl Run {
    fn start(
        transaction: CommittingTransaction,
        access: Access,
        reads: Reads,
        operation: Operation,
    ) -> Rc<Self> {
        let run = Rc::new_cyclic(|run| Self {
            scope: Scope { transaction, reads, handler: Supplies::get().handler(run) },
            access,
            operation: RefCell::new(operation),
            awaited: Cell::new(None),
            is_written: Cell::new(false),
            is_sent: Cell::new(false),
            is_over: Cell::new(false),
            answer: Answer::default(),
        });
        // What is asked first is under way before the rest is seen to.
        run.advance();
        run.scope.transaction.set_onabort(Some(&run.scope.handler));
        if access != Access::Read {
            run.scope.transaction.set_oncomplete(Some(&run.scope.handler));
        }
        if run.scope.reads == Reads::Singly {
            property::set(&run.scope.transaction, "onerror", &run.scope.handler);
        }
        run
    }

    /// Hears what became of the request that was waited for, or of the transaction.
    pub fn hear(&self, event: &Event) {
        // Of all that is listened to, failures and aborts alone bubble. Until a success has come, nothing is complete.
        if event.bubbles() && property::text(event, "type") == "error" {
            self.hear_failure(event);
        } else if event.bubbles() {
            self.is_over.set(true);
            self.answer.give(Err(fault::from_exception(&self.error(), self.moment())));
        } else if self.awaited.take().is_some() {
            self.advance();
        } else {
            if !self.is_written.get() {
                return self.abort(Err(fault::unanswered()));
            }
            self.is_over.set(true);
            self.answer.give(Ok(Ended::Done));
        }
    }

    /// Hears that a request has failed, and goes on where that is because of the value that it was to read.
    fn hear_failure(&self, event: &Event) {
        let failed = property::get(event, "target").unwrap_or_default();
        let fault = fault::begun(property::get(&failed, "error").unwrap_or_default());
        if fault.kind != FaultKind::Failed || self.is_written.get() {
            return;
        }
        event.prevent_default();
        // What is waited for comes last of all that was asked: it has ended if it is what failed.
        let awaited = self.awaited.take();
        let has_ended = awaited.as_ref().is_some_and(|it| property::text(it, "readyState") == "done");
        self.awaited.set(awaited.filter(|_| !has_ended));
        if has_ended {
            self.advance();
        }
    }

    /// Goes on after the success of the request that was waited for.
    fn advance(&self) {
        if self.is_written.get() {
            return self.send();
        }
        let next = (*self.operation.borrow_mut())(&self.scope);
        match next {
            Ok(Step::Until(request)) => self.await_success(request),
            Ok(Step::Complete(last)) => {
                self.is_written.set(true);
                match (self.scope.reads, Supplies::get().sending()) {
                    (Reads::Together, Sending::AtOnce) => self.send(),
                    // Chromium aborts a transaction that is told to commit while the failure of a request is heard.
                    _ => self.await_success(last),
                }
            }
            Ok(Step::Done) => {
                if self.access != Access::Read {
                    self.send();
                }
                self.answer.give(Ok(Ended::Done));
            }
            Ok(Step::Withdraw) => self.abort(Ok(Ended::Withdrawn)),
            Err(fault) => self.abort(Err(fault)),
        }
    }

    fn await_success(&self, request: IdbRequest) {
        self.scope.listen(&request);
        self.awaited.set(Some(request));
    }

    /// Commits at once, without a last turn of the event loop: a tab that is frozen with a transaction open
    /// holds up every other tab. Where the browser has no `commit`, or the transaction has ended, its own
    /// events say the rest.
    ///
    /// Whether writes may be under way is what [`Sending`] is about.
    fn send(&self) {
        self.is_sent.set(true);
        drop(self.scope.transaction.commit());
    }

    fn abort(&self, answer: Result<Ended, Fault>) {
        // It throws where the transaction has ended already, which is what is wanted.
        drop(self.scope.transaction.abort());
        self.answer.give(answer);
    }

    fn error(&self) -> JsValue {
        property::get(&self.scope.transaction, "error").unwrap_or_default()
    }

    fn moment(&self) -> Moment {
        if self.is_sent.get() { Moment::Sent } else { Moment::Begun }
    }

    /// Ends a transaction that takes too long, if it can still be ended.
    pub fn give_up(&self) {
        let is_ended = self.scope.transaction.abort().is_ok();
        let moment = if is_ended { Moment::Begun } else { Moment::Sent };
        self.answer.give(Err(fault::timed_out(TRANSACTION_TIMEOUT_MS, moment)));
    }
}

impl Drop for Run {
    /// The handler will serve another: the browser must not call it for this one any more. What was asked to be written,
    /// and not found to be right yet, must not be kept when nobody looks.
    fn drop(&mut self) {
        if self.is_over.get() {
            return;
        }
        if self.access != Access::Read && !self.is_sent.get() && !self.is_written.get() {
            drop(self.scope.transaction.abort());
        }
        self.scope.transaction.set_onabort(None);
        self.scope.transaction.set_oncomplete(None);
        if self.scope.reads == Reads::Singly {
            property::set(&self.scope.transaction, "onerror", &JsValue::NULL);
        }
        if let Some(request) = self.awaited.take() {
            request.set_onsuccess(None);
        }
    }
}
