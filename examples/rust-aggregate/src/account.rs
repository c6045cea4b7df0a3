//! A bank account: what happens to it, and the rule that it is never overdrawn.

use std::fmt;

use everfold::aggregate::{Aggregate, Moment};
use serde::{Deserialize, Serialize};

/// A bank account.
#[derive(Debug)]
pub struct Account;

/// What an account has come to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Whose it is. Nobody's before it is opened.
    pub owner: String,
    /// What is on it.
    pub balance: f64,
    /// How many notes were added.
    pub notes: u32,
}

/// What happens to an account. A variant is a type of events, what is in it their data.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names of business speak for themselves")]
pub enum Event {
    AccountOpened { owner: String },
    MoneyDeposited { amount: f64 },
    MoneyWithdrawn { amount: f64 },
    NoteAdded {},
}

/// What somebody wants of an account.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
#[allow(missing_docs, reason = "the names of business speak for themselves")]
pub enum Command {
    Open { owner: String },
    Deposit { amount: f64 },
    Withdraw { amount: f64 },
}

/// Why it is refused.
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "type")]
#[allow(missing_docs, reason = "the names of business speak for themselves")]
pub enum Refusal {
    NotOpen,
    OpenAlready,
    NotPositive,
    Overdrawn { missing: f64 },
}

impl Aggregate for Account {
    const NAME: &'static str = "account";
    const VERSION: u32 = 1;
    type State = State;
    type Event = Event;
    type Command = Command;
    type Error = Refusal;

    fn initial() -> State {
        State::default()
    }

    fn evolve(state: &mut State, event: Event) {
        match event {
            Event::AccountOpened { owner } => state.owner = owner,
            Event::MoneyDeposited { amount } => state.balance += amount,
            Event::MoneyWithdrawn { amount } => state.balance -= amount,
            Event::NoteAdded {} => state.notes += 1,
        }
    }

    fn decide(state: &State, command: Command, moment: &Moment) -> Result<Vec<Event>, Refusal> {
        let is_open = moment.revision.is_some();
        match command {
            Command::Open { .. } if is_open => Err(Refusal::OpenAlready),
            Command::Open { owner } => Ok(vec![Event::AccountOpened { owner }]),
            _ if !is_open => Err(Refusal::NotOpen),
            Command::Deposit { amount } | Command::Withdraw { amount } if amount <= 0.0 => {
                Err(Refusal::NotPositive)
            }
            Command::Deposit { amount } => Ok(vec![Event::MoneyDeposited { amount }]),
            Command::Withdraw { amount } if state.balance < amount => {
                Err(Refusal::Overdrawn { missing: amount - state.balance })
            }
            Command::Withdraw { amount } => Ok(vec![Event::MoneyWithdrawn { amount }]),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen => formatter.write_str("the account is not open"),
            Self::OpenAlready => formatter.write_str("the account is open already"),
            Self::NotPositive => formatter.write_str("an amount is more than nothing"),
            Self::Overdrawn { missing } => write!(formatter, "the account lacks {missing}"),
        }
    }
}
