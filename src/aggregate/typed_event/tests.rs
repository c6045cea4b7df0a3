//! Events are read as `serde_json` reads their data, whatever the types are and however the data is spelled.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::Error;
use serde_json::Value;
use serde_json::value::RawValue;

use super::*;
use crate::testing::prng::Prng;

/// Variants of each kind, with fields of each kind.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "what is in it is looked at as it is printed")]
enum Event {
    Nothing,
    Whole(i64),
    Double(f64),
    Text(String),
    Any(Value),
    Pair(u8, String),
    Integers(Integers),
    Doubles { half: f32, double: f64, list: Vec<Option<f64>> },
    Texts { text: String, letter: char, kind: Kind, kinds: Vec<Kind> },
    Optional(Optional),
    Strict(Strict),
    Flat(Flat),
    Either(Either),
    Tagged(Tagged),
    Adjacent(Adjacent),
    Maps { names: BTreeMap<String, Value>, numbered: BTreeMap<i32, bool>, kinds: BTreeMap<Kind, ()> },
    Lenient(Lenient),
    Wrapped(Wrapped),
    Unit(()),
    Marked(Marked),
    Raw(BTreeMap<String, Box<RawValue>>),
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Integers {
    i8: Option<i8>,
    i16: Option<i16>,
    i32: Option<i32>,
    i64: Option<i64>,
    i128: Option<i128>,
    u8: Option<u8>,
    u16: Option<u16>,
    u32: Option<u32>,
    u64: Option<u64>,
    u128: Option<u128>,
}

#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Optional {
    first_name: Option<String>,
    #[serde(rename = "n\"ew", alias = "né")]
    renamed: i32,
    flag: bool,
    nested: Option<Box<Optional>>,
    #[serde(skip)]
    skipped: u8,
}

impl Default for Optional {
    fn default() -> Self {
        Self { first_name: Some("nobody".into()), renamed: 7, flag: true, nested: None, skipped: 3 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
struct Strict {
    a: u8,
    #[serde(default)]
    b: Vec<(i8, Value)>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Flat {
    a: u8,
    #[serde(flatten)]
    optional: Optional,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "as above")]
enum Either {
    Small(i8),
    Double(f64),
    Text(String),
    Kind(Kind),
    Object { a: f32 },
    List(Vec<u64>),
    Rest(Value),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind")]
#[expect(dead_code, reason = "as above")]
enum Tagged {
    Plain,
    Named { a: f64, text: Option<String> },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", content = "a")]
#[expect(dead_code, reason = "as above")]
enum Adjacent {
    Plain,
    Named(i16),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Kind {
    Plain,
    With(u8),
    Named {
        a: Option<Box<Kind>>,
    },
    #[serde(other)]
    Other,
}

/// Makes do with nothing where a value cannot be read.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Lenient {
    #[serde(default, deserialize_with = "if_any")]
    text: Option<String>,
    #[serde(default, deserialize_with = "if_any")]
    double: Option<f64>,
    #[serde(default, deserialize_with = "if_any")]
    strict: Option<Strict>,
    #[serde(default, deserialize_with = "if_any")]
    list: Option<Vec<Kind>>,
    #[serde(default)]
    numbered: BTreeMap<LenientKey, Value>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LenientKey(Option<u32>);

impl<'de> Deserialize<'de> for LenientKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if_any(deserializer).map(Self)
    }
}

fn if_any<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(deserializer).ok())
}

/// Says in its own words what is wrong.
#[derive(Debug)]
#[expect(dead_code, reason = "as above")]
struct Wrapped(Strict);

impl<'de> Deserialize<'de> for Wrapped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Strict::deserialize(deserializer).map(Self).map_err(|_| Error::custom("not strict"))
    }
}

#[derive(Debug, Deserialize)]
struct Marked;

/// Events that are made of others: of which some other is made where it cannot be read, or the error is another.
#[derive(Debug)]
#[expect(dead_code, reason = "as above")]
struct Forgiving(Option<Event>);

impl<'de> Deserialize<'de> for Forgiving {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if_any(deserializer).map(Self)
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "as above")]
struct Explained(Event);

