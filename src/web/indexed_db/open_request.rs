//! A request to open or to delete a database, as a future that is safe to abandon.

use std::cell::Cell;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{Event, IdbDatabase, IdbOpenDbRequest};

use crate::storage::{FaultKind, StorageFault};

use super::fault::{self, Moment};
use super::schema;

/// What to do where the database is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Make it.
    Create,
    /// Leave it so: it was there before, and somebody destroyed it.
    Refuse,
}

/// How a request ended, unless it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The browser did what was asked.
    Done,
    /// The database is not there, and was not made.
    Missing,
}

/// A request under way.
pub struct OpenRequest {
    shared: Rc<Shared>,
    is_taken: Cell<bool>,
    settled: oneshot::Receiver<Result<Ended, StorageFault>>,
    _on_end: Closure<dyn FnMut(Event)>,
    _on_upgrade: Closure<dyn FnMut(Event)>,
}

struct Shared {
    raw: IdbOpenDbRequest,
    missing: Missing,
    was_missing: Cell<bool>,
    was_blocked: Cell<bool>,
    sender: Cell<Option<oneshot::Sender<Result<Ended, StorageFault>>>>,
}

impl OpenRequest {
    /// Listens to the request, which must have been made just now.
    pub fn new(raw: IdbOpenDbRequest, missing: Missing) -> Self {
        let (sender, settled) = oneshot::channel();
        let sender = Cell::new(Some(sender));
        let shared = Rc::new(Shared {
            raw,
            missing,
            was_missing: Cell::default(),
            was_blocked: Cell::default(),
            sender,
        });
        let ending = Rc::clone(&shared);
        let on_end: Closure<dyn FnMut(Event)> = Closure::new(move |event: Event| ending.end(&event));
        let upgrading = Rc::clone(&shared);
        let on_upgrade: Closure<dyn FnMut(Event)> = Closure::new(move |_event| upgrading.upgrade());
        let handler: Option<&Function> = Some(on_end.as_ref().unchecked_ref());
        shared.raw.set_onsuccess(handler);
        shared.raw.set_onerror(handler);
        shared.raw.set_onblocked(handler);
        shared.raw.set_onupgradeneeded(Some(on_upgrade.as_ref().unchecked_ref()));
        Self { shared, is_taken: Cell::new(false), settled, _on_end: on_end, _on_upgrade: on_upgrade }
    }

    /// Waits for the end, which comes no sooner than every connection in the way has closed.
    pub async fn ended(&mut self) -> Result<Ended, StorageFault> {
        let lost = || fault::found(FaultKind::Unavailable, "the browser dropped the request");
        (&mut self.settled).await.unwrap_or_else(|_| Err(lost()))
    }

    /// Whether another connection is, or was, in the way.
    pub fn was_blocked(&self) -> bool {
        self.shared.was_blocked.get()
    }

    /// Takes the database that a request to open has opened.
    pub fn database(&self) -> Result<IdbDatabase, StorageFault> {
        self.is_taken.set(true);
        let opened = self.shared.raw.result();
        let opened = opened.map_err(|exception| fault::from_exception(&exception, Moment::Opening))?;
        opened.dyn_into().map_err(|_| fault::found(FaultKind::Unavailable, "the browser opened no database"))
    }
}

impl Shared {
    fn upgrade(&self) {
        let Some(transaction) = self.raw.transaction() else { return };
        let is_made = match self.missing {
            Missing::Create => schema::create(&transaction.db()).is_ok(),
            Missing::Refuse => {
                self.was_missing.set(true);
                false
            }
        };
        if !is_made {
            // An upgrade that is aborted leaves no database behind. It ends in an error event.
            drop(transaction.abort());
        }
    }

    fn end(&self, event: &Event) {
        match event.type_().as_str() {
            "success" => self.settle(Ok(Ended::Done)),
            // It is not the end: the request goes on once the connection in the way has closed.
            "blocked" => self.was_blocked.set(true),
            _ => {
                // It is handled here: the browser need not report it to the page.
                event.prevent_default();
                let error = self.raw.error().unwrap_or_default();
                let result = match self.was_missing.get() {
                    true => Ok(Ended::Missing),
                    false => Err(fault::from_dom_exception(error, Moment::Opening)),
                };
                self.settle(result);
            }
        }
    }

    fn settle(&self, result: Result<Ended, StorageFault>) {
        if let Some(sender) = self.sender.take() {
            drop(sender.send(result));
        }
    }
}

impl Drop for OpenRequest {
    /// A request cannot be withdrawn. One that is given up may succeed later: its connection is closed then, or
    /// it would be in the way of others for as long as the page lives.
    fn drop(&mut self) {
        let raw = &self.shared.raw;
        raw.set_onerror(None);
        raw.set_onblocked(None);
        raw.set_onsuccess(None);
        raw.set_onupgradeneeded(None);
        if self.is_taken.get() || close_opened(raw) {
            return;
        }
        let late = raw.clone();
        let on_success = Closure::once_into_js(move |_event: Event| {
            close_opened(&late);
        });
        raw.set_onsuccess(Some(on_success.unchecked_ref()));
        let late = raw.clone();
        let on_upgrade = Closure::once_into_js(move |_event: Event| abort_upgrade(&late));
        raw.set_onupgradeneeded(Some(on_upgrade.unchecked_ref()));
    }
}

fn abort_upgrade(request: &IdbOpenDbRequest) {
    if let Some(upgrade) = request.transaction() {
        drop(upgrade.abort());
    }
}

/// Closes what the request has opened by now. Returns whether there was anything.
fn close_opened(request: &IdbOpenDbRequest) -> bool {
    let opened = request.result().ok().and_then(|result| result.dyn_into::<IdbDatabase>().ok());
    if let Some(database) = &opened {
        database.close();
    }
    opened.is_some()
}
