//! What a contract suite is made of: clauses that hold or are broken.
//!
//! A broken clause is a value and not a panic, so that a suite runs to its end in a browser too, where a
//! panic ends the program.

use std::fmt::{self, Debug, Display};
use std::panic::Location;

/// What a clause comes to.
pub type Clause = Result<(), Broken>;

/// Where a clause was found broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The line of the suite.
    pub place: String,
    /// What was found there.
    pub problem: String,
}

/// The clauses of a suite that an implementation breaks.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct BrokenContract {
    /// Each clause by its name.
    pub clauses: Vec<(&'static str, Broken)>,
}

impl Broken {
    /// A problem at the caller's line.
    #[track_caller]
    pub fn new(problem: impl Into<String>) -> Self {
        let place = Location::caller();
        Self { place: format!("{}:{}", place.file(), place.line()), problem: problem.into() }
    }
}

impl BrokenContract {
    /// Takes down what a clause came to.
    pub fn record(&mut self, name: &'static str, clause: Clause) {
        if let Err(broken) = clause {
            self.clauses.push((name, broken));
        }
    }

    /// The suite's result.
    pub fn into_result(self) -> Result<(), Self> {
        if self.clauses.is_empty() { Ok(()) } else { Err(self) }
    }
}

/// Breaks the clause unless `holds`.
#[track_caller]
pub fn ensure(holds: bool, claim: &str) -> Clause {
    if holds { Ok(()) } else { Err(Broken::new(format!("it does not hold that {claim}"))) }
}

/// Breaks the clause unless both are equal.
#[track_caller]
pub fn ensure_equal<T: PartialEq + Debug>(actual: T, expected: T, what: &str) -> Clause {
    if actual == expected {
        return Ok(());
    }
    Err(Broken::new(format!("{what}: found {}, expected {}", shortened(&actual), shortened(&expected))))
}

/// Breaks the clause where an operation that must succeed failed.
#[track_caller]
pub fn succeeds<T, E: Debug>(result: Result<T, E>) -> Result<T, Broken> {
    match result {
        Ok(value) => Ok(value),
        Err(error) => Err(Broken::new(format!("it failed: {error:?}"))),
    }
}

/// Records of megabytes are no help in a message.
fn shortened(value: &impl Debug) -> String {
    const LENGTH_MAX: usize = 600;
    let text = format!("{value:?}");
    match text.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

impl Display for BrokenContract {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, Broken { place, problem }) in &self.clauses {
            writeln!(formatter, "broken: {name}, at {place}: {problem}")?;
        }
        Ok(())
    }
}

/// As it is displayed, so that `unwrap` in a test names each clause on a line of its own.
impl Debug for BrokenContract {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\n{self}")
    }
}

impl std::error::Error for BrokenContract {}
