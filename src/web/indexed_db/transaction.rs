//! One transaction, driven by its own events.
//!
//! A transaction ends by itself as soon as nothing is asked of it, so nothing foreign may be awaited while it
//! lasts. What an operation does in it is therefore a [`Step`] function, which runs inside the events of the
//! transaction's requests; the operation itself awaits only the end.
//!
//! ```text
//!   begin         success of the request     ...      success of the last write       complete | abort
//!     |  Until(request)   |   Until(request) ... Complete      |                            |
//!   step ------------- step ------------------- step ------ commit() --------------------- answer
//! ```

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use js_sys::{Array, Function, Object};
use wasm_bindgen::prelude::*;
use web_sys::{Event, IdbDatabase, IdbObjectStore, IdbRequest, IdbTransaction, IdbTransactionMode};

use crate::storage::{Area, Durability, FaultKind, StorageFault};
use crate::web::timer::Timer;

use super::externs::{CommittingTransaction, DurableDatabase, TransactionOptions};
use super::fault::{self, Moment};
use super::patience::TRANSACTION_TIMEOUT_MS;

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write(Durability),
}

/// What a step function wants next.
pub enum Step<T> {
    /// To be called again once this request has succeeded, and with it all that were made before.
    Until(IdbRequest),
    /// To answer now. What was asked of the transaction changes nothing.
    Answer(T),
    /// To answer once the transaction is complete. This request is the last of its writes.
    Complete(IdbRequest, T),
}

/// The transaction as a step function sees it.
pub struct Scope<'a> {
    transaction: &'a IdbTransaction,
}

impl Scope<'_> {
    /// The object store of an area that the transaction was begun for.
    ///
    /// # Errors
    ///
    /// What the browser throws.
    pub fn store(&self, area: Area) -> Result<IdbObjectStore, StorageFault> {
        thrown(self.transaction.object_store(area.name()))
    }
}

/// What a request found, once it has succeeded.
///
/// # Errors
///
/// What the browser throws.
pub fn result_of(request: &IdbRequest) -> Result<JsValue, StorageFault> {
    thrown(request.result())
}

/// What was thrown by a call on a transaction that is under way, as a fault.
///
/// # Errors
///
/// That fault.
pub fn thrown<T>(result: Result<T, JsValue>) -> Result<T, StorageFault> {
    result.map_err(|exception| fault::from_exception(&exception, Moment::Begun))
}

