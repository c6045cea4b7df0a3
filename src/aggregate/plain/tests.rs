//! What is read here, and what is doubted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::*;
use crate::testing::prng::Prng;

/// One of each kind of field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Fields {
    whole: u8,
    signed: i64,
    broken: f64,
    text: String,
    letter: char,
    flag: bool,
    option: Option<f32>,
    unit: (),
    list: Vec<i32>,
    pair: (u32, String),
    names: BTreeMap<String, Value>,
    numbered: BTreeMap<u32, bool>,
    #[serde(default)]
    kind: Option<Kind>,
    id: Id,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    With(u8),
    Named { inner: Option<Box<Fields>> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Id(String);

fn read<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, Doubt> {
    let mut plain = Plain::new(json);
    let value = T::deserialize(&mut plain)?;
    plain.end().map(|()| value)
}

/// What is not doubted, `serde_json` reads as the same.
#[track_caller]
fn check<T: for<'de> Deserialize<'de> + Serialize>(json: &str) -> bool {
    let Ok(value) = read::<T>(json) else { return false };
    let expected: T = serde_json::from_str(json).expect(json);
    assert_eq!(serde_json::to_string(&value).unwrap(), serde_json::to_string(&expected).unwrap(), "{json}");
    true
}

fn check_all(json: &str) -> usize {
    let checks = [
        check::<Fields>,
        check::<Kind>,
        check::<Id>,
        check::<Value>,
        check::<f64>,
        check::<i8>,
        check::<u64>,
        check::<Option<String>>,
        check::<Vec<Option<f64>>>,
        check::<(u8, Value)>,
        check::<BTreeMap<String, Vec<Value>>>,
        check::<BTreeMap<bool, u8>>,
        check::<()>,
    ];
    checks.iter().filter(|check| check(json)).count()
}

const ALL: &str = r#"{"whole":7,"other":{"a":[1,-2,null,{}],"b":"x"},"signed":-12,"broken":0.25,"text":"né","letter":"x",
    "flag":true,"option":null,"unit":null,"list":[1,-2],"pair":[3,"y"],"names":{"z":[{}, []]},"numbered":{},"kind":"Plain",
    "id":"seven"}"#;

#[test]
fn what_is_spelled_plainly_is_not_doubted() {
    assert!(check::<Fields>(ALL));
    for json in ["-0", "0", "0.5", "-12.25", "100000000000000", "\"text\"", " [ 1 , 2 ] ", "[]", "{}", "null"]
    {
        assert!(0 < check_all(json), "{json}");
    }
}

#[test]
fn what_is_no_json_or_no_such_value_is_doubted() {
    let broken = [
        "",
        "-",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "nul",
        "tru",
        "\"",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[1 2]",
        "[{}1]",
        "[{},]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{1:2}",
        "1 2",
        "\"\t\"",
        "\"\\x\"",
        "[1}",
        "{]",
    ];
    broken.iter().for_each(|json| assert_eq!(check_all(json), 0, "{json}"));
}

/// A text from which characters were taken, or to which some were added.
#[test]
fn texts_of_any_spelling_are_doubted_or_read_as_serde_json_reads_them() {
    const PIECES: [&str; 30] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        " ",
        "null",
        "true",
        "0",
        "1",
        "-",
        ".",
        "e5",
        "E-1",
        "12345678901234567890",
        "999999999999999",
        "\"whole\":",
        "\"broken\":1.5",
        "\"kind\":{\"With\":1}",
        "\"\\u0041\"",
        "\"a\"",
        "é",
        "\n",
        "\u{1}",
        "[]",
        "{}",
        "1.0",
    ];
    let mut read_count = 0;
    for seed in 0..3_000 {
        let mut prng = Prng::new(seed);
        let mut json = if prng.chance(500) { ALL.to_owned() } else { String::new() };
        for _ in 0..prng.between(0..=3) {
            let places: Vec<usize> = (0..=json.len()).filter(|at| json.is_char_boundary(*at)).collect();
            let (from, to) = (*prng.pick(&places), *prng.pick(&places));
            let end = if prng.chance(700) { from } else { from.max(to).min(from + 3) };
            if json.is_char_boundary(end) {
                json.replace_range(from..end, prng.pick::<&str>(&PIECES));
            }
        }
        println!("seed {seed}: {json}");
        read_count += check_all(&json);
    }
    assert!(500 < read_count, "{read_count}");
}
