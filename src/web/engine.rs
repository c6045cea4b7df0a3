//! The engine in the page: what the facade calls.
//!
//! Every method takes `&self`, clones a handle and gives a promise. No borrow is held across an await, so calls
//! may overlap in any way.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use futures_util::future::{LocalBoxFuture, join};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::documents::DocumentReducer;
use crate::error::Error;
use crate::event::Position;
use crate::host::{Host, supplied};
use crate::limits;
use crate::reducer::Versions;
use crate::store::{JsonReducer, Progress, Store, Ticket};

use super::consumers::Consumers;
use super::message::call::{self, Call, Message};
use super::message::fold::{Definition, Reducers};
use super::message::options::{self, OpenRequest, StorageKind};
use super::message::{append, describe, page};
use super::promise;
use super::storage::BrowserStorage;
use super::subscriptions::Subscriptions;
use super::supplements::{self, Asked};
use super::world::World;
use super::{BrowserHost, IndexedDbStorage, error};

pub(super) type BrowserStore = Store<BrowserStorage, BrowserHost>;

/// An open store.
#[wasm_bindgen]
pub struct Engine {
    store: BrowserStore,
    host: BrowserHost,
    /// Mostly, the first is settled first.
    under_way: Rc<RefCell<Vec<UnderWay>>>,
    kept: Rc<Kept>,
}

/// What the facade knows by numbers.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) reducers: RefCell<Reducers>,
    pub(super) documents: RefCell<Vec<Rc<DocumentReducer>>>,
    pub(super) subscriptions: Subscriptions,
    pub(super) consumers: Consumers,
}

/// The appends of one message.
struct UnderWay {
    /// What the facade calls the message.
    ticket: u64,
    /// What the store calls the appends.
    appends: Vec<Ticket>,
}

