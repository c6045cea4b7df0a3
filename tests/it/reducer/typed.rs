//! Reducers in Rust: the same vectors, and how events become types.

use std::collections::BTreeMap;

use everfold::aggregate::{Aggregate, Moment, Reducer, Typed, to_new_event};
use everfold::codec::{Body, Entry, Tags};
use everfold::event::{Fact, Position, Revision, UnixMillis};
use everfold::id::EventId;
use everfold::reducer::{Program, ReducerFailure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::vectors::{Vector, VectorEvent, fixture};

fn entry<'a>(event: &'a VectorEvent<'_>) -> Entry<'a> {
    let view = event.view();
    let body = Body::Event {
        revision: Revision(event.revision),
        event_type: view.event_type,
        data: event.data.map(|data| data.get()),
        metadata: event.metadata.map(|metadata| metadata.get()),
        tags: Tags::NONE,
    };
    entry_of(&event.stream, body)
}

fn entry_of<'a>(stream: &'a str, body: Body<'a>) -> Entry<'a> {
    let id = EventId::from_bytes([0; EventId::BYTES]);
    Entry { position: Position(1), stream, id, time: UnixMillis(0), body }
}

fn fold<R: Reducer>(reducer: &R, entries: &[Entry<'_>]) -> Result<String, ReducerFailure> {
    let mut state = reducer.initial();
    for entry in entries {
        reducer.evolve(&mut state, entry)?;
        let json = reducer.state_to_json(&state)?;
        state = reducer.state_from_json(&json).expect("what was written");
    }
    reducer.state_to_json(&state)
}

/// Hands over a vector, and its events as entries.
#[track_caller]
fn with_vector(name: &str, judge: impl FnOnce(&Vector<'_>, &[Entry<'_>])) {
    let text = fixture("reducers.json");
    let vectors: Vec<Vector<'_>> = serde_json::from_str(&text).expect("vectors");
    let vector = vectors.iter().find(|vector| vector.name == name).expect("a vector of this name");
    let entries: Vec<Entry<'_>> = vector.events.iter().map(entry).collect();
    judge(vector, &entries);
}

/// The aggregate and the vector's own document fold to the vector's state.
#[track_caller]
pub fn check<A: Aggregate>(name: &str) {
    with_vector(name, |vector, entries| {
        let program = Program::compile(vector.evolve.get(), vector.initial.get()).expect("a program");
        let expected: Value = serde_json::from_str(vector.state.expect("a state").get()).expect("JSON");
        for folded in [fold(&Typed::<A>::default(), entries), fold(&program, entries)] {
            let state: Value = serde_json::from_str(&folded.expect("a fold")).expect("JSON");
            assert_eq!(in_doubles(state), in_doubles(expected.clone()), "{name}");
        }
    });
}

/// The aggregate fails on an event where the vector's own document fails.
#[track_caller]
pub fn check_failing<A: Aggregate>(name: &str) {
    with_vector(name, |vector, entries| {
        let program = Program::compile(vector.evolve.get(), vector.initial.get()).expect("a program");
        assert_eq!(vector.error.as_ref().map(|error| error.code.as_str()), Some("REDUCER_FAILED"));
        assert!(fold(&program, entries).is_err(), "{name}");
        assert!(fold(&Typed::<A>::default(), entries).is_err(), "{name}");
    });
}

/// A value with numbers as JavaScript has them, to which 1 and 1.0 are one.
pub fn in_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(items) => items.into_iter().map(in_doubles).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, in_doubles(value))).collect(),
        other => other,
    }
}

struct Bank;

