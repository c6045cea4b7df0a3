//! Opening, finding and destroying databases.

use std::pin::pin;

use futures_util::future::{Either, select};
use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbFactory};

use crate::storage::{FaultKind, StorageFault};
use crate::web::global::global;
use crate::web::timer::Timer;

use super::externs::{DatabaseInfo, ListingFactory};
use super::fault::{self, Moment};
use super::open_request::{Ended, Missing, OpenRequest};
use super::patience::{DESTROY_TIMEOUT_MS, OPEN_ATTEMPTS, OPEN_BACKOFF_MS, OPEN_TIMEOUT_MS};
use super::schema;

/// Opens a database of ours.
///
/// # Errors
///
/// [`FaultKind::Unavailable`], [`FaultKind::Foreign`], [`FaultKind::Quota`], or [`FaultKind::Closed`] where the
/// database is missing and is not to be made.
pub async fn open(name: &str, missing: Missing) -> Result<IdbDatabase, StorageFault> {
    let factory = factory()?;
    let attempts = pin!(open_patiently(&factory, name, missing));
    match select(attempts, Timer::start(OPEN_TIMEOUT_MS)).await {
        Either::Left((opened, _)) => opened,
        Either::Right(((), _)) => {
            let cause = format!("the database \"{name}\" did not open within {OPEN_TIMEOUT_MS} ms");
            Err(fault::found(FaultKind::Unavailable, cause))
        }
    }
}

async fn open_patiently(
    factory: &IdbFactory,
    name: &str,
    missing: Missing,
) -> Result<IdbDatabase, StorageFault> {
    let mut attempt = 1;
    let mut pause_ms = OPEN_BACKOFF_MS;
    loop {
        match open_once(factory, name, missing).await {
            Err(fault) if fault.kind == FaultKind::Unavailable && attempt < OPEN_ATTEMPTS => {
                Timer::start(pause_ms).await;
                attempt += 1;
                pause_ms *= 2;
            }
            opened => return opened,
        }
    }
}

async fn open_once(factory: &IdbFactory, name: &str, missing: Missing) -> Result<IdbDatabase, StorageFault> {
    let request = factory.open_with_u32(name, schema::VERSION).map_err(opening)?;
    let mut request = OpenRequest::new(request, missing);
    match request.ended().await.map_err(explain_version)? {
        Ended::Done => {}
        Ended::Missing => return Err(destroyed()),
    }
    let database = request.database()?;
    match schema::check(&database) {
        Ok(()) => Ok(database),
        Err(fault) => {
            database.close();
            Err(fault)
        }
    }
}

/// Whether there is a database of this name.
///
/// # Errors
///
/// [`FaultKind::Unavailable`].
pub async fn exists(name: &str) -> Result<bool, StorageFault> {
    let factory = factory()?;
    let Ok(databases) = factory.unchecked_ref::<ListingFactory>().databases() else {
        return exists_by_opening(&factory, name).await;
    };
    let databases = JsFuture::from(databases).await.map_err(opening)?;
    let has_name = |database: JsValue| {
        database.unchecked_into::<DatabaseInfo>().name().is_some_and(|found| found == name)
    };
    Ok(Array::from(&databases).into_iter().any(has_name))
}

/// For browsers that do not list their databases: asks for one, of whatever version, and takes back what that
/// would make.
async fn exists_by_opening(factory: &IdbFactory, name: &str) -> Result<bool, StorageFault> {
    let mut request = OpenRequest::new(factory.open(name).map_err(opening)?, Missing::Refuse);
    let ended = pin!(request.ended());
    match select(ended, Timer::start(OPEN_TIMEOUT_MS)).await {
        Either::Left((ended, _)) => Ok(ended? == Ended::Done),
        Either::Right(((), _)) => {
            let cause =
                format!("the browser did not say within {OPEN_TIMEOUT_MS} ms whether it has \"{name}\"");
            Err(fault::found(FaultKind::Unavailable, cause))
        }
    }
}

/// Deletes the database of this name, if there is one. Every connection to it is told first.
///
/// # Errors
///
/// [`FaultKind::Unavailable`]. Where that is because another connection does not close, the database is deleted
/// as soon as it does.
pub async fn destroy(name: &str) -> Result<(), StorageFault> {
    let request = factory()?.delete_database(name).map_err(opening)?;
    let mut request = OpenRequest::new(request, Missing::Refuse);
    if let Either::Left((ended, _)) = select(pin!(request.ended()), Timer::start(DESTROY_TIMEOUT_MS)).await {
        return ended.map(drop);
    }
    let cause = match request.was_blocked() {
        true => format!("another tab holds \"{name}\" open; it is deleted as soon as that tab closes"),
        false => format!("\"{name}\" was not deleted within {DESTROY_TIMEOUT_MS} ms"),
    };
    Err(fault::found(FaultKind::Unavailable, cause))
}

/// The fault of every operation on a database that is gone.
pub fn destroyed() -> StorageFault {
    fault::found(FaultKind::Closed, "the database was destroyed")
}

fn factory() -> Result<IdbFactory, StorageFault> {
    let none = || fault::found(FaultKind::Unavailable, "there is no IndexedDB here");
    global().indexed_db().map_err(opening)?.ok_or_else(none)
}

fn opening(exception: JsValue) -> StorageFault {
    fault::from_exception(&exception, Moment::Opening)
}

fn explain_version(mut fault: StorageFault) -> StorageFault {
    if fault.kind == FaultKind::Foreign {
        fault.cause.push_str(
            "; everfold's databases never change their version, so another program made this one: open the \
             store under another name, or delete that database if nobody needs it",
        );
    }
    fault
}
