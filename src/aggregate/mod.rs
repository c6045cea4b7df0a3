//! Aggregates: a domain in types, as those write it who bring their own crate, and what a fold needs of any reducer.
//!
//! [`export_aggregates!`](crate::export_aggregates) has JavaScript use them, by way of [`Exported`].
//!
//! A [`Reducer`] is what a store folds events with, of whatever kind it is: a [`Program`](crate::reducer::Program), which
//! is data, or an [`Aggregate`], which is code, by way of [`Typed`].
//!
//! # Example
//!
//! A bank account, its rule, and how it is folded.
//!
//! ```
//! use everfold::aggregate::{Aggregate, Moment};
//! use everfold::event::UnixMillis;
//! use serde::{Deserialize, Serialize};
//!
//! struct Account;
//!
//! #[derive(Clone, Default, Debug, PartialEq, Serialize, Deserialize)]
//! struct Balance {
//!     owner: String,
//!     cents: i64,
//! }
//!
//! // A variant is a type of events, what is in it their data.
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! enum BankEvent {
//!     AccountOpened { owner: String },
//!     MoneyDeposited { cents: i64 },
//!     MoneyWithdrawn { cents: i64 },
//!     AccountClosed,
//! }
//!
//! enum Command {
//!     Open { owner: String },
//!     Withdraw { cents: i64 },
//! }
//!
//! #[derive(Debug, PartialEq)]
//! struct Overdrawn {
//!     missing_cents: i64,
//! }
//!
//! impl Aggregate for Account {
//!     const NAME: &'static str = "account";
//!     const VERSION: u32 = 1;
//!     type State = Balance;
//!     type Event = BankEvent;
//!     type Command = Command;
//!     type Error = Overdrawn;
//!
//!     fn initial() -> Balance {
//!         Balance::default()
//!     }
//!
//!     fn evolve(state: &mut Balance, event: BankEvent) {
//!         match event {
//!             BankEvent::AccountOpened { owner } => state.owner = owner,
//!             BankEvent::MoneyDeposited { cents } => state.cents += cents,
//!             BankEvent::MoneyWithdrawn { cents } => state.cents -= cents,
//!             BankEvent::AccountClosed => state.owner.clear(),
//!         }
//!     }
//!
//!     fn decide(state: &Balance, command: Command, _: &Moment) -> Result<Vec<BankEvent>, Overdrawn> {
//!         match command {
//!             Command::Open { owner } => Ok(vec![BankEvent::AccountOpened { owner }]),
//!             Command::Withdraw { cents } if state.cents < cents => {
//!                 Err(Overdrawn { missing_cents: cents - state.cents })
//!             }
//!             Command::Withdraw { cents } => Ok(vec![BankEvent::MoneyWithdrawn { cents }]),
//!         }
//!     }
//! }
//!
//! let now = Moment { now: UnixMillis(0), revision: None };
//! let mut state = Account::initial();
//! for event in Account::decide(&state, Command::Open { owner: "Ada".into() }, &now).unwrap() {
//!     Account::evolve(&mut state, event);
//! }
//! assert_eq!(state, Balance { owner: "Ada".into(), cents: 0 });
//! let refused = Account::decide(&state, Command::Withdraw { cents: 5 }, &now);
//! assert_eq!(refused, Err(Overdrawn { missing_cents: 5 }));
//!
//! // What a store writes of an event, and reads again.
//! let event = everfold::aggregate::to_new_event(&BankEvent::MoneyDeposited { cents: 5 })?;
//! assert_eq!(event.event_type.as_str(), "MoneyDeposited");
//! assert_eq!(event.data.map(|data| data.as_str().to_owned()).as_deref(), Some(r#"{"cents":5}"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod declarative;
mod exported;
mod finite_json;
mod plain;
mod typed;
mod typed_event;
mod variant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::Entry;
use crate::event::{Revision, UnixMillis};

pub use crate::reducer::ReducerFailure;
#[doc(hidden)]
pub use exported::names_differ;
pub use exported::{Exported, JsonDecision};
pub use typed::Typed;
pub use typed_event::to_new_event;

/// What a store folds events with.
pub trait Reducer {
    /// What comes out of a fold.
    type State: Clone;

    /// The state before the first event.
    fn initial(&self) -> Self::State;

    /// Whether an event of this type may change a state. Where not, its events are passed over without being looked at.
    fn folds(&self, event_type: &str) -> bool;

    /// Folds one entry of the log. A fact of the store changes nothing, nor does an event of a type that the reducer
    /// does not know.
    ///
    /// Errors: where the event cannot be folded. The state is then of no use any more.
    fn evolve(&self, state: &mut Self::State, entry: &Entry<'_>) -> Result<(), ReducerFailure>;

    /// What the reducer knows a type of events by, so that it need not be looked up for each event. It is asked once for all
    /// events of a type that are stored together, and comes back with each of them.
    fn handler(&self, _event_type: &str) -> usize {
        0
    }

    /// [`Reducer::evolve`], of an event of a type of which [`Reducer::handler`] said this.
    fn evolve_by(
        &self,
        _handler: usize,
        state: &mut Self::State,
        entry: &Entry<'_>,
    ) -> Result<(), ReducerFailure> {
        self.evolve(state, entry)
    }

    /// A state as a JSON text. Errors: where it cannot be one.
    fn state_to_json(&self, state: &Self::State) -> Result<String, ReducerFailure>;

    /// The state of a JSON text that [`Reducer::state_to_json`] wrote. `None` for any other that is no state.
    fn state_from_json(&self, json: &str) -> Option<Self::State>;
}

/// A domain as a decider: what happened makes a state, and a state decides what may happen.
///
/// All functions are pure: they read no clock and make no ids, so that what they decide can be decided again.
pub trait Aggregate {
    /// Its name, which tells it from other aggregates.
    const NAME: &'static str;
    /// To be raised whenever `initial` or `evolve` gives another state of the same events: whoever keeps states tells old ones
    /// by it. The store itself keeps none of typed aggregates, unless it is asked to from JavaScript (`snapshotEvery`).
    const VERSION: u32;
    /// What is decided upon. It is JSON to whoever keeps it or sends it.
    type State: Clone + Serialize + DeserializeOwned;
    /// What happens: an enum of which each variant is a type of events, named as serde names it, and what is in
    /// a variant the data. Events of other types are passed over.
    type Event: Serialize + DeserializeOwned;
    /// What somebody wants. To be exported it has to be `DeserializeOwned`.
    type Command;
    /// Why it is refused. To be exported it has to be `Serialize`, for programs, and `Display`, for people.
    type Error;

    /// The state before the first event.
    fn initial() -> Self::State;

    /// What an event changes. It happened, so there is nothing to refuse.
    fn evolve(state: &mut Self::State, event: Self::Event);

    /// What happens on a command: no event, one or several. Errors: the domain's own; nothing is written then.
    fn decide(
        state: &Self::State,
        command: Self::Command,
        moment: &Moment,
    ) -> Result<Vec<Self::Event>, Self::Error>;
}

/// When a command is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time by the store's clock.
    pub now: UnixMillis,
    /// The last revision of the stream. `None` where it has none.
    pub revision: Option<Revision>,
}
