//! The engine in the page: what the facade calls.
//!
//! Every method takes `&self`, clones a handle and gives a promise. No borrow is held across an await, so calls
//! may overlap in any way.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use js_sys::{Function, Promise};
use rustc_hash::FxHashMap;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::error::Error;
use crate::id::EventId;
use crate::limits;
use crate::storage::memory::MemoryStorage;
use crate::store::{OpenOptions, Progress, Store, Ticket};

use super::message::describe::{CountPageMessage, EngineLimits, StatsMessage, StreamInfoMessage};
use super::message::options::{MarkMessage, MarkOutcome, OpenMessage, StorageKind};
use super::message::read::{AllReadMessage, CountMessage, StreamReadMessage, StreamsMessage};
use super::message::{append, from_js, page, to_js};
use super::storage::BrowserStorage;
use super::{BrowserHost, IndexedDbStorage, error};

/// An open store.
#[wasm_bindgen]
pub struct Engine {
    store: Store<BrowserStorage, BrowserHost>,
    /// The appends under way, by the ticket that the facade gave their message.
    tickets: Rc<RefCell<FxHashMap<u64, Vec<Ticket>>>>,
}

/// Opens a store; `on_progress` hears how many bytes of how many were read. Takes an `OpenMessage`.
#[wasm_bindgen(js_name = openEngine)]
pub async fn open_engine(message: JsValue, on_progress: Option<Function>) -> Result<Engine, JsValue> {
    open(message, on_progress).await.map_err(|error| error::to_js(&error))
}

/// Whether there is a database of this name.
#[wasm_bindgen]
pub fn exists(name: String) -> Promise {
    answer(async move { Ok(JsValue::from(IndexedDbStorage::exists(&name).await?)) })
}

/// Deletes the database of this name, and has every tab let go of it.
#[wasm_bindgen]
pub fn destroy(name: String) -> Promise {
    answer(async move {
        IndexedDbStorage::destroy(&name).await?;
        Ok(JsValue::UNDEFINED)
    })
}

/// The bounds that the facade judges by: `EngineLimits`.
#[wasm_bindgen(js_name = limits)]
pub fn engine_limits() -> Result<JsValue, JsValue> {
    to_js(&EngineLimits::ALL).map_err(|error| error::to_js(&error))
}

#[wasm_bindgen]
impl Engine {
    /// The last position that this tab has seen.
    #[wasm_bindgen(getter)]
    pub fn position(&self) -> f64 {
        self.store.position().0 as f64
    }

    /// Queues the appends of an `AppendMessage`; resolves with an `AppendOutcome`.
    pub fn append(
        &self,
        ticket: f64,
        texts: &[u8],
        names: &str,
        ids: &str,
        numbers: &[f64],
        conditions: JsValue,
    ) -> Promise {
        let requests = match append::read(texts, names, ids, numbers, conditions) {
            Ok(requests) => requests,
            Err(error) => return Promise::reject(&error::to_js(&error)),
        };
        let mut queued = Vec::with_capacity(requests.len());
        let mut tickets = Vec::with_capacity(requests.len());
        for request in requests {
            queued.push(request.map(|request| {
                let (ticket, outcome) = self.store.append(request);
                tickets.push(ticket);
                outcome
            }));
        }
        let ticket = ticket as u64;
        self.tickets.borrow_mut().insert(ticket, tickets);
        let under_way = Rc::clone(&self.tickets);
        answer(async move {
            let mut outcomes = Vec::with_capacity(queued.len());
            for outcome in queued {
                outcomes.push(match outcome {
                    Ok(outcome) => outcome.await,
                    Err(error) => Err(error),
                });
            }
            under_way.borrow_mut().remove(&ticket);
            Ok(append::write(&outcomes))
        })
    }

    /// Withdraws the appends of the message with this ticket, as far as their transaction has not begun.
    pub fn abort(&self, ticket: f64) {
        let tickets = self.tickets.borrow().get(&(ticket as u64)).cloned().unwrap_or_default();
        for ticket in tickets {
            self.store.abort(ticket);
        }
    }

    /// Takes a `MarkMessage`; resolves with a `MarkOutcome`.
    pub fn mark(&self, message: JsValue) -> Promise {
        let request = from_js(message).and_then(MarkMessage::into_request);
        // Queued before this returns, so that it comes before what is appended next.
        let marked = request.map(|request| self.store.mark(request));
        answer(async move { to_js(&MarkOutcome::from(marked?.await?)) })
    }

