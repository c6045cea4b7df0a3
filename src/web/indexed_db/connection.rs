//! The one connection of a storage: opened again where it was lost, and never used after its end.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};

use crate::storage::FaultKind;

use super::fault::{self, Fault};
use super::handle::{End, Handle};
use super::open_request::Missing;
use super::opening;

type Opened = Result<Rc<Handle>, Fault>;

/// A connection that lasts as long as its database, whatever happens to the handles.
pub struct Connection {
    database_name: String,
    current: RefCell<Option<Rc<Handle>>>,
    /// The opening under way, which all who wait for it share.
    reopening: RefCell<Option<Shared<LocalBoxFuture<'static, Opened>>>>,
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
        let current = RefCell::new(Some(Rc::new(Handle::new(database))));
        Ok(Self { database_name, current, reopening: RefCell::default(), closed: Cell::default() })
    }

    /// The name of the database.
    pub fn database_name(&self) -> &str {
        &self.database_name
    }

    /// A handle that can be used, as far as anybody knows.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Closed`] for good; and as [`opening::open`] where it has to be opened again.
    pub async fn handle(&self) -> Opened {
        self.check_open()?;
        let current = self.current.borrow().clone();
        match current.as_ref().and_then(|handle| handle.end()) {
            None => {}
            Some(End::Lost) => drop(self.current.take()),
            Some(End::Destroyed) => self.end(Closed::Destroyed),
        }
        self.check_open()?;
        let current = self.current.borrow().clone();
        match current {
            Some(handle) => Ok(handle),
            None => self.reopen().await,
        }
    }

    /// Lets go of a handle that failed, if it is still the current one.
    pub fn forget(&self, handle: &Rc<Handle>) {
        let mut current = self.current.borrow_mut();
        // A handle that knows of its end tells more than the failure does.
        if current.as_ref().is_some_and(|other| Rc::ptr_eq(other, handle)) && handle.end().is_none() {
            current.take();
        }
    }

    /// Closes for good, after the transactions under way.
    pub fn close(&self) {
        if self.closed.get().is_none() {
            self.end(Closed::Here);
        }
    }

    async fn reopen(&self) -> Opened {
        let reopening = self.reopening.borrow_mut().get_or_insert_with(|| self.begin_reopening()).clone();
        let opened = reopening.clone().await;
        let is_first = self.reopening.borrow().as_ref().is_some_and(|other| other.ptr_eq(&reopening));
        if is_first {
            self.reopening.take();
            match &opened {
                Ok(handle) if self.closed.get().is_none() => {
                    drop(self.current.replace(Some(Rc::clone(handle))))
                }
                Err(fault) if fault.kind == FaultKind::Closed => self.end(Closed::Destroyed),
                _ => {}
            }
        }
        self.check_open()?;
        opened
    }

    fn begin_reopening(&self) -> Shared<LocalBoxFuture<'static, Opened>> {
        let name = self.database_name.clone();
        // What was there once is not made anew: an empty database would pass for the one that was destroyed.
        let opening =
            async move { opening::open(&name, Missing::Refuse).await.map(Handle::new).map(Rc::new) };
        opening.boxed_local().shared()
    }

    fn end(&self, closed: Closed) {
        self.closed.set(Some(closed));
        self.current.take();
        self.reopening.take();
    }

    fn check_open(&self) -> Result<(), Fault> {
        match self.closed.get() {
            None => Ok(()),
            Some(Closed::Here) => Err(fault::found(FaultKind::Closed, "the handle was closed")),
            Some(Closed::Destroyed) => Err(opening::destroyed()),
        }
    }
}
