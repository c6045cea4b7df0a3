//! Consumers of tabs that crash and freeze: each event is handled at least once, in order, and what is stored of how far a consumer
//! is never runs ahead of what was handled.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::consumer::{Parked, Standing, Watch, keys};
use crate::error::{Detail, Error};
use crate::event::Position;
use crate::host::Host;
use crate::query::{Query, QueryItem};
use crate::storage::{Area, Direction, PageRequest, Request, Storage};
use crate::store::{AllRead, Consumer, ConsumerChange, ConsumerRequest, Handout, Report, Store};
use crate::testing::executor::Scheduler;
use crate::testing::prng::Prng;

use super::model_entry::ModelEntry;
use super::reading::Reader;
use super::world::World;

/// The consumers that there are, and what each wants.
pub const NAMES: [&str; 3] = ["everything", "cart", "one-type"];

/// What was handled by each consumer, and how far it was found stored to be.
#[derive(Default)]
pub struct Consumed {
    by_name: BTreeMap<&'static str, Handled>,
    /// Whether handlers do not fail any more.
    pub is_settling: Rc<Cell<bool>>,
}

#[derive(Default)]
struct Handled {
    positions: BTreeSet<u64>,
    stored: u64,
    /// Up to here everything was handled, or is hidden: neither ends.
    settled: u64,
    /// What was found stored last, and held against what was handled. More is handled since, and more hidden: it still holds.
    audited: Option<(Standing, Vec<Parked>)>,
}

/// What a consumer of this name wants.
pub fn query_of(name: &str) -> Query {
    let item = match name {
        "cart" => QueryItem { categories: Some(vec!["cart".into()]), ..QueryItem::default() },
        "one-type" => {
            QueryItem { types: Some(vec![super::requests::TYPES[0].into()]), ..QueryItem::default() }
        }
        _ => return Query::everything(),
    };
    Query::new(vec![item]).expect("a good query")
}

