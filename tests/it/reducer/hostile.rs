//! Whatever the bytes are, a reducer gives a value or an error.

use everfold::limits;
use everfold::reducer::{EventView, Program, State};
use everfold::testing::prng::Prng;

use super::vectors::{Vector, fixture};

fn event(data: &str) -> EventView<'_> {
    EventView {
        event_type: "A",
        data: Some(data),
        metadata: Some(data),
        stream: "",
        revision: Some(0),
        position: 1,
        time_ms: 0,
    }
}

#[track_caller]
fn check(evolve: &str, data: &[&str], expected: Result<&str, &str>) {
    let program = Program::compile(evolve, "{}").expect("a program");
    let mut state = program.initial();
    let folded = data.iter().try_for_each(|data| program.evolve(&mut state, &event(data)));
    match (folded, expected) {
        (Ok(()), Ok(expected)) => assert_eq!(state.to_json(), expected),
        (Err(failure), Err(part)) => {
            assert!(failure.to_string().contains(part), "{failure} does not hold {part}");
        }
        (folded, _) => panic!("{folded:?}: {}", state.to_json()),
    }
}

const SET_X: &str = r#"{"A":{"$set":{"x":"$data.x"}}}"#;

#[test]
fn what_is_read_and_is_no_json_fails() {
    for data in [
        "",
        " ",
        "{",
        "{\"x\"",
        "{\"x\":",
        "{\"x\":}",
        "{\"x\":\"",
        "{\"x\":\"\\",
        "{\"x\":\"\\\"}",
        "{\"x\":[}",
        "{\"x\":[1 2]}",
        "{\"x\":[1[2]]}",
        "{\"x\":[,1]}",
        "{\"x\":[1,]}",
        "{\"x\":{,}}",
        "{\"x\":{\"a\" 1}}",
        "{\"x\":{\"a\":1,}}",
        "{\"x\":{a:1}}",
        "{\"x\":{\"a\":1{\"b\":2}}}",
        "{\"x\":01}",
        "{\"x\":+1}",
        "{\"x\":1.}",
        "{\"x\":.5}",
        "{\"x\":1e}",
        "{\"x\":--1}",
        "{\"x\":NaN}",
        "{\"x\":tru}",
        "{\"x\":nulll}",
        "{\"x\":\"\\x\"}",
        "{\"x\":\"\\u12\"}",
        "{\"x\":\"\\u+123\"}",
        "{\"x\":\"\n\"}",
        "{\"x\":\u{a0}1}",
        "{1:2}",
        "{\"x\":1",
        "{\"\\u00\":1}",
        "[",
        "\"",
        "{\"a\":1;\"x\":2}",
        "\u{feff}{}",
        "{\"x\":\"\\é\"}",
    ] {
        check(SET_X, &[data], Err("JSON"));
    }
}

#[test]
fn what_is_passed_over_is_not_checked_again() {
    check(SET_X, &["{\"y\":tru,\"x\":1}"], Ok("{\"x\":1}"));
    check(SET_X, &["{\"y\":[1 2}},\"x\":1}"], Ok("{}"));
    check(SET_X, &["5"], Ok("{}"));
}

#[test]
fn nesting_beyond_the_limit_fails_and_is_passed_over_at_any_depth() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let x = |levels: usize| format!("{{\"x\":{}}}", nested(levels));
    let y = format!("{{\"y\":{},\"x\":1}}", nested(500_000));
    check(SET_X, &[&x(63)], Ok(&x(63)));
    check(SET_X, &[&x(64)], Err("64 levels"));
    check(SET_X, &[&x(65)], Err("nested"));
    check(SET_X, &[&x(500_000)], Err("nested"));
    check(SET_X, &[&y], Ok("{\"x\":1}"));
    let push = r#"{"A":{"$push":{"x":"$data.x"}}}"#;
    check(push, &[&x(62)], Ok(&x(63)));
    check(push, &[&x(63)], Err("64 levels"));
    check(push, &["{\"x\":1}", &x(63)], Err("64 levels"));
}

#[test]
fn a_state_that_takes_itself_in_twice_is_stopped() {
    let doubling = r#"{"A":{"$set":{"x":{"$ifNull":[{"$concat":["$state.x","$state.x"]},"y"]}}}}"#;
    let text = r#"{"A":[{"$if":{"$not":["$state.x"]},"$set":{"x":"ab"}},{"$set":{"x":{"$concat":["$state.x","$state.x"]}}}]}"#;
    check(doubling, &["0"], Err("$concat"));
    check(text, &["0"; 40], Err("16 MiB"));
    let list = r#"{"A":[{"$push":{"x":1}},{"$for":{"i":"$state.x"},"$push":{"x":"$i"}}]}"#;
    check(list, &["0"; 40], Err("16 MiB"));
    let copies = r#"{"A":[{"$push":{"x":{}}},{"$set":{"x.[].y":"$state.x"}}]}"#;
    check(copies, &["0"; 40], Err("16 MiB"));
}