/// Opens a store; `on_progress` hears how many bytes of how many were read. Takes the fields of an `OpenMessage`,
/// by their codes; resolves with an `Engine`. `load` gives the promise of a supplement, by its number; without it, all of them
/// are in this wasm. In the `world` of a test, stores of one name share what they keep in memory.
#[wasm_bindgen(js_name = openEngine)]
pub fn open_engine(
    name: String,
    storage: u32,
    durability: u32,
    on_progress: Option<Function>,
    load: Option<Function>,
    world: Option<Function>,
) -> Promise {
    let request = options::open(storage, durability);
    let world = world.map(World::new);
    answer(async move { Ok(JsValue::from(open(&name, request, on_progress, load, world).await?)) })
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
        if let Ok(host) = BrowserHost::new(&name) {
            // Whoever hears of a position that is not there looks, and finds that nothing is.
            host.announce(Position(limits::INTEGER_MAX));
            host.close();
        }
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
    pub fn append(&self, ticket: f64, texts: &str, ids: &[u8], names: &str, numbers: &[f64]) -> Promise {
        let requests = match append::read(texts, ids, names, numbers) {
            Ok(requests) => requests,
            Err(error) => return refused(&error),
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
        self.under_way.borrow_mut().push(UnderWay { ticket, appends });
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

    /// The last position that a subscription has looked at; 0 once it was ended.
    #[wasm_bindgen(js_name = lookedAt)]
    pub fn looked_at(&self, subscription: f64) -> f64 {
        self.kept.subscriptions.looked_at(subscription as u64).unwrap_or_default().0 as f64
    }

    /// Ends a subscription: who waits for its next page is told that there is none.
    pub fn unsubscribe(&self, subscription: f64) {
        self.kept.subscriptions.end(subscription as u64);
    }

    /// How far a consumer is, as far as this tab knows: the position where it has the lead, or less it and one where it has not; no
    /// number once it has ended.
    #[wasm_bindgen(js_name = consumerPosition)]
    pub fn consumer_position(&self, number: f64) -> f64 {
        let position = self.kept.consumers.look(number as u64, |control| {
            let position = control.position().0 as f64;
            if control.is_leading() { position } else { -1.0 - position }
        });
        position.unwrap_or(f64::NAN)
    }

    /// Ends a consumer, once what it handed out is handled.
    #[wasm_bindgen(js_name = stopConsumer)]
    pub fn stop_consumer(&self, number: f64) {
        self.kept.consumers.look(number as u64, |control| control.stop());
    }

    /// Makes any other call, by its code and its message; resolves with its answer.
    pub fn call(&self, code: u32, names: &str, numbers: &[f64]) -> Promise {
        match call::read(code, names, numbers) {
            // Queued before this returns, so that it comes before what is appended next.
            Ok(Message::Mark(request)) => {
                let marked = self.store.mark(request);
                answer(async move { Ok(options::marked(marked.await?)) })
            }
            Ok(Message::Call(call)) => answer(perform(self.store.clone(), Rc::clone(&self.kept), call)),
            Err(error) => refused(&error),
        }
    }

    /// Asks a supplement, by its number, the code of the call and its message; resolves with its answer. `listener` hears how
    /// far a long call is, and says whether it is still wanted.
    pub fn consult(
        &self,
        supplement: u32,
        code: u32,
        names: String,
        numbers: Vec<f64>,
        listener: Option<Function>,
    ) -> Promise {
        let (store, kept, host) = (self.store.clone(), Rc::clone(&self.kept), self.host.clone());
        answer_of(supplements::consult(
            host,
            supplement,
            Asked { store, kept, code, names, numbers, listener },
        ))
    }
}

impl Engine {
    /// The handle of a reducer that is code, of events of these versions: the one that it has, where it is known. Errors: those
    /// of `make`; `LIMIT_EXCEEDED` where there are too many.
    pub(super) fn define_exported(
        &self,
        name: Rc<str>,
        versions: Vec<(Rc<str>, u32)>,
        make: impl FnOnce(Versions) -> Result<JsonReducer, Error>,
    ) -> Result<usize, Error> {
        self.kept.reducers.borrow_mut().define_as(Definition::exported(name, versions), make)
    }
}

/// One future for all calls: each kind of future has to be polled and dropped by code of its own.
async fn perform(store: BrowserStore, kept: Rc<Kept>, call: Call) -> Result<JsValue, Error> {
    let page = match call {
        Call::ReadStream(read) => store.read_stream(&read).await?,
        Call::ReadAll(read) => store.read_all(&read).await?,
        Call::Close => {
            store.close().await;
            return Ok(JsValue::UNDEFINED);
        }
        Call::RequestPersistence => {
            return Ok(JsValue::from_bool(IndexedDbStorage::request_persistence().await));
        }
        Call::Subscribe { after, query } => {
            let number = kept.subscriptions.keep(store.subscribe(after, query));
            return Ok(JsValue::from_f64(number as f64));
        }
        Call::NextPage(number) => match kept.subscriptions.next(number).await? {
            Some(page) => page,
            None => return Ok(JsValue::UNDEFINED),
        },
    };
    Ok(page::write(&page))
}

async fn open(
    name: &str,
    request: OpenRequest,
    on_progress: Option<Function>,
    load: Option<Function>,
    world: Option<World>,
) -> Result<Engine, Error> {
    let OpenRequest { storage, options } = request;
    limits::check("store name bytes", name.len(), limits::NAME_BYTES_MAX)
        .map_err(|error| error.at("name"))?;
    let (storage, host) = match storage {
        StorageKind::IndexedDb => {
            // The channel to other tabs is made while the browser opens the database: neither needs the other.
            let opening = join(IndexedDbStorage::open(name), async { BrowserHost::named(name, load, None) });
            let (storage, host) = opening.await;
            let host = host?;
            match storage {
                Ok(storage) => (BrowserStorage::IndexedDb(storage), host),
                Err(fault) => {
                    host.close();
                    return Err(fault.into());
                }
            }
        }
        StorageKind::Memory => {
            let host = match &world {
                None => BrowserHost::alone_with(load)?,
                Some(world) => BrowserHost::named(name, load, Some(world.clone()))?,
            };
            match supplied(&host).await {
                Ok(supplied) => {
                    (BrowserStorage::Memory(supplements::gate_memory_storage(supplied, name, world)), host)
                }
                Err(error) => {
                    host.close();
                    return Err(error);
                }
            }
        }
    };
    let progress = move |Progress { done_bytes, total_bytes }: Progress| {
        if let Some(on_progress) = &on_progress {
            let (done, total) = (JsValue::from_f64(done_bytes as f64), JsValue::from_f64(total_bytes as f64));
            // A listener that throws must not fail what it listens to.
            drop(on_progress.call2(&JsValue::UNDEFINED, &done, &total));
        }
    };
    let store = Store::open(storage, host.clone(), options, progress).await?;
    Ok(Engine { store, host, under_way: Rc::default(), kept: Rc::default() })
}

fn refused(error: &Error) -> Promise {
    Promise::reject(&error::to_js(error))
}

/// A promise of what a future gives, its error as JavaScript sees it.
fn answer(future: impl Future<Output = Result<JsValue, Error>> + 'static) -> Promise {
    answer_of(Box::pin(future))
}

/// Of boxed futures, because what makes a promise is compiled once for each kind of future.
fn answer_of(future: LocalBoxFuture<'static, Result<JsValue, Error>>) -> Promise {
    promise::promise_of(Box::pin(async move { future.await.map_err(|error| error::to_js(&error)) }))
}
