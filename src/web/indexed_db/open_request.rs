//! A request to open or to delete a database, as a future that is safe to abandon.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::{Event, IdbDatabase, IdbOpenDbRequest};

use crate::answer::Answer;
use crate::web::listener::{Listener, listener};
use crate::web::property;
use crate::web::timer::Timer;

use super::fault::{self, Fault};
use super::schema;

/// What to do where the database is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Make it.
    Create,
    /// Leave it so: it was there before, and somebody destroyed it.
    Refuse,
}

/// A request under way.
pub struct OpenRequest {
    shared: Rc<Shared>,
    is_taken: Cell<bool>,
    _listener: Listener,
}

struct Shared {
    raw: IdbOpenDbRequest,
    missing: Missing,
    was_missing: Cell<bool>,
    was_blocked: Cell<bool>,
    answer: Answer<Result<(), Fault>>,
}

impl OpenRequest {
    /// Listens to the request, which must have been made just now.
    pub fn new(raw: IdbOpenDbRequest, missing: Missing) -> Self {
        let shared = Rc::new(Shared {
            raw,
            missing,
            was_missing: Cell::default(),
            was_blocked: Cell::default(),
            answer: Answer::default(),
        });
        let hearing = Rc::clone(&shared);
        let listener = listener(Box::new(move |event| hearing.hear(&event)));
        listen(&shared.raw, listener.as_ref());
        Self { shared, is_taken: Cell::new(false), _listener: listener }
    }

    /// Waits for the end, which comes no sooner than every connection in the way has closed; `None` where the
    /// time has passed before.
    pub fn ended_within(&self, timer: &mut Timer) -> impl Future<Output = Option<Result<(), Fault>>> {
        self.shared.answer.within(timer)
    }

    /// Whether the database was not there, and was not made. The request has failed then.
    pub fn was_missing(&self) -> bool {
        self.shared.was_missing.get()
    }

    /// Whether another connection is, or was, in the way.
    pub fn was_blocked(&self) -> bool {
        self.shared.was_blocked.get()
    }

    /// Takes the database that a request to open has opened.
    pub fn database(&self) -> Result<IdbDatabase, Fault> {
        self.is_taken.set(true);
        self.shared.raw.result().map(JsCast::unchecked_into).map_err(fault::opening)
    }
}

impl Shared {
    fn hear(&self, event: &JsValue) {
        match property::text(event, "type").as_str() {
            "success" => self.answer.give(Ok(())),
            "upgradeneeded" => self.upgrade(),
            // It is not the end: the request goes on once the connection in the way has closed.
            "blocked" => self.was_blocked.set(true),
            _ => {
                // It is handled here: the browser need not report it to the page.
                event.unchecked_ref::<Event>().prevent_default();
                let error = property::get(&self.raw, "error").unwrap_or_default();
                self.answer.give(Err(fault::opening(error)));
            }
        }
    }

    fn upgrade(&self) {
        let Some(transaction) = self.raw.transaction() else { return };
        let is_made = match self.missing {
            Missing::Create => {
                self.raw.result().is_ok_and(|database| schema::create(database.unchecked_ref()).is_ok())
            }
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
}

impl Drop for OpenRequest {
    /// A request cannot be withdrawn. One that is given up may succeed later: its connection is closed then, or
    /// it would be in the way of others for as long as the page lives.
    fn drop(&mut self) {
        // Of a request that has opened its database, nothing more is heard.
        if self.is_taken.get() {
            return;
        }
        let raw = &self.shared.raw;
        listen(raw, &JsValue::NULL);
        if close_opened(raw) {
            return;
        }
        let late = raw.clone();
        let refuse = listener(Box::new(move |_event| match late.transaction() {
            Some(upgrade) => drop(upgrade.abort()),
            None => {
                close_opened(&late);
            }
        }));
        let refuse = refuse.into_js_value();
        property::set(raw, "onsuccess", &refuse);
        property::set(raw, "onupgradeneeded", &refuse);
    }
}

fn listen(request: &IdbOpenDbRequest, handler: &JsValue) {
    for name in ["onsuccess", "onerror", "onblocked", "onupgradeneeded"] {
        property::set(request, name, handler);
    }
}

/// Closes what the request has opened by now. Returns whether there was anything.
fn close_opened(request: &IdbOpenDbRequest) -> bool {
    match request.result() {
        Ok(opened) if opened.is_object() => {
            opened.unchecked_into::<IdbDatabase>().close();
            true
        }
        _ => false,
    }
}