/// Consumes for as long as the tab lives. Handlers take their time, fail, and have events parked. Now and then it stops, and
/// begins anew.
pub async fn consume<S: Storage, H: Host>(
    reader: Reader,
    store: Store<S, H>,
    name: &'static str,
    mut prng: Prng,
) {
    let is_settling = Rc::clone(&reader.world.borrow().consumed.is_settling);
    loop {
        let request = ConsumerRequest {
            name: name.into(),
            after: Position::START,
            query: query_of(name),
            batch: if prng.chance(500) { 1 } else { prng.between(2..=5) as usize },
        };
        let mut consumer = store.consumer(request);
        let control = consumer.control();
        let mut left = if prng.chance(300) { prng.between(1..=20) } else { u64::MAX };
        let ended = loop {
            if left == 0 {
                control.stop();
            }
            left = left.saturating_sub(1);
            match consumer.next().await {
                Ok(Some(handout)) => {
                    let one = Handling { reader: &reader, name, is_settling: &is_settling };
                    one.handle(&mut consumer, handout, &mut prng).await;
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if let Err(error) = ended {
            return told_of_failure(&reader, name, &error);
        }
    }
}

fn told_of_failure(reader: &Reader, name: &str, error: &Error) {
    if *error.detail() != Detail::Closed || !reader.is_closing.get() {
        reader.world.borrow_mut().fail(format!("the consumer {name} failed: {error:?}"));
    }
}

/// What handles events.
struct Handling<'a> {
    reader: &'a Reader,
    name: &'static str,
    is_settling: &'a Cell<bool>,
}

impl Handling<'_> {
    async fn handle<S: Storage, H: Host>(
        &self,
        consumer: &mut Consumer<S, H>,
        handout: Handout,
        prng: &mut Prng,
    ) {
        let entries: Vec<ModelEntry> = handout.page.entries().map(ModelEntry::from).collect();
        let mut attempts = handout.attempts;
        let tab = self.reader.tab;
        let positions: Vec<u64> = entries.iter().map(|entry| entry.position).collect();
        let text = format!("{tab:?} is handed {positions:?} by {} after {attempts} attempts", self.name);
        self.reader.world.borrow_mut().note(text);
        loop {
            let duration_ms = if prng.chance(900) { prng.below(20) } else { prng.below(4_000) };
            if !self.take_time(consumer, duration_ms).await {
                return;
            }
            if self.is_settling.get() || prng.chance(850) {
                return self.reader.world.borrow_mut().handled(self.name, &entries);
            }
            if prng.chance(100) {
                let returned = consumer.report(&Report::Returned).await;
                self.reader
                    .world
                    .borrow_mut()
                    .note(format!("{} returns {positions:?}: {returned:?}", self.name));
                return;
            }
            attempts += 1;
            let report = match prng.chance(400) {
                true => Report::Parked { attempts, reason: "by chance".into() },
                false => Report::Failed { pause_ms: 0 },
            };
            match consumer.report(&report).await {
                Ok(crate::store::Turn::Lost) => return,
                Ok(_) if matches!(report, Report::Parked { .. }) => {
                    self.reader.world.borrow_mut().note(format!("{} parks {positions:?}", self.name));
                    self.reader.world.borrow_mut().summary.parked += 1;
                    return;
                }
                // Where it could not be stored, it is tried again as well.
                _ => {}
            }
            let pause_ms = prng.below(3_000);
            if !self.take_time(consumer, pause_ms).await {
                return;
            }
        }
    }

    /// Lets time pass, and shows meanwhile that it is alive. Gives whether this tab has the lead, as far as it knows.
    async fn take_time<S: Storage, H: Host>(&self, consumer: &mut Consumer<S, H>, duration_ms: u64) -> bool {
        let mut left_ms = duration_ms;
        loop {
            let part_ms = left_ms.min(Watch::LOOK_MS);
            self.reader.scheduler.sleep(part_ms).await;
            left_ms -= part_ms;
            if left_ms == 0 {
                return true;
            }
            if matches!(consumer.report(&Report::Pending).await, Ok(crate::store::Turn::Lost)) {
                self.reader.world.borrow_mut().summary.leads_lost += 1;
                return false;
            }
        }
    }
}

impl World {
    /// Takes down that events were handled, and checks that all before them were, or are parked.
    fn handled(&mut self, name: &'static str, entries: &[ModelEntry]) {
        self.audit();
        let Some((_, parked)) = self.consumer_stored(name) else { return };
        for entry in entries {
            let missed = self.unhandled(name, entry.position - 1).into_iter().find(|missed| {
                missed.stream == entry.stream || !parked.iter().any(|it| *it.stream == *missed.stream)
            });
            if let Some(missed) = missed {
                let problem =
                    format!("{name} handled {}, and not {} before it", entry.position, missed.position);
                return self.fail(problem);
            }
            self.consumed.by_name.entry(name).or_default().positions.insert(entry.position);
            self.summary.consumed += 1;
        }
    }

    /// What a consumer wants up to a position, and has not handled.
    fn unhandled(&self, name: &str, to: u64) -> Vec<ModelEntry> {
        let handled = self.consumed.by_name.get(name);
        let after = Position(handled.map_or(0, |it| it.settled));
        let read = AllRead {
            after,
            before: Some(Position(to).next()),
            query: query_of(name),
            ..AllRead::everything()
        };
        let is_unhandled =
            |entry: &&ModelEntry| handled.is_none_or(|it| !it.positions.contains(&entry.position));
        let wanted = self.model.read_all(self.model.head(), &read);
        wanted.into_iter().filter(is_unhandled).cloned().collect()
    }

    /// Looks beneath the store how far consumers are said to be, and holds it against what was handled.
    pub fn audit_consumers(&mut self) {
        for name in NAMES {
            let Some((standing, parked)) = self.consumer_stored(name) else { continue };
            let place = self.consumed.by_name.entry(name).or_default();
            if place.audited.as_ref().is_some_and(|(was, of)| *was == standing && *of == parked) {
                continue;
            }
            let before = std::mem::replace(&mut place.stored, standing.position.0);
            if standing.position.0 < before {
                self.fail(format!("{name} went back from {before} to {}", standing.position));
            }
            let unhandled = self.unhandled(name, standing.position.0);
            let settled = unhandled.first().map_or(standing.position.0, |entry| entry.position - 1);
            if let Some(place) = self.consumed.by_name.get_mut(name) {
                place.settled = place.settled.max(settled);
                place.audited = Some((standing, parked.clone()));
            }
            let is_lost = |entry: &ModelEntry| {
                !parked.iter().any(|it| *it.stream == *entry.stream && it.from.0 <= entry.position)
            };
            let lost = unhandled.into_iter().find(is_lost);
            if let Some(lost) = lost {
                let problem = format!(
                    "{name} is said to be at {}, and has not handled {}",
                    standing.position, lost.position
                );
                self.fail(problem);
            }
        }
    }

    fn consumer_stored(&self, name: &str) -> Option<(Standing, Vec<Parked>)> {
        let page = PageRequest {
            area: Area::Consumers,
            range: keys::parked_of(name),
            direction: Direction::Forwards,
            count_max: usize::MAX,
        };
        let key = keys::standing(name);
        let request = Request { keys: vec![(Area::Consumers, key.clone())], pages: vec![page], then: None };
        let mut found = self.database.look(&request).ok()?;
        let standing = Standing::from_bytes(&key, found.values.pop()??).ok()?;
        let parked = found.pages.pop()?.into_iter().filter_map(|record| {
            let stream = keys::stream_of(name, &record.key)?.to_owned();
            Parked::from_bytes(&stream, &record.key, record.value).ok()
        });
        Some((standing, parked.collect()))
    }

    /// What a consumer has not handled, and whether it is because that is parked.
    fn rest_of(&self, name: &str) -> (usize, bool) {
        let is_parked = self.consumer_stored(name).is_some_and(|(_, parked)| !parked.is_empty());
        (self.unhandled(name, self.model.head()).len(), is_parked)
    }
}

/// Waits until everything is handled by every consumer, and has what is parked tried again. Gives the names of those that do not
/// come to an end.
pub async fn all_consumed<S: Storage, H: Host>(
    world: &Rc<RefCell<World>>,
    store: &Store<S, H>,
    scheduler: &Scheduler,
    deadline_ms: u64,
) -> Vec<&'static str> {
    loop {
        let mut behind = Vec::new();
        for name in NAMES {
            world.borrow_mut().audit();
            let (count, is_parked) = world.borrow().rest_of(name);
            if is_parked {
                let retried = store.change_consumer(name, &ConsumerChange::Retry { event: None }).await;
                world.borrow_mut().summary.retried += u64::from(retried.is_ok());
            }
            if is_parked || 0 < count {
                behind.push(name);
            }
        }
        if behind.is_empty() || deadline_ms < scheduler.now_ms() {
            for name in &behind {
                let stored = world.borrow().consumer_stored(name);
                world.borrow_mut().note(format!("of {name} is stored {stored:?}"));
            }
            return behind;
        }
        scheduler.sleep(500).await;
    }
}
