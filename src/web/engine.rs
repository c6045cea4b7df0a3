//! The engine in the page: what the facade calls.
//!
//! Every method takes `&self`, clones a handle and gives a promise. No borrow is held across an await, so calls
//! may overlap in any way.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::error::Error;
use crate::id::EventId;
use crate::limits;
use crate::storage::memory::MemoryStorage;
use crate::store::{Progress, Store, Ticket};

use super::message::options::{self, OpenRequest, StorageKind};
use super::message::{append, describe, page, read};
use super::storage::BrowserStorage;
use super::{BrowserHost, IndexedDbStorage, error};

/// An open store.
#[wasm_bindgen]
pub struct Engine {
    store: Store<BrowserStorage, BrowserHost>,
    /// Mostly, the first is settled first.
    under_way: Rc<RefCell<VecDeque<UnderWay>>>,
}

/// The appends of one message.
struct UnderWay {
    /// What the facade calls the message.
    ticket: u64,
    /// What the store calls the appends.
    appends: Vec<Ticket>,
}

/// Opens a store; `on_progress` hears how many bytes of how many were read. Takes the fields of an `OpenMessage`,
/// by their codes; resolves with an `Engine`.
#[wasm_bindgen(js_name = openEngine)]
pub fn open_engine(name: String, storage: u32, durability: u32, on_progress: Option<Function>) -> Promise {
    let request = options::open(storage, durability);
    answer(async move { Ok(JsValue::from(open(&name, request, on_progress).await?)) })
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
pub fn engine_limits() -> JsValue {
    describe::engine_limits()
}

#[wasm_bindgen]
impl Engine {
    /// The last position that this tab has seen.
    #[wasm_bindgen(getter)]
    pub fn position(&self) -> f64 {
        self.store.position().0 as f64
    }

    /// Queues the appends of an `AppendMessage`; resolves with an `AppendOutcome`.
    pub fn append(&self, ticket: f64, texts: &[u8], ids: &str, names: &str, numbers: &[f64]) -> Promise {
        let requests = match append::read(texts, ids, names, numbers) {
            Ok(requests) => requests,
            Err(error) => return Promise::reject(&error::to_js(&error)),
        };
        let mut queued = Vec::with_capacity(requests.len());
        let mut appends = Vec::with_capacity(requests.len());
        for request in requests {
            queued.push(request.map(|request| {
                let (append, outcome) = self.store.append(request);
                appends.push(append);
                outcome
            }));
        }
        let ticket = ticket as u64;
        self.under_way.borrow_mut().push_back(UnderWay { ticket, appends });
        let under_way = Rc::clone(&self.under_way);
        answer(async move {
            let mut outcomes = Vec::with_capacity(queued.len());
            for outcome in queued {
                outcomes.push(match outcome {
                    Ok(outcome) => outcome.await,
                    Err(error) => Err(error),
                });
            }
            let mut under_way = under_way.borrow_mut();
            if let Some(place) = under_way.iter().position(|message| message.ticket == ticket) {
                under_way.remove(place);
            }
            Ok(append::write(&outcomes))
        })
    }

    /// Withdraws the appends of the message with this ticket, as far as their transaction has not begun.
    pub fn abort(&self, ticket: f64) {
        let ticket = ticket as u64;
        if let Some(message) = self.under_way.borrow().iter().find(|message| message.ticket == ticket) {
            message.appends.iter().for_each(|append| self.store.abort(*append));
        }
    }

    /// Takes a `MarkMessage`; resolves with a `MarkOutcome`.
    pub fn mark(&self, names: &str, numbers: &[f64]) -> Promise {
        let request = options::mark(names, numbers);
        // Queued before this returns, so that it comes before what is appended next.
        let marked = request.map(|request| self.store.mark(request));
        answer(async move { Ok(options::marked(marked?.await?)) })
    }

    /// Takes a `StreamReadMessage`; resolves with a `PageMessage`.
    #[wasm_bindgen(js_name = readStream)]
    pub fn read_stream(&self, names: &str, numbers: &[f64]) -> Promise {
        let (store, request) = (self.store.clone(), read::stream_read(names, numbers));
        answer(async move { Ok(page::write(&store.read_stream(&request?).await?)) })
    }

    /// Takes an `AllReadMessage`; resolves with a `PageMessage`.
    #[wasm_bindgen(js_name = readAll)]
    pub fn read_all(&self, names: &str, numbers: &[f64]) -> Promise {
        let (store, request) = (self.store.clone(), read::all_read(names, numbers));
        answer(async move { Ok(page::write(&store.read_all(&request?).await?)) })
    }

    /// Finds an event by its id; resolves with a `PageMessage` of one event or of none.
    pub fn event(&self, id: String, stream: Option<String>) -> Promise {
        let store = self.store.clone();
        answer(async move {
            let id = EventId::parse(&id).ok_or_else(|| Error::invalid_argument("id", "is not a UUID"))?;
            Ok(page::write(&store.event(id, stream.as_deref()).await?))
        })
    }

    /// Resolves with a `StreamInfoMessage`, or nothing.
    #[wasm_bindgen(js_name = streamInfo)]
    pub fn stream_info(&self, stream: String) -> Promise {
        let store = self.store.clone();
        answer(async move {
            let info = store.stream_info(&stream).await?;
            Ok(info.as_ref().map_or(JsValue::UNDEFINED, describe::stream_info))
        })
    }

    /// Takes a `StreamsMessage`; resolves with an array of `StreamInfoMessage`.
    pub fn streams(&self, names: &str, numbers: &[f64]) -> Promise {
        let (store, request) = (self.store.clone(), read::streams(names, numbers));
        answer(async move { Ok(describe::stream_infos(&store.streams(&request?).await?)) })
    }

    /// Takes a `CountMessage`; resolves with a `CountPageMessage`.
    pub fn count(&self, names: &str, numbers: &[f64]) -> Promise {
        let (store, request) = (self.store.clone(), read::count(names, numbers));
        answer(async move { describe::count_page(&store.count(&request?).await?) })
    }

    /// Resolves with a `StatsMessage`.
    pub fn stats(&self) -> Promise {
        let store = self.store.clone();
        answer(async move { Ok(describe::stats(&store.stats().await?)) })
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

async fn open(name: &str, request: OpenRequest, on_progress: Option<Function>) -> Result<Engine, Error> {
    let OpenRequest { storage, options } = request;
    limits::check("store name bytes", name.len(), limits::NAME_BYTES_MAX)
        .map_err(|error| error.at("name"))?;
    let (storage, host) = match storage {
        StorageKind::IndexedDb => {
            let storage = IndexedDbStorage::open(name).await?;
            (BrowserStorage::IndexedDb(storage), BrowserHost::new(name)?)
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
    let store = Store::open(storage, host, options, progress).await?;
    Ok(Engine { store, under_way: Rc::default() })
}

/// A promise of what a future gives, its error as JavaScript sees it.
fn answer(future: impl Future<Output = Result<JsValue, Error>> + 'static) -> Promise {
    promise_of(Box::pin(future))
}

/// Of boxed futures, because what makes a promise is compiled once for each kind of future.
fn promise_of(future: LocalBoxFuture<'static, Result<JsValue, Error>>) -> Promise {
    future_to_promise(async move { future.await.map_err(|error| error::to_js(&error)) })
}
