//! What docs/reducers.md says, held against the source: its example folds, its limits hold, its names are known.

use std::fs;
use std::path::PathBuf;

use everfold::limits;
use everfold::reducer::{Program, State};

use super::vectors::{Vector, fold};

fn document() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/reducers.md");
    fs::read_to_string(path).expect("the document")
}

#[test]
fn the_examples_fold_as_they_say() {
    let document = document();
    let blocks: Vec<&str> =
        document.split("```json\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    assert!(!blocks.is_empty(), "the document has no example");
    for block in blocks {
        let example: Vector<'_> = serde_json::from_str(block).expect("an example");
        let expected = example.state.expect("a state").get();
        let expected = State::from_json(expected).expect("a state").to_json();
        assert_eq!(fold(&example).expect("a fold").to_json(), expected);
    }
}

#[test]
fn the_limits_are_those_of_the_source() {
    let document = document();
    let thousands = |number: usize| format!("{},{:03}", number / 1_000, number % 1_000);
    for limit in [
        format!("| {} bytes of JSON each |", thousands(limits::REDUCER_BYTES_MAX)),
        format!("| writes in all steps | {} |", thousands(limits::REDUCER_WRITES_MAX)),
        format!("parts of a path | {} levels |", limits::JSON_DEPTH_MAX),
        format!("| values that one event makes | {} MiB |", limits::REDUCER_EVENT_BYTES_MAX >> 20),
        format!("that one open store folds with | {} |", thousands(limits::REDUCERS_MAX)),
    ] {
        assert!(document.contains(&limit), "the document does not hold {limit}");
    }
}

/// What the refusals list as known is what the document explains.
#[test]
fn every_name_that_a_refusal_lists_is_explained() {
    let document = document();
    for evolve in [r#"{"A":{"$x":1}}"#, r#"{"A":{"$set":{"a":{"$x":1}}}}"#, r#"{"A":{"$set":{"a":"$x"}}}"#] {
        let refused = Program::compile(evolve, "{}").expect_err("$x is unknown").to_string();
        let names: Vec<&str> = refused
            .split(|character: char| character != '$' && !character.is_ascii_alphabetic())
            .filter(|word| word.starts_with('$') && 1 < word.len() && *word != "$x")
            .collect();
        assert!(5 < names.len(), "{refused}");
        for name in names {
            assert!(document.contains(name), "{name} is not explained");
        }
    }
}
