//! Has tabs follow the log: subscribe, consume and project.

use std::rc::Rc;

use crate::event::Position;
use crate::query::Query;
use crate::storage::Storage;
use crate::testing::simulated_storage::SimulatedStorage;

use super::super::reading::Reader;
use super::super::{consuming, projected, projecting, requests, subscribing};
use super::Director;

impl<S: Storage, W: Fn(SimulatedStorage) -> S + 'static> Director<S, W> {
    pub(super) fn subscribe(&mut self) {
        let prng = &mut self.straining.prng;
        let Some(tab) = self.tabs.get(prng.index(self.tabs.len().max(1))) else { return };
        let Some(store) = tab.store.borrow().clone() else { return };
        let head = self.world.borrow().model.head();
        let after = Position(if prng.chance(500) { 0 } else { prng.between(0..=head + 2) });
        let query = if prng.chance(500) { Query::everything() } else { requests::query(prng) };
        let reader = Reader {
            tab: tab.host.tab(),
            world: Rc::clone(&self.world),
            scheduler: self.scheduler.clone(),
            is_closing: Rc::clone(&tab.is_closing),
            pause_ms: 0,
        };
        let subscribing = subscribing::subscribe(reader, store, after, query, prng.fork());
        self.scheduler.spawn(tab.host.tab(), subscribing);
    }

    pub(super) fn consume(&mut self, tab: usize, name: &'static str) {
        let Some(tab) = self.tabs.get(tab) else { return };
        let Some(store) = tab.store.borrow().clone() else { return };
        let reader = Reader {
            tab: tab.host.tab(),
            world: Rc::clone(&self.world),
            scheduler: self.scheduler.clone(),
            is_closing: Rc::clone(&tab.is_closing),
            pause_ms: 0,
        };
        let consuming = consuming::consume(reader, store, name, self.straining.prng.fork());
        self.scheduler.spawn(tab.host.tab(), consuming);
    }

    /// Has a tab carry a projection on, or ask for documents. Now and then a definition has a newer version.
    pub(super) fn project_or_ask(&mut self) {
        let tab = self.straining.prng.index(self.tabs.len().max(1));
        let name = *self.straining.prng.pick(&projected::NAMES);
        if self.straining.prng.chance(500) {
            let Some(store) = self.tabs.get(tab).and_then(|tab| tab.store.borrow().clone()) else { return };
            let asking = self.reader(tab).ask_for_documents(store, name, self.straining.prng.fork());
            return self.scheduler.spawn(self.tabs[tab].host.tab(), asking);
        }
        if self.straining.prng.chance(100) {
            *self.world.borrow_mut().projected.versions.entry(name).or_insert(1) += 1;
        }
        self.project(tab, name);
    }

    fn project(&mut self, tab: usize, name: &'static str) {
        let Some(store) = self.tabs.get(tab).and_then(|tab| tab.store.borrow().clone()) else { return };
        let newest = self.world.borrow().projected.versions.get(name).copied().unwrap_or(1);
        // Some tabs were not reloaded yet.
        let is_old = !self.world.borrow().projected.is_settling.get() && self.straining.prng.chance(100);
        let version = if is_old { newest.saturating_sub(1).max(1) } else { newest };
        let projecting =
            projecting::project(self.reader(tab), store, name, version, self.straining.prng.fork());
        self.scheduler.spawn(self.tabs[tab].host.tab(), projecting);
    }

    /// Has a tab that is open project, so that everything is in the documents in the end.
    pub(super) async fn project_it_all(&mut self, deadline_ms: u64) {
        self.world.borrow().projected.is_settling.set(true);
        self.open_tab();
        self.scheduler.sleep(5_000).await;
        let last = self.tabs.len() - 1;
        projected::NAMES.into_iter().for_each(|name| self.project(last, name));
        let behind = projecting::all_projected(&self.world, &self.scheduler, deadline_ms).await;
        if !behind.is_empty() {
            self.world.borrow_mut().fail(format!("the projections {behind:?} do not come to an end"));
        }
    }

    /// Has a tab that is open consume, so that everything is handled in the end.
    pub(super) async fn consume_it_all(&mut self, deadline_ms: u64) {
        self.world.borrow().consumed.is_settling.set(true);
        self.open_tab();
        self.scheduler.sleep(5_000).await;
        let last = self.tabs.len() - 1;
        consuming::NAMES.into_iter().for_each(|name| self.consume(last, name));
        let store = self.tabs[last].store.borrow().clone();
        let Some(store) = store else { return self.world.borrow_mut().fail("a new tab does not open") };
        let behind = consuming::all_consumed(&self.world, &store, &self.scheduler, deadline_ms).await;
        if !behind.is_empty() {
            self.world.borrow_mut().fail(format!("the consumers {behind:?} do not come to an end"));
        }
    }
}