#[test]
fn values_that_take_more_than_their_texts_are_stopped() {
    let many = |element: &str| format!("{{\"x\":[{}]}}", vec![element; 100_000].join(","));
    let pairs = r#"{"a":1,"b":2}"#;
    check(SET_X, &[&many("{\"a\":[{}]}")], Err("16 MiB"));
    check(SET_X, &[&many(pairs)], Err("16 MiB"));
    check(SET_X, &[&many("0")], Ok(&many("0")));
    // What a copy takes counts as much.
    let copies = r#"{"A":{"$for":{"i":[1,2,3,4,5,6]},"$set":{"{i}":"$state.x"}}}"#;
    let third = format!("{{\"x\":[{}]}}", vec![pairs; 25_000].join(","));
    let both = format!(r#"{{"A":{{"$set":{{"x":"$data.x"}}}},"B":{}}}"#, &copies[5..copies.len() - 1]);
    let program = Program::compile(&both, "{}").expect("a program");
    let mut state = program.initial();
    program.evolve(&mut state, &event(&third)).expect("few enough");
    let failure = program.evolve(&mut state, &EventView { event_type: "B", ..event("{}") });
    assert!(failure.expect_err("six copies").problem.contains("16 MiB"));
}

#[test]
fn what_is_made_on_the_way_and_what_is_added_is_stopped() {
    let numbers = |count: u32| {
        let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        format!("{{\"x\":[{}]}}", numbers.join(","))
    };
    let deep = format!(r#"{{"A":{{"$for":{{"i":"$data.x"}},"$set":{{"a.{{i}}{}":1}}}}}}"#, ".b".repeat(62));
    check(&deep, &[&numbers(20_000)], Err("16 MiB"));
    let elements = ["\"$i\""; 100].join(",");
    let arrays = format!(r#"{{"A":{{"$for":{{"i":"$data.x"}},"$push":{{"a":[{elements}]}}}}}}"#);
    check(&arrays, &[&numbers(20_000)], Err("16 MiB"));
    let properties: Vec<String> = (0..100).map(|number| format!(r#""{number}":"$i""#)).collect();
    let objects =
        format!(r#"{{"A":{{"$for":{{"i":"$data.x"}},"$push":{{"a":{{{}}}}}}}}}"#, properties.join(","));
    check(&objects, &[&numbers(20_000)], Err("16 MiB"));
    let pushes: Vec<&str> = vec![r#"{"$for":{"i":"$data.x"},"$push":{"a":"$i"}}"#; 8];
    check(&format!(r#"{{"A":[{}]}}"#, pushes.join(",")), &[&numbers(100_000)], Err("16 MiB"));
}

#[test]
fn numbers_of_any_length_are_read() {
    let digits = "9".repeat(limits::EVENT_BYTES_MAX);
    let inc = r#"{"A":{"$inc":{"x":"$data"}}}"#;
    check(inc, &[&digits], Err("too large"));
    check(inc, &[&format!("0.{digits}")], Ok("{\"x\":1}"));
    check(inc, &[&format!("0.{}1", "0".repeat(400))], Ok("{\"x\":0}"));
    check(inc, &[&format!("1{}e-{}", "0".repeat(100_000), 100_000)], Ok("{\"x\":1}"));
    check(inc, &[&format!("1e{digits}")], Err("too large"));
    check(inc, &[&format!("-1e-{digits}")], Ok("{\"x\":0}"));
    check(inc, &[&format!("0e{digits}")], Ok("{\"x\":0}"));
}

/// Texts in which something was changed, cut or doubled: documents, states, data.
#[test]
fn no_text_causes_a_panic() {
    let fixture = fixture("reducers.json");
    let vectors: Vec<Vector<'_>> = serde_json::from_str(&fixture).expect("vectors");
    let (mut compiled, mut folded) = (0, 0);
    for seed in 0..4_000 {
        println!("seed {seed}");
        let mut prng = Prng::new(seed);
        let vector = &vectors[prng.index(vectors.len())];
        let mut damaged_or_whole = |text: &str| match prng.below(3) {
            0 => damaged(&mut prng, text),
            _ => text.to_owned(),
        };
        let evolve = damaged_or_whole(vector.evolve.get());
        let initial = damaged_or_whole(vector.initial.get());
        let Ok(program) = Program::compile(&evolve, &initial) else { continue };
        compiled += 1;
        let mut state = program.initial();
        for event in &vector.events {
            let mut view = event.view();
            let data = damaged(&mut prng, view.data.unwrap_or("{}"));
            view.data = Some(&data);
            folded += usize::from(program.evolve(&mut state, &view).is_ok());
        }
        let json = state.to_json();
        let again = State::from_json(&json).map(|state| state.to_json());
        assert_eq!(again.as_ref(), Some(&json));
    }
    assert!(1_000 < compiled && 1_000 < folded, "{compiled} compiled, {folded} folded");
}

fn damaged(prng: &mut Prng, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..prng.below(3) {
        let place = prng.index(characters.len() + 1);
        let other = *prng.pick(&[
            '0',
            '-',
            '.',
            'a',
            '"',
            '\\',
            ',',
            '[',
            ']',
            '{',
            '}',
            ':',
            '$',
            'e',
            '\u{1f600}',
            '\0',
        ]);
        match prng.below(4) {
            0 => characters.insert(place, other),
            1 => drop(characters.splice(place..(place + 1).min(characters.len()), [other])),
            2 if prng.chance(200) => characters.truncate(place),
            2 => drop(characters.drain(place..(place + 1).min(characters.len()))),
            _ => {
                let end = prng.between(place as u64..=characters.len() as u64) as usize;
                let copy = characters[place..end].to_vec();
                drop(characters.splice(place..place, copy));
            }
        }
    }
    characters.into_iter().collect()
}
