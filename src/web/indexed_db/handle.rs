//! An open connection to a database, and how it can end without our doing.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::{Event, IdbDatabase, IdbVersionChangeEvent};

/// A connection. It is closed when it is dropped, after the transactions under way.
pub struct Handle {
    database: IdbDatabase,
    end: Rc<Cell<Option<End>>>,
    _on_close: Closure<dyn FnMut(Event)>,
    _on_version_change: Closure<dyn FnMut(IdbVersionChangeEvent)>,
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
    /// Watches over the connection.
    pub fn new(database: IdbDatabase) -> Self {
        let end = Rc::new(Cell::new(None));
        let closing = Rc::clone(&end);
        let on_close: Closure<dyn FnMut(Event)> = Closure::new(move |_event| closing.set(Some(End::Lost)));
        database.set_onclose(Some(on_close.as_ref().unchecked_ref()));

        let changing = Rc::clone(&end);
        let connection = database.clone();
        let on_version_change: Closure<dyn FnMut(IdbVersionChangeEvent)> =
            Closure::new(move |event: IdbVersionChangeEvent| {
                // A deletion has no new version. Whatever it is, it waits for us to let go.
                let is_deletion = event.new_version().is_none();
                changing.set(Some(if is_deletion { End::Destroyed } else { End::Lost }));
                connection.close();
            });
        database.set_onversionchange(Some(on_version_change.as_ref().unchecked_ref()));
        Self { database, end, _on_close: on_close, _on_version_change: on_version_change }
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
        self.database.set_onclose(None);
        self.database.set_onversionchange(None);
        self.database.close();
    }
}
