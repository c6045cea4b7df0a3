//! The director: opens and crashes tabs, makes the weather, and has the tabs ask for things.

mod followers;

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::Detail;
use crate::event::Position;
use crate::layout::plan::Tail;
use crate::storage::Storage;
use crate::store::{AllRead, Bounds, Store};
use crate::testing::executor::{Scheduler, TabId};
use crate::testing::prng::Prng;
use crate::testing::simulated_host::{Announcements, SimulatedHost, SimulatedOrigin};
use crate::testing::simulated_storage::{SimulatedDatabase, SimulatedStorage, Weather};

use super::climate::Climate;
use super::consuming;
use super::reading::{Read, Reader};
use super::requests;
use super::strain::Straining;
use super::subscribing;
use super::tab::Tab;
use super::world::{Content, Request, World};

/// How long everything under way may take once nothing fails any more.
const SETTLING_MS_MAX: u64 = 600_000;
/// Appends are seldom large: each costs more than a whole other simulation.
const BULKY_PERMILLE: u64 = 4;
/// How many tabs nobody looks at.
const HIDDEN_PERMILLE: u64 = 500;
/// How often a stream is deleted and written again in a row: more often than hidings of it are told apart.
const CHAIN_LENGTH: usize = 70;

/// Runs a simulation.
pub struct Director<S: Storage, W: Fn(SimulatedStorage) -> S + 'static> {
    scheduler: Scheduler,
    origin: SimulatedOrigin,
    database: SimulatedDatabase,
    world: Rc<RefCell<World>>,
    wrap: Rc<W>,
    prng: Prng,
    tabs: Vec<Tab<S>>,
    /// How foul the weather may get in this simulation.
    climate: Climate,
    /// When the tabs compact the log unasked.
    bounds: Bounds,
    straining: Straining,
}