#[derive(Clone, Default, Serialize, Deserialize)]
struct Account {
    owner: String,
    balance: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<bool>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum BankEvent {
    AccountOpened { owner: String },
    MoneyDeposited { amount: f64 },
    MoneyWithdrawn(Amount),
    AccountClosed,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Amount {
    amount: f64,
}

impl Aggregate for Bank {
    const NAME: &'static str = "bank";
    const VERSION: u32 = 1;
    type State = Account;
    type Event = BankEvent;
    type Command = ();
    type Error = ();

    fn initial() -> Account {
        Account::default()
    }

    fn evolve(state: &mut Account, event: BankEvent) {
        match event {
            BankEvent::AccountOpened { owner } => state.owner = owner,
            BankEvent::MoneyDeposited { amount } => state.balance += amount,
            BankEvent::MoneyWithdrawn(Amount { amount }) => state.balance -= amount,
            BankEvent::AccountClosed => state.closed = Some(true),
        }
    }

    fn decide(_: &Account, (): (), _: &Moment) -> Result<Vec<BankEvent>, ()> {
        Ok(vec![BankEvent::AccountClosed])
    }
}

struct Cart;

#[derive(Clone, Default, Serialize, Deserialize)]
struct CartState {
    items: BTreeMap<String, Item>,
    count: u32,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Item {
    quantity: u32,
}

#[derive(Serialize, Deserialize)]
enum CartEvent {
    ItemAdded { sku: String, quantity: u32 },
    ItemRemoved { sku: String, quantity: u32 },
}

impl Aggregate for Cart {
    const NAME: &'static str = "cart";
    const VERSION: u32 = 1;
    type State = CartState;
    type Event = CartEvent;
    type Command = ();
    type Error = ();

    fn initial() -> CartState {
        CartState::default()
    }

    fn evolve(state: &mut CartState, event: CartEvent) {
        match event {
            CartEvent::ItemAdded { sku, quantity } => {
                state.items.entry(sku).or_default().quantity += quantity;
                state.count += quantity;
            }
            CartEvent::ItemRemoved { sku, quantity } => {
                state.items.remove(&sku);
                state.count -= quantity;
            }
        }
    }

    fn decide(_: &CartState, (): (), _: &Moment) -> Result<Vec<CartEvent>, ()> {
        Ok(Vec::new())
    }
}

struct Orders;

#[derive(Clone, Default, Serialize, Deserialize)]
struct OrdersState {
    #[serde(default)]
    lines: Vec<String>,
}

#[derive(Serialize, Deserialize)]
enum OrderEvent {
    OrderSplit { lines: Vec<Line> },
}

#[derive(Serialize, Deserialize)]
struct Line {
    sku: String,
    quantity: i32,
}

impl Aggregate for Orders {
    const NAME: &'static str = "orders";
    const VERSION: u32 = 1;
    type State = OrdersState;
    type Event = OrderEvent;
    type Command = ();
    type Error = ();

    fn initial() -> OrdersState {
        OrdersState::default()
    }

    fn evolve(state: &mut OrdersState, OrderEvent::OrderSplit { lines }: OrderEvent) {
        state.lines.extend(lines.into_iter().filter(|line| 0 < line.quantity).map(|line| line.sku));
    }

    fn decide(_: &OrdersState, (): (), _: &Moment) -> Result<Vec<OrderEvent>, ()> {
        Ok(Vec::new())
    }
}

#[test]
fn aggregates_fold_to_the_states_of_the_vectors() {
    check::<Bank>("the bank");
    check::<Cart>("the cart: a name that is a value is one name, whatever it contains");
    check::<Orders>("each line of an order where a condition holds");
}

fn event<'a>(event_type: &'a str, data: Option<&'a str>) -> Entry<'a> {
    let revision = Revision(0);
    entry_of("account-1", Body::Event { revision, event_type, data, metadata: None, tags: Tags::NONE })
}

#[test]
fn data_that_is_not_what_its_type_says_fails_and_other_types_are_passed_over() {
    let fold = |event_type: &str, data: Option<&str>| {
        fold(&Typed::<Bank>::default(), &[event(event_type, data)]).map_err(|failure| failure.problem)
    };
    let untouched = Ok("{\"owner\":\"\",\"balance\":0.0}".to_owned());
    assert_eq!(fold("Noted", Some("{}")), untouched);
    assert_eq!(fold("", None), untouched);
    let closed = Ok("{\"owner\":\"\",\"balance\":0.0,\"closed\":true}".to_owned());
    assert_eq!(fold("AccountClosed", None), closed);
    assert_eq!(fold("AccountClosed", Some("{\"why\":1}")), closed);
    for (event_type, data) in [
        ("AccountOpened", None),
        ("AccountOpened", Some("{}")),
        ("AccountOpened", Some("{\"owner\":1}")),
        ("AccountOpened", Some("{\"owner\":\"a\"")),
        ("AccountOpened", Some("{\"owner\":\"a\"} x")),
        ("MoneyWithdrawn", Some("{\"amount\":\"AccountClosed\"}")),
    ] {
        let problem = fold(event_type, data).expect_err("it is none");
        assert!(problem.starts_with("the data is not what its type says: "), "{problem}");
    }
}

#[test]
fn facts_are_not_handed_to_reducers() {
    let program = Program::compile("{\"*\":{\"$inc\":{\"n\":1}}}", "{}").expect("a program");
    for fact in [Fact::Deleted, Fact::Tombstoned, Fact::Truncated { before: Revision(1) }] {
        let entry = entry_of("account-1", Body::Fact(fact));
        assert_eq!(fold(&program, std::slice::from_ref(&entry)), Ok("{}".to_owned()));
        assert!(fold(&Typed::<Bank>::default(), &[entry]).is_ok());
    }
}

/// Variants of every kind that serde knows.
#[derive(Serialize)]
enum Shape {
    Pair(u8, String),
    Anything(Option<u8>),
    Sparse {
        #[serde(skip_serializing_if = "Option::is_none")]
        left: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        right: Option<u8>,
    },
    Keyed(BTreeMap<Vec<u8>, u8>),
    Lines {
        lines: Vec<(Option<f32>, BTreeMap<String, Amount>)>,
    },
}

/// Says which variant it is in a field, which is another way than serde's own.
#[derive(Serialize)]
#[serde(tag = "type")]
enum Inside {
    Deposited { cents: u8 },
}

#[test]
fn a_number_that_is_not_finite_is_refused_wherever_it_stands_and_null_is_written() {
    let lines = |left, amount| {
        let amounts = BTreeMap::from([("a".to_owned(), Amount { amount })]);
        Shape::Lines { lines: vec![(Some(1.0), BTreeMap::new()), (left, amounts)] }
    };
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        check_written(&BankEvent::MoneyDeposited { amount: number }, Err("INVALID_ARGUMENT"));
        check_written(&BankEvent::MoneyWithdrawn(Amount { amount: number }), Err("INVALID_ARGUMENT"));
        check_written(&lines(None, number), Err("INVALID_ARGUMENT"));
        check_written(&lines(Some(number as f32), 1.0), Err("INVALID_ARGUMENT"));
        let state = Account { balance: number, ..Account::default() };
        let failure = Typed::<Bank>::default().state_to_json(&state).expect_err("it is no JSON");
        assert_eq!(failure.problem, "the state is no JSON: a number is not finite, which JSON cannot hold");
    }
    let written = "{\"lines\":[[1.0,{}],[null,{\"a\":{\"amount\":2.5}}]]}";
    check_written(&lines(None, 2.5), Ok(("Lines", Some(written))));
}

#[test]
fn a_state_that_an_event_makes_infinite_is_none() {
    let deposit = event("MoneyDeposited", Some("{\"amount\":1e308}"));
    let failure = fold(&Typed::<Bank>::default(), &[deposit.clone(), deposit]).expect_err("it is no JSON");
    assert_eq!(failure.problem, "the state is no JSON: a number is not finite, which JSON cannot hold");
}

#[track_caller]
fn check_written<E: Serialize>(event: &E, expected: Result<(&str, Option<&str>), &str>) {
    let written = to_new_event(event).map_err(|error| error.code());
    let found = written
        .as_ref()
        .map(|event| (event.event_type.as_str(), event.data.as_ref().map(|data| data.as_str())));
    assert_eq!(found.map_err(|code| *code), expected);
}

#[test]
fn a_variant_is_written_as_its_type_and_data() {
    check_written(&BankEvent::AccountClosed, Ok(("AccountClosed", None)));
    check_written(
        &BankEvent::AccountOpened { owner: "a\"}".into() },
        Ok(("AccountOpened", Some("{\"owner\":\"a\\\"}\"}"))),
    );
    check_written(
        &BankEvent::MoneyWithdrawn(Amount { amount: 1.5 }),
        Ok(("MoneyWithdrawn", Some("{\"amount\":1.5}"))),
    );
    check_written(
        &CartEvent::ItemAdded { sku: "z".into(), quantity: 1 },
        Ok(("ItemAdded", Some("{\"sku\":\"z\",\"quantity\":1}"))),
    );
    check_written(&CartState::default(), Err("INVALID_ARGUMENT"));
    check_written(&OrderEvent::OrderSplit { lines: Vec::new() }, Ok(("OrderSplit", Some("{\"lines\":[]}"))));
    check_written(&Shape::Pair(1, "\"".into()), Ok(("Pair", Some("[1,\"\\\"\"]"))));
    check_written(&Shape::Anything(None), Ok(("Anything", Some("null"))));
    check_written(&Shape::Sparse { left: None, right: Some(2) }, Ok(("Sparse", Some("{\"right\":2}"))));
    check_written(&Shape::Sparse { left: None, right: None }, Ok(("Sparse", Some("{}"))));
    check_written(&&Shape::Pair(1, String::new()), Ok(("Pair", Some("[1,\"\"]"))));
    check_written(&Shape::Keyed(BTreeMap::from([(vec![1], 1)])), Err("INVALID_ARGUMENT"));
    check_written(&Amount { amount: 1.0 }, Err("INVALID_ARGUMENT"));
    check_written(&BTreeMap::from([("Deposited", 1)]), Err("INVALID_ARGUMENT"));
    check_written(&"Deposited", Err("INVALID_ARGUMENT"));
    check_written(&'D', Err("INVALID_ARGUMENT"));
    check_written(&Some("Deposited"), Err("INVALID_ARGUMENT"));
    check_written(&Inside::Deposited { cents: 1 }, Err("INVALID_ARGUMENT"));
    check_written(&(), Err("INVALID_ARGUMENT"));
    check_written(&7, Err("INVALID_ARGUMENT"));
    check_written(&[1], Err("INVALID_ARGUMENT"));
    check_written(&BTreeMap::<String, u8>::new(), Err("INVALID_ARGUMENT"));
    check_written(&f64::NAN, Err("INVALID_ARGUMENT"));
    check_written(&"$deleted", Err("INVALID_ARGUMENT"));
}
