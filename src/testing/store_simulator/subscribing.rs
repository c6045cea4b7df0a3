//! Subscribers of a tab, which must see exactly what is in the log: from their start, in order, once.

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::Detail;
use crate::event::Position;
use crate::host::Host;
use crate::query::Query;
use crate::storage::Storage;
use crate::store::{AllRead, EventPage, Store};
use crate::testing::executor::TabId;
use crate::testing::prng::Prng;

use super::model_entry::ModelEntry;
use super::reading::Reader;
use super::world::World;

/// What a subscriber was asked for, and how far it has come.
#[derive(Debug, Clone)]
pub struct Subscriber {
    pub tab: TabId,
    query: Query,
    /// The last position that it has looked at, as far as it was told.
    pub looked_at: u64,
    /// Whether it was told that it has seen all that there was when it began.
    has_caught_up: bool,
}

/// Subscribes, and looks at page after page for as long as the tab lives, sometimes slowly. Sometimes it stops, and
/// subscribes anew where it was.
pub async fn subscribe<S: Storage, H: Host>(
    reader: Reader,
    store: Store<S, H>,
    after: Position,
    query: Query,
    mut prng: Prng,
) {
    let Reader { tab, world, scheduler, is_closing, .. } = reader;
    let subscriber = Subscriber { tab, query: query.clone(), looked_at: after.0, has_caught_up: false };
    world.borrow_mut().note(format!("{tab:?} subscribes after {after} to {query:?}"));
    let number = world.borrow_mut().subscribers.add(subscriber);
    let mut looked_at = after;
    loop {
        let mut subscription = store.subscribe(looked_at, query.clone());
        let control = subscription.control();
        let page_count_max = if prng.chance(200) { prng.between(1..=4) } else { u64::MAX };
        let mut page_count = 0;
        loop {
            let page = match subscription.next().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) => {
                    let mut world = world.borrow_mut();
                    world.subscribers.remove(number);
                    if *error.detail() != Detail::Closed || !is_closing.get() {
                        world.fail(format!("subscriber {number} failed: {error:?}"));
                    }
                    return;
                }
            };
            let first = page.entries().next().map_or(u64::MAX, |entry| entry.position.0);
            if control.looked_at() < looked_at || first <= control.looked_at().0 {
                let problem = format!("subscriber {number} has not looked at {}", control.looked_at());
                world.borrow_mut().fail(problem);
            }
            looked_at = world.borrow_mut().told(number, &page);
            if prng.chance(100) {
                scheduler.sleep(prng.below(200)).await;
            }
            page_count += 1;
            if page_count == page_count_max {
                control.stop();
            }
        }
    }
}

/// The subscribers of all tabs, by their numbers.
#[derive(Default)]
pub struct Subscribers {
    all: Vec<Option<Subscriber>>,
}

impl Subscribers {
    fn add(&mut self, subscriber: Subscriber) -> usize {
        self.all.push(Some(subscriber));
        self.all.len() - 1
    }

    fn remove(&mut self, number: usize) {
        self.all[number] = None;
    }

    /// Takes down that a tab is gone, with its subscribers.
    pub fn crashed(&mut self, tab: TabId) {
        for place in &mut self.all {
            place.take_if(|subscriber| subscriber.tab == tab);
        }
    }

    /// Those that have not been told all that they wait for: that they have caught up, or of an event that they want.
    pub fn behind(&self, world: &World) -> Vec<usize> {
        let is_behind = |subscriber: &Subscriber| {
            !subscriber.has_caught_up
                || !expected(world, subscriber, world.model.head(), world.model.head()).is_empty()
        };
        let numbered = self.all.iter().enumerate();
        numbered
            .filter(|(_, place)| place.as_ref().is_some_and(is_behind))
            .map(|(number, _)| number)
            .collect()
    }
}

/// What a subscriber is to be told up to a position, in the state as of another.
fn expected<'a>(world: &'a World, subscriber: &Subscriber, to: u64, as_of: u64) -> Vec<&'a ModelEntry> {
    let after = Position(subscriber.looked_at);
    let before = Some(Position(to).next());
    let read = AllRead { after, before, query: subscriber.query.clone(), ..AllRead::everything() };
    world.model.read_all(as_of, &read)
}

impl World {
    /// Takes a page that a subscriber was given, and checks that it is what comes next. Gives the position up to which it
    /// has looked at the log.
    fn told(&mut self, number: usize, page: &EventPage) -> Position {
        self.audit();
        self.summary.pages_told += 1;
        let Some(mut subscriber) = self.subscribers.all[number].clone() else {
            self.fail(format!("subscriber {number} is told of something after its end"));
            return page.as_of;
        };
        let entries: Vec<ModelEntry> = page.entries().map(ModelEntry::from).collect();
        let to = page.next.unwrap_or(page.as_of.0).max(subscriber.looked_at);
        self.note(format!(
            "subscriber {number} is told of {} entries to {to} as of {}",
            entries.len(),
            page.as_of
        ));
        if !self.model.is_commit_end(page.as_of.0) || self.model.head() < page.as_of.0 {
            self.fail(format!("subscriber {number} is told of a state as of {}", page.as_of));
        }
        let expected = expected(self, &subscriber, to, page.as_of.0);
        if !self.is_all(&entries, &expected, page.as_of.0) {
            let looked_at = subscriber.looked_at;
            let problem = format!(
                "subscriber {number} at {looked_at} was told as of {} of\n{entries:#?}\nand not\n{expected:#?}",
                page.as_of
            );
            self.fail(problem);
        }
        self.summary.told += entries.len() as u64;
        subscriber.looked_at = to;
        subscriber.has_caught_up |= page.next.is_none();
        self.subscribers.all[number] = Some(subscriber);
        Position(to)
    }
}

/// Waits until every subscriber was told all that it waits for. Gives those that were not.
pub async fn all_told(
    world: &Rc<RefCell<World>>,
    scheduler: &crate::testing::executor::Scheduler,
    deadline_ms: u64,
) -> Vec<usize> {
    loop {
        let behind = {
            let world = world.borrow();
            world.subscribers.behind(&world)
        };
        if behind.is_empty() || deadline_ms < scheduler.now_ms() {
            return behind;
        }
        scheduler.sleep(50).await;
    }
}
