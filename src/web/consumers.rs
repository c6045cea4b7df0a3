//! The consumers of a store, by the numbers that the facade knows them by.

use std::cell::{Cell, RefCell};

use crate::error::Error;
use crate::store::{Consumer, ConsumerControl, Handout, Report, Turn};

use super::BrowserHost;
use super::message::malformed;
use super::storage::BrowserStorage;

type BrowserConsumer = Consumer<BrowserStorage, BrowserHost>;

/// Those that have not ended.
#[derive(Default)]
pub struct Consumers {
    places: RefCell<Vec<Place>>,
    last_number: Cell<u64>,
}

struct Place {
    number: u64,
    /// Away while it is asked.
    consumer: Option<Box<BrowserConsumer>>,
    control: ConsumerControl<BrowserStorage, BrowserHost>,
}

impl Consumers {
    /// Begins and keeps a consumer, and gives its number.
    pub async fn begin(&self, consumer: BrowserConsumer) -> u64 {
        let mut consumer = Box::new(consumer);
        // What fails here fails again when it is asked for events, and is told then.
        let _ = consumer.begin().await;
        let number = self.last_number.get() + 1;
        self.last_number.set(number);
        let control = consumer.control();
        self.places.borrow_mut().push(Place { number, consumer: Some(consumer), control });
        number
    }

    /// The next events of a consumer; `None` once it has ended. Errors: those of [`Consumer::next`], with which it ends; `INTERNAL`
    /// where it is already being asked.
    pub async fn next(&self, number: u64) -> Result<Option<Handout>, Error> {
        let Some(mut consumer) = self.take(number)? else { return Ok(None) };
        let next = consumer.next().await;
        match next {
            Ok(Some(_)) => self.put_back(number, consumer),
            _ => self.places.borrow_mut().retain(|place| place.number != number),
        }
        next
    }

    /// Says what there is to say of what it handed out. Errors: those of [`Consumer::report`]; `INTERNAL` where it is already being
    /// asked.
    pub async fn report(&self, number: u64, report: &Report) -> Result<Turn, Error> {
        let Some(mut consumer) = self.take(number)? else { return Ok(Turn::Lost) };
        let turn = consumer.report(report).await;
        self.put_back(number, consumer);
        turn
    }

    /// Has a look at a consumer while it waits; nothing once it has ended.
    pub fn look<T>(
        &self,
        number: u64,
        look: impl FnOnce(&ConsumerControl<BrowserStorage, BrowserHost>) -> T,
    ) -> Option<T> {
        self.places.borrow().iter().find(|place| place.number == number).map(|place| look(&place.control))
    }

    fn take(&self, number: u64) -> Result<Option<Box<BrowserConsumer>>, Error> {
        let mut places = self.places.borrow_mut();
        let Some(place) = places.iter_mut().find(|place| place.number == number) else { return Ok(None) };
        place.consumer.take().map(Some).ok_or_else(|| malformed("a consumer is asked twice at once"))
    }

    fn put_back(&self, number: u64, consumer: Box<BrowserConsumer>) {
        if let Some(place) = self.places.borrow_mut().iter_mut().find(|place| place.number == number) {
            place.consumer = Some(consumer);
        }
    }
}
