//! The vectors that compare values, and look for them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::typed::{check, in_doubles};
use super::{Aggregate, Moment, Numbers, add, field, list};

/// The place of a value's kind in the order of kinds: null, numbers, texts, objects, arrays, booleans.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Object(_) => 4,
        Value::Array(_) => 5,
        Value::Bool(_) => 6,
    }
}

/// How values follow on one another.
fn order(one: &Value, other: &Value) -> Ordering {
    let of_kind = match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64().partial_cmp(&other.as_f64()),
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        (Value::Array(one), Value::Array(other)) => {
            let first = one.iter().zip(other).map(|(one, other)| order(one, other)).find(|it| it.is_ne());
            Some(first.unwrap_or(one.len().cmp(&other.len())))
        }
        (Value::Object(one), Value::Object(other)) => {
            let fields = |(one, other): ((&String, &Value), (&String, &Value))| {
                one.0.cmp(other.0).then_with(|| order(one.1, other.1))
            };
            let first = one.iter().zip(other).map(fields).find(|it| it.is_ne());
            Some(first.unwrap_or(one.len().cmp(&other.len())))
        }
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        _ => None,
    };
    of_kind.unwrap_or(Ordering::Equal).then_with(|| rank(one).cmp(&rank(other)))
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value.as_f64() != Some(0.0)
}

#[derive(Serialize, Deserialize)]
struct Mapped {
    sku: Value,
    #[serde(default)]
    map: BTreeMap<String, Numbers>,
}

#[derive(Serialize, Deserialize)]
struct Referred {
    a: Numbers,
    list: Vec<f64>,
}

#[test]
fn typed_aggregates_compare_and_refer_as_the_vectors_do() {
    vectors! {
        "$min and $max order kinds as BSON does", {}, |state: BTreeMap<String, Value>| {
            A(data: Value) => {
                let low = state.entry("low".into()).or_insert_with(|| data.clone());
                if order(&data, low).is_lt() {
                    *low = data.clone();
                }
                let high = state.entry("high".into()).or_insert_with(|| data.clone());
                if order(&data, high).is_gt() {
                    *high = data;
                }
            },
        };
        "$addToSet adds what is not there, and compares deeply", {}, |state: Value| {
            A(data: Value) => {
                let (set, data) = (list(&mut state["set"]), in_doubles(data));
                if !set.contains(&data) {
                    set.push(data);
                }
            },
        };
        "references find own properties and elements, and nothing else", { "list": [10, 20] }, |state: Value| {
            A(data: Referred) => {
                let first = state["list"][0].clone();
                let seen = json!([data.a["b"], data.list.get(1), null, data.list.get(2), null, null, null, first, null, null, null, null]);
                list(&mut state["seen"]).push(seen);
            },
        };
        "a reference through names that are values",
        { "prices": { "a.b": 3, "7": 4, "true": 5 }, "key": "a.b" }, |state: Value| {
            A(data: Mapped) => {
                let name = data.sku.as_str().map_or_else(|| data.sku.to_string(), str::to_owned);
                let key = state["key"].as_str().expect("a text").to_owned();
                let seen = json!([field(&state["prices"], &name), data.map.get(&key).map(|of_key| of_key["x"]), null]);
                list(&mut state["seen"]).push(seen);
            },
        };
        "__proto__ and its like are ordinary names", { "__proto__": { "n": 1 } }, |state: Value| {
            A(data: BTreeMap<String, Value>) => {
                let own = state["__proto__"]["n"].clone();
                add(&mut state["__proto__"]["n"], 1.0);
                add(&mut state["constructor"], 1.0);
                add(&mut state["m"][data["k"].as_str().expect("a name")]["n"], 1.0);
                state["own"] = own;
                state.as_object_mut().expect("an object").remove("copy");
                if let Some(copy) = data.get("__proto__") {
                    state["copy"] = copy.clone();
                }
            },
        };
        "kinds are ordered as BSON orders them: missing, null, numbers, texts, objects, arrays, booleans", {}, |state: Value| {
            A(data: Vec<(Value, Value)>) => for (one, other) in data {
                list(&mut state["less"]).push(json!(order(&one, &other).is_lt()));
            },
        };
        "arrays and objects are compared deeply, without regard to the order of properties", {}, |state: Value| {
            A(data: Vec<(Value, Value)>) => for (one, other) in data {
                let order = order(&one, &other);
                list(&mut state["seen"]).push(json!([order.is_eq(), order.is_lt()]));
            },
        };
        "what is missing is less than null and equal to itself", {}, |state: Value| {
            A(data: BTreeMap<String, Value>) => {
                let [x, y] = ["x", "y"].map(|name| data.get(name));
                let null = Some(&Value::Null);
                let less = x.map(rank) < null.map(rank);
                *state = json!({ "seen": [less, x == null, x == y, x.map(rank) > y.map(rank)] });
            },
        };
        "what counts as true: all but false, null, zero and what is missing", {}, |state: Value| {
            A(data: Vec<Value>) => for value in data {
                list(&mut state["seen"]).push(json!(u8::from(is_true(&value))));
            },
            B(_data: ()) => state["missing"] = json!(0),
        };
        "$and and $or stop where it is decided, and are booleans", {}, |state: Value| {
            A(_data: ()) => {
                *state = json!({ "seen": [true, false, true, false, false, true, !is_true(&json!(0)), !is_true(&json!([0])), true] });
            },
        };
    }
}
