//! Subscriptions: what the machine of `subscription` says, done.

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::{Detail, Error};
use crate::event::Position;
use crate::host::Host;
use crate::query::Query;
use crate::storage::Storage;
use crate::subscription::{self, Reached, Step, Tell};

use super::catch_up::Slice;
use super::{AllRead, EventPage, Shared, Store};

/// Events from a position on, page by page: first those that stand in the log, then those that come, from every tab.
///
/// Each is given once, in the order of the log, however the pages fall. An event that is hidden before its page is
/// read is not given.
pub struct Subscription<S: Storage, H: Host> {
    shared: Rc<Shared<S, H>>,
    query: Query,
    state: Rc<RefCell<subscription::Subscription>>,
}

/// Whether the same read may succeed later. One that finds the directory damaged makes it again, for which there may be no
/// room for a while.
pub(super) fn is_passing(error: &Error) -> bool {
    error.is_retryable() || matches!(error.detail(), Detail::QuotaExceeded { .. })
}

/// Looks after a subscription while it waits.
#[derive(Clone)]
pub struct SubscriptionControl<S: Storage, H: Host> {
    shared: Rc<Shared<S, H>>,
    state: Rc<RefCell<subscription::Subscription>>,
}

impl<S: Storage, H: Host> Store<S, H> {
    /// Subscribes to what matches a query after a position.
    pub fn subscribe(&self, after: Position, query: Query) -> Subscription<S, H> {
        let state = Rc::new(RefCell::new(subscription::Subscription::new(after)));
        Subscription { shared: Rc::clone(&self.shared), query, state }
    }
}

impl<S: Storage, H: Host> Subscription<S, H> {
    /// The next page, as soon as there is one: of events, or of none where the end of the log is reached for the first time,
    /// or again after it was further away than a page. [`EventPage::next`] is where the page ends, if that is not the end of
    /// the log; it is [`EventPage::as_of`] otherwise. `None` after it was stopped.
    ///
    /// While the storage fails it tries again, at longer and longer intervals of at most five seconds, for ever.
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA` where what comes next cannot be read: who subscribes anew after the last position of the damaged
    /// record goes on behind it; `CLOSED`.
    pub async fn next(&mut self) -> Result<Option<EventPage>, Error> {
        let shared = &*self.shared;
        let mut slice = Slice::begin(&shared.host);
        loop {
            shared.check_open()?;
            let head = shared.index.borrow().head().position;
            let step = self.state.borrow_mut().next(head);
            let done = match step {
                Step::End => return Ok(None),
                Step::Wait => {
                    shared.watch();
                    shared.news.come().await;
                    continue;
                }
                Step::Pause { duration_ms } => {
                    shared.host.sleep(duration_ms).await;
                    continue;
                }
                Step::Ask => {
                    let asked = shared.refresh().await;
                    asked.map(|()| {
                        self.state.borrow_mut().asked();
                        None
                    })
                }
                Step::Read { after, as_of } => self.read(after, as_of).await.map(Some),
            };
            match done {
                Ok(Some(page)) => {
                    let reached =
                        page.next.map_or(Reached::End(page.as_of), |next| Reached::Before(Position(next)));
                    if self.state.borrow_mut().read(reached, page.events.len()) == Tell::Consumer {
                        return Ok(Some(page));
                    }
                }
                Ok(None) => {}
                Err(error) if is_passing(&error) => self.state.borrow_mut().failed(),
                Err(error) => return Err(error),
            }
            slice.yield_when_over(&shared.host).await;
        }
    }

    async fn read(&self, after: Position, as_of: Position) -> Result<EventPage, Error> {
        let as_of = Some(as_of);
        let read = AllRead { after, query: self.query.clone(), as_of, ..AllRead::everything() };
        self.shared.next_page(read).await
    }

    /// What can look after it while it waits.
    pub fn control(&self) -> SubscriptionControl<S, H> {
        SubscriptionControl { shared: Rc::clone(&self.shared), state: Rc::clone(&self.state) }
    }
}

impl<S: Storage, H: Host> SubscriptionControl<S, H> {
    /// The last position that was looked at, be it of an event that is wanted or not: who subscribes anew after it goes on
    /// here. A page counts as looked at when the next one is asked for.
    pub fn looked_at(&self) -> Position {
        self.state.borrow().looked_at()
    }

    /// Ends the subscription: it gives no page any more. Where it pauses after a failure, it says so after that.
    pub fn stop(&self) {
        self.state.borrow_mut().stop();
        self.shared.news.spread();
    }
}
