//! Under which versions of their types events are folded as they stand.

use std::rc::Rc;

use super::object::FieldName;
use super::scan::Wanted;
use crate::table::{Table, hash_of};

/// The versions of types that a reducer was written for. An event of another version has to be made one of today
/// before it is folded, which only those can do who know how.
#[derive(Debug)]
pub struct Versions {
    types: Table<(Rc<str>, u32)>,
    wanted: Wanted,
}

/// Where metadata says the version of its event's type. It is not said of the first.
const VERSION_FIELD: &str = "schemaVersion";
/// The least that such metadata takes: `{"schemaVersion":2}`. Any other spelling of the name is longer.
const VERSIONED_BYTES_MIN: usize = VERSION_FIELD.len() + 6;

impl Versions {
    /// The version of each type. One of which none is said is folded whatever its version, one of version 0 never.
    pub fn new(versions: impl IntoIterator<Item = (Rc<str>, u32)>) -> Self {
        let mut wanted = Wanted::default();
        wanted.slot_of(vec![FieldName::from(Rc::from(VERSION_FIELD))], 0);
        let mut types: Table<(Rc<str>, u32)> = Table::default();
        for row in versions {
            types.push(hash_of(row.0.as_bytes()), row);
        }
        Self { types, wanted }
    }

    /// The version of a type, where one is said.
    pub fn of(&self, event_type: &str) -> Option<u32> {
        let row = self.types.get(hash_of(event_type.as_bytes()), |(known, _)| **known == *event_type);
        row.map(|(_, version)| *version)
    }

    /// Whether this is the metadata of an event of a version.
    pub fn is_of(&self, metadata: Option<&str>, version: u32) -> bool {
        let mut found = [""];
        if let Some(metadata) = metadata
            && VERSIONED_BYTES_MIN <= metadata.len()
        {
            self.wanted.find(metadata, &mut found);
        }
        match found {
            [""] => version == 1,
            [stored] => 0 < version && stored.parse() == Ok(version),
        }
    }
}

impl Default for Versions {
    fn default() -> Self {
        Self::new([])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(metadata: Option<&str>, expected: &[u32]) {
        let versions = Versions::default();
        let found: Vec<u32> = (0..10).filter(|version| versions.is_of(metadata, *version)).collect();
        assert_eq!(found, expected, "{metadata:?}");
    }

    #[test]
    fn the_version_of_an_event_is_what_its_metadata_says_or_else_the_first() {
        check(None, &[1]);
        check(Some("{}"), &[1]);
        check(Some(r#"{"user":{"schemaVersion":7}}"#), &[1]);
        check(Some(r#"{"schemaVersion":2}"#), &[2]);
        check(Some(r#"{"user":"u1","schemaVersion":2}"#), &[2]);
        check(Some(r#"{"schema\u0056ersion":2}"#), &[2]);
        check(Some(r#"{"schemaVersion":"2"}"#), &[]);
        check(Some(r#"{"schemaVersion":null}"#), &[]);
        check(Some(r#"{"schemaVersion":0}"#), &[]);
    }

    #[test]
    fn a_type_has_the_version_that_was_said() {
        let versions = Versions::new([(Rc::from("Opened"), 3), (Rc::from("Closed"), 0)]);
        assert_eq!(
            ["Opened", "Closed", "Other"].map(|event_type| versions.of(event_type)),
            [Some(3), Some(0), None]
        );
    }
}
