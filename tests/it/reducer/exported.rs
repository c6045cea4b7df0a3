//! Aggregates as JavaScript reaches them: by texts.

use std::fmt;

use everfold::aggregate::{Aggregate, Exported, JsonDecision, Moment, Typed};
use everfold::event::{Revision, UnixMillis};
use serde::{Deserialize, Serialize};

struct Seats;

#[derive(Clone, Serialize, Deserialize)]
struct State {
    free: u32,
}

#[derive(Serialize, Deserialize)]
enum Event {
    #[serde(rename = "Seat \"taken\"")]
    Taken {
        by: String,
        at: i64,
    },
    Closed,
    Weighed(f64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
enum Command {
    Take { by: Vec<String> },
    Close,
    Weigh,
    Nothing,
}

#[derive(Debug, Serialize)]
enum Refusal {
    Full {
        free: u32,
    },
    /// JSON has no map whose keys are lists.
    Unspeakable(std::collections::BTreeMap<Vec<u8>, u8>),
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("only \"few\" are free")
    }
}

impl Aggregate for Seats {
    const NAME: &'static str = "seats";
    const VERSION: u32 = 7;
    type State = State;
    type Event = Event;
    type Command = Command;
    type Error = Refusal;

    fn initial() -> State {
        State { free: 2 }
    }

    fn evolve(state: &mut State, event: Event) {
        match event {
            Event::Taken { .. } => state.free = state.free.saturating_sub(1),
            Event::Closed => state.free = 0,
            Event::Weighed(_) => {}
        }
    }

    fn decide(state: &State, command: Command, moment: &Moment) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Take { by } if state.free as usize >= by.len() => {
                Ok(by.into_iter().map(|by| Event::Taken { by, at: moment.now.0 }).collect())
            }
            Command::Take { .. } if moment.revision == Some(Revision(9)) => {
                Err(Refusal::Unspeakable([(vec![1], 1)].into()))
            }
            Command::Take { .. } => Err(Refusal::Full { free: state.free }),
            Command::Close => Ok(vec![Event::Closed]),
            Command::Weigh => Ok(vec![Event::Weighed(f64::INFINITY)]),
            Command::Nothing => Ok(Vec::new()),
        }
    }
}

everfold::export_aggregates!(Seats);

const SEATS: &dyn Exported = &Typed::<Seats>::new();

fn decide(state: &str, command: &str, revision: Option<u64>) -> Result<JsonDecision, String> {
    let moment = Moment { now: UnixMillis(-5), revision: revision.map(Revision) };
    SEATS.decide_json(state, command, &moment).map_err(|error| format!("{} {error}", error.code()))
}

#[test]
fn an_aggregate_says_what_it_is() {
    assert_eq!((SEATS.name(), SEATS.version()), ("seats", 7));
    assert_eq!(SEATS.initial_json().expect("JSON"), "{\"free\":2}");
}

#[test]
fn events_are_written_as_their_types_and_data() {
    #[track_caller]
    fn check(command: &str, events: &str) {
        assert_eq!(decide("{\"free\":2}", command, None), Ok(JsonDecision::Events(events.to_owned())));
    }
    check("\"Nothing\"", "[]");
    check(" { \"Nothing\" : null } ", "[]");
    check("\"Close\"", r#"[{"type":"Closed"}]"#);
    check(
        r#"{"Take":{"by":["a","\"\u0000"]}}"#,
        r#"[{"type":"Seat \"taken\"","data":{"by":"a","at":-5}},{"type":"Seat \"taken\"","data":{"by":"\"\u0000","at":-5}}]"#,
    );
}

#[test]
fn a_refusal_says_why_for_people_and_for_programs() {
    #[track_caller]
    fn check(revision: Option<u64>, error: &str) {
        let refused = JsonDecision::Refused { message: "only \"few\" are free".into(), error: error.into() };
        assert_eq!(decide("{\"free\":0}", r#"{"Take":{"by":["a"]}}"#, revision), Ok(refused));
    }
    check(None, r#"{"Full":{"free":0}}"#);
    check(Some(9), "null");
}

#[test]
fn what_is_no_command_or_no_state_is_refused() {
    #[track_caller]
    fn check(state: &str, command: &str, path: &str) {
        let error = decide(state, command, None).expect_err("it is none");
        let expected = format!("INVALID_ARGUMENT {path}: is no {path} of the aggregate seats: ");
        assert!(error.starts_with(&expected), "{error}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for command in ["", "null", "7", "[]", "\"Steal\"", "{}", "{\"Take\":{}}", "\"Close\" x", &deep] {
        check("{\"free\":1}", command, "command");
    }
    check("{\"free\":1}", r#"{"Take":{"by":[],"from":1}}"#, "command");
    check("{\"free\":1}", r#"{"Take":{"by":["\ud800"]}}"#, "command");
    for state in ["", "{}", "{\"free\":-1}", "{\"free\":1.5}", &deep] {
        check(state, "\"Close\"", "state");
    }
}

/// `serde_json` alone writes them as `null`, which nobody reads as a number again.
#[test]
fn a_number_that_json_does_not_have_is_refused() {
    let refused = decide("{\"free\":1}", "\"Weigh\"", None).expect_err("it is none");
    assert!(refused.starts_with("INVALID_ARGUMENT"), "{refused}");
    assert!(
        refused.ends_with("the event is no JSON: a number is not finite, which JSON cannot hold"),
        "{refused}"
    );
}
