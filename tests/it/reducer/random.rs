//! Random documents over random events, which an interpreter in JavaScript has folded. The file follows from its seeds, which
//! `tests/ts/reducer-random.test.mjs` sees to.

use super::vectors::{Vector, fixture, fold};

#[test]
fn random_documents_fold_random_events_as_the_interpreter_does() {
    let text = fixture("reducers-random.json");
    let cases: Vec<Vector<'_>> = serde_json::from_str(&text).expect("cases");
    let (mut folded, mut refused) = (0, 0);
    for case in &cases {
        match (fold(case), case.state, &case.error) {
            (Ok(state), Some(expected), _) => {
                assert_eq!(state.to_json(), expected.get(), "{}", case.name);
                folded += 1;
            }
            (Err(found), None, Some(expected)) => {
                assert_eq!(found.code, expected.code, "{}", case.name);
                assert!(expected.path.is_none() || found.path == expected.path, "{}: {found:?}", case.name);
                refused += 1;
            }
            (Ok(state), ..) => panic!("{}: {}", case.name, state.to_json()),
            (Err(error), ..) => panic!("{}: {error:?}", case.name),
        }
    }
    assert!(100 < folded && 50 < refused, "{folded} folded, {refused} refused");
}