impl<S: Storage, W: Fn(SimulatedStorage) -> S + 'static> Director<S, W> {
    pub fn new(
        scheduler: &Scheduler,
        database: &SimulatedDatabase,
        world: &Rc<RefCell<World>>,
        straining: Straining,
        wrap: W,
    ) -> Self {
        let mut prng = scheduler.fork_prng();
        let announcements =
            Announcements { lost_permille: *prng.pick(&[0, 200, 1_000]), delay_ms_max: prng.between(0..=40) };
        let climate = Climate::draw(&mut prng);
        let event_count = *prng.pick(&[1, 5, 20, u64::MAX]);
        let bounds = Bounds {
            tail: Tail { event_count, stored_bytes: u64::MAX, record_count: u64::MAX },
            unit_entries_max: *prng.pick(&[10, 40, 200]),
        };
        let origin = SimulatedOrigin::new(scheduler, announcements);
        if prng.chance(200) {
            origin.take_locks_away();
        }
        Self {
            scheduler: scheduler.clone(),
            origin,
            database: database.clone(),
            world: Rc::clone(world),
            wrap: Rc::new(wrap),
            prng,
            tabs: Vec::new(),
            climate,
            bounds: straining.bounds(bounds),
            straining,
        }
    }

    pub async fn run(mut self) {
        if self.straining.has_projections() {
            self.database.remember_documents();
        }
        self.change_weather();
        for _ in 0..self.prng.between(2..=4) {
            self.open_tab();
        }
        for _ in 0..self.prng.between(40..=120) {
            self.step();
            self.strain();
            if self.prng.chance(2) {
                self.sit_out_an_outage().await;
            }
            if self.prng.chance(500) {
                self.scheduler.sleep(self.prng.below(25)).await;
            }
            // To notice that who leads is stuck takes seconds, to handle an event may.
            if let Some(duration_ms) = self.straining.rests() {
                self.scheduler.sleep(duration_ms).await;
            }
            self.bury_the_dead();
            self.check();
            if self.has_failed() {
                return;
            }
        }
        self.settle().await;
        self.read_it_all().await;
    }

    fn step(&mut self) {
        match self.prng.below(100) {
            0..=41 => self.append(),
            42..=44 => self.compact(),
            45..=54 => self.burst(),
            55..=63 => self.mark(),
            64..=81 => self.read(),
            82..=85 => self.ask(),
            86..=88 => self.crash_tab(),
            89 => self.close_tab(),
            90..=92 => self.lose_connection(),
            93..=96 => self.change_weather(),
            _ => self.shift_clock(),
        }
    }

    /// What is harder than usual.
    fn strain(&mut self) {
        if self.straining.compacts() {
            self.compact();
        }
        if self.straining.chains() {
            self.chain();
        }
        if self.straining.decays() {
            self.world.borrow_mut().decay(&mut self.straining.prng);
        }
        if self.straining.kills() && !self.tabs.is_empty() {
            let tab = self.straining.prng.index(self.tabs.len());
            let spared = self.straining.prng.below(30);
            self.tabs[tab].light_fuse(&self.origin, &self.world, spared);
        }
        if self.straining.subscribes() {
            self.subscribe();
        }
        if self.straining.consumes() {
            let tab = self.straining.prng.index(self.tabs.len().max(1));
            let name = *self.straining.prng.pick(&consuming::NAMES);
            self.consume(tab, name);
        }
        if self.straining.projects() {
            self.project_or_ask();
        }
        if self.straining.freezes() && !self.tabs.is_empty() {
            self.freeze();
        }
    }

    /// Freezes a tab in whatever it does, for up to ten seconds.
    fn freeze(&mut self) {
        let prng = &mut self.straining.prng;
        let tab = prng.pick(&self.tabs).host.tab();
        let thaw = self.scheduler.sleep(prng.between(1..=10_000));
        self.world.borrow_mut().note(format!("{tab:?} freezes"));
        self.world.borrow_mut().summary.frozen += 1;
        self.scheduler.freeze(tab);
        let (scheduler, world) = (self.scheduler.clone(), Rc::clone(&self.world));
        self.scheduler.spawn(TabId::BROWSER, async move {
            thaw.await;
            world.borrow_mut().note(format!("{tab:?} wakes up"));
            scheduler.thaw(tab);
        });
    }

    /// Opens a tab for each that died.
    fn bury_the_dead(&mut self) {
        while let Some(dead) = self.tabs.iter().position(|tab| tab.is_dead.get()) {
            self.tabs.swap_remove(dead);
            self.open_tab();
        }
    }

    fn open_tab(&mut self) {
        let host = self.origin.host(self.origin.tab(), "store");
        if self.prng.chance(HIDDEN_PERMILLE) {
            host.hide();
        }
        let storage = self.database.handle(host.tab());
        let tab = Tab::new(host, storage);
        tab.open_store(&self.scheduler, &self.world, &self.wrap, self.bounds);
        self.tabs.push(tab);
    }

    fn append(&mut self) {
        let is_bulky = self.prng.chance(BULKY_PERMILLE);
        let request = self.new_append(is_bulky);
        self.send(request);
    }

    /// Several appends that nobody waits for: they meet in one group, and are judged upon each other.
    fn burst(&mut self) {
        for _ in 0..self.prng.between(2..=6) {
            self.append();
        }
    }

    fn mark(&mut self) {
        let request = Request::Mark(requests::mark(&mut self.prng, &self.world.borrow().model));
        self.send(request);
    }

    /// Has one tab delete a stream and write it again more often than is told apart.
    fn chain(&mut self) {
        let Some((store, tab)) = self.any_open_store() else { return };
        let stream = requests::stream(&mut self.straining.chains);
        self.world.borrow_mut().summary.chains += 1;
        for _ in 0..CHAIN_LENGTH {
            self.send_from(&store, tab, Request::Mark(requests::deletion(&stream)));
            let content = self.world.borrow().next_content();
            let append = requests::append_to(&mut self.straining.chains, &stream, content);
            self.send_from(&store, tab, Request::Append(append, Content::Events(content)));
        }
    }

    /// Sometimes what was asked for before, because that is what a caller does who was not answered.
    fn new_append(&mut self, is_bulky: bool) -> Request {
        let world = self.world.borrow();
        if self.prng.chance(150) && !world.calls.is_empty() {
            let earlier = &world.calls[self.prng.index(world.calls.len())].request;
            if let Request::Append(append, content) = earlier {
                if self.prng.chance(900) {
                    return Request::Append(requests::repeated(&mut self.prng, append), content.clone());
                }
                let content = world.next_content();
                let append = requests::rewritten(&mut self.prng, append, content);
                return Request::Append(append, Content::Events(content));
            }
        }
        let content = world.next_content();
        let append = requests::append(&mut self.prng, &world.model, content, is_bulky);
        Request::Append(append, Content::Events(content))
    }

    fn send(&mut self, request: Request) {
        if let Some((store, tab)) = self.any_open_store() {
            self.send_from(&store, tab, request);
        }
    }

    fn send_from(&mut self, store: &Store<S, SimulatedHost>, tab: usize, request: Request) {
        let tab_id = self.tabs[tab].host.tab();
        let number = self.world.borrow_mut().call(tab_id, request.clone());
        let world = Rc::clone(&self.world);
        match request {
            Request::Append(append, _) => {
                let (ticket, answer) = store.append(append);
                self.scheduler.spawn(tab_id, async move {
                    let result = answer.await;
                    world.borrow_mut().answered(number, result);
                });
                if self.prng.chance(30) {
                    store.abort(ticket);
                }
            }
            Request::Mark(mark) => {
                let answer = store.mark(mark);
                self.scheduler.spawn(tab_id, async move {
                    let result = answer.await;
                    world.borrow_mut().marked(number, result);
                });
            }
        }
    }

    fn read(&mut self) {
        let Some((store, tab)) = self.any_open_store() else { return };
        let read = {
            let world = self.world.borrow();
            if self.prng.chance(500) {
                Read::Stream(requests::read_of_stream(&mut self.prng, &world.model))
            } else {
                Read::All(requests::read_of_all(&mut self.prng, &world.model))
            }
        };
        let reader = self.reader(tab);
        self.scheduler.spawn(self.tabs[tab].host.tab(), reader.read(store, read));
    }

    fn ask(&mut self) {
        let Some((store, tab)) = self.any_open_store() else { return };
        let question = requests::question(&mut self.prng);
        let reader = self.reader(tab);
        self.scheduler.spawn(self.tabs[tab].host.tab(), reader.ask(store, question));
    }

    fn compact(&mut self) {
        let Some((store, tab)) = self.any_open_store() else { return };
        let reader = self.reader(tab);
        self.scheduler.spawn(self.tabs[tab].host.tab(), reader.compact(store));
    }

    fn crash_tab(&mut self) {
        if self.tabs.is_empty() {
            return;
        }
        let tab = self.tabs.swap_remove(self.prng.index(self.tabs.len()));
        self.world.borrow_mut().note(format!("{:?} crashes", tab.host.tab()));
        self.origin.crash(tab.host.tab());
        self.world.borrow_mut().crashed(tab.host.tab());
        self.open_tab();
    }

    /// Closes a store. What it was asked for before is done, and answered.
    fn close_tab(&mut self) {
        let Some((store, place)) = self.any_open_store() else { return };
        let tab = self.tabs.swap_remove(place);
        tab.is_closing.set(true);
        self.world.borrow_mut().note(format!("{:?} closes", tab.host.tab()));
        self.scheduler.spawn(tab.host.tab(), async move { store.close().await });
        self.open_tab();
    }

    fn lose_connection(&mut self) {
        if self.climate == Climate::Stormy && !self.tabs.is_empty() {
            let tab = self.prng.pick(&self.tabs);
            self.world.borrow_mut().is_foul = true;
            self.world.borrow_mut().note(format!("{:?} loses its connection", tab.host.tab()));
            tab.storage.disconnect();
        }
    }

    fn change_weather(&mut self) {
        let weather = self.climate.weather(&mut self.prng);
        let mut world = self.world.borrow_mut();
        world.is_foul |= weather.fails();
        world.note(format!("{weather:?}"));
        self.database.set_weather(weather);
    }

    /// For longer than a store asks what became of a commit, no connection lasts.
    async fn sit_out_an_outage(&mut self) {
        if self.climate == Climate::Stormy {
            self.world.borrow_mut().is_foul = true;
            self.world.borrow_mut().note("an outage");
            self.database.set_weather(Weather { disconnect_permille: 1_000, ..Weather::default() });
            self.scheduler.sleep(10_000).await;
            self.change_weather();
        }
    }

    fn shift_clock(&mut self) {
        if self.tabs.is_empty() {
            return;
        }
        let by_ms = self.prng.below(2_000) as i64 - 1_000;
        self.prng.pick(&self.tabs).host.shift_clock(by_ms);
    }

    /// What must hold at every moment.
    fn check(&mut self) {
        let mut world = self.world.borrow_mut();
        world.audit();
        let head = Position(world.model.head());
        for tab in &mut self.tabs {
            let Some(position) = tab.store.borrow().as_ref().map(Store::position) else { continue };
            if position < tab.position || head < position {
                let before = tab.position;
                world.fail(format!(
                    "{:?} is at {position}, was at {before}; the log at {head}",
                    tab.host.tab()
                ));
            }
            tab.position = position;
        }
    }

    /// Lets everything under way come to its end in fair weather.
    async fn settle(&mut self) {
        for tab in &self.tabs {
            tab.storage.put_fuse_out();
        }
        self.database.set_weather(Weather { step_ms_max: 5, ..Weather::default() });
        let deadline_ms = self.scheduler.now_ms() + SETTLING_MS_MAX;
        while !self.world.borrow().is_quiet() && !self.has_failed() {
            if deadline_ms < self.scheduler.now_ms() {
                let problem = format!("never ends: {}", self.world.borrow().unrest());
                return self.world.borrow_mut().fail(problem);
            }
            self.scheduler.sleep(50).await;
        }
        let behind = subscribing::all_told(&self.world, &self.scheduler, deadline_ms).await;
        if !behind.is_empty() {
            let problem = format!("subscribers {behind:?} are never told of what they wait for");
            return self.world.borrow_mut().fail(problem);
        }
        if self.straining.has_consumers() {
            self.consume_it_all(deadline_ms).await;
        }
        if self.straining.has_projections() {
            self.project_it_all(deadline_ms).await;
        }
        self.check();
        self.world.borrow_mut().check_unclaimed();
    }

    /// A new tab finds everything, and every tab can be closed.
    async fn read_it_all(&mut self) {
        if self.has_failed() {
            return;
        }
        self.open_tab();
        let tab = self.tabs.len() - 1;
        self.scheduler.sleep(5_000).await;
        let store = self.tabs[tab].store.borrow().clone();
        let Some(store) = store else { return self.world.borrow_mut().fail("a new tab does not open") };
        self.reader(tab).read(store, Read::All(AllRead::everything())).await;
        for tab in &self.tabs {
            tab.is_closing.set(true);
            let store = tab.store.borrow_mut().take();
            if let Some(store) = store {
                store.close().await;
                let error = store.stats().await.err();
                if !error.is_some_and(|error| *error.detail() == Detail::Closed) {
                    self.world.borrow_mut().fail("a closed store answers");
                }
            }
        }
    }

    fn reader(&mut self, tab: usize) -> Reader {
        Reader {
            tab: self.tabs[tab].host.tab(),
            world: Rc::clone(&self.world),
            scheduler: self.scheduler.clone(),
            is_closing: Rc::clone(&self.tabs[tab].is_closing),
            pause_ms: self.prng.below(8),
        }
    }

    fn any_open_store(&mut self) -> Option<(Store<S, SimulatedHost>, usize)> {
        if self.tabs.is_empty() {
            return None;
        }
        let tab = self.prng.index(self.tabs.len());
        let store = self.tabs[tab].store.borrow().clone()?;
        Some((store, tab))
    }

    fn has_failed(&self) -> bool {
        self.world.borrow().failure.is_some()
    }
}
