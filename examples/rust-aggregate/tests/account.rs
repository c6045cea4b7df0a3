//! The rules of an account, without a store and without wasm.

use bank_domain::account::{Account, Command, Event, Refusal};
use everfold::aggregate::{Aggregate, Moment};
use everfold::event::{Revision, UnixMillis};

/// Decides a command after what happened before.
#[track_caller]
fn check(happened: Vec<Event>, command: Command, expected: Result<Vec<Event>, Refusal>) {
    let revision = happened.len().checked_sub(1).map(|last| Revision(last as u64));
    let mut state = Account::initial();
    for event in happened {
        Account::evolve(&mut state, event);
    }
    let moment = Moment { now: UnixMillis(0), revision };
    assert_eq!(Account::decide(&state, command, &moment), expected);
}

fn opened() -> Event {
    Event::AccountOpened { owner: "Ada".into() }
}

#[test]
fn an_account_is_opened_once_and_used_only_then() {
    check(vec![], Command::Open { owner: "Ada".into() }, Ok(vec![opened()]));
    check(vec![opened()], Command::Open { owner: "Eve".into() }, Err(Refusal::OpenAlready));
    check(vec![], Command::Deposit { amount: 5.0 }, Err(Refusal::NotOpen));
}

#[test]
fn an_account_is_never_overdrawn() {
    let happened = || vec![opened(), Event::MoneyDeposited { amount: 5.0 }];
    check(happened(), Command::Withdraw { amount: 5.0 }, Ok(vec![Event::MoneyWithdrawn { amount: 5.0 }]));
    check(happened(), Command::Withdraw { amount: 7.0 }, Err(Refusal::Overdrawn { missing: 2.0 }));
    check(happened(), Command::Withdraw { amount: -1.0 }, Err(Refusal::NotPositive));
}