impl<'de> Deserialize<'de> for Explained {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Event::deserialize(deserializer).map(Self).map_err(Error::custom)
    }
}

const TYPES: [&str; 22] = [
    "Nothing", "Whole", "Double", "Text", "Any", "Pair", "Integers", "Doubles", "Texts", "Optional",
    "Strict", "Flat", "Either", "Tagged", "Adjacent", "Maps", "Lenient", "Wrapped", "Unit", "Marked", "Raw",
    "Unknown",
];

/// Whether it is read, as what `serde_json` reads, or refused in its words.
#[track_caller]
fn check(event_type: &str, json: &str) -> bool {
    check_as::<Forgiving>(event_type, json);
    check_as::<Explained>(event_type, json);
    check_as::<Event>(event_type, json)
}

#[track_caller]
fn check_as<E: DeserializeOwned + fmt::Debug>(event_type: &str, json: &str) -> bool {
    let read = read_event::<E>(event_type, Some(json));
    let expected = E::deserialize(Stored { event_type, data: Some(json), spelling: Spelling::Any });
    assert_eq!(format!("{read:?}"), format!("{expected:?}"), "{event_type} of {json}");
    read.is_ok()
}

#[test]
fn what_a_type_makes_of_a_value_that_it_cannot_read_is_what_it_makes_of_it_with_serde_json() {
    for json in [
        r#"{"text":"\u0041"}"#,
        r#"{"text":"a","double":1e2}"#,
        r#"{"text":{"a":1},"double":1}"#,
        r#"{"text":["a"]}"#,
        r#"{"strict":{"a":1,"c":2},"double":1}"#,
        r#"{"strict":{"a":300},"double":1}"#,
        r#"{"list":["Plain",{"With":1}]}"#,
        r#"{"list":["Plain",1],"text":"a"}"#,
        r#"{"numbered":{"1":1,"x":2}}"#,
        r#"{"double":123456789012345678}"#,
    ] {
        check("Lenient", json);
    }
    assert!(check("Wrapped", r#"{"a":1,"b":[[1,"\n"]]}"#));
}

/// A JSON text of values such as the types have, and others.
fn write_value(prng: &mut Prng, json: &mut String, depth: u32) {
    const SCALARS: &[&str] = &[
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.0",
        "1",
        "-1",
        "127",
        "128",
        "-128",
        "-129",
        "255",
        "256",
        "32767",
        "-32769",
        "65535",
        "65536",
        "2147483647",
        "-2147483648",
        "2147483648",
        "4294967295",
        "4294967296",
        "9007199254740991",
        "9007199254740992",
        "9007199254740993",
        "999999999999999",
        "-999999999999999",
        "1000000000000000",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "340282366920938463463374607431768211455",
        "340282366920938463463374607431768211456",
        "0.1",
        "0.30000000000001",
        "1.0",
        "16777217",
        "16777217.0",
        "0.1234567",
        "3.4028236e38",
        "1e5",
        "1E-7",
        "1e400",
        "-1e-400",
        "5e-324",
        "2.5e0",
        "99999999.999999",
        "123456789.12345",
        "\"\"",
        "\"a\"",
        "\"é\"",
        "\"\u{1f600}\"",
        "\"\\u0041\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud800\"",
        "\"\\n\"",
        "\"a longer text than eight bytes\"",
        "\"Plain\"",
        "\"Named\"",
        "\"Pl\\u0061in\"",
        "\"Other\"",
        "\"1\"",
        "\"-7\"",
    ];
    const NAMES: &[&str] = &[
        "a",
        "b",
        "i8",
        "i16",
        "i32",
        "i64",
        "i128",
        "u8",
        "u16",
        "u32",
        "u64",
        "u128",
        "half",
        "double",
        "list",
        "text",
        "letter",
        "kind",
        "kinds",
        "names",
        "numbered",
        "firstName",
        "first_name",
        "n\\\"ew",
        "né",
        "flag",
        "nested",
        "skipped",
        "strict",
        "With",
        "Named",
        "1",
        "-3",
        "007",
        "4294967296",
        "x",
        "\\u0061",
        "Plain",
        "$serde_json::private::RawValue",
        "$serde_json::private::Number",
    ];
    let space = |prng: &mut Prng, json: &mut String| {
        if prng.chance(100) {
            json.push_str(prng.pick::<&str>(&[" ", "\n\t", "\r\n  "]));
        }
    };
    space(prng, json);
    match prng.between(0..=if depth == 0 { 4 } else { 7 }) {
        0..=4 => json.push_str(prng.pick::<&str>(SCALARS)),
        5 => {
            json.push('[');
            for index in 0..prng.between(0..=3) {
                if 0 < index {
                    json.push(',');
                }
                write_value(prng, json, depth - 1);
            }
            json.push(']');
        }
        _ => {
            json.push('{');
            for index in 0..prng.between(0..=4) {
                if 0 < index {
                    json.push(',');
                }
                space(prng, json);
                json.push('"');
                json.push_str(prng.pick::<&str>(NAMES));
                json.push('"');
                space(prng, json);
                json.push(':');
                write_value(prng, json, depth - 1);
            }
            json.push('}');
        }
    }
    space(prng, json);
}

/// A text that each type reads, so that what is changed of it is nearly read.
fn example(event_type: &str) -> &'static str {
    match event_type {
        "Pair" => r#"[1,"x"]"#,
        "Integers" => {
            r#"{"i8":1,"i16":1,"i32":1,"i64":1,"i128":null,"u8":1,"u16":1,"u32":1,"u64":1,"u128":null}"#
        }
        "Doubles" => r#"{"half":1,"double":0.5,"list":[1,null,-2.25]}"#,
        "Texts" => r#"{"text":"a","letter":"é","kind":"Plain","kinds":["Plain","Other"]}"#,
        "Optional" => r#"{"firstName":"a","né":3,"nested":{"flag":false}}"#,
        "Strict" | "Wrapped" => r#"{"a":1,"b":[[1,{"c":[]}]]}"#,
        "Flat" => r#"{"a":1,"firstName":"a","né":3,"x":{"y":[1]}}"#,
        "Tagged" => r#"{"kind":"Named","a":1,"text":"b"}"#,
        "Adjacent" => r#"{"a":1,"kind":"Named"}"#,
        "Maps" => r#"{"names":{"a":1,"b":"c","a":2},"numbered":{},"kinds":{}}"#,
        "Raw" => r#"{"a":1e5,"b":"\u0041"}"#,
        "Lenient" => r#"{"text":"a","double":1,"strict":{"a":1},"list":["Plain"],"numbered":{}}"#,
        _ => "null",
    }
}

/// Puts another value in place of one, or takes a piece away.
fn change(prng: &mut Prng, json: &mut String) {
    let places: Vec<usize> = json.char_indices().map(|(at, _)| at).collect();
    let from = places.get(prng.below(1 + places.len() as u64) as usize).copied().unwrap_or(0);
    let is_end = |at: char| matches!(at, ',' | '}' | ']');
    let end = json[from..].find(is_end).map_or(json.len(), |length| from + length);
    let mut value = String::new();
    if prng.chance(900) {
        write_value(prng, &mut value, 2);
    }
    let from = json[..end].rfind([':', ',', '[', '{']).map_or(from, |before| before + 1);
    json.replace_range(from..end, &value);
}

#[test]
fn events_of_any_types_are_read_as_serde_json_reads_them() {
    let mut read_count = 0;
    for seed in 0..30_000 {
        let mut prng = Prng::new(seed);
        let event_type = *prng.pick(&TYPES);
        let mut json = String::new();
        if prng.chance(300) {
            write_value(&mut prng, &mut json, 3);
        } else {
            json.push_str(example(event_type));
            for _ in 0..prng.between(0..=2) {
                change(&mut prng, &mut json);
            }
        }
        if prng.chance(20) {
            json.push_str(prng.pick::<&str>(&["x", ",", "}", " 1", "\0", "\u{feff}"]));
        }
        println!("seed {seed}: {event_type} of {json}");
        read_count += u32::from(check(event_type, &json));
    }
    assert!(8_000 < read_count, "{read_count}");
}
