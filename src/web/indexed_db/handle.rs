//! An open connection to a database, and how it can end without our doing.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::IdbDatabase;

use crate::web::listener::{Listener, listener};
use crate::web::property;

/// A connection. It is closed when it is dropped, after the transactions under way.
pub struct Handle {
    database: IdbDatabase,
    end: Rc<Cell<Option<End>>>,
    _listener: Listener,
}

/// What became of a connection that can no longer be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The browser closed it, or another program changed the database: opening it again will tell.
    Lost,
    /// Somebody deleted the database.
    Destroyed,
}

impl Handle {
    /// Watches over the connection. `when_lost` is called where it is lost.
    pub fn new(database: IdbDatabase, when_lost: Box<dyn Fn()>) -> Self {
        let end = Rc::new(Cell::new(None));
        let ending = Rc::clone(&end);
        let connection = database.clone();
        let hear = move |event: JsValue| {
            // A deletion has no new version, and the loss of a connection has no such field.
            let is_deletion = property::get(&event, "newVersion").is_ok_and(|version| version.is_null());
            ending.set(Some(if is_deletion { End::Destroyed } else { End::Lost }));
            // Whatever another program changes, it waits for us to let go.
            connection.close();
            if !is_deletion {
                when_lost();
            }
        };
        let listener = listener(Box::new(hear));
        property::set(&database, "onclose", listener.as_ref());
        property::set(&database, "onversionchange", listener.as_ref());
        Self { database, end, _listener: listener }
    }

    /// The connection itself.
    pub fn database(&self) -> &IdbDatabase {
        &self.database
    }

    /// How it ended, if it did.
    pub fn end(&self) -> Option<End> {
        self.end.get()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        property::set(&self.database, "onclose", &JsValue::NULL);
        property::set(&self.database, "onversionchange", &JsValue::NULL);
        self.database.close();
    }
}