/// Runs one transaction over these areas and returns what its step function answers.
///
/// # Errors
///
/// What the step function found, what the browser threw, or why the transaction was aborted or lost.
pub async fn run<T, S>(
    database: &IdbDatabase,
    areas: &[Area],
    access: Access,
    step: S,
) -> Result<T, StorageFault>
where
    T: 'static,
    S: FnMut(&Scope<'_>) -> Result<Step<T>, StorageFault> + 'static,
{
    let transaction = thrown(begin(database, areas, access))?;
    let (sender, settled) = oneshot::channel();
    let run = Rc::new(Run {
        transaction,
        access,
        step: RefCell::new(step),
        is_sent: Cell::new(false),
        awaited: RefCell::new(None),
        answer: RefCell::new(None),
        on_success: OnceCell::new(),
        sender: Cell::new(Some(sender)),
    });
    let _listening = Listening::new(&run);
    run.advance();
    match select(settled, Timer::start(TRANSACTION_TIMEOUT_MS)).await {
        Either::Left((settled, _)) => settled.unwrap_or_else(|_| Err(run.unanswered())),
        Either::Right(((), _)) => Err(run.give_up()),
    }
}

fn begin(database: &IdbDatabase, areas: &[Area], access: Access) -> Result<IdbTransaction, JsValue> {
    let stores: Array = areas.iter().map(|area| JsValue::from_str(area.name())).collect();
    match access {
        Access::Read => {
            database.transaction_with_str_sequence_and_mode(&stores, IdbTransactionMode::Readonly)
        }
        Access::Write(durability) => {
            let options: TransactionOptions = Object::new().unchecked_into();
            let is_strict = durability == Durability::Strict;
            options.set_durability(if is_strict { "strict" } else { "relaxed" });
            let database: &DurableDatabase = database.unchecked_ref();
            database.transaction(&stores, IdbTransactionMode::Readwrite, &options)
        }
    }
}

/// A transaction under way.
struct Run<T, S> {
    transaction: IdbTransaction,
    access: Access,
    step: RefCell<S>,
    /// Whether the transaction was told to commit: from then on, nobody knows what became of it but itself.
    is_sent: Cell<bool>,
    awaited: RefCell<Option<IdbRequest>>,
    answer: RefCell<Option<T>>,
    on_success: OnceCell<Function>,
    sender: Cell<Option<oneshot::Sender<Result<T, StorageFault>>>>,
}

impl<T, S> Run<T, S>
where
    S: FnMut(&Scope<'_>) -> Result<Step<T>, StorageFault>,
{
    /// Goes on after the success of the request that was waited for.
    fn advance(&self) {
        if self.answer.borrow().is_some() {
            return self.send();
        }
        let next = (*self.step.borrow_mut())(&Scope { transaction: &self.transaction });
        match next {
            Ok(Step::Until(request)) => self.await_success(request),
            Ok(Step::Answer(answer)) => {
                if self.access != Access::Read {
                    self.send();
                }
                self.settle(Ok(answer));
            }
            Ok(Step::Complete(last, answer)) => {
                self.answer.replace(Some(answer));
                self.await_success(last);
            }
            Err(fault) => {
                // It throws where the transaction has ended already, which is what is wanted.
                drop(self.transaction.abort());
                self.settle(Err(fault));
            }
        }
    }

    fn await_success(&self, request: IdbRequest) {
        request.set_onsuccess(self.on_success.get());
        self.awaited.replace(Some(request));
    }

    /// Commits at once, without a last turn of the event loop: a tab that is frozen with a transaction open
    /// holds up every other tab. Where the browser has no `commit`, or the transaction has ended, its own
    /// events say the rest.
    ///
    /// No write may be under way: Firefox commits the others when one fails after it was told to commit.
    fn send(&self) {
        self.is_sent.set(true);
        drop(self.transaction.unchecked_ref::<CommittingTransaction>().commit());
    }

    fn end(&self, event: &Event) {
        let is_complete = event.type_() == "complete";
        let result = match self.answer.take() {
            Some(answer) if is_complete => Ok(answer),
            None if is_complete => Err(self.unanswered()),
            _ => Err(fault::from_dom_exception(self.transaction.error(), self.moment())),
        };
        self.settle(result);
    }

    fn settle(&self, result: Result<T, StorageFault>) {
        if let Some(sender) = self.sender.take() {
            // Where nobody waits any more, nobody is to be told.
            drop(sender.send(result));
        }
    }

    fn moment(&self) -> Moment {
        if self.is_sent.get() { Moment::Sent } else { Moment::Begun }
    }

    fn unanswered(&self) -> StorageFault {
        fault::found(FaultKind::Disconnected, "the transaction ended before its requests did")
    }

    /// Ends a transaction that takes too long, if it can still be ended.
    fn give_up(&self) -> StorageFault {
        let is_ended = self.transaction.abort().is_ok();
        let moment = if is_ended { Moment::Begun } else { Moment::Sent };
        let cause = format!("nothing was heard for {TRANSACTION_TIMEOUT_MS} ms; another tab may be frozen");
        fault::timed_out(&cause, moment)
    }
}

/// Listens to a transaction for as long as its operation waits.
struct Listening<T, S> {
    run: Rc<Run<T, S>>,
    _on_success: Closure<dyn FnMut(Event)>,
    _on_end: Closure<dyn FnMut(Event)>,
}

impl<T, S> Listening<T, S>
where
    T: 'static,
    S: FnMut(&Scope<'_>) -> Result<Step<T>, StorageFault> + 'static,
{
    fn new(run: &Rc<Run<T, S>>) -> Self {
        let advancing = Rc::clone(run);
        let on_success: Closure<dyn FnMut(Event)> = Closure::new(move |_event| advancing.advance());
        let ending = Rc::clone(run);
        let on_end: Closure<dyn FnMut(Event)> = Closure::new(move |event: Event| ending.end(&event));
        run.on_success.get_or_init(|| on_success.as_ref().unchecked_ref::<Function>().clone());
        let handler = Some(on_end.as_ref().unchecked_ref());
        run.transaction.set_onabort(handler);
        if run.access != Access::Read {
            run.transaction.set_oncomplete(handler);
        }
        Self { run: Rc::clone(run), _on_success: on_success, _on_end: on_end }
    }
}

impl<T, S> Drop for Listening<T, S> {
    /// The closures go: the browser must not call them any more.
    fn drop(&mut self) {
        self.run.transaction.set_onabort(None);
        self.run.transaction.set_oncomplete(None);
        if let Some(request) = self.run.awaited.take() {
            request.set_onsuccess(None);
        }
    }
}
