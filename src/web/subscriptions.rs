//! The subscriptions of a store, by the numbers that the facade knows them by.

use std::cell::{Cell, RefCell};

use crate::error::Error;
use crate::event::Position;
use crate::store::{EventPage, Subscription, SubscriptionControl};

use super::BrowserHost;
use super::message::malformed;
use super::storage::BrowserStorage;

/// Those that were not ended.
#[derive(Default)]
pub struct Subscriptions {
    places: RefCell<Vec<Place>>,
    last_number: Cell<u64>,
}

struct Place {
    number: u64,
    /// Away while it waits for a page.
    subscription: Option<Subscription<BrowserStorage, BrowserHost>>,
    control: SubscriptionControl<BrowserStorage, BrowserHost>,
}

impl Subscriptions {
    /// Keeps a subscription, and gives its number.
    pub fn keep(&self, subscription: Subscription<BrowserStorage, BrowserHost>) -> u64 {
        let number = self.last_number.get() + 1;
        self.last_number.set(number);
        let control = subscription.control();
        self.places.borrow_mut().push(Place { number, subscription: Some(subscription), control });
        number
    }

    /// The next page of a subscription; `None` once it was ended. Errors: those of [`Subscription::next`]; `INTERNAL`
    /// where it is already being asked.
    pub async fn next(&self, number: u64) -> Result<Option<EventPage>, Error> {
        let Some(taken) = self.with(number, |place| place.subscription.take()) else { return Ok(None) };
        let mut subscription = taken.ok_or_else(|| malformed("a subscription is asked twice at once"))?;
        let page = subscription.next().await;
        self.with(number, |place| place.subscription = Some(subscription));
        page
    }

    /// The last position that a subscription has looked at; nothing once it was ended.
    pub fn looked_at(&self, number: u64) -> Option<Position> {
        self.with(number, |place| place.control.looked_at())
    }

    /// Ends a subscription. Who waits for a page of it gets none.
    pub fn end(&self, number: u64) {
        let mut places = self.places.borrow_mut();
        if let Some(place) = places.iter().position(|place| place.number == number) {
            places.swap_remove(place).control.stop();
        }
    }

    fn with<T>(&self, number: u64, act: impl FnOnce(&mut Place) -> T) -> Option<T> {
        self.places.borrow_mut().iter_mut().find(|place| place.number == number).map(act)
    }
}
