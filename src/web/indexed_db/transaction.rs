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

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;
use web_sys::{IdbDatabase, IdbObjectStore, IdbRequest, IdbTransaction, IdbTransactionMode};

use crate::answer::Answer;
use crate::storage::{Area, Durability};
use crate::web::listener::{Listener, listener};
use crate::web::property;
use crate::web::timer::Timer;

use super::externs::{CommittingTransaction, DurableDatabase};
use super::fault::{self, Fault, Moment};
use super::patience::TRANSACTION_TIMEOUT_MS;

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write(Durability),
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
}

/// The transaction as an operation sees it.
pub struct Scope {
    transaction: IdbTransaction,
}

impl Scope {
    /// The object store of an area that the transaction was begun for.
    ///
    /// # Errors
    ///
    /// What the browser throws.
    pub fn store(&self, area: Area) -> Result<IdbObjectStore, Fault> {
        thrown(self.transaction.object_store(area.name()))
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
    operation: Operation,
) -> Result<(), Fault> {
    let scope = Scope { transaction: thrown(begin(database, areas, access))? };
    let run = Run::start(scope, access, operation);
    match run.answer.within(&mut Timer::start(TRANSACTION_TIMEOUT_MS)).await {
        Some(answer) => answer,
        None => Err(run.give_up()),
    }
}

fn begin(database: &IdbDatabase, areas: &[Area], access: Access) -> Result<IdbTransaction, JsValue> {
    let stores = Array::new();
    for area in areas {
        stores.push(&JsValue::from_str(area.name()));
    }
    let database: &DurableDatabase = database.unchecked_ref();
    let options = Object::new();
    let mode = match access {
        Access::Read => IdbTransactionMode::Readonly,
        Access::Write(durability) => {
            let is_strict = durability == Durability::Strict;
            let durability = if is_strict { "strict" } else { "relaxed" };
            property::set(&options, "durability", &durability.into());
            IdbTransactionMode::Readwrite
        }
    };
    database.transaction(&stores, mode, &options)
}

/// A transaction under way. It is listened to for as long as somebody waits for it.
struct Run {
    scope: Scope,
    access: Access,
    operation: RefCell<Operation>,
    awaited: Cell<Option<IdbRequest>>,
    /// Whether the last write was asked for.
    is_written: Cell<bool>,
    /// Whether the transaction was told to commit: from then on, nobody knows what became of it but itself.
    is_sent: Cell<bool>,
    answer: Answer<Result<(), Fault>>,
    listener: Listener,
}

impl Run {
    fn start(scope: Scope, access: Access, operation: Operation) -> Rc<Self> {
        let run = Rc::new_cyclic(|run: &Weak<Self>| {
            let run = run.clone();
            let hear = move |event: JsValue| {
                if let Some(run) = run.upgrade() {
                    run.hear(&event);
                }
            };
            Self {
                scope,
                access,
                operation: RefCell::new(operation),
                awaited: Cell::new(None),
                is_written: Cell::new(false),
                is_sent: Cell::new(false),
                answer: Answer::default(),
                listener: listener(Box::new(hear)),
            }
        });
        property::set(&run.scope.transaction, "onabort", run.handler());
        if access != Access::Read {
            property::set(&run.scope.transaction, "oncomplete", run.handler());
        }
        run.advance();
        run
    }

    fn handler(&self) -> &JsValue {
        self.listener.as_ref()
    }

    fn hear(&self, event: &JsValue) {
        match property::text(event, "type").as_str() {
            "success" => self.advance(),
            "complete" if self.is_written.get() => self.answer.give(Ok(())),
            "complete" => self.answer.give(Err(fault::unanswered())),
            _ => self.answer.give(Err(fault::from_exception(&self.error(), self.moment()))),
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
                self.await_success(last);
            }
            Ok(Step::Done) => {
                if self.access != Access::Read {
                    self.send();
                }
                self.answer.give(Ok(()));
            }
            Err(fault) => {
                // It throws where the transaction has ended already, which is what is wanted.
                drop(self.scope.transaction.abort());
                self.answer.give(Err(fault));
            }
        }
    }

    fn await_success(&self, request: IdbRequest) {
        property::set(&request, "onsuccess", self.handler());
        self.awaited.set(Some(request));
    }

    /// Commits at once, without a last turn of the event loop: a tab that is frozen with a transaction open
    /// holds up every other tab. Where the browser has no `commit`, or the transaction has ended, its own
    /// events say the rest.
    ///
    /// No write may be under way: Firefox commits the others when one fails after it was told to commit.
    fn send(&self) {
        self.is_sent.set(true);
        drop(self.scope.transaction.unchecked_ref::<CommittingTransaction>().commit());
    }

    fn error(&self) -> JsValue {
        property::get(&self.scope.transaction, "error").unwrap_or_default()
    }

    fn moment(&self) -> Moment {
        if self.is_sent.get() { Moment::Sent } else { Moment::Begun }
    }

    /// Ends a transaction that takes too long, if it can still be ended.
    fn give_up(&self) -> Fault {
        let is_ended = self.scope.transaction.abort().is_ok();
        let moment = if is_ended { Moment::Begun } else { Moment::Sent };
        fault::timed_out(TRANSACTION_TIMEOUT_MS, moment)
    }
}

impl Drop for Run {
    /// The listener goes: the browser must not call it any more.
    fn drop(&mut self) {
        property::set(&self.scope.transaction, "onabort", &JsValue::NULL);
        property::set(&self.scope.transaction, "oncomplete", &JsValue::NULL);
        if let Some(request) = self.awaited.take() {
            property::set(&request, "onsuccess", &JsValue::NULL);
        }
    }
}
