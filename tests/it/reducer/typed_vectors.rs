//! The shared vectors as aggregates in Rust: what each document says, said once more in types.
//!
//! A typed aggregate sees of an event its type and its data alone, its types are known beforehand, and its texts are those of Rust. So
//! it cannot say what these vectors say: those that read metadata, stream, revision, position or time ("what an event is
//! beside its data", "metadata that is absent …", "names that are indices come first …"), the one that takes any type ("the steps of \* …"),
//! and those with halves of surrogate pairs ("halves of surrogate pairs …", "texts are ordered by their code units"). Those without events ("numbers are written …", "numbers between two doubles …") are about how
//! a document's numbers are spelled, and those that refuse a document, or fail by what stands in it, are about documents.

use std::collections::BTreeMap;

use everfold::aggregate::{Aggregate, Moment};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::typed::check;

type Numbers = BTreeMap<String, f64>;

/// Makes an aggregate for each vector, and holds it against that.
macro_rules! vectors {
    ($($vector:literal, $initial:tt, |$state:ident: $of:ty| { $($variant:ident($data:ident: $type:ty) => $body:expr),+ $(,)? };)+) => {$({
        struct Here;

        #[derive(Serialize, Deserialize)]
        #[allow(non_camel_case_types, reason = "a type of events may have any name")]
        enum Event {
            $($variant($type),)+
        }

        impl Aggregate for Here {
            const NAME: &'static str = $vector;
            const VERSION: u32 = 1;
            type State = $of;
            type Event = Event;
            type Command = ();
            type Error = ();

            fn initial() -> $of {
                serde_json::from_value(json!($initial)).expect("a state")
            }

            fn evolve($state: &mut $of, event: Event) {
                match event {
                    $(Event::$variant($data) => $body,)+
                }
            }

            fn decide(_: &$of, (): (), _: &Moment) -> Result<Vec<Event>, ()> {
                Ok(Vec::new())
            }
        }

        check::<Here>($vector);
    })+};
}

mod compared;
mod failing;

