//! Opening, finding and destroying databases.

use std::fmt;

use wasm_bindgen::prelude::*;
use web_sys::IdbDatabase;

use crate::storage::FaultKind;
use crate::web::global::global;
use crate::web::property;
use crate::web::timer::Timer;

use super::externs::Factory;
use super::fault::{self, Fault};
use super::open_request::{Missing, OpenRequest};
use super::patience::{DESTROY_TIMEOUT_MS, OPEN_ATTEMPTS, OPEN_BACKOFF_MS, OPEN_TIMEOUT_MS};
use super::schema;

/// Opens a database of ours.
///
/// # Errors
///
/// [`FaultKind::Unavailable`], [`FaultKind::Foreign`], [`FaultKind::Quota`], or [`FaultKind::Closed`] where the
/// database is missing and is not to be made.
pub async fn open(name: &str, missing: Missing) -> Result<IdbDatabase, Fault> {
    let factory = factory()?;
    let mut timer = Timer::start(OPEN_TIMEOUT_MS);
    let mut attempt = 1;
    let mut pause_ms = OPEN_BACKOFF_MS;
    loop {
        match open_once(&factory, name, missing, &mut timer).await {
            None => {
                return Err(unavailable(format_args!(
                    "the database \"{name}\" did not open within {OPEN_TIMEOUT_MS} ms"
                )));
            }
            Some(Err(fault)) if fault.kind == FaultKind::Unavailable && attempt < OPEN_ATTEMPTS => {
                Timer::start(pause_ms).await;
                attempt += 1;
                pause_ms *= 2;
            }
            Some(opened) => return opened,
        }
    }
}

/// One attempt; `None` where the time has passed.
async fn open_once(
    factory: &Factory,
    name: &str,
    missing: Missing,
    timer: &mut Timer,
) -> Option<Result<IdbDatabase, Fault>> {
    let request = match factory.open(name, Some(schema::VERSION)) {
        Ok(request) => OpenRequest::new(request, missing),
        Err(exception) => return Some(Err(fault::opening(exception))),
    };
    Some(match request.ended_within(timer).await? {
        Ok(()) => checked(&request),
        Err(_) if request.was_missing() => Err(destroyed()),
        Err(fault) => Err(explain_version(fault)),
    })
}

fn checked(request: &OpenRequest) -> Result<IdbDatabase, Fault> {
    let database = request.database()?;
    match schema::check(&database) {
        Ok(()) => Ok(database),
        Err(fault) => {
            database.close();
            Err(fault)
        }
    }
}

/// Whether there is a database of this name, of whatever version: asks for it, and takes back what that would make.
///
/// Not every browser lists its databases, and one way is less to get wrong than two. It waits behind what is in the way of opening;
/// who falls back to memory asks for the list, which does not.
///
/// # Errors
///
/// [`FaultKind::Unavailable`].
pub async fn exists(name: &str) -> Result<bool, Fault> {
    let request = factory()?.open(name, None).map_err(fault::opening)?;
    let request = OpenRequest::new(request, Missing::Refuse);
    match request.ended_within(&mut Timer::start(OPEN_TIMEOUT_MS)).await {
        Some(Ok(())) => Ok(true),
        Some(Err(_)) if request.was_missing() => Ok(false),
        Some(Err(fault)) => Err(fault),
        None => Err(unavailable(format_args!(
            "the browser did not say within {OPEN_TIMEOUT_MS} ms whether it has \"{name}\""
        ))),
    }
}

/// Deletes the database of this name, if there is one. Every connection to it is told first.
///
/// # Errors
///
/// [`FaultKind::Unavailable`]. Where that is because another connection does not close, the database is deleted
/// as soon as it does.
pub async fn destroy(name: &str) -> Result<(), Fault> {
    let request = factory()?.delete_database(name).map_err(fault::opening)?;
    let request = OpenRequest::new(request, Missing::Refuse);
    if let Some(ended) = request.ended_within(&mut Timer::start(DESTROY_TIMEOUT_MS)).await {
        return ended;
    }
    Err(match request.was_blocked() {
        true => unavailable(format_args!(
            "another tab holds \"{name}\" open; it is deleted as soon as that tab closes"
        )),
        false => unavailable(format_args!("\"{name}\" was not deleted within {DESTROY_TIMEOUT_MS} ms")),
    })
}

/// The fault of every operation on a database that is gone.
pub fn destroyed() -> Fault {
    fault::found(FaultKind::Closed, format_args!("the database was destroyed"))
}

fn factory() -> Result<Factory, Fault> {
    // It throws where a policy forbids storage.
    let factory = property::get(&global(), "indexedDB").map_err(fault::opening)?;
    if factory.is_undefined() || factory.is_null() {
        let cause = format_args!("there is no IndexedDB here: open with storage \"memory\", or \"auto\"");
        return Err(fault::found(FaultKind::Absent, cause));
    }
    Ok(factory.unchecked_into())
}

fn unavailable(cause: fmt::Arguments<'_>) -> Fault {
    fault::found(FaultKind::Unavailable, cause)
}

fn explain_version(mut fault: Fault) -> Fault {
    if fault.kind == FaultKind::Foreign {
        fault.cause.push_str(
            "; everfold's databases never change their version, so another program made this one: open the \
             store under another name, or delete that database if nobody needs it",
        );
    }
    fault
}
