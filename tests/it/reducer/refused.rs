//! What a refusal says: where, what was found, and what is allowed.

use everfold::error::Error;
use everfold::limits;
use everfold::reducer::Program;

#[track_caller]
fn check(evolve: &str, message: &str) {
    let refused = Program::compile(evolve, "{}").map(drop).map_err(|error| error.to_string());
    assert_eq!(refused, Err(message.to_owned()));
}

#[test]
fn a_refusal_names_the_place_and_what_is_allowed() {
    check(
        r#"{"ItemAdded":[{"$inc":{"items.{dta.sku}":1}}]}"#,
        "evolve.ItemAdded[0].$inc[\"items.{dta.sku}\"]: has \"dta\" where a reference begins; $data, $metadata, $state, $type, \
         $stream, $time, $revision, $position and the variable of $for do that, and { \"$literal\": \u{2026} } holds a text with a $",
    );
    check(
        r#"{"A":{"$set":{"a.b":1},"$inc":{"a":1}}}"#,
        "evolve.A.$inc.a: has \"a.b\" beside it in the same step, and one of the two paths is the other or a part of it; make two steps of it",
    );
    check(
        r#"{"A":{"$add":1}}"#,
        "evolve.A: has \"$add\"; a step is made of $set, $unset, $inc, $min, $max, $push, $pull, $addToSet, and of \
         $if and $for; $remove is for projections",
    );
    check("[]", "evolve: is no object of event types and steps");
    check("{", "evolve: is not JSON");
}

#[test]
fn what_is_too_large_is_refused() {
    let code = |evolve: &str, initial: &str| {
        Program::compile(evolve, initial).map(drop).map_err(Error::code_and_text)
    };
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(limits::REDUCER_BYTES_MAX));
    assert_eq!(
        code("{}", &long),
        too_large("initial", "reducer bytes", long.len(), limits::REDUCER_BYTES_MAX)
    );
    assert_eq!(
        code(&long, "{}"),
        too_large("evolve", "reducer bytes", long.len(), limits::REDUCER_BYTES_MAX)
    );
    let writes =
        |count: usize| (0..count).map(|number| format!("\"x{number}\":1")).collect::<Vec<_>>().join(",");
    let document = |count: usize| format!("{{\"A\":{{\"$set\":{{{}}}}}}}", writes(count));
    let maximum = limits::REDUCER_WRITES_MAX;
    assert_eq!(code(&document(maximum), "{}"), Ok(()));
    let place = format!("evolve.A.$set.x{maximum}");
    assert_eq!(code(&document(maximum + 1), "{}"), too_large(&place, "reducer writes", maximum + 1, maximum));
    let path = |parts: usize| format!("{{\"A\":{{\"$unset\":\"{}\"}}}}", vec!["x"; parts].join("."));
    assert_eq!(code(&path(64), "{}"), Ok(()));
    assert_eq!(code(&path(65), "{}"), too_large("evolve.A.$unset", "JSON depth", 65, 64));
    let nested = format!("{{\"A\":{{\"$set\":{{\"x\":{}{}}}}}}}", "[".repeat(100), "]".repeat(100));
    assert_eq!(code(&nested, "{}").map_err(|(code, _)| code), Err("INVALID_ARGUMENT"));
}

fn too_large(place: &str, limit: &str, value: usize, maximum: usize) -> Result<(), (&'static str, String)> {
    Err(("LIMIT_EXCEEDED", format!("{place}: {limit} is {value}; at most {maximum} is allowed")))
}

/// What is compared of an error.
trait CodeAndText {
    fn code_and_text(self) -> (&'static str, String);
}

impl CodeAndText for Error {
    fn code_and_text(self) -> (&'static str, String) {
        (self.code(), self.to_string())
    }
}