    /// Takes a `StreamReadMessage`; resolves with a `PageMessage`.
    #[wasm_bindgen(js_name = readStream)]
    pub fn read_stream(&self, message: JsValue) -> Promise {
        let store = self.store.clone();
        answer(async move {
            let request = from_js(message).and_then(StreamReadMessage::into_request)?;
            page::write(&store.read_stream(&request).await?)
        })
    }

    /// Takes an `AllReadMessage`; resolves with a `PageMessage`.
    #[wasm_bindgen(js_name = readAll)]
    pub fn read_all(&self, message: JsValue) -> Promise {
        let store = self.store.clone();
        answer(async move {
            let request = from_js(message).and_then(AllReadMessage::into_request)?;
            page::write(&store.read_all(&request).await?)
        })
    }

    /// Finds an event by its id; resolves with a `PageMessage` of one event or of none.
    pub fn event(&self, id: String, stream: Option<String>) -> Promise {
        let store = self.store.clone();
        answer(async move {
            let id = EventId::parse(&id).ok_or_else(|| Error::invalid_argument("id", "is not a UUID"))?;
            page::write(&store.event(id, stream.as_deref()).await?)
        })
    }

    /// Resolves with a `StreamInfoMessage`, or nothing.
    #[wasm_bindgen(js_name = streamInfo)]
    pub fn stream_info(&self, stream: String) -> Promise {
        let store = self.store.clone();
        answer(async move { to_js(&store.stream_info(&stream).await?.map(StreamInfoMessage::from)) })
    }

    /// Takes a `StreamsMessage`; resolves with an array of `StreamInfoMessage`.
    pub fn streams(&self, message: JsValue) -> Promise {
        let store = self.store.clone();
        answer(async move {
            let request = from_js(message).and_then(StreamsMessage::into_request)?;
            let infos = store.streams(&request).await?;
            to_js(&infos.into_iter().map(StreamInfoMessage::from).collect::<Vec<_>>())
        })
    }

    /// Takes a `CountMessage`; resolves with a `CountPageMessage`.
    pub fn count(&self, message: JsValue) -> Promise {
        let store = self.store.clone();
        answer(async move {
            let request = from_js(message).and_then(CountMessage::into_request)?;
            to_js(&CountPageMessage::from(store.count(&request).await?))
        })
    }

    /// Resolves with a `StatsMessage`.
    pub fn stats(&self) -> Promise {
        let store = self.store.clone();
        answer(async move { to_js(&StatsMessage::from(store.stats().await?)) })
    }

    /// Waits for the appends under way, and lets go of the storage.
    pub fn close(&self) -> Promise {
        let store = self.store.clone();
        answer(async move {
            store.close().await;
            Ok(JsValue::UNDEFINED)
        })
    }
}

async fn open(message: JsValue, on_progress: Option<Function>) -> Result<Engine, Error> {
    let OpenMessage { name, storage, durability } = from_js(message)?;
    limits::check("store name bytes", name.len(), limits::NAME_BYTES_MAX)
        .map_err(|error| error.at("name"))?;
    let (storage, host) = match storage {
        StorageKind::IndexedDb => {
            let storage = IndexedDbStorage::open(&name).await?;
            (BrowserStorage::IndexedDb(storage), BrowserHost::new(&name)?)
        }
        StorageKind::Memory => (BrowserStorage::Memory(MemoryStorage::new()), BrowserHost::alone()?),
    };
    let progress = move |Progress { done_bytes, total_bytes }: Progress| {
        if let Some(on_progress) = &on_progress {
            let (done, total) = (JsValue::from_f64(done_bytes as f64), JsValue::from_f64(total_bytes as f64));
            // A listener that throws must not fail what it listens to.
            drop(on_progress.call2(&JsValue::UNDEFINED, &done, &total));
        }
    };
    let options = OpenOptions { durability: durability.into() };
    let store = Store::open(storage, host, options, progress).await?;
    Ok(Engine { store, tickets: Rc::default() })
}

/// A promise of what a future gives, its error as JavaScript sees it.
fn answer(future: impl Future<Output = Result<JsValue, Error>> + 'static) -> Promise {
    future_to_promise(async move { future.await.map_err(|error| error::to_js(&error)) })
}