#[derive(Clone, Serialize, Deserialize)]
struct Sums {
    sum: f64,
    sums: Vec<f64>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Extremes {
    #[serde(default)]
    low: Option<f64>,
    #[serde(default)]
    high: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Transfer {
    from: String,
    to: String,
    amount: f64,
}

#[derive(Serialize, Deserialize)]
struct Sku {
    sku: Option<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Counts {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    m: Numbers,
}

#[derive(Serialize, Deserialize)]
struct Lines {
    lines: Vec<(String, f64)>,
}

/// Adds to what is in a place, or to nothing.
fn add(place: &mut Value, by: f64) {
    *place = json!(place.as_f64().unwrap_or_default() + by);
}

fn list(place: &mut Value) -> &mut Vec<Value> {
    if place.is_null() {
        *place = json!([]);
    }
    place.as_array_mut().expect("a list")
}

fn names(counts: &mut Counts, names: Vec<String>) {
    for name in names {
        *counts.m.entry(name).or_default() += 1.0;
    }
}

#[test]
fn typed_aggregates_count_and_add_as_the_vectors_do() {
    vectors! {
        "a type without steps changes nothing", { "count": 0 }, |state: Numbers| {
            A(_data: ()) => *state.entry("count".into()).or_default() += 1.0,
        };
        "steps of a list see what those before them did", { "a": 1 }, |state: Numbers| {
            A(_data: ()) => {
                state.insert("b".into(), state["a"] + 1.0);
                state.insert("c".into(), state["b"] + 1.0);
            },
        };
        "the writes of one step see the state before it", { "a": 1, "b": 2 }, |state: Numbers| {
            A(_data: ()) => {
                let (a, b) = (state["a"], state["b"]);
                *state = [("a".into(), b), ("b".into(), a), ("sum".into(), a)].into();
            },
        };
        "the rounds of a loop see what those before them did", { "sum": 0, "sums": [] }, |state: Sums| {
            A(data: Vec<f64>) => for number in data {
                state.sums.push(state.sum);
                state.sum += number;
            },
        };
        "writes to names that come out the same are made in their order", { "balances": { "x": 10 } },
        |state: BTreeMap<String, Numbers>| {
            Moved(data: Transfer) => {
                let balances = state.entry("balances".into()).or_default();
                *balances.entry(data.from).or_default() -= data.amount;
                *balances.entry(data.to).or_default() += data.amount;
            },
        };
        "$inc begins with nothing as with zero", {}, |state: Value| {
            A(data: f64) => {
                add(&mut state["a"], data);
                add(&mut state["b"]["c"], -1.0);
            },
        };
        "$min and $max begin with their value", {}, |state: Extremes| {
            A(data: f64) => {
                state.low = Some(state.low.map_or(data, |low| low.min(data)));
                state.high = Some(state.high.map_or(data, |high| high.max(data)));
            },
        };
        "$min with null takes null", { "low": 1, "high": 1 }, |state: Extremes| {
            A(data: Option<f64>) => {
                state.low = data.and_then(|data| state.low.map(|low| low.min(data)));
                state.high = data.map_or(state.high, |data| Some(state.high.map_or(data, |high| high.max(data))));
            },
        };
        "a number is a name as JavaScript writes it", {}, |state: Counts| {
            A(data: Vec<Value>) => names(state, data.iter().map(|name| match name.as_f64() {
                Some(1e21) => "1e+21".to_owned(),
                Some(1e-7) => "1e-7".to_owned(),
                Some(number) => (number + 0.0).to_string(),
                None => name.to_string(),
            }).collect()),
        };
        "numbers beyond 2^53 are the nearest double", { "a": 9007199254740993_u64 }, |state: Value| {
            A(data: Numbers) => {
                let b = data["b"];
                let same = Some(b) == state["a"].as_f64();
                *state = json!({ "a": state["a"].as_f64(), "b": b, "c": b + 1.0, "same": same });
            },
        };
        "arithmetic goes from left to right, in doubles", {}, |state: Numbers| {
            A(data: f64) => *state = [
                ("a".into(), 0.1 + 0.2 + 0.3), ("b".into(), 1.0 - data), ("c".into(), -(3.0 * data)),
                ("d".into(), data), ("e".into(), 1e308 + -1e308 + 1.0),
            ].into(),
        };
        "$if holds for the whole step", { "n": 0 }, |state: Value| {
            A(data: Value) => {
                if state["n"].as_f64() < Some(2.0) {
                    add(&mut state["n"], 1.0);
                    list(&mut state["seen"]).push(data.clone());
                }
                if data["stop"] == json!(true) {
                    state["stopped"] = json!(true);
                }
            },
        };
        "$for over what is computed, and names of a line", {}, |state: Counts| {
            A(data: Option<Lines>) => for (name, by) in data.map(|data| data.lines).unwrap_or_default() {
                *state.m.entry(name).or_default() += by;
            },
        };
        "what is not read may be anything", { "n": 0 }, |state: Numbers| {
            A(data: One) => *state.entry("n".into()).or_default() += data.n,
        };
        "many properties come and go in their order", {}, |state: Counts| {
            Add(data: Vec<String>) => names(state, data),
            Drop(data: Vec<String>) => state.m.retain(|name, _| !data.contains(name)),
        };
        "more properties than are looked through come and go", {}, |state: Counts| {
            Add(data: Vec<String>) => names(state, data),
            Drop(data: Vec<String>) => state.m.retain(|name, _| !data.contains(name)),
        };
        "a document that uses all steps at once in the order in which they stand", { "a": 1, "list": [3] }, |state: Value| {
            A(_data: ()) => {
                let a = state["a"].clone();
                *state = json!({ "a": 5, "list": [3, a], "b": a });
            },
        };
    }
}

#[derive(Serialize, Deserialize)]
struct One {
    n: f64,
}

/// A field, where there is one.
fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.as_object()?.get(name)
}

#[test]
fn typed_aggregates_change_lists_and_objects_as_the_vectors_do() {
    vectors! {
        "data that is null is null", {}, |state: Value| {
            A(data: Value) => state["data"] = data,
        };
        "$set of what is missing removes the field", { "a": 1, "b": { "c": 2, "d": 3 } }, |state: Value| {
            A(data: Value) => *state = json!({ "a": data["a"], "b": { "d": state["b"]["d"] } }),
        };
        "$set makes the objects on its way", {}, |state: Value| {
            A(_data: ()) => {
                state["a"]["b"]["c"] = json!(1);
                state["a"]["b"]["d"] = json!(2);
                state["a"]["0"]["e"] = json!(3);
            },
        };
        "$set of an object replaces it, and its properties are expressions", { "a": { "old": 1 } }, |state: Value| {
            A(data: Numbers) => {
                let x = data["x"];
                *state = json!({ "a": { "new": x, "deep": { "sum": 1.0 + x } }, "list": [x, null, [{ "b": "A" }]] });
            },
        };
        "$literal is what it holds", {}, |state: Value| {
            A(_data: Value) => *state = json!({ "a": "$data.x", "b": { "$add": ["$data.x"] }, "c": "no dollar $data.x" }),
        };
        "$unset removes fields, and nothing where there is none", { "a": 1, "b": { "c": 1, "d": 2 }, "e": 5 }, |state: Value| {
            A(_data: ()) => {
                state.as_object_mut().expect("an object").remove("a");
                state["b"].as_object_mut().expect("an object").remove("c");
            },
        };
        "a field that comes back stands behind all others", { "a": 1, "b": 2 }, |state: Numbers| {
            A(_data: ()) => {
                state.insert("a".into(), 3.0);
            },
        };
        "$push adds behind, whatever the value is", { "list": [1] }, |state: Value| {
            A(data: Value) => {
                list(&mut state["list"]).push(data.clone());
                list(&mut state["deep"]["list"]).push(data);
            },
        };
        "$pull removes all that are equal, and nothing where there is no array",
        { "list": [1, "1", [1], 1, { "a": 1 }, null] }, |state: Value| {
            A(data: Value) => list(&mut state["list"]).retain(|item| *item != data),
        };
        "elements that are picked by a property",
        { "items": [{ "sku": "a", "n": 1 }, { "sku": "b", "n": 1 }, { "n": 1 }, "a", { "sku": "a", "n": 5 }] }, |state: Value| {
            A(data: Sku) => for item in list(&mut state["items"]) {
                if data.sku.is_some() && field(item, "sku").and_then(Value::as_str) == data.sku.as_deref() {
                    add(&mut item["n"], 10.0);
                }
            },
        };
        "an element is picked by any value", { "items": [{ "k": { "x": 1 } }, { "k": [null] }, { "k": null }] }, |state: Value| {
            A(data: Value) => for item in list(&mut state["items"]) {
                if field(item, "k") == Some(&data) {
                    item["hit"] = json!(true);
                }
            },
        };
        "all elements, and elements themselves", { "rows": [{ "n": 1 }, { "n": 2 }], "scores": [1, 2, 3] }, |state: Value| {
            A(_data: ()) => {
                list(&mut state["rows"]).iter_mut().for_each(|row| {
                    add(&mut row["n"], 1.0);
                    list(&mut row["tags"]).push(json!("t"));
                });
                list(&mut state["scores"]).iter_mut().for_each(|score| add(score, 10.0));
            },
        };
        "$unset of picked elements takes them out",
        { "items": [{ "sku": "a" }, { "sku": "b" }, { "sku": "a" }], "all": [1, 2] }, |state: Value| {
            A(data: Sku) => {
                list(&mut state["items"]).retain(|item| item["sku"].as_str() != data.sku.as_deref());
                list(&mut state["all"]).clear();
            },
        };
        "$unset of an element by its index leaves null", { "list": [1, 2, 3] }, |state: BTreeMap<String, Vec<Option<f64>>>| {
            A(_data: ()) => state.values_mut().for_each(|list| list[1] = None),
        };
        "an element is written by its index, and the next one is added", { "list": [1, { "a": 1 }] }, |state: Value| {
            A(data: Value) => {
                let list = list(&mut state["list"]);
                list[0] = json!("x");
                list[1]["a"] = json!(2);
                assert_eq!(data["at"], list.len());
                list.push(json!({ "b": 3 }));
            },
        };
        "picking where there is no array yet does nothing", {}, |_state: Value| {
            A(_data: Sku) => {},
        };
        "arrays in arrays", { "rows": [[1, 2], [3]] }, |state: BTreeMap<String, Vec<Vec<f64>>>| {
            A(_data: ()) => for row in state.values_mut().flatten() {
                row.iter_mut().for_each(|number| *number += 1.0);
                row.push(0.0);
            },
        };
        "what only removes does nothing where a path leads through a scalar",
        { "n": 1, "t": "x", "b": true, "z": null }, |_state: Value| {
            A(_data: ()) => {},
        };
        "$concat and $size", { "list": [1, 2] }, |state: Value| {
            A(data: BTreeMap<String, String>) => {
                state["a"] = json!(format!("{}-A", data["x"]));
                state["b"] = json!(state["list"].as_array().map(Vec::len));
                state["c"] = json!(3);
                state["d"] = json!("");
            },
        };
        "$for over the state goes through what it was at the beginning", { "list": [1, 2] }, |state: BTreeMap<String, Vec<f64>>| {
            A(_data: ()) => state.values_mut().for_each(|list| list.extend(list.clone().iter().map(|number| number * 10.0))),
        };
        "of properties with the same name the last one counts", { "a": 3, "b": 2 }, |state: Value| {
            A(data: Value) => state["x"] = data["x"].clone(),
        };
        "white space in stored texts does not count", {}, |state: Value| {
            A(data: Value) => *state = json!({ "a": data["a"], "b": data["b"][1], "all": data }),
        };
        "a whole value and a part of it", {}, |state: Value| {
            A(data: Value) => {
                let [all, part] = [data["a"].clone(), data["a"]["b"].clone()];
                *state = json!({ "all": all, "part": part });
                if let Some(deep) = field(&part, "c") {
                    state["deep"] = deep.clone();
                }
            },
        };
        "__proto__ is an ordinary type", { "n": 0 }, |state: Numbers| {
            __proto__(_data: ()) => *state.entry("n".into()).or_default() += 1.0,
        };
        "the empty name is reached by a value", { "": 1 }, |state: Numbers| {
            A(data: String) => {
                let seen = state.get(&data).copied().unwrap_or_default();
                state.insert(data, seen + 1.0);
                state.insert("seen".into(), seen);
            },
        };
        "texts are the same however they are spelled", {}, |state: Value| {
            A(data: BTreeMap<String, BTreeMap<String, String>>) => {
                let text = &data["\u{e9}"]["x"];
                *state = json!({ "seen": [text == "a/b\u{1}\n\t\"\\"], "last": text });
            },
        };
        "comparisons", {}, |state: Value| {
            A(data: Vec<(f64, f64)>) => for (a, b) in data {
                list(&mut state["seen"]).push(json!([a == b, a != b, a < b, a <= b, a > b, a >= b]));
            },
        };
        "$ifNull is the first that is neither null nor missing, or the last", {}, |state: Value| {
            A(data: BTreeMap<String, Option<Value>>) => {
                *state = json!({ "a": data["n"].clone().unwrap_or(json!(0)), "b": null, "d": data["f"] });
            },
        };
        "$cond computes only what it chooses", {}, |state: Numbers| {
            A(data: One) => *state = [("a".into(), 1.0), ("b".into(), data.n)].into(),
        };
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Auction {
    bids: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    highest: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bidder: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Bid {
    bidder: String,
    amount: f64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Seats {
    seats: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Seat {
    seat: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct Warehouse {
    stock: BTreeMap<String, Numbers>,
}

#[derive(Serialize, Deserialize)]
struct Goods {
    place: String,
    sku: String,
    count: f64,
}

#[test]
fn typed_aggregates_keep_auctions_seats_and_stock_as_the_vectors_do() {
    vectors! {
        "the highest bid wins, and every bid counts", { "bids": 0 }, |state: Auction| {
            BidPlaced(bid: Bid) => {
                state.bids += 1.0;
                if state.highest.unwrap_or_default() < bid.amount {
                    (state.highest, state.bidder) = (Some(bid.amount), Some(bid.bidder));
                }
            },
        };
        "seats are taken once, and given back", { "seats": [] }, |state: Seats| {
            SeatTaken(taken: Seat) => if !state.seats.contains(&taken.seat) {
                state.seats.push(taken.seat);
            },
            SeatGivenBack(given: Seat) => state.seats.retain(|seat| *seat != given.seat),
        };
        "stock in places, which are made on the way", { "stock": {} }, |state: Warehouse| {
            GoodsMoved(goods: Goods) => {
                *state.stock.entry(goods.place).or_default().entry(goods.sku).or_default() += goods.count;
            },
        };
    }
}
