//! The shape of the database, which never changes: an upgrade would close every tab.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::IdbDatabase;

use crate::storage::{Area, FaultKind};
use crate::web::property;

use super::fault::{self, Fault};

/// The version of the schema, for ever.
pub const VERSION: u32 = 1;

/// The name of the database that holds the store of this name.
pub fn database_name(store_name: &str) -> String {
    format!("everfold:{store_name}")
}

/// Makes the object stores of a new database, inside its upgrade.
///
/// # Errors
///
/// What the browser throws.
pub fn create(database: &IdbDatabase) -> Result<(), JsValue> {
    for area in Area::ALL {
        database.create_object_store(area.name())?;
    }
    Ok(())
}

/// Tells our database from another program's under our name, which is not touched.
///
/// # Errors
///
/// [`FaultKind::Foreign`] with what was found.
pub fn check(database: &IdbDatabase) -> Result<(), Fault> {
    let mut found = Vec::new();
    // It is a list that has what an array has.
    let names: Array = property::get(database, "objectStoreNames").unwrap_or_default().unchecked_into();
    for index in 0..names.length() {
        found.extend(names.get(index).as_string());
    }
    let is_ours = found.len() == Area::ALL.len()
        && Area::ALL.iter().all(|area| found.iter().any(|name| name == area.name()));
    if is_ours {
        return Ok(());
    }
    let name = property::text(database, "name");
    let found = if found.is_empty() { "no object stores".to_owned() } else { found.join(", ") };
    Err(fault::found(
        FaultKind::Foreign,
        format_args!(
            "the database \"{name}\" is not everfold's: it has {found}; open the store under another name, or \
         delete that database if nobody needs it"
        ),
    ))
}
