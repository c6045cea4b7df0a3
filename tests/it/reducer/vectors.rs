//! The vectors that every way to write a reducer is held against, and cases that an interpreter in JavaScript has
//! worked out.

use std::fs;
use std::path::PathBuf;

use everfold::error::{Detail, Error};
use everfold::reducer::{EventView, Program, ReducerFailure, State};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A fold, and what comes out of it.
#[derive(Deserialize)]
pub struct Vector<'a> {
    #[serde(default)]
    pub name: String,
    #[serde(borrow)]
    pub initial: &'a RawValue,
    #[serde(borrow)]
    pub evolve: &'a RawValue,
    #[serde(borrow)]
    pub events: Vec<VectorEvent<'a>>,
    #[serde(borrow)]
    pub state: Option<&'a RawValue>,
    pub error: Option<VectorError>,
}

/// An event of which only what matters is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorEvent<'a> {
    #[serde(rename = "type")]
    pub event_type: String,
    #[serde(borrow, default, deserialize_with = "given")]
    pub data: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    pub metadata: Option<&'a RawValue>,
    #[serde(default)]
    pub stream: String,
    #[serde(default)]
    pub revision: u64,
    #[serde(default)]
    pub position: u64,
    #[serde(default)]
    pub time: i64,
}

/// Which failure or refusal it is, and where, in one of the two fields.
#[derive(Deserialize, Debug, PartialEq, Eq)]
pub struct VectorError {
    pub code: String,
    pub place: Option<String>,
    pub path: Option<String>,
}

/// What is given is there, even `null`.
fn given<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl VectorEvent<'_> {
    /// As a reducer sees it.
    pub fn view(&self) -> EventView<'_> {
        EventView {
            event_type: &self.event_type,
            data: self.data.map(RawValue::get),
            metadata: self.metadata.map(RawValue::get),
            stream: &self.stream,
            revision: Some(self.revision),
            position: self.position,
            time_ms: self.time,
        }
    }
}

/// The text of a fixture.
pub fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    fs::read_to_string(path).expect("a fixture")
}

/// Folds the events of a vector.
pub fn fold(vector: &Vector<'_>) -> Result<State, VectorError> {
    let program = Program::compile(vector.evolve.get(), vector.initial.get()).map_err(refusal)?;
    let mut state = program.initial();
    let mut restored = program.initial();
    for event in &vector.events {
        let folded = program.evolve(&mut state, &event.view());
        // What a snapshot keeps is the state, wherever it is taken.
        restored = State::from_json(&restored.to_json()).expect("a state");
        assert_eq!(program.evolve(&mut restored, &event.view()), folded, "{}", vector.name);
        folded.map_err(failure)?;
        assert_eq!(restored.to_json(), state.to_json(), "{}", vector.name);
    }
    Ok(state)
}

fn refusal(error: Error) -> VectorError {
    let path = match error.detail() {
        Detail::InvalidArgument { path, problem } if !problem.is_empty() => path.clone(),
        other => panic!("{other:?}"),
    };
    VectorError { code: error.code().to_owned(), place: None, path: Some(path) }
}

fn failure(failure: ReducerFailure) -> VectorError {
    assert!(!failure.problem.is_empty());
    VectorError { code: "REDUCER_FAILED".to_owned(), place: Some(failure.place), path: None }
}

#[test]
fn every_vector_gives_its_state_or_its_error() {
    let text = fixture("reducers.json");
    let vectors: Vec<Vector<'_>> = serde_json::from_str(&text).expect("vectors");
    assert!(60 <= vectors.len(), "{} vectors", vectors.len());
    for vector in &vectors {
        match (fold(vector), vector.state, &vector.error) {
            (Ok(state), Some(expected), None) => {
                assert_eq!(state.to_json(), expected.get(), "{}", vector.name);
            }
            (Err(found), None, Some(expected)) => assert_eq!(&found, expected, "{}", vector.name),
            (Ok(state), _, Some(_)) => panic!("{}: {}", vector.name, state.to_json()),
            (Err(error), ..) => panic!("{}: {error:?}", vector.name),
            (Ok(_), ..) => panic!("{} expects nothing", vector.name),
        }
    }
}
