//! The one connection of a storage: opened again where it was lost, and never used after its end.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;

use web_sys::IdbDatabase;

use crate::answer::Answer;
use crate::storage::FaultKind;
use crate::web::tasks;

use super::fault::{self, Fault};
use super::handle::{End, Handle};
use super::open_request::Missing;
use super::opening;

type Opened = Result<Rc<Handle>, Fault>;

/// A connection that lasts as long as its database, whatever happens to the handles.
pub struct Connection {
    state: Rc<State>,
}

struct State {
    database_name: String,
    current: RefCell<Option<Rc<Handle>>>,
    /// Who waits for the opening under way; nobody where there is none.
    waiting: RefCell<Vec<Rc<Answer<Opened>>>>,
    closed: Cell<Option<Closed>>,
}

/// Why a connection is closed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    Here,
    Destroyed,
}

impl Connection {
    /// Opens the database, and makes it where it is missing.
    ///
    /// # Errors
    ///
    /// As [`opening::open`].
    pub async fn open(database_name: String) -> Result<Self, Fault> {
        let database = opening::open(&database_name, Missing::Create).await?;
        let (current, waiting, closed) = (RefCell::default(), RefCell::default(), Cell::default());
        let state = Rc::new(State { database_name, current, waiting, closed });
        state.current.replace(Some(state.watch(database)));
        Ok(Self { state })
    }

    /// The name of the database.
    pub fn database_name(&self) -> &str {
        &self.state.database_name
    }

    /// A handle that can be used, as far as anybody knows.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Closed`] for good; and as [`opening::open`] where it has to be opened again.
    pub async fn handle(&self) -> Opened {
        let state = &self.state;
        state.check_open()?;
        let current = state.current.borrow().clone();
        match current.as_ref().and_then(|handle| handle.end()) {
            None => {}
            Some(End::Lost) => drop(state.current.take()),
            Some(End::Destroyed) => state.end(Closed::Destroyed),
        }
        state.check_open()?;
        let current = state.current.borrow().clone();
        match current {
            Some(handle) => Ok(handle),
            None => {
                let answer = state.reopen();
                let opened = poll_fn(|context| answer.poll(context)).await;
                state.check_open()?;
                opened
            }
        }
    }

    /// Lets go of a handle that failed, if it is still the current one.
    pub fn forget(&self, handle: &Rc<Handle>) {
        let mut current = self.state.current.borrow_mut();
        // A handle that knows of its end tells more than the failure does.
        if current.as_ref().is_some_and(|other| Rc::ptr_eq(other, handle)) && handle.end().is_none() {
            current.take();
        }
    }

    /// Closes for good, after the transactions under way.
    pub fn close(&self) {
        if self.state.closed.get().is_none() {
            self.state.end(Closed::Here);
        }
    }
}

/// Opens the database again, for all who wait. What was there once is not made anew: an empty database would pass
/// for the one that was destroyed.
async fn reopen(state: Rc<State>) {
    let opened =
        opening::open(&state.database_name, Missing::Refuse).await.map(|database| state.watch(database));
    if state.closed.get().is_none() {
        match &opened {
            Ok(handle) => drop(state.current.replace(Some(Rc::clone(handle)))),
            Err(fault) if fault.kind == FaultKind::Closed => state.end(Closed::Destroyed),
            Err(_) => {}
        }
    }
    for answer in state.waiting.take() {
        answer.give(opened.clone());
    }
}

impl State {
    /// Watches over a connection. One that is lost is opened again at once: somebody may have deleted the database, and by the
    /// time that it is needed there may be another one of this name.
    fn watch(self: &Rc<Self>, database: IdbDatabase) -> Rc<Handle> {
        let state = Rc::downgrade(self);
        let when_lost = move || {
            if let Some(state) = state.upgrade().filter(|state| state.closed.get().is_none()) {
                state.reopen();
            }
        };
        Rc::new(Handle::new(database, Box::new(when_lost)))
    }

    /// Joins the opening under way, or begins one.
    fn reopen(self: &Rc<Self>) -> Rc<Answer<Opened>> {
        let answer = Rc::<Answer<Opened>>::default();
        let is_first = {
            let mut waiting = self.waiting.borrow_mut();
            waiting.push(Rc::clone(&answer));
            waiting.len() == 1
        };
        if is_first {
            tasks::spawn(Box::pin(reopen(Rc::clone(self))));
        }
        answer
    }

    fn end(&self, closed: Closed) {
        self.closed.set(Some(closed));
        self.current.take();
    }

    fn check_open(&self) -> Result<(), Fault> {
        match self.closed.get() {
            None => Ok(()),
            Some(Closed::Here) => Err(fault::found(FaultKind::Closed, format_args!("the handle was closed"))),
            Some(Closed::Destroyed) => Err(opening::destroyed()),
        }
    }
}
